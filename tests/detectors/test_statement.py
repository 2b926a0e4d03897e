import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.actions import DAY_MS, INSTANT
from detectors.ladder import Decision, propose
from detectors.policy import PolicySet
from detectors.statement import statement_of_reasons
from features.enforcement_state import EnforcementState, Strike, strike_key

NOW = 1_763_900_000_000  # 2025-11-23

#: The DSA Transparency Database's schema, version 2, written down again from its documentation.
ENUMS = {
    "decision_visibility": {f"DECISION_VISIBILITY_{x}" for x in (
        "CONTENT_REMOVED", "CONTENT_DISABLED", "CONTENT_DEMOTED", "CONTENT_AGE_RESTRICTED",
        "CONTENT_INTERACTION_RESTRICTED", "CONTENT_LABELLED", "OTHER")},
    "decision_monetary": {f"DECISION_MONETARY_{x}" for x in ("SUSPENSION", "TERMINATION", "OTHER")},
    "decision_provision": {f"DECISION_PROVISION_{x}" for x in (
        "PARTIAL_SUSPENSION", "TOTAL_SUSPENSION", "PARTIAL_TERMINATION", "TOTAL_TERMINATION")},
    "decision_account": {"DECISION_ACCOUNT_SUSPENDED", "DECISION_ACCOUNT_TERMINATED"},
    "account_type": {"ACCOUNT_TYPE_BUSINESS", "ACCOUNT_TYPE_PRIVATE"},
    "decision_ground": {"DECISION_GROUND_ILLEGAL_CONTENT", "DECISION_GROUND_INCOMPATIBLE_CONTENT"},
    "content_type": {f"CONTENT_TYPE_{x}" for x in (
        "APP", "AUDIO", "IMAGE", "PRODUCT", "SYNTHETIC_MEDIA", "TEXT", "VIDEO", "OTHER")},
    "category": {f"STATEMENT_CATEGORY_{x}" for x in (
        "ANIMAL_WELFARE", "CONSUMER_INFORMATION", "CYBER_VIOLENCE", "CYBER_VIOLENCE_AGAINST_WOMEN",
        "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS", "ILLEGAL_OR_HARMFUL_SPEECH",
        "INTELLECTUAL_PROPERTY_INFRINGEMENTS", "NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
        "NOT_SPECIFIED_NOTICE", "OTHER_VIOLATION_TC", "PROTECTION_OF_MINORS", "RISK_FOR_PUBLIC_SECURITY",
        "SCAMS_AND_FRAUD", "SELF_HARM", "UNSAFE_AND_PROHIBITED_PRODUCTS", "VIOLENCE")},
    "source_type": {f"SOURCE_{x}" for x in ("ARTICLE_16", "TRUSTED_FLAGGER", "TYPE_OTHER_NOTIFICATION", "VOLUNTARY")},
    "automated_detection": {"Yes", "No"},
    "automated_decision": {f"AUTOMATED_DECISION_{x}" for x in ("FULLY", "PARTIALLY", "NOT_AUTOMATED")},
    "incompatible_content_illegal": {"Yes", "No"},
}  # fmt: skip
#: Keywords that go with each category we use.
KEYWORDS = {
    "STATEMENT_CATEGORY_INTELLECTUAL_PROPERTY_INFRINGEMENTS": {f"KEYWORD_{x}_INFRINGEMENT" for x in (
        "TRADEMARK", "COPYRIGHT", "DESIGN", "PATENT", "TRADE_SECRET")},
    "STATEMENT_CATEGORY_SCAMS_AND_FRAUD": {f"KEYWORD_{x}" for x in (
        "INAUTHENTIC_LISTINGS", "INAUTHENTIC_ACCOUNTS", "INAUTHENTIC_USER_REVIEWS", "IMPERSONATION_ACCOUNT_HIJACKING",
        "PHISHING", "PYRAMID_SCHEMES")},
    "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS": {"KEYWORD_PROHIBITED_PRODUCTS", "KEYWORD_UNSAFE_PRODUCTS"},
    "STATEMENT_CATEGORY_CONSUMER_INFORMATION": {f"KEYWORD_{x}" for x in (
        "MISLEADING_INFO_GOODS_SERVICES", "MISLEADING_INFO_CONSUMER_RIGHTS", "HIDDEN_ADVERTISEMENT",
        "INSUFFICIENT_INFORMATION_ON_TRADERS", "NONCOMPLIANCE_PRICING")},
    "STATEMENT_CATEGORY_OTHER_VIOLATION_TC": {"KEYWORD_GOODS_SERVICES_NOT_PERMITTED",
    "KEYWORD_AGE_SPECIFIC_RESTRICTIONS"},
}  # fmt: skip
KINDS = ("decision_visibility", "decision_monetary", "decision_provision", "decision_account")
LIMITS = {
    "puid": 500, "illegal_content_legal_ground": 500, "illegal_content_explanation": 2000,
    "incompatible_content_ground": 500, "incompatible_content_explanation": 2000, "decision_facts": 5000,
    "content_type_other": 500,
}  # fmt: skip


def violations(statement: dict[str, object]) -> list[str]:
    """What the database would refuse in a statement."""
    found = []
    for name, allowed in ENUMS.items():
        value = statement.get(name)
        values = value if isinstance(value, list) else [value] if value is not None else []
        found += [f"{name}: {each}" for each in values if each not in allowed]
    found += [f"{name} is missing" for name in (
        "puid", "decision_ground", "content_type", "category", "content_date", "application_date", "decision_facts",
        "source_type", "automated_detection", "automated_decision",
    ) if not statement.get(name)]  # fmt: skip
    if not any(statement.get(kind) for kind in KINDS):
        found.append("no decision")
    found += [f"{name} is too long" for name, limit in LIMITS.items() if len(str(statement.get(name, ""))) > limit]
    if not re.fullmatch(r"[A-Za-z0-9_-]+", str(statement.get("puid"))):
        found.append("puid")
    found += [f"{name} must be a list" for name in ("decision_visibility", "content_type", "category_specification")
              if name in statement and not isinstance(statement[name], list)]  # fmt: skip
    ground = "illegal" if statement["decision_ground"] == "DECISION_GROUND_ILLEGAL_CONTENT" else "incompatible"
    needed = ("illegal_content_legal_ground", "illegal_content_explanation") if ground == "illegal" else (
        "incompatible_content_ground", "incompatible_content_explanation")  # fmt: skip
    found += [f"{name} is missing" for name in needed if not statement.get(name)]
    if "CONTENT_TYPE_OTHER" in str(statement["content_type"]) and not statement.get("content_type_other"):
        found.append("content_type_other is missing")
    keywords = KEYWORDS[str(statement["category"])] | {"KEYWORD_OTHER"}
    found += [f"keyword {each}" for each in statement.get("category_specification", []) if each not in keywords]  # type: ignore[attr-defined]
    for name, value in statement.items():
        if name.endswith("_date") or name.startswith("end_date"):
            date.fromisoformat(str(value))
    return found


def decision_of(packaged: PolicySet, rule_id: str, strikes: int) -> Decision:
    """The decision of a rule for a merchant with some strikes."""
    rule = packaged.rules[rule_id]
    standing = EnforcementState()
    if strikes:
        standing.strikes[strike_key(rule.policy, rule.subject)] = [
            Strike(NOW - (20 + 7 * back) * DAY_MS, f"d{back}", rule.id, 0) for back in reversed(range(strikes))
        ]
    decision = propose(rule, (rule.subject, "subject-1"), standing, NOW, packaged, "orders-0-17:enf")
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
            assert violations(statement) == [], rule.id
            assert "subject-1" not in str(statement)
    assert count > 20


def test_the_validator_of_this_test_finds_faults(packaged: PolicySet) -> None:
    """The check used above is a check: a broken statement does not pass it."""
    rule = packaged.rules["bust-out"]
    statement = statement_of_reasons(rule, decision_of(packaged, "bust-out", 0), "x", packaged)
    assert violations({**statement, "category": "STATEMENT_CATEGORY_SCAMS_AND_FRAUD", "puid": "a b"}) == ["puid"]
    assert violations({**statement, "source_type": "OURSELVES"}) == ["source_type: OURSELVES"]
    assert "no decision" in violations({name: value for name, value in statement.items() if name not in KINDS})


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
    assert violations(statement_of_reasons(rule, decision, facts, packaged)) == []


@pytest.mark.parametrize("kind", ["", "charity"])
def test_unknown_kinds_of_accounts_are_left_out(packaged: PolicySet, kind: str) -> None:
    """The optional account type is left out where the merchant's kind is not known."""
    rule = packaged.rules["bust-out"]
    assert "account_type" not in statement_of_reasons(rule, decision_of(packaged, rule.id, 0), "x", packaged, kind)
