"""Honest merchants: how many of what size, since when, selling what, and how they open their shops."""

from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Final, Literal

from features.events import MerchantClosed, MerchantRegistered, MerchantVerified
from streams.simulator.accounts import Accounts
from streams.simulator.catalog import CARRIERS, CATEGORIES, COUNTRIES, PROTECTED_BRANDS, Category
from streams.simulator.config import DAY_MS, HOUR_MS
from streams.simulator.shop import Merchant, draw_quality
from streams.simulator.stock import Stock
from streams.simulator.world import World

#: Shares of merchants who join and who leave within 90 days.
_NEWCOMERS: Final = 0.12
_LEAVERS: Final = 0.01
_AUTHORISED: Final = 0.25
_NEAR_WAREHOUSE: Final = 0.1
#: Of the countries that merchants are from, those in the European Union.
_EU: Final = frozenset({"DE"})
#: Zipf-Mandelbrot sizes: weight of rank r is 1 / (r + 1 % of the merchants). The shift keeps the share of the biggest
#: and the ratio of median to mean the same for any number of merchants.
_ZIPF_SHIFT: Final = 0.01
_CATEGORY_SHARES: Final = [category.share for category in CATEGORIES]


class Population:
    """Makes merchants and opens their shops."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._random = world.random("population")
        self._stock = Stock(world, world.random("opening"))
        self._accounts = Accounts(world, world.random("accounts"))
        self._opening = world.random("opening times")
        self._papers = world.random("papers")
        # What was there before the start is told within the first part of the stream: shops open one after the other.
        self._backfill = min(DAY_MS, (world.end - world.start) // 20)

    def settle(self, count: int) -> None:
        """Make ``count`` honest merchants."""
        world, random = self._world, self._random
        quarters = world.config.span_days / 90
        newcomers, leavers = 1 - (1 - _NEWCOMERS) ** quarters, 1 - (1 - _LEAVERS) ** quarters
        shift = 1 + _ZIPF_SHIFT * count
        weights = [1 / (rank + shift) for rank in range(count)]
        random.shuffle(weights)
        median = sorted(weights)[count // 2] if count else 1.0
        for weight in weights:
            if random.random() < newcomers:
                registered = world.moment(random, 0.03, 0.9)
            else:
                registered = world.start - int(DAY_MS * random.uniform(10, 1800))
            merchant = self.make(random, registered)
            merchant.weight = weight
            size = random.lognormvariate(-0.18, 0.6) * (weight / median) ** 0.3
            merchant.slots = max(1, min(200, round(world.config.listings_per_merchant * 0.95 * size)))
            merchant.quality = draw_quality(random)
            world.honest.append(merchant)
            if random.random() < leavers:
                world.at(world.moment(random, 0.3, 1.0), partial(self.close, merchant))

    def make(self, random: Random, registered_at: int, category: Category | None = None) -> Merchant:
        """A merchant whose shop opens at ``registered_at``, or near the start if that is earlier."""
        world = self._world
        chosen = category or random.choices(CATEGORIES, _CATEGORY_SHARES)[0]
        categories = [chosen]
        if random.random() < 0.5:
            categories += [c for c in random.choices(CATEGORIES, _CATEGORY_SHARES, k=2) if c is not chosen]
        merchant = Merchant(world.new_merchant_id(), categories, registered_at)
        merchant.country = random.choices([c for c, _ in COUNTRIES], [share for _, share in COUNTRIES])[0]
        merchant.carrier = random.choices([c for c, _ in CARRIERS], [share for _, share in CARRIERS])[0]
        merchant.handling = random.choice((1, 2, 2, 2, 3)) * DAY_MS
        merchant.transit = random.choice((3, 4, 5, 6)) * DAY_MS + random.randrange(3_600) * 1000
        if merchant.country not in ("US", "CA", "MX"):
            merchant.transit += 4 * DAY_MS
        # Some sell from a warehouse near the buyers and say where the goods are from.
        merchant.warehouse = "US" if random.random() < _NEAR_WAREHOUSE else merchant.country
        merchant.price_level = random.lognormvariate(0.0, 0.15)
        merchant.repeat_share = random.betavariate(2, 12)
        merchant.authorizations = [c.permit for c in categories if c.permit]
        if random.random() < _AUTHORISED:
            brands = {b for c in categories for b in c.protected}
            merchant.authorizations += [f"brand:{b.lower()}" for b in PROTECTED_BRANDS if b in brands]
        first = world.start + int(self._backfill * self._opening.random() ** 2)
        merchant.opens = max(registered_at, first)
        world.at(merchant.opens, partial(self._open, merchant))
        return merchant

    def _open(self, merchant: Merchant, time: int) -> None:
        world, random = self._world, self._opening
        kind: Literal["business", "individual"] = "business" if random.random() < 0.7 else "individual"
        world.put(
            "merchants",
            merchant.key,
            MerchantRegistered(
                event_id=f"{random.getrandbits(64):016x}",
                occurred_at=time,
                merchant_id=merchant.id,
                kind=kind,
                country=merchant.country,
                registered_at=merchant.registered_at,
            ),
        )
        # An account that is new is verified over hours; one that has been there for long is told of at once.
        pace = HOUR_MS if time == merchant.registered_at else 1000
        self._accounts.set_up(merchant, time, pace)
        for what in ("identity", "bank"):
            world.put(
                "merchants",
                merchant.key,
                MerchantVerified(
                    event_id=f"{random.getrandbits(64):016x}",
                    occurred_at=time + 1 + int(random.random() * pace),
                    merchant_id=merchant.id,
                    what=what,
                ),
            )
        # The rest of what the law asks for: of traders in the European Union more than of others.
        trader = kind == "business" and merchant.country in _EU
        papers = ("tax_id", "contact", "trade_register", "self_certification") if trader else ("tax_id", "contact")
        self.verify(merchant, papers, time, pace)
        for _ in range(merchant.slots):
            listed = time + 1 + int(random.random() * pace)
            self._stock.create(merchant, self._stock.draw(merchant), listed)
            merchant.opens = max(merchant.opens, listed)  # nothing is ordered before it is on sale

    def verify(self, merchant: Merchant, papers: Sequence[str], time: int, within: int) -> None:
        """What the merchant shows is looked at, within so many ms after a time."""
        random = self._papers
        for what in papers:
            self._world.put(
                "merchants",
                merchant.key,
                MerchantVerified(
                    event_id=f"{random.getrandbits(64):016x}",
                    occurred_at=time + 1 + int(random.random() * within),
                    merchant_id=merchant.id,
                    what=what,
                ),
            )

    def close(self, merchant: Merchant, time: int) -> None:
        """The merchant closes its account, unless it has not opened it."""
        if time <= merchant.opens:
            return
        merchant.closes = time
        self._world.put(
            "merchants",
            merchant.key,
            MerchantClosed(event_id=f"{self._opening.getrandbits(64):016x}", occurred_at=time, merchant_id=merchant.id),
        )
