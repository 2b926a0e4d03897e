"""Off-platform contact: listings that lead buyers away, in plain words or disguised."""

from streams.simulator.scenarios.bad_listings import BadListings
from streams.simulator.shop import Listing, Merchant

_NAMES = ("dealhouse", "bestshop88", "topgoods", "mia.store", "luxdepot")
_OPEN = (
    "Order on WhatsApp +1 555 {a} {b} for 10 % off.", "Write to {name}@gmail.com for the price.",
    "Cheaper on our website www.{name}-shop.com", "Add me on Telegram @{name}", "WeChat: {name}",
)  # fmt: skip
_DISGUISED = (
    "Write us: {name} at gmail dot com", "W h a t s A p p us: five five five {words}",
    "Add me on T.e.l.e.g.r.a.m {name}", "find us: {name}-shop (dot) com", "Wh@tsApp 1-555-{a}-{b}",
    "call me: zero one five five {words}",
)  # fmt: skip
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class OffPlatform(BadListings):
    """New listings and edits with a phone number, a handle, an address or a link; with stealth mostly disguised."""

    name = "off_platform"
    listings = 10.0

    def offer(self, merchant: Merchant, time: int) -> Listing | None:
        """Put contact data into a new listing, or into one that is there."""
        random = self.random
        way = random.choice(_DISGUISED if random.random() < self.masked(0.0, 0.8) else _OPEN)
        words = way.format(
            name=f"{random.choice(_NAMES)}{random.randint(1, 99)}",
            a=random.randint(200, 899),
            b=f"{random.randint(0, 9999):04d}",
            words=" ".join(random.choice(_DIGITS) for _ in range(7)),
        )
        free = [each for each in merchant.listings if each.id not in self.world.truth.listings]
        if free and random.random() < 0.4:
            listing = random.choice(free)
            listing.description = f"{listing.description} {words}"
            self.stock.update(merchant, listing, time)
            return listing
        listing = self.stock.draw(merchant, random.choice(merchant.categories))
        listing.description = f"{listing.description} {words}"
        self.stock.create(merchant, listing, time)
        return listing
