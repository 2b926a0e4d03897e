"""The credit book: whole histories, and what one event leads to."""

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from detectors.policy import PolicySet
from features.credit import WEEK_MS, CreditState
from features.outputs import CreditChanged, EnforcementDecided, Output, RiskAssessed
from features.windows import DAY_MS
from tests.builders import START, Shard, event, listed, make_judge, packaged_policies, placed
from tests.detectors.stories.runner import BEGIN, Stage

POLICIES = packaged_policies()
#: What may happen on one day after the other: orders of which some are bad, or violations.
HISTORIES = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.sampled_from(
            [
                {"orders": 12},
                {"orders": 12, "late": 5},
                {"violation": "late_dispatch", "action": "warn"},
                {"violation": "late_dispatch", "action": "limit_orders"},
                {"violation": "counterfeit", "action": "remove_listing", "listing": "l1"},
                {"violation": "prohibited_product", "action": "remove_listing", "listing": "l2"},
                {"violation": "misleading_claim", "action": "warn", "listing": "l2"},
            ]
        ),
    ),
    min_size=1,
    max_size=14,
)


def play(stage: Stage, history: list[tuple[int, dict[str, Any]]], without: int | None = None) -> None:
    """Play a history, with the violation of one number left out."""
    day = 0.0
    for number, (days, what) in enumerate(history):
        day += days
        stage.move_to(day)
        if "orders" in what:
            stage.orders(what["orders"], late=what.get("late", 0))
        elif number != without:
            kind, subject = ("listing", what["listing"]) if "listing" in what else ("merchant", "m1")
            stage.violation(what["violation"], what["action"], f"d{number}", kind, subject, confirmed=False)  # type: ignore[arg-type]
    stage.move_to(day)


def credit_of(stage: Stage) -> CreditState:
    """The merchant's credit."""
    credit = stage.merchant.record.credit
    assert credit is not None
    return credit


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(history=HISTORIES, chosen=st.integers(0, 13), more=st.integers(0, 60), registered=st.booleans())
def test_what_was_pardoned_has_never_been(
    history: list[tuple[int, dict[str, Any]]], chosen: int, more: int, registered: bool
) -> None:
    """Played and pardoned, at once or up to two months later: ledger, tier and since when are those of the history
    without it; and from the next review on all that a credit is, but for what was published
    and the milestone reached.
    """
    with_it, without = (Stage(POLICIES, registered=0 if registered else None) for _ in range(2))
    # Credit begins with the first order, whatever else there is.
    history = [(0, {"orders": 2}), *history]
    end = sum(days for days, _ in history) + more
    for stage, left_out in ((with_it, None), (without, chosen)):
        play(stage, history, left_out)
        stage.move_to(end)
    with_it.book.pardoned(with_it.merchant, f"d{chosen}")
    one, other = credit_of(with_it), credit_of(without)
    assert (one.ledger, one.tier, one.since, one.graduated) == (other.ledger, other.tier, other.since, other.graduated)
    for days in (29, 400):
        for stage in (with_it, without):
            stage.move_to(end + days)
        # The milestone reached follows from the score as it is, not from the way there.
        one, other = (replace(credit_of(stage), probability=0.0, reached=None) for stage in (with_it, without))
        assert one == other
        first, second = (stage.book.view(stage.merchant, stage.time) for stage in (with_it, without))
        assert first is not None and second is not None
        assert first.harm.mean == second.harm.mean


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(history=HISTORIES)
def test_entries_add_up_to_the_score(history: list[tuple[int, dict[str, Any]]]) -> None:
    """Start, plus all entries that were told, less those that were taken back, is the score, unless a critical case or
    an end of the scale holds it.
    """
    stage = Stage(POLICIES)
    play(stage, history)
    end = sum(days for days, _ in history)
    total = POLICIES.credit["merchant"].start
    for day in (end, end + 100, end + 200, end + 400):
        stage.move_to(day)
        for each in stage.since_last():
            if isinstance(each, CreditChanged):
                total += sum(entry.points for entry in each.entries) - sum(entry.points for entry in each.removed)
                if each.score is not None:
                    assert each.score == max(0, total)
    assert total == POLICIES.credit["merchant"].start


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(history=HISTORIES)
def test_looking_changes_nothing(history: list[tuple[int, dict[str, Any]]]) -> None:
    """A view of the credit leaves it as it is; at a review it says what the review will."""
    stage = Stage(POLICIES)
    play(stage, history)
    before = repr(credit_of(stage))
    view = stage.book.view(stage.merchant, stage.time)
    assert view is not None
    assert repr(credit_of(stage)) == before


def test_a_shard_without_a_credit_policy_keeps_none(packaged: PolicySet) -> None:
    """Nothing is kept, published or expected; orders and decisions go on."""
    stage = Stage(replace(packaged, credit={}))
    stage.orders(50)
    stage.violation("counterfeit", "hold_payout", "d1", "merchant", "m1", confirmed=True)
    stage.book.corrected(stage.merchant, "l1", stage.time)
    assert stage.book.pardoned(stage.merchant, "d1") == []
    assert stage.merchant.record.credit is None
    assert stage.book.standing(stage.merchant) is None
    assert stage.book.view(stage.merchant, stage.time) is None


def test_a_pardon_names_the_milestone_that_would_not_have_fired(packaged: PolicySet) -> None:
    """The score comes back above 150, so what was decided at 150 is to be taken back; and it can fire again."""
    stage = Stage(packaged)
    stage.orders(30)
    stage.move_to(10)
    stage.violation("counterfeit", "remove_listing", "d1", "listing", "l1", confirmed=False)
    assert credit_of(stage).reached == 150
    assert stage.book.pardoned(stage.merchant, "d1") == ["credit-milestone-150"]
    assert credit_of(stage).reached is None
    assert stage.book.pardoned(stage.merchant, "d1") == []


def test_a_pardon_keeps_what_would_have_fired_anyway(packaged: PolicySet) -> None:
    """At 75 with the pardoned one, at 125 without: 100 is undone, and 150 is the milestone that counts."""
    stage = Stage(packaged)
    stage.orders(30)
    for day, listing in ((10, "l1"), (20, "l2")):
        stage.move_to(day)
        stage.violation("counterfeit", "remove_listing", f"d{day}", "listing", listing, confirmed=False)
    assert credit_of(stage).reached == 100
    assert stage.book.pardoned(stage.merchant, "d10") == ["credit-milestone-100"]
    assert credit_of(stage).reached == 150


def test_a_pardon_names_the_repeat_rule_when_there_were_five(packaged: PolicySet) -> None:
    """Six cases made it fire; without one of them they are five."""
    stage = Stage(packaged)
    stage.orders(30)
    for number in range(6):
        stage.move_to(10 + 5 * number)
        stage.violation("category_spam", "warn", f"d{number}", "listing", f"l{number}", confirmed=False)
    assert stage.book.pardoned(stage.merchant, "d2") == ["credit-repeat"]


def test_what_follows_from_the_score_rests_on_an_assessment(packaged: PolicySet) -> None:
    """The decision names an assessment that was published before it, with the score in words and no personal data."""
    stage = Stage(packaged)
    stage.orders(30)
    stage.move_to(10)
    stage.violation("counterfeit", "remove_listing", "d1", "listing", "l1", confirmed=False)
    outputs: list[Output] = stage.since_last()
    *_, changed, assessment, decision = outputs
    assert isinstance(changed, CreditChanged)
    assert isinstance(assessment, RiskAssessed)
    assert isinstance(decision, EnforcementDecided)
    assert decision.assessment_id == assessment.assessment_id
    assert decision.policy.id == "credit-milestone-150"
    words = "200 at the start; 0 earned by clean orders; lost 50 by counterfeit goods"
    assert decision.facts == f"The credit score is 150, over 180 days: {words}"
    assert decision.statement_of_reasons["decision_facts"]


def test_reviews_of_merchants_spread_over_the_week(packaged: PolicySet) -> None:
    """Each has a time of its own: a thousand of them are not looked at in the same hour."""
    stage = Stage(packaged)

    class Named:
        def __init__(self, name: str) -> None:
            self.id = name

    slots = [stage.book._slot(Named(f"m{number}"), BEGIN * DAY_MS) for number in range(1000)]  # type: ignore[arg-type]
    assert all(BEGIN * DAY_MS <= slot < BEGIN * DAY_MS + WEEK_MS for slot in slots)
    hours = [sum(1 for slot in slots if (slot // 3_600_000) % 168 == hour) for hour in range(168)]
    assert max(hours) < 25


def test_a_listing_put_right_gives_back_points_through_the_core() -> None:
    """A listing that leads buyers away costs points; its next version without contact data gives half of them back,
    and taking it down does not.
    """
    shard = Shard(make_judge(audit_rate=0.0, holdout_rate=0.0))
    contact = "Mug, write to whatsapp +49 170 1234567 and pay there"
    shard.apply(placed("o1"), listed("l1", title=contact), listed("l2", at=1, title=contact))
    credit = shard.merchant().record.credit
    assert credit is not None
    lost = sum(entry.points for entry in credit.ledger)
    assert lost < 0
    shard.apply(listed("l1", at=DAY_MS, kind="updated", title="Mug"))
    assert sum(entry.returned for entry in credit.ledger) == -lost // 2
    changes = shard.outputs(CreditChanged)
    assert changes[-1].entries[-1].code == "correction"


def test_a_new_merchant_is_told_that_it_is_in_probation() -> None:
    """With its registration; the standing has the limits. One that registered years ago is not new."""
    shard = Shard(make_judge(audit_rate=0.0))
    old = {"kind": "business", "country": "DE", "registered_at": START - 1000 * DAY_MS}
    shard.apply(event("merchant.registered", 0, "m2", **old), placed("o1", merchant="m2"))
    assert not shard.outputs(CreditChanged)
    shard.apply(event("merchant.registered", 0, "m1", kind="business", country="DE", registered_at=START))
    standing = next(each for each in shard.standings() if each.merchant_id == "m1")
    assert standing.credit is not None
    assert (standing.credit.tier, standing.credit.score) == ("probation", None)
    assert standing.credit.limits["daily_orders"] == 100


def test_credit_is_small(packaged: PolicySet) -> None:
    """That of a merchant without violations that sells every third day, half a year on."""
    stage = Stage(packaged)
    for day in range(0, 180, 3):
        stage.move_to(day)
        stage.orders(1)
    assert len(msgspec.json.encode(credit_of(stage))) < 240, msgspec.json.encode(credit_of(stage))
