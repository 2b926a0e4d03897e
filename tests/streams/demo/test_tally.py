"""Counting outputs: levels, reasons, enforcements, flags, latencies."""

from typing import Any

import pytest

from features.outputs import (
    Action,
    Detector,
    EnforcementDecided,
    EnforcementReversed,
    Level,
    PolicyRef,
    Reason,
    Redress,
    RiskAssessed,
    Source,
    Standing,
    StandingEnforcement,
    Subject,
    Versions,
)
from streams.demo.rulebook import RuleInfo
from streams.demo.tally import Tally, percentiles

RULES = {
    "bust-out": RuleInfo(rank=4, attacks=frozenset({"bust_out"})),
    "brushing": RuleInfo(rank=3, attacks=frozenset({"brushing"})),
    "self-dealing-order": RuleInfo(rank=1, attacks=frozenset({"brushing"})),
    "bad-order-rate": RuleInfo(rank=3),
}


def assessed(sequence: int = 1, level: Level = "high", kind: Any = "merchant", *codes: str) -> RiskAssessed:
    """An assessment of merchant m1, its order or listing, for the reasons with these codes."""
    return RiskAssessed(
        assessment_id=f"a{sequence}",
        sequence=sequence,
        merchant_id="m1",
        subject=Subject(kind, "m1" if kind == "merchant" else "x1"),
        level=level,
        score=700,
        probability=0.4,
        detectors=[Detector(f"rule:{code}", "1", 0.5) for code in codes],
        reasons=[Reason(code, f"because of {code}", weight=0.9 - 0.1 * n) for n, code in enumerate(codes)],
        features={},
        versions=Versions("p", "f", "m"),
        mode="live",
        source=Source("orders", 0, 1),
    )


def decided(decision_id: str = "d1", rule: str = "bust-out", severity: Level = "critical", **changes: Any) -> Any:
    """A decision to hold the payout of m1."""
    values: dict[str, Any] = {
        "decision_id": decision_id,
        "sequence": 1,
        "merchant_id": "m1",
        "subject": Subject("merchant", "m1"),
        "action": "hold_payout",
        "severity": severity,
        "starts_at": 0,
        "requires_review": False,
        "policy": PolicyRef(rule, "1", "A title"),
        "assessment_id": "a1",
        "evidence": [],
        "facts": f"facts of {decision_id}",
        "redress": Redress(0),
        "mode": "live",
    }
    return EnforcementDecided(**(values | changes))


def reversed_(reverses: str, why: Any) -> EnforcementReversed:
    """The end of a decision."""
    return EnforcementReversed(
        decision_id="d9", sequence=9, merchant_id="m1", reverses=reverses, why=why, restores=[], mode="live"
    )


def standing(sequence: int, level: Level, *actions: Action) -> Standing:
    """A standing of m1."""
    active = [StandingEnforcement("d1", each, "bust-out", Subject("merchant", "m1"), None) for each in actions]
    return Standing(merchant_id="m1", sequence=sequence, level=level, as_of=0, enforcements=active, mode="live")


@pytest.fixture
def tally() -> Tally:
    """An empty tally."""
    return Tally(RULES)


def test_merchant_has_level_score_and_reasons(tally: Tally) -> None:
    """An assessment of the merchant itself says where it stands and why."""
    tally.event(assessed(1, "high", "merchant", "bust-out"), 5)
    (merchant,) = tally.riskiest(10)
    assert (merchant.merchant_id, merchant.level, merchant.score) == ("m1", "high", 700)
    assert merchant.reasons[0].text == "because of bust-out"


def test_order_does_not_change_the_merchants_level(tally: Tally) -> None:
    """A flagged order is noted with its reason, but the merchant stands where it stood."""
    tally.event(assessed(1, "high", "order", "brushing"), 5)
    assert tally.merchants["m1"].level == "low"
    assert tally.merchants["m1"].subject_reason == "because of brushing"
    assert tally.merchants["m1"].flagged_subjects == 1


@pytest.mark.parametrize("first", ["standing", "assessment"])
def test_latest_sequence_decides_the_level(tally: Tally, first: str) -> None:
    """Standings and assessments come through two topics: the higher sequence holds, in whichever order they come."""
    if first == "standing":
        tally.standing(standing(2, "low"))
    tally.event(assessed(1, "high"), 5)
    if first == "assessment":
        tally.standing(standing(2, "low"))
    assert tally.merchants["m1"].level == "low"


def test_riskiest_are_sorted_and_low_ones_left_out(tally: Tally) -> None:
    """Level goes before score, and nobody is shown who stands at low."""
    for name, level, score in (("a", "guarded", 300), ("b", "high", 650), ("c", "high", 700), ("d", "low", 100)):
        view = tally._merchant(name)
        view.level, view.score = level, score  # type: ignore[assignment]
    assert [merchant.merchant_id for merchant in tally.riskiest(2)] == ["c", "b"]
    assert [merchant.merchant_id for merchant in tally.riskiest(9)] == ["c", "b", "a"]


@pytest.mark.parametrize("kind", ["merchant", "order", "listing"])
def test_high_assessment_flags(tally: Tally, kind: str) -> None:
    """Whatever the assessment is of, at level high it flags the merchant, and for the attack of its rule."""
    tally.event(assessed(1, "high", kind, "brushing"), 5)
    tally.event(assessed(2, "critical", kind, "brushing", "bust-out"), 8)
    assert tally.flagged == {"m1": 5}
    assert tally.flagged_for == {("brushing", "m1"): 5, ("bust_out", "m1"): 8}


def test_elevated_assessment_does_not_flag(tally: Tally) -> None:
    """Below high nobody is flagged."""
    tally.event(assessed(1, "elevated", "merchant", "bust-out"), 5)
    assert not tally.flagged
    assert not tally.flagged_for


def test_mild_rule_beside_a_grave_one_accuses_nobody(tally: Tally) -> None:
    """An assessment is high because of one rule; another attack's mild rule beside it is no flag for that attack."""
    tally.event(assessed(1, "high", "order", "bad-order-rate", "self-dealing-order"), 5)
    assert tally.flagged == {"m1": 5}
    assert not tally.flagged_for


def test_enforcement_flags_by_its_severity(tally: Tally) -> None:
    """An enforcement flags like an assessment by the severity of its rule; a mild one flags for its attack alone."""
    tally.event(decided("d1", "self-dealing-order", "guarded"), 3)
    assert not tally.flagged
    assert tally.flagged_for == {("brushing", "m1"): 3}
    tally.event(decided("d2", "bust-out", "critical"), 4)
    assert tally.flagged_for == {("brushing", "m1"): 3, ("bust_out", "m1"): 4}


def test_like_decisions_are_one_line(tally: Tally) -> None:
    """The same action against a merchant under the same rule is shown once, at its latest, and counted."""
    tally.event(decided("d1"), 1)
    tally.event(decided("d2", "brushing", "high"), 2)
    tally.event(decided("d3"), 3)
    assert [(each.rule, each.at, each.times, each.facts) for each in tally.latest_enforcements(9)] == [
        ("bust-out", 3, 2, "facts of d3"),
        ("brushing", 2, 1, "facts of d2"),
    ]
    assert len(tally.latest_enforcements(1)) == 1


def test_what_is_taken_back_is_shown(tally: Tally) -> None:
    """An override is news; an expiry was known from the start."""
    tally.event(decided("d1"), 1)
    tally.event(reversed_("d1", "expiry"), 2)
    tally.event(decided("d2"), 3)
    tally.event(reversed_("d2", "override"), 4)
    assert [(each.reversed, each.at) for each in tally.latest_enforcements(9)] == [(True, 4), (False, 3)]


def test_actions_in_force_come_from_the_standing(tally: Tally) -> None:
    """A standing replaces the list of what is in force."""
    tally.standing(standing(1, "high", "hold_payout", "limit_orders"))
    tally.standing(standing(2, "high", "hold_payout"))
    assert tally.merchants["m1"].actions == ["hold_payout"]


def test_latencies_of_all_and_of_late() -> None:
    """The summary's percentiles are of everything, the page's of the last ten seconds, both in ms."""
    tally = Tally(RULES)
    assert tally.percentiles() is None
    for second in range(20):
        tally.latency(0.1 if second < 10 else 0.01, now=float(second))
    everything, recent = tally.percentiles(), tally.recent_percentiles(now=20.0)
    assert everything is not None and recent is not None
    assert (everything.p50, everything.p99) == (10, 100)
    assert (recent.p50, recent.p99) == (10, 10)
    assert tally.recent_percentiles(now=40.0) is None


def test_percentiles_are_values_that_occurred() -> None:
    """Nearest rank: of few values the largest is the 99th percentile."""
    found = percentiles([3.0, 1.0, 2.0])
    assert found is not None
    assert (found.p50, found.p95, found.p99) == (2, 3, 3)


def test_dead_letters_are_counted_by_reason(tally: Tally) -> None:
    """Reasons are counted, and the last one is kept in words."""
    tally.dead_letter("invalid", "price is negative")
    tally.dead_letter("json", "not JSON")
    tally.dead_letter("json", "cut off")
    assert tally.dead_letters == {"invalid": 1, "json": 2}
    assert tally.last_dead_letter == "json: cut off"
