"""Orders that a seller places with itself: small, light parcels that arrive at once, five stars in the same words."""

from collections.abc import Sequence
from typing import Final

from streams.simulator.config import HOUR_MS
from streams.simulator.scenarios.base import Scenario
from streams.simulator.shop import Listing, Merchant
from streams.simulator.stock import pretty

TEMPLATES: Final = (
    "Super nice {noun}, five stars, will buy again!",
    "Best {noun} ever, fast shipping, highly recommended!",
    "Very good {noun}, very good seller!",
    "Perfect {noun}, love it so much!",
    "Great {noun} and great price, thank you seller!",
)


def offer_bait(scenario: Scenario, merchant: Merchant, time: int) -> Listing:
    """A cheap article to order again and again."""
    listing = scenario.stock.draw(merchant)
    listing.price = pretty(scenario.random.uniform(150, 900))
    listing.list_price = None
    listing.grams = min(listing.grams, 60.0)
    scenario.stock.create(merchant, listing, time)
    return listing


def fake_order(
    scenario: Scenario, merchant: Merchant, listing: Listing, time: int, buyer: int, device: str, words: Sequence[str]
) -> None:
    """One such order with all that follows."""
    random, events = scenario.random, scenario.events
    order = events.open(merchant, time)
    events.created(order, [(listing, 1)], buyer, device=device)
    scenario.episode.count_order(time)
    shipped = time + int(HOUR_MS * random.uniform(1, 10))
    arrives = shipped + scenario.days(0.9, 2.2)
    events.shipped(order, shipped, weight=random.randint(15, 60))
    scenario.life_cycle.carry(order, shipped + int(HOUR_MS * random.uniform(1, 5)), arrives)
    events.delivered(order, arrives + 300_000)
    if random.random() < 0.9:
        noun = listing.title.split(",")[0]
        text = random.choice(words).format(noun=noun) if random.random() < 0.8 else None
        events.reviewed(order, arrives + int(HOUR_MS * random.uniform(0.5, 12)), 5, text)
