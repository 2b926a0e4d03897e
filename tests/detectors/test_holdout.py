"""Hold-out from enforcement: who is drawn, what is left undone, and what never is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from config.policies import PolicyError
from detectors.judge import Judge
from detectors.policy import PolicySet
from features.outputs import AuditSampled, EnforcementDecided, RiskAssessed
from features.pseudonyms import Pseudonyms
from tests.builders import DAY, KEY, START, Event, Shard, make_judge, of_order, placed, policies_of
from tests.detectors.policy_folders import RULE, compile_folder

RULES = """
rules:
  - id: cancelled
    version: 2
    title: Orders cancelled
    policy: seller_cancellation
    subject: merchant
    when: seller_cancels_30d >= 1
    evidence: {seller_cancels_30d: 1}
    severity: elevated
    weight: 0.4
    reason: "{seller_cancels_30d:d} cancelled"
    mode: enforce
    action: order_limit
  - id: cancelled-severe
    version: 1
    title: Many orders cancelled
    policy: seller_cancellation
    subject: merchant
    when: seller_cancels_30d >= 3
    evidence: {seller_cancels_30d: 3}
    severity: high
    weight: 0.8
    reason: "{seller_cancels_30d:d} cancelled"
    mode: enforce
    action: quality
  - id: counterfeits
    version: 1
    title: Claims of counterfeits
    policy: counterfeit
    subject: merchant
    when: counterfeit_claims_30d >= 1
    evidence: {counterfeit_claims_30d: 1}
    severity: guarded
    weight: 0.4
    reason: "{counterfeit_claims_30d:d} claims"
    mode: enforce
    action: order_limit
"""
SECTION = """
holdout:
  policies: [{policies}]
  actions: [{actions}]
  period_days: 60
"""


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> PolicySet:
    """Rules on cancelled orders and on counterfeits, with the ladders and the hold-out that come along."""
    return policies_of(tmp_path_factory.mktemp("policies"), RULES)


def judge_of(policies: PolicySet, rate: float) -> Judge:
    """A judge that holds so large a share out and draws nothing for audit."""
    return make_judge(policies, holdout_rate=rate, audit_rate=0.0)


def cancels(count: int, merchant: str = "m1", at: int = 0) -> Iterator[Event]:
    """Orders that the merchant cancels."""
    for number in range(count):
        order = f"{at}-{number}"
        yield placed(order, at + number, merchant, deliver_by=START + at + 30 * DAY)
        yield of_order("cancelled", order, at + number, merchant, by="seller")


def test_a_decision_that_is_held_out_is_published_as_a_sample(policies: PolicySet) -> None:
    """With its probability, rule and action; no decision, no action in force, no strike, no word in the standing."""
    shard = Shard(judge_of(policies, 1.0))
    shard.apply(*cancels(1))
    (assessed,) = shard.outputs(RiskAssessed)
    (sample,) = shard.outputs(AuditSampled)
    assert shard.outputs(EnforcementDecided) == []
    assert (sample.stratum, sample.inclusion_probability) == ("holdout:seller_cancellation", 1.0)
    assert (sample.assessment_id, sample.sequence) == (assessed.assessment_id, assessed.sequence + 1)
    assert sample.withheld is not None
    assert (sample.withheld.action, sample.withheld.policy.id) == ("limit_orders", "cancelled")
    assert sample.withheld.starts_at == START
    standing = shard.merchant().record.enforcement
    assert standing is not None
    assert (standing.active, standing.strikes) == ([], {})
    assert all(not one.enforcements for one in shard.standings())


def test_the_rule_is_quiet_as_long_as_it_would_have_been(policies: PolicySet) -> None:
    """One sample for one finding; a new one when the action and its cool-down would have been over."""
    shard = Shard(judge_of(policies, 1.0))
    shard.apply(*cancels(1), *cancels(1, at=13 * DAY), placed("later", 15 * DAY))
    samples = [one.withheld for one in shard.outputs(AuditSampled) if one.withheld is not None]
    assert [(one.starts_at - START) // DAY for one in samples] == [0, 15]
    # A week of limited orders, and a week of cool-down.
    assert samples[0].until == START + 14 * DAY


def test_the_rule_speaks_again_when_the_period_ends(policies: PolicySet) -> None:
    """Whoever is drawn anew is not protected by what was held out before."""
    period = policies.holdout.period
    begins = (START // period + 1) * period
    shard = Shard(judge_of(policies, 1.0))
    shard.apply(*cancels(1, at=begins - 2 * DAY - START))
    (sample,) = shard.outputs(AuditSampled)
    assert sample.withheld is not None
    assert sample.withheld.until == begins


def test_severe_and_unlisted_is_always_enforced(policies: PolicySet) -> None:
    """Also against a merchant in the arm: rules of high severity, and policies that the files do not list."""
    shard = Shard(judge_of(policies, 1.0))
    shard.apply(*cancels(3))
    assert [one.policy.id for one in shard.outputs(EnforcementDecided)] == ["cancelled-severe"]
    shard.apply(placed("fake"), of_order("return_requested", "fake", reason="counterfeit"))
    assert [one.policy.id for one in shard.outputs(EnforcementDecided)] == ["cancelled-severe", "counterfeits"]


def test_harsher_steps_are_not_held_out(policies: PolicySet) -> None:
    """The action counts, not the rule alone: the second step of a ladder that holds money is taken."""
    rule = policies.rules["cancelled"]
    assert policies.holdout.covers(rule, "limit_orders")
    assert not policies.holdout.covers(rule, "hold_payout")
    assert not policies.holdout.covers(rule, "suspend_merchant")


def test_nothing_is_held_out_at_a_rate_of_zero(policies: PolicySet) -> None:
    """Every decision is carried out."""
    shard = Shard(judge_of(policies, 0.0))
    for number in range(300):
        shard.apply(*cancels(1, f"m{number}"))
    assert len(shard.outputs(EnforcementDecided)) == 300
    assert shard.outputs(AuditSampled) == []


def test_the_share_held_out_is_the_rate(policies: PolicySet) -> None:
    """Of 4,000 merchants about a tenth, the same in every run; others under another key."""
    drawn = []
    for key in (KEY, KEY, b"another key, of another deployment"):
        judge = judge_of(policies, 0.1)
        judge.pseudonyms = Pseudonyms(key)
        shard = Shard(judge)
        for number in range(4_000):
            shard.apply(*cancels(1, f"m{number}"))
        drawn.append({one.merchant_id for one in shard.outputs(AuditSampled)})
        decided = {one.merchant_id for one in shard.outputs(EnforcementDecided)}
        assert len(decided) + len(drawn[-1]) == 4_000
        assert not decided & drawn[-1]
    # Four standard deviations of 400.
    assert 324 < len(drawn[0]) < 476
    assert drawn[0] == drawn[1]
    assert len(drawn[0] & drawn[2]) < 80


def test_a_merchant_stays_in_its_arm_for_the_period(policies: PolicySet) -> None:
    """Each later finding within the period is treated like the first; in the next one it is drawn anew."""
    period = policies.holdout.period
    first = (START // period + 1) * period - START
    judge = judge_of(policies, 0.3)
    arms: dict[str, list[bool]] = {}
    for number in range(40):
        merchant = f"m{number}"
        shard = Shard(judge)
        for start in (first, first + 20 * DAY, first + 40 * DAY, first + period):
            before = len(shard.outputs(AuditSampled))
            shard.apply(*cancels(1, merchant, at=start), tick=start + 16 * DAY)
            arms.setdefault(merchant, []).append(len(shard.outputs(AuditSampled)) > before)
    assert all(len(set(arm[:3])) == 1 for arm in arms.values())
    assert {arm[0] for arm in arms.values()} == {True, False}
    assert any(arm[2] != arm[3] for arm in arms.values())


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (
            {"policies": "late_dispach", "actions": "warn"},
            'unknown policy "late_dispach"; did you mean "late_dispatch"?',
        ),
        (
            {"policies": "prohibited_product", "actions": "warn"},
            '"prohibited_product" is about what is against the law',
        ),
        ({"policies": "late_dispatch", "actions": "hold_payout"}, '"hold_payout" protects buyers from harm'),
        ({"policies": "late_dispatch", "actions": "warning"}, 'unknown action "warning"'),
    ],
)
def test_what_may_not_be_held_out_is_refused(tmp_path: Path, section: dict[str, str], words: str) -> None:
    """With the file and the line."""
    (tmp_path / "holdout.yaml").write_text(SECTION.format(**section), encoding="utf-8")
    enforcement = (Path("config") / "policies" / "enforcement.yaml").read_text(encoding="utf-8")
    with pytest.raises(PolicyError) as error:
        compile_folder(tmp_path, RULE, enforcement=enforcement.split("\nholdout:")[0])
    assert words in str(error.value)
    assert "holdout.yaml:" in str(error.value)


def test_policies_without_a_section_hold_nothing_out(tmp_path: Path) -> None:
    """Folders that were written before go on as they were."""
    enforcement = (Path("config") / "policies" / "enforcement.yaml").read_text(encoding="utf-8")
    compiled = compile_folder(tmp_path, RULE, enforcement=enforcement.split("\nholdout:")[0])
    assert not compiled.holdout.covers(compiled.rules["a-rule"], "warn")
    assert compiled.version != compile_folder(tmp_path, RULE).version
