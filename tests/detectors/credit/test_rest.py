"""Credit of merchants that pause, rest and come back."""

from features.outputs import CreditChanged
from tests.builders import DAY, START, Shard, event, make_judge, of_order, placed


def shard_with_history() -> Shard:
    """A merchant that registered, was in probation, and sold for two months."""
    shard = Shard(make_judge(audit_rate=0.0, publish_level=4, idle_merchant_days=400))
    shard.apply(event("merchant.registered", 0, kind="business", country="DE", registered_at=START))
    for day in range(60):
        order = f"o{day}"
        shard.apply(placed(order, day * DAY), of_order("delivered", order, (day + 1) * DAY))
    return shard


def test_a_merchant_that_sells_is_looked_at_once_a_week() -> None:
    """From the outcome of its first order on, at one time of the week; and not while there is nothing to look at."""
    shard = shard_with_history()
    credit = shard.merchant().record.credit
    assert credit is not None
    assert credit.due
    dues = set()
    for day in range(60, 140):
        shard.apply(tick=day * DAY)
        dues.add(credit.due)
    assert all((one - min(dues)) % (7 * DAY) == 0 for one in dues)
    assert 11 <= len(dues) <= 13


def test_it_leaves_probation_by_its_orders() -> None:
    """Thirty days, thirty orders, ten buyers: told once, with a score that is known by then."""
    shard = shard_with_history()
    shard.apply(tick=90 * DAY)
    changes = shard.outputs(CreditChanged)
    assert [each.tier for each in changes if each.tier != each.previous_tier] == ["probation", "standard"]
    assert changes[-1].score is not None


def test_a_merchant_at_rest_keeps_its_tier_and_is_looked_at_when_it_is_back() -> None:
    """What is left of its credit is small and waits for nothing; an order later it waits for that order's outcome."""
    shard = shard_with_history()
    for day in range(60, 700, 10):
        shard.apply(tick=day * DAY)
    credit = shard.merchant().record.credit
    assert credit is not None
    assert (credit.clean, credit.past, credit.ledger, credit.due) == ([], [], [], 0)
    assert credit.graduated
    shard.apply(placed("back", 701 * DAY))
    assert START + 701 * DAY < credit.due < START + 740 * DAY
    assert shard.merchant().record.credit is credit


def test_a_pause_ends_what_was_earned_without_an_event() -> None:
    """Half a year after its last order the score is null again: what it says is old."""
    shard = shard_with_history()
    for day in range(60, 330, 10):
        shard.apply(tick=day * DAY)
    credit = shard.merchant().record.credit
    assert credit is not None
    assert credit.score is None
    assert credit.due == 0
