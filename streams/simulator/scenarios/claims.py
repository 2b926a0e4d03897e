"""How buyers put it right when something is wrong: claims, disputes, refunds and low ratings."""

from collections.abc import Sequence

from features.events import ReturnReason
from streams.simulator.catalog import BAD_TEXTS, NOTHING_CAME_TEXTS
from streams.simulator.config import HOUR_MS
from streams.simulator.orders import Order
from streams.simulator.scenarios.base import Scenario


def claim(
    scenario: Scenario,
    order: Order,
    time: int,
    reason: ReturnReason,
    *,
    disputed: float = 0.3,
    for_buyer: float = 0.8,
    refunded: float = 0.7,
    rated: float = 0.4,
    texts: Sequence[str] = BAD_TEXTS,
) -> None:
    """A claim at ``time`` (ms) that the seller is to blame for.

    ``disputed``: chance of a dispute; ``for_buyer``: that the buyer wins it; ``refunded``: of a refund without one;
    ``rated``: of one star.
    """
    random, events = scenario.random, scenario.events
    events.return_requested(order, time, reason)
    if random.random() < disputed:
        opened = time + scenario.days(1, 4)
        resolved = opened + scenario.days(3, 10)
        won = random.random() < for_buyer
        events.disputed(order, opened, reason)
        events.dispute_resolved(order, resolved, "buyer" if won else "seller")
        if won:
            events.refunded(order, resolved + HOUR_MS, "seller")
    elif random.random() < refunded:
        events.refunded(order, time + scenario.days(1, 6), "seller")
    if random.random() < rated:
        events.reviewed(order, time + scenario.days(0.1, 3), 1, random.choice(texts))


def never_shipped(scenario: Scenario, order: Order) -> None:
    """An order that is not going to be shipped: cancelled by the buyer, claimed as not received, or put up with."""
    random, events = scenario.random, scenario.events
    if random.random() < 0.2:  # a label was printed, the carrier never saw a parcel
        events.shipped(order, order.ship_by - random.randrange(12 * HOUR_MS))
    if random.random() < 0.08:
        cancelled = order.ship_by + scenario.days(0, 2)
        events.cancelled(order, cancelled, "buyer", "not_shipped")
        events.refunded(order, cancelled + HOUR_MS, "seller")
    elif random.random() < 0.7:
        impatient = random.random() < 0.25
        time = order.ship_by + scenario.days(0.5, 3) if impatient else order.deliver_by + scenario.days(0.1, 7)
        claim(
            scenario, order, time, "not_received", disputed=0.35, for_buyer=1.0, refunded=0.8, rated=0.3,
            texts=NOTHING_CAME_TEXTS,
        )  # fmt: skip
