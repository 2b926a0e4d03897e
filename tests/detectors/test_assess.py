"""Judgement in the core: what is published and when, and the life of an enforcement."""

from typing import Any

import pytest

from detectors.finding import Finding
from detectors.judge import Judge
from features.outputs import LEVELS, AuditSampled, EnforcementDecided, EnforcementReversed, RiskAssessed
from tests.builders import (
    DAY,
    HOUR,
    START,
    Event,
    Shard,
    event,
    listed,
    make_judge,
    marketplace,
    of_order,
    placed,
    policies_of,
)

RULES = """
rules:
  - id: costly
    version: 2
    title: A costly order
    policy: order_at_risk
    subject: order
    on: [order.created]
    when: order_total > 100000
    evidence: {order_total: 1}
    severity: guarded
    weight: 0.5
    reason: "the order is worth {order_total:,d}"
    observed: order_total
    expected: 100000
    mode: enforce
    action: order_hold
  - id: low-ratings
    version: 1
    title: Low ratings
    policy: not_as_described
    subject: merchant
    when: low_ratings_30d >= 2
    evidence: {low_ratings_30d: 2}
    severity: high
    weight: 0.6
    reason: "{low_ratings_30d:d} low ratings"
    observed: low_ratings_30d
    expected: 1
    window: 30 d
    mode: enforce
    action: order_limit
  - id: refunded
    version: 1
    title: A case
    policy: non_delivery
    subject: merchant
    when: refunds_30d >= 1
    evidence: {refunds_30d: 1}
    severity: guarded
    weight: 0.2
    reason: "{refunds_30d:d} cases"
    mode: enforce
    action: warning
  - id: disputed
    version: 1
    title: A case
    policy: late_dispatch
    subject: merchant
    when: disputes_30d >= 1
    evidence: {disputes_30d: 1}
    severity: guarded
    weight: 0.2
    reason: "{disputes_30d:d} cases"
    mode: enforce
    action: warning
  - id: watched
    version: 1
    title: Any low rating, in shadow
    policy: not_as_described
    subject: merchant
    when: low_ratings_30d >= 1
    evidence: {low_ratings_30d: 1}
    severity: critical
    weight: 0.9
    reason: "a low rating"
    mode: shadow
    action: order_limit
"""


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """A judge with a rule on orders, one on merchants, and one in shadow."""
    return make_judge(policies_of(tmp_path_factory.mktemp("policies"), RULES), audit_rate=0.0)


@pytest.fixture
def shard(judge: Judge) -> Shard:
    """A shard that has seen nothing."""
    return Shard(judge)


def ordered(order: str = "o1", at: int = 0, **fields: Any) -> Event:
    """An order that is promised for so late that no model sees a risk in it."""
    return placed(order, at, deliver_by=START + at + 30 * DAY, **fields)


def rated(*numbers: int, at: int = DAY) -> list[Event]:
    """Orders that were placed, and a day later delivered and badly rated."""
    orders = [ordered(f"o{number}", at=at - DAY + number) for number in numbers]
    delivered = [of_order("delivered", f"o{number}", at) for number in numbers]
    reviews = [of_order("reviewed", f"o{number}", at + number, rating=1) for number in numbers]
    return [*orders, *delivered, *reviews]


def seen(shard: Shard, kind: str) -> list[tuple[str, list[str]]]:
    """Levels and reasons of the published assessments of orders, or of merchants."""
    found = [one for one in shard.outputs(RiskAssessed) if one.subject.kind == kind]
    return [(one.level, [reason.code for reason in one.reasons]) for one in found]


def override(decision_id: str | None, at: int, **fields: Any) -> Event:
    """A person sets an action aside."""
    standard = {"action": "limit_orders", "by": "ann", "why": "wrong"}
    return event("enforcement.overridden", at, **(standard | fields | {"decision_id": decision_id}))


# -- what is published ------------------------------------------------------------------------------------------------


def test_a_merchants_level_is_published_when_it_changes(shard: Shard) -> None:
    """Once when the rule begins to fire, not while it goes on, and again when it ends; a standing with each."""
    shard.apply(*rated(1))
    assert seen(shard, "merchant") == []
    shard.apply(*rated(2, 3, 4, at=2 * DAY))
    assert seen(shard, "merchant") == [("high", ["low-ratings"])]
    shard.apply(ordered("later", at=40 * DAY))
    assert seen(shard, "merchant") == [("high", ["low-ratings"]), ("low", [])]
    assert [one.level for one in shard.standings()][-1] == "low"


def test_rules_in_shadow_are_counted_and_nothing_else(shard: Shard) -> None:
    """They raise no level and cause no action."""
    shard.apply(*rated(1))
    assert shard.state.statistics.shadow == {"watched": 1}
    assert shard.merchant().record.level == 0
    assert shard.emits == []


def test_reasons_say_what_was_seen_and_expected(shard: Shard) -> None:
    """In words, figures, and the features that the rule names."""
    shard.apply(*rated(1, 2))
    (assessed,) = shard.outputs(RiskAssessed)
    (reason,) = assessed.reasons
    assert (reason.text, reason.observed, reason.expected, reason.window) == ("2 low ratings", 2, 1, "30 d")
    assert assessed.features == {"low_ratings_30d": 2}
    assert [(one.name, one.version, one.score) for one in assessed.detectors][:1] == [("rule:low-ratings", "1", 0.6)]
    assert (assessed.source.topic, assessed.source.offset) == ("orders", 5)
    assert 600 <= assessed.score < 800


def test_a_decision_has_its_assessment(shard: Shard) -> None:
    """An order below the level that is published is published all the same if an action follows, and comes first."""
    shard.apply(ordered(total=100_001))
    (assessed,) = shard.outputs(RiskAssessed)
    (decided,) = shard.outputs(EnforcementDecided)
    assert assessed.level == "guarded"
    assert decided.assessment_id == assessed.assessment_id
    assert decided.sequence == assessed.sequence + 1


def test_a_further_decision_at_the_same_level_has_its_own_assessment(shard: Shard) -> None:
    """A second rule fires while the merchant's level stands, below what is published: the decision is explained."""
    shard.apply(ordered(), of_order("delivered"), of_order("refunded", at=DAY + 1, amount=5, fault="seller"))
    shard.apply(of_order("disputed", at=DAY + 2, reason="broken"))
    assert seen(shard, "merchant") == [("guarded", ["refunded"]), ("guarded", ["disputed", "refunded"])]
    decisions = shard.outputs(EnforcementDecided)
    assert [one.policy.id for one in decisions] == ["refunded", "disputed"]
    assert [one.assessment_id for one in decisions] == [one.assessment_id for one in shard.outputs(RiskAssessed)]


def test_every_decision_of_a_marketplace_has_its_assessment() -> None:
    """None refers to an assessment that was never published."""
    shard = Shard(make_judge(audit_rate=0.0))
    shard.flush(marketplace())
    published: set[str] = set()
    decisions = 0
    for output in shard.all_outputs():
        if isinstance(output, RiskAssessed):
            published.add(output.assessment_id)
        elif isinstance(output, EnforcementDecided):
            decisions += 1
            assert output.assessment_id in published
    assert decisions > 10


def test_merchants_are_assessed_once_an_hour_unless_something_goes_wrong(shard: Shard) -> None:
    """Orders alone do not have a merchant judged anew; a defect does, at once."""
    statistics = shard.state.statistics
    shard.apply(*(ordered(f"o{minute}", at=HOUR + minute * 60_000) for minute in range(59)))
    orders, merchants = 59, 1
    assert statistics.assessments == orders + merchants
    shard.apply(of_order("reviewed", "o3", HOUR + 59 * 60_000, rating=5))
    assert statistics.assessments == orders + merchants
    shard.apply(of_order("reviewed", "o4", HOUR + 59 * 60_000, rating=1))
    assert statistics.assessments == orders + merchants + 1
    shard.apply(ordered("next", at=2 * HOUR))
    assert statistics.assessments == orders + merchants + 3


def test_a_quiet_merchant_is_judged_twice_a_day_and_a_busy_one_each_hour(judge: Judge) -> None:
    """An order now and then moves no figure by much; two within the hour are judged at the next, as are the orders of a
    merchant with many new listings.
    """
    at = 12 * HOUR

    def judged(*more: Event, stock: int = 0) -> bool:
        shard = Shard(judge)
        shard.apply(*(listed(f"l{index}", at=-HOUR) for index in range(stock)), ordered("first"), *more)
        shard.apply(ordered("next", at=shard.merchant().record.assessed_at - START + 2 * HOUR))
        return shard.merchant().record.assessed_at == shard.merchant().record.as_of

    assert not judged()
    assert judged(ordered("more", at=at), ordered("again", at=at + HOUR - 1), ordered("third", at=at + HOUR - 1))
    assert judged(stock=25)
    shard = Shard(judge)
    shard.apply(ordered("first"), ordered("early", at=at - 1))
    assert shard.merchant().record.assessed_at == START
    shard.apply(ordered("late", at=at))
    assert shard.merchant().record.assessed_at == START + at


def test_the_audit_sample_is_drawn_by_id(judge: Judge) -> None:
    """About the configured share of all assessments, each published with it, the same in every run."""
    drawn = []
    for _ in range(2):
        shard = Shard(make_judge(judge.policies, audit_rate=0.2, assess_every=10**12))
        shard.apply(*(ordered(f"o{number}", at=number) for number in range(1000)))
        samples = shard.outputs(AuditSampled)
        assert {one.assessment_id for one in samples} == {one.assessment_id for one in shard.outputs(RiskAssessed)}
        assert {one.inclusion_probability for one in samples} == {0.2}
        drawn.append([one.subject.id for one in samples])
    assert 150 < len(drawn[0]) < 250
    assert drawn[0] == drawn[1]


def test_scores_order_findings_by_level_and_then_by_strength() -> None:
    """Each level has a band of its own; the worst opinion decides, strength within it."""
    scores = []
    for level in range(len(LEVELS)):
        for strength in (0.0, 0.5, 1.0):
            finding = Finding()
            finding.raise_to(level, strength)
            finding.raise_to(0, 1.0 if level else 0.0)
            finding.raise_to(level, strength / 2)
            scores.append(finding.score)
    assert scores == sorted(set(scores))
    assert (scores[0], scores[-1]) == (0, 999)


# -- enforcement ------------------------------------------------------------------------------------------------------


def test_an_action_ends_when_its_time_has_come(shard: Shard) -> None:
    """Decided with its grounds, in the standing while in force, reversed by expiry to the millisecond."""
    shard.apply(*rated(1, 2))
    (decided,) = shard.outputs(EnforcementDecided)
    assert (decided.action, decided.severity, decided.policy.id) == ("limit_orders", "high", "low-ratings")
    assert decided.starts_at == START + DAY + 2
    assert decided.expires_at == decided.starts_at + 7 * DAY
    assert decided.facts == "2 low ratings"
    assert decided.redress.appeal_until == decided.starts_at + 180 * DAY
    assert [one.decision_id for one in shard.standings()[-1].enforcements] == [decided.decision_id]
    shard.apply(tick=8 * DAY + 1)
    assert shard.outputs(EnforcementReversed) == []
    shard.apply(tick=8 * DAY + 2)
    (ended,) = shard.outputs(EnforcementReversed)
    assert (ended.reverses, ended.why, ended.restores) == (decided.decision_id, "expiry", ["limit_orders"])
    assert shard.standings()[-1].enforcements == []
    # What it waits for now is the end of its retention.
    assert shard.merchant().record.timer > START + 90 * DAY


def test_a_person_can_set_an_action_aside(shard: Shard) -> None:
    """It is reversed at once, once, and its expiry says nothing any more."""
    shard.apply(*rated(1, 2))
    (decided,) = shard.outputs(EnforcementDecided)
    shard.apply(override("no such decision", 2 * DAY), override(None, 2 * DAY))
    assert shard.outputs(EnforcementReversed) == []
    shard.apply(override(decided.decision_id, 3 * DAY))
    (ended,) = shard.outputs(EnforcementReversed)
    assert (ended.reverses, ended.why) == (decided.decision_id, "override")
    assert shard.standings()[-1].enforcements == []
    shard.apply(override(decided.decision_id, 4 * DAY), tick=30 * DAY)
    assert len(shard.outputs(EnforcementReversed)) == 1


def test_another_merchant_cannot_set_it_aside(shard: Shard) -> None:
    """An override works for the merchant that it names alone."""
    shard.apply(*rated(1, 2))
    (decided,) = shard.outputs(EnforcementDecided)
    shard.apply(override(decided.decision_id, 3 * DAY) | {"merchant_id": "m2"})
    assert shard.outputs(EnforcementReversed) == []


def test_actions_against_orders_end_as_well(shard: Shard) -> None:
    """Each in its own time, by one timer of the merchant; the standing holds what is in force."""
    shard.apply(ordered(total=200_000), ordered("o2", at=DAY, total=200_000))
    assert [len(one.enforcements) for one in shard.standings()] == [1, 2]
    shard.apply(tick=14 * DAY)
    assert [one.subject.id for one in shard.standings()[-1].enforcements] == ["o2"]
    shard.apply(tick=15 * DAY)
    assert [one.why for one in shard.outputs(EnforcementReversed)] == ["expiry", "expiry"]
    assert shard.standings()[-1].enforcements == []


def test_the_same_finding_is_enforced_once(shard: Shard) -> None:
    """While an action is in force and until its cool-down is over, the rule adds nothing, however often it fires."""
    shard.apply(*rated(1, 2))
    for number in range(3, 9):
        shard.apply(*rated(number, at=number * DAY))
    assert len(shard.outputs(EnforcementDecided)) == 1


def test_expiry_wins_over_a_late_override(shard: Shard) -> None:
    """Once an action has ended, setting it aside changes nothing."""
    shard.apply(*rated(1, 2), tick=9 * DAY)
    (decided,) = shard.outputs(EnforcementDecided)
    shard.apply(override(decided.decision_id, 9 * DAY))
    assert [one.why for one in shard.outputs(EnforcementReversed)] == ["expiry"]
