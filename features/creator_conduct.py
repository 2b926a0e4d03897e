"""What a creator's counters say of its conduct, for its credit."""

from typing import Final

from features import driven as d
from features.creator import Creator
from features.creator_features import HARM_PRIOR
from features.credit import Component, Conduct, Day
from features.order import OUTCOME_DAYS
from features.population import Population
from features.windows import DAY_MS, WINDOWS

#: A creator that was first told of within so many days of the shard's first order was there before.
ESTABLISHED_DAYS: Final = 30
_DAYS: Final = WINDOWS[-1]
_MONTH: Final = WINDOWS.index(30)


def creator_conduct(creator: Creator, population: Population, day: int) -> Conduct:
    """How the orders that a creator drove turned out up to a day, which may be later than what was last told.

    An order is bad if it is unclean: harm, refunded or cancelled by the seller, as nothing is earned by it; what
    predicts harm is harm alone.
    """
    outcomes: list[Day] = []
    harmed: list[Day] = []
    pending = False
    # By day, as they are stored, and not as they came: sums of floats depend on the order.
    for due_day, bucket in sorted(creator.outcome.buckets.items()):
        at = due_day + OUTCOME_DAYS
        if at > day:
            pending = True
            continue
        if at <= day - _DAYS:
            continue
        counts = [*bucket, *[0] * (d.OUTCOME_WIDTH - len(bucket))]
        outcomes.append((at, counts[d.DUE], counts[d.DUE_UNCLEAN]))
        harmed.append((at, counts[d.DUE], counts[d.DUE_HARMED]))
    first_seen = creator.record.first_seen
    known_since = population.deliveries.since or first_seen
    return Conduct(
        day=day,
        outcomes=outcomes,
        components={"harm": Component(harmed, HARM_PRIOR.alpha / (HARM_PRIOR.alpha + HARM_PRIOR.beta))},
        pending=pending,
        orders=creator.placed.sum(d.ORDERS, _MONTH),
        buyers=creator.buyers.distinct,
        since=first_seen if first_seen > known_since + ESTABLISHED_DAYS * DAY_MS else 0,
    )
