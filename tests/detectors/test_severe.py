from typing import Final

import msgspec
import pytest

from detectors.circumstances import Circumstances
from detectors.ladder import Decision, SubjectRef, decide, propose
from detectors.policy import PolicySet
from detectors.reversal import note_verdict
from detectors.severe import witnesses_against
from features.enforcement_state import EnforcementState, Strike
from features.windows import DAY_MS

START: Final = 1_700_000_000_000
MERCHANT: SubjectRef = ("merchant", "m1")


def given(*detectors: str, amount: int = 0, currency: str = "") -> Circumstances:
    """There is evidence for every step; detectors of these families fire as well."""
    return Circumstances("m1", lambda _: 1_000.0, frozenset(detectors), amount, currency)


def suspension(
    packaged: PolicySet, standing: EnforcementState, circumstances: Circumstances | None = None, now: int = START
) -> Decision:
    """The decision of a rule (on unshipped orders) that the merchant has two strikes of before: a suspension."""
    standing.strikes["bust_out"] = [Strike(START - days * DAY_MS, f"d{days}", "bust-out", 0) for days in (80, 60)]
    decision = propose(packaged.rules["bust-out"], MERCHANT, standing, now, packaged, "d", circumstances or given())
    assert decision is not None
    assert decision.action == "suspend_merchant"
    return decision


def test_one_detector_alone_suspends_nobody(packaged: PolicySet) -> None:
    """A third strike under one policy, seen by one kind of detector, waits for a person."""
    decision = suspension(packaged, EnforcementState())
    assert (decision.requires_review, decision.review_reason) == (True, "severe")


@pytest.mark.parametrize(
    ("families", "suspended"),
    [
        (["outcomes"], False),
        (["parcels"], False),
        (["parcels", "buyers"], False),
        (["links"], True),
        (["text"], True),
        (["account", "parcels"], True),
    ],
)
def test_two_sources_that_agree_do(packaged: PolicySet, families: list[str], suspended: bool) -> None:
    """Claims, parcels and buyers of the same orders are one witness, however many rules read them; listings or the
    account beside them are a second one.
    """
    decision = suspension(packaged, EnforcementState(), given(*families))
    assert decision.requires_review == (not suspended)


@pytest.mark.parametrize("source", ["orders", "listings", "account"])
def test_no_two_families_of_one_source_agree(packaged: PolicySet, source: str) -> None:
    """Whichever of them speak, and whether they fire now or did of late."""
    families = [family for family, its in packaged.limits.sources.items() if its == source]
    rules = [rule for rule in packaged.rules.values() if rule.detector in families and rule.severity == "high"]
    strikes = [Strike(START - DAY_MS, f"d{number}", rule.id, 0) for number, rule in enumerate(rules)]
    for rule in rules:
        standing = EnforcementState(strikes={"any": strikes})
        witnesses = witnesses_against(rule, standing, START, packaged, given(*families))
        assert witnesses == {source}


def test_families_without_a_source_are_sources_of_their_own(packaged: PolicySet) -> None:
    """As policy files without ``evidence_sources`` have it."""
    limits = msgspec.structs.replace(packaged.limits, sources={})
    policies = msgspec.structs.replace(packaged, limits=limits)
    assert not suspension(policies, EnforcementState(), given("parcels")).requires_review


@pytest.mark.parametrize(("days", "suspended"), [(29, True), (31, False)])
def test_a_finding_of_another_family_counts_for_a_while(packaged: PolicySet, days: int, suspended: bool) -> None:
    """A counterfeit listing that was removed in the last 30 days speaks as well; an older one does not."""
    standing = EnforcementState()
    decide(
        packaged.rules["counterfeit-listing"], ("listing", "l1"), standing, START - days * DAY_MS, packaged, "listing"
    )
    assert suspension(packaged, standing).requires_review == (not suspended)


def test_a_mild_finding_is_no_witness(packaged: PolicySet) -> None:
    """Contact details in a listing say nothing about a fraud."""
    standing = EnforcementState()
    decide(packaged.rules["off-platform-contact"], ("listing", "l1"), standing, START - DAY_MS, packaged, "listing")
    assert suspension(packaged, standing).requires_review


def test_a_persons_verdict_opens_the_gate_for_its_policy_and_time(packaged: PolicySet) -> None:
    """A violation found by a person allows severe actions under the policy for 30 days; that all is well ends that."""
    standing = EnforcementState()
    note_verdict(standing, "counterfeit", "merchant", "violation", START - DAY_MS)
    assert suspension(packaged, standing).requires_review
    note_verdict(standing, "bust_out", "merchant", "violation", START - DAY_MS)
    assert not suspension(packaged, standing).requires_review
    assert suspension(packaged, standing, now=START + 29 * DAY_MS).requires_review
    note_verdict(standing, "bust_out", "merchant", "clean", START)
    assert suspension(packaged, standing).requires_review


def test_a_step_that_asks_for_a_person_is_not_talked_out_of_it(packaged: PolicySet) -> None:
    """Where the ladder itself wants a review, other detectors make no difference; a person's verdict does."""
    rule = packaged.rules["bust-out-prepared"]
    agreeing = given("outcomes", "parcels", "links")
    standing = EnforcementState()
    waiting = propose(rule, MERCHANT, standing, START, packaged, "d", agreeing)
    assert waiting is not None
    assert waiting.review_reason == "rule"
    note_verdict(standing, "bust_out", "merchant", "violation", START)
    decided = propose(rule, MERCHANT, standing, START, packaged, "d", agreeing)
    assert decided is not None
    assert not decided.requires_review


@pytest.mark.parametrize(
    ("amount", "currency", "reason"),
    [(5_000_000, "USD", None), (5_000_001, "USD", "amount"), (10**12, "XTS", None)],
)
def test_a_lot_of_money_is_held_by_no_detector_alone(
    packaged: PolicySet, amount: int, currency: str, reason: str | None
) -> None:
    """Above the amount of its currency a hold waits for a person, unless two detectors agree."""
    rule, standing = packaged.rules["bust-out"], EnforcementState()
    alone = propose(rule, MERCHANT, standing, START, packaged, "d", given(amount=amount, currency=currency))
    assert alone is not None
    assert (alone.action, alone.review_reason) == ("hold_payout", reason)
    both = given("account", amount=amount, currency=currency)
    agreed = propose(rule, MERCHANT, standing, START, packaged, "d", both)
    assert agreed is not None
    assert not agreed.requires_review


def test_what_always_takes_a_person_is_never_automatic(packaged: PolicySet) -> None:
    """No ladder closes an account or suspends a creator on the word of detectors."""
    for ladder in packaged.ladders.values():
        for step in ladder.steps:
            if step.action in ("close_merchant", "suspend_creator"):
                assert step.requires_review


def test_every_rule_that_acts_names_its_family(packaged: PolicySet) -> None:
    """Of the packaged rules each says what it reads, or it could never agree with another."""
    assert [rule.id for rule in packaged.rules.values() if rule.detector is None] == []


def test_a_rule_without_a_family_agrees_with_nobody(packaged: PolicySet) -> None:
    """A rule that does not say what it reads is no second witness."""
    rule = msgspec.structs.replace(packaged.rules["bust-out"], detector=None)
    standing = EnforcementState()
    standing.strikes["bust_out"] = [Strike(START - days * DAY_MS, f"d{days}", "", 0) for days in (80, 60)]
    decision = propose(rule, MERCHANT, standing, START, packaged, "d", given("account"))
    assert decision is not None
    assert decision.requires_review


@pytest.mark.parametrize(("family", "in_force"), [("outcomes", ["d0", "d1"]), ("links", ["d1"])])
def test_what_waits_for_a_person_ends_nothing_that_is_in_force(
    packaged: PolicySet, family: str, in_force: list[str]
) -> None:
    """A suspension that nobody has decided on leaves the hold as it is; one that is carried out takes its place."""
    standing = EnforcementState()
    decide(packaged.rules["bust-out"], MERCHANT, standing, START, packaged, "d0", given())
    standing.facts = []
    standing.strikes["bust_out"] = [Strike(START - days * DAY_MS, f"s{days}", "bust-out", 0) for days in (80, 60)]
    rule = msgspec.structs.replace(packaged.rules["bust-out"], id="another-rule")
    suspended = decide(rule, MERCHANT, standing, START + DAY_MS, packaged, "d1", given(family))
    assert suspended is not None
    assert suspended.action == "suspend_merchant"
    assert suspended.supersedes == (None if suspended.requires_review else "d0")
    assert [active.decision_id for active in standing.active] == in_force


def test_a_suspension_that_nobody_answers_shields_from_nothing(packaged: PolicySet) -> None:
    """Under a suspension that waits, another rule of the policy still has the money held."""
    standing = EnforcementState()
    standing.strikes["bust_out"] = [Strike(START - days * DAY_MS, f"s{days}", "bust-out", 0) for days in (80, 60)]
    waiting = decide(packaged.rules["bust-out"], MERCHANT, standing, START, packaged, "d0", given())
    assert waiting is not None
    assert (waiting.action, waiting.requires_review) == ("suspend_merchant", True)
    standing.strikes.clear()
    standing.facts = []
    rule = msgspec.structs.replace(packaged.rules["bust-out"], id="another-rule")
    held = decide(rule, MERCHANT, standing, START + DAY_MS, packaged, "d1", given())
    assert held is not None
    assert (held.action, held.requires_review, held.supersedes) == ("hold_payout", False, None)
    assert [active.decision_id for active in standing.active] == ["d0", "d1"]
