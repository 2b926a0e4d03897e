"""What is counted of the orders that creators drive, whatever happens to them and however often it is told."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from features import driven as d
from features.driven import HARM, TOLD, UNCLEAN, DrivenCounts, DrivenTally
from features.order import BAD, COUNTERFEIT, LATE_SHIP, NOT_RECEIVED, ORDERED, OUTCOME_DUE, REFUND, OrderRecord
from features.windows import DAY_MS

START = 1_704_067_200_000


def order(flags: int = 0, *, buyer: int = 7, gmv: int = 1000, day: int = 0) -> OrderRecord:
    """An order of creator c, placed on a day and due for delivery five days later."""
    created = START + day * DAY_MS
    return OrderRecord(created=created, deliver_by=created + 5 * DAY_MS, buyer=buyer, gmv=gmv, flags=flags, creator="c")


def sums(counts: list[DrivenCounts]) -> tuple[Counter[tuple[int, int]], Counter[tuple[int, int]], Counter[int]]:
    """All that was told, added up: by order day, by due day, by buyer; without zeros."""
    placed: Counter[tuple[int, int]] = Counter()
    outcome: Counter[tuple[int, int]] = Counter()
    buyers: Counter[int] = Counter()
    for each in counts:
        for total, buckets in ((placed, each.placed), (outcome, each.outcome)):
            for day, bucket in buckets.items():
                total.update({(day, counter): amount for counter, amount in enumerate(bucket)})
        buyers.update(each.harmed)
    return (
        Counter({key: value for key, value in placed.items() if value}),
        Counter({key: value for key, value in outcome.items() if value}),
        Counter({key: value for key, value in buyers.items() if value}),
    )


def test_an_order_is_counted_with_its_turnover() -> None:
    """On its day, and as due for an outcome on its due day; told once, and not again while nothing changes."""
    tally, one = DrivenTally(), order(ORDERED | OUTCOME_DUE)
    assert tally.note(one, "m", "EUR")
    assert not tally.note(one, "m", "EUR")
    counts = tally.counts["c"]["m"]
    day = START // DAY_MS
    assert counts.currency == "EUR"
    assert counts.placed == {day: [1, 1000, 0, 0, 0, 0]}
    assert counts.outcome == {day + 6: [1, 0, 0, 0, 0]}
    assert counts.buyers == {day: [7]}
    assert tally.waiting == 1


def test_lateness_is_no_harm() -> None:
    """A late order is a bad one, but neither harm nor unclean: the creator does not ship."""
    tally, late = DrivenTally(), order(ORDERED | OUTCOME_DUE | LATE_SHIP | BAD)
    tally.note(late, "m", "EUR")
    ((_, bucket),) = tally.counts["c"]["m"].outcome.items()
    assert (bucket[d.DUE_BAD], bucket[d.DUE_HARMED], bucket[d.DUE_UNCLEAN]) == (1, 0, 0)


def test_a_refund_is_unclean_and_no_harm() -> None:
    """Nothing is earned by it, and nobody is blamed."""
    tally = DrivenTally()
    tally.note(order(ORDERED | OUTCOME_DUE | REFUND | BAD), "m", "EUR")
    ((_, bucket),) = tally.counts["c"]["m"].outcome.items()
    assert (bucket[d.DUE_HARMED], bucket[d.DUE_UNCLEAN]) == (0, 1)
    assert not tally.counts["c"]["m"].harmed


def test_harm_that_is_taken_back_leaves_nothing() -> None:
    """A claim that turns out to be the buyer's own is told and taken back, before or after it was told."""
    tally, one = DrivenTally(), order(ORDERED | OUTCOME_DUE)
    tally.note(one, "m", "EUR")
    one.flags |= COUNTERFEIT | BAD
    tally.note(one, "m", "EUR")
    assert tally.counts["c"]["m"].harmed == {7: 1}
    one.flags &= ~(COUNTERFEIT | BAD)
    tally.note(one, "m", "EUR")
    counts = tally.counts["c"]["m"]
    assert counts.harmed == {}
    assert sums([counts])[0] == {(START // DAY_MS, d.ORDERS): 1, (START // DAY_MS, d.GMV): 1000}


_FLAGS = st.builds(
    lambda kept, due: ORDERED | kept & ~OUTCOME_DUE | (OUTCOME_DUE if due else 0),
    st.sampled_from([0, BAD, BAD | NOT_RECEIVED, BAD | COUNTERFEIT, BAD | REFUND, BAD | LATE_SHIP]),
    st.booleans(),
)


@given(st.lists(st.tuples(st.integers(0, 3), _FLAGS, st.booleans()), max_size=30))
def test_sums_say_what_the_orders_say_now(steps: list[tuple[int, int, bool]]) -> None:
    """Whatever an order went through and whenever it was told, the sum of all that was told is the present state."""
    orders = [order(buyer=number % 2 + 1, day=number % 3) for number in range(4)]
    tally, told = DrivenTally(), []
    for number, flags, tell in steps:
        orders[number].flags = flags
        tally.note(orders[number], "m", "EUR")
        if tell:
            told += [each for merchants in tally.counts.values() for each in merchants.values()]
            tally = DrivenTally()
    told += [each for merchants in tally.counts.values() for each in merchants.values()]
    placed, outcome, buyers = sums(told)
    day = START // DAY_MS
    known = [each for each in orders if each.flags]
    assert sum(placed.values()) - sum(placed[day + at, d.GMV] for at in range(3)) == sum(
        1 + (each.flags & BAD != 0) + (each.flags & HARM != 0) + (each.flags & COUNTERFEIT != 0)
        + (each.flags & REFUND != 0) for each in known
    )  # fmt: skip
    for at in range(3):
        assert placed[day + at, d.ORDERS] == sum(each.created == START + at * DAY_MS for each in known)
        due = [each for each in known if each.flags & OUTCOME_DUE and each.created == START + at * DAY_MS]
        assert outcome[day + at + 6, d.DUE] == len(due)
        assert outcome[day + at + 6, d.DUE_UNCLEAN] == sum(each.flags & UNCLEAN != 0 for each in due)
    for buyer in (1, 2):
        assert buyers[buyer] == sum(each.buyer == buyer and each.flags & HARM != 0 for each in known)
    assert all(each.told == each.flags & TOLD for each in known)
