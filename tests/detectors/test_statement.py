import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.actions import INSTANT
from detectors.circumstances import Circumstances
from detectors.ladder import Decision, propose
from detectors.policy import PolicySet
from detectors.statement import statement_of_reasons
from features.enforcement_state import EnforcementState, Strike, strike_key
from features.subject_texts import quotable
from features.windows import DAY_MS
from tests.dsa_v2 import faults

NOW = 1_763_900_000_000  # 2025-11-23
#: There is evidence for every step.
PROVEN = Circumstances("m1", lambda _: 1_000.0)


def decision_of(packaged: PolicySet, rule_id: str, strikes: int) -> Decision:
    """The decision of a rule for a merchant with some strikes."""
    rule = packaged.rules[rule_id]
    standing = EnforcementState()
    if strikes:
        standing.strikes[strike_key(rule.policy, rule.subject)] = [
            Strike(NOW - (20 + 7 * back) * DAY_MS, f"d{back}", rule.id, 0) for back in reversed(range(strikes))
        ]
    decision = propose(rule, (rule.subject, "subject-1"), standing, NOW, packaged, "orders-0-17:enf", PROVEN)
    assert decision is not None
    return decision


def test_every_decision_of_the_packaged_rules_has_a_valid_statement(packaged: PolicySet) -> None:
    """Each enforced rule at each step of its ladder gives a statement that the database's rules accept."""
    count = 0
    for rule in packaged.rules.values():
        if rule.mode != "enforce" or rule.action is None:
            continue
        for strikes in range(len(packaged.ladders[rule.action].steps)):
            decision = decision_of(packaged, rule.id, strikes)
            statement = statement_of_reasons(rule, decision, "3 of 40 orders.", packaged, "business")
            if decision.action in INSTANT or decision.action == "require_review":
                assert statement == {}
                continue
            count += 1
            assert faults(statement) == [], rule.id
            assert "subject-1" not in str(statement)
    assert count > 20


def test_a_held_payout_says_so(packaged: PolicySet) -> None:
    """A payout held for a week is a monetary suspension with an end date, decided by a machine alone."""
    rule = packaged.rules["bust-out"]
    statement = statement_of_reasons(
        rule, decision_of(packaged, "bust-out", 0), "8 of 50 orders.", packaged, "individual"
    )
    assert statement["decision_monetary"] == "DECISION_MONETARY_SUSPENSION"
    assert statement["end_date_monetary_restriction"] == "2025-11-30"
    assert statement["application_date"] == "2025-11-23"
    assert statement["automated_decision"] == "AUTOMATED_DECISION_FULLY"
    assert statement["account_type"] == "ACCOUNT_TYPE_PRIVATE"
    assert statement["decision_facts"] == f"{rule.title}. 8 of 50 orders."
    assert statement["content_type_other"] == "Seller account"


def test_a_decision_that_a_person_confirms_is_partly_automated(packaged: PolicySet) -> None:
    """A suspension waits for a person, so it is no fully automated decision; without an end it has no end date."""
    rule = packaged.rules["bust-out"]
    statement = statement_of_reasons(rule, decision_of(packaged, "bust-out", 2), "x", packaged)
    assert statement["decision_account"] == "DECISION_ACCOUNT_SUSPENDED"
    assert statement["automated_decision"] == "AUTOMATED_DECISION_PARTIALLY"
    assert not any(name.startswith("end_date") for name in statement)


def test_a_removed_listing_says_when_it_was_made(packaged: PolicySet) -> None:
    """A removed listing is product content, dated by its creation where that is known."""
    rule = packaged.rules["counterfeit-listing"]
    decision = decision_of(packaged, "counterfeit-listing", 0)
    statement = statement_of_reasons(rule, decision, "x", packaged, content_at=NOW - 10 * DAY_MS)
    assert statement["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_REMOVED"]
    assert statement["content_type"] == ["CONTENT_TYPE_PRODUCT"]
    assert statement["content_date"] == "2025-11-13"
    assert statement["incompatible_content_illegal"] == "Yes"
    assert "account_type" not in statement


@given(identifier=st.text(min_size=1, max_size=600), facts=st.text(max_size=6000))
def test_odd_ids_and_long_facts_stay_valid(packaged: PolicySet, identifier: str, facts: str) -> None:
    """Whatever the decision's id and however long the facts, the statement keeps to the database's limits."""
    rule = packaged.rules["bust-out"]
    standing = EnforcementState()
    decision = propose(rule, ("merchant", "m"), standing, NOW, packaged, identifier)
    assert decision is not None
    assert faults(statement_of_reasons(rule, decision, facts, packaged)) == []


@pytest.mark.parametrize("kind", ["", "charity"])
def test_unknown_kinds_of_accounts_are_left_out(packaged: PolicySet, kind: str) -> None:
    """The optional account type is left out where the merchant's kind is not known."""
    rule = packaged.rules["bust-out"]
    assert "account_type" not in statement_of_reasons(rule, decision_of(packaged, rule.id, 0), "x", packaged, kind)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("home/kitchen", True),
        ("beauty/50 ml", True),
        ("", False),
        ("call +49 170 1234567", False),
        ("a@example.org", False),
        ("www.example.org", False),
        ("ig: some_shop", False),
    ],
)
def test_what_sellers_write_is_quoted_only_without_contacts(text: str, quoted: bool) -> None:
    """A category is a seller's own text: one that hides a number or an address does not get into a public statement."""
    assert quotable(text) == (text if quoted else None)


def test_an_end_that_the_database_does_not_take_is_none(packaged: PolicySet) -> None:
    """A restriction until after 2037 is one without an end; content older than 2000 is as old as 2000."""
    rule = packaged.rules["bust-out"]
    decision = msgspec.structs.replace(decision_of(packaged, rule.id, 0), expires_at=4_000_000_000_000)
    statement = statement_of_reasons(rule, decision, "x", packaged, content_at=0)
    assert "end_date_monetary_restriction" not in statement
    assert statement["content_date"] == "2000-01-01"
    assert faults(statement) == []
