"""Tiers gone through again without a decision that was wrong."""

from detectors.policy import PolicySet
from features.credit import LEDGER_LIMIT, CreditState
from tests.detectors.stories.runner import Stage


def credit_of(stage: Stage) -> CreditState:
    """The merchant's credit."""
    credit = stage.merchant.record.credit
    assert credit is not None
    return credit


def test_without_violations_no_trail_is_kept(packaged: PolicySet) -> None:
    """Most parties cost nothing for it."""
    stage = Stage(packaged)
    for day in range(0, 60, 3):
        stage.move_to(day)
        stage.orders(10)
    assert credit_of(stage).trail == []


def test_a_trail_ends_with_the_violations(packaged: PolicySet) -> None:
    """From the first violation that counts on, a look a week; nothing is left when it counts no longer."""
    stage = Stage(packaged)
    stage.orders(40)
    stage.move_to(10)
    stage.violation("late_dispatch", "limit_orders", "d1", "merchant", "m1", confirmed=False)
    stage.move_to(100)
    trail = credit_of(stage).trail
    assert trail[0].causes == ["d1"] and trail[0].entered
    assert 12 <= len(trail) <= 14
    stage.move_to(200)
    assert credit_of(stage).trail == []


def test_a_trail_grows_no_longer_than_the_ledger(packaged: PolicySet) -> None:
    """A bad week may bring hundreds of removals: what the ledger forgot of them is not looked at again."""
    stage = Stage(packaged)
    stage.orders(40)
    stage.move_to(10)
    for number in range(2 * LEDGER_LIMIT):
        stage.violation("counterfeit", "remove_listing", f"d{number}", "listing", f"l{number}", confirmed=False)
    credit = credit_of(stage)
    assert len(credit.ledger) == LEDGER_LIMIT
    assert len(credit.trail) == LEDGER_LIMIT
    known = {entry.decision for entry in credit.ledger}
    assert all(known.issuperset(look.causes) for look in credit.trail)


def test_a_graduation_that_a_wrong_decision_delayed_is_dated_back(packaged: PolicySet) -> None:
    """It came out of probation when it would have without, and has been in the standard since then."""
    with_it, without = (Stage(packaged, registered=0) for _ in range(2))
    for stage in (with_it, without):
        for day in range(2, 60, 2):
            stage.move_to(day)
            stage.orders(6)
            if day == 10 and stage is with_it:
                stage.violation("counterfeit", "hold_payout", "wrong", "merchant", "m1", confirmed=True)
    assert not credit_of(with_it).graduated
    with_it.book.pardoned(with_it.merchant, "wrong")
    one, other = credit_of(with_it), credit_of(without)
    assert other.graduated
    assert (one.tier, one.since, one.graduated) == (other.tier, other.since, other.graduated)
