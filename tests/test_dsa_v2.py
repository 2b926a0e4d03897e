"""The validator of statements of reasons finds faults where there are some."""

from typing import Any

import pytest

from tests.dsa_v2 import faults, personal_data

#: The example of the database's documentation, in the terms of version 2.
EXAMPLE: dict[str, Any] = {
    "decision_visibility": ["DECISION_VISIBILITY_CONTENT_DISABLED"],
    "decision_monetary": "DECISION_MONETARY_TERMINATION",
    "end_date_monetary_restriction": "2023-08-08",
    "decision_provision": "DECISION_PROVISION_TOTAL_SUSPENSION",
    "decision_account": "DECISION_ACCOUNT_SUSPENDED",
    "account_type": "ACCOUNT_TYPE_BUSINESS",
    "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
    "decision_ground_reference_url": "https://www.anurl.com",
    "content_type": ["CONTENT_TYPE_VIDEO", "CONTENT_TYPE_AUDIO", "CONTENT_TYPE_SYNTHETIC_MEDIA"],
    "category": "STATEMENT_CATEGORY_CYBER_VIOLENCE_AGAINST_WOMEN",
    "incompatible_content_ground": "incompatible content grounds",
    "incompatible_content_explanation": "incompatible content explanation",
    "incompatible_content_illegal": "Yes",
    "territorial_scope": ["PT", "ES", "DE"],
    "content_language": "EN",
    "content_date": "2023-08-08",
    "application_date": "2023-08-08",
    "decision_facts": "facts about the decision",
    "source_type": "SOURCE_TRUSTED_FLAGGER",
    "automated_detection": "No",
    "automated_decision": "AUTOMATED_DECISION_PARTIALLY",
    "puid": "TK421",
}


def test_the_example_of_the_documentation_is_valid() -> None:
    """What the database shows as an example has no fault and no personal data."""
    assert faults(EXAMPLE) == []
    assert personal_data(EXAMPLE) == []


@pytest.mark.parametrize("name", ["decision_ground", "content_type", "category", "content_date", "application_date",
    "decision_facts", "source_type", "automated_detection", "automated_decision", "puid",
    "incompatible_content_ground", "incompatible_content_explanation"])  # fmt: skip
def test_what_is_required_is_missed(name: str) -> None:
    """Each required field, those that the ground asks for included."""
    assert any(name in fault for fault in faults({key: value for key, value in EXAMPLE.items() if key != name}))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"decision_visibility": "DECISION_VISIBILITY_CONTENT_DISABLED"}, "decision_visibility: no list"),
        ({"decision_visibility": ["DECISION_VISIBILITY_OTHER"]}, "decision_visibility_other is missing"),
        ({"decision_monetary": "DECISION_MONETARY_OTHER"}, "decision_monetary_other is missing"),
        ({"decision_monetary_other": "x"}, "decision_monetary_other: not with this decision_monetary"),
        ({"decision_account": "SUSPENDED"}, "decision_account: 'SUSPENDED'"),
        ({"content_type": ["CONTENT_TYPE_OTHER"]}, "content_type_other is missing"),
        ({"content_type": []}, "content_type is missing"),
        ({"category": "STATEMENT_CATEGORY_FRAUD"}, "category: 'STATEMENT_CATEGORY_FRAUD'"),
        ({"category_specification": ["KEYWORD_PHISHING"]}, "category_specification: 'KEYWORD_PHISHING'"),
        ({"territorial_scope": ["EL"]}, "territorial_scope: 'EL'"),
        ({"content_language": "en"}, "content_language: 'en'"),
        ({"application_date": "2019-12-31"}, "application_date: 2019-12-31 is out of range"),
        ({"application_date": "2023-02-30"}, "application_date: '2023-02-30'"),
        ({"application_date": "2023-08-08 00:00"}, "application_date: '2023-08-08 00:00'"),
        ({"content_date": "1999-12-31"}, "content_date: 1999-12-31 is out of range"),
        ({"end_date_monetary_restriction": "2023-08-07"}, "end_date_monetary_restriction: before the application date"),
        ({"end_date_monetary_restriction": "2038-01-02"}, "end_date_monetary_restriction: 2038-01-02 is out of range"),
        ({"decision_facts": "x" * 5001}, "decision_facts: 5001 characters"),
        ({"puid": "a b"}, "puid: letters, digits, hyphens and underscores only"),
        ({"puid": "x" * 501}, "puid: 501 characters"),
        ({"source_type": "SOURCE_VOLUNTARY", "source_identity": "x"}, "source_identity: nobody else was the source"),
        ({"automated_decision": "Yes"}, "automated_decision: 'Yes'"),
        ({"illegal_content_legal_ground": "x"}, "illegal_content_legal_ground: not with this decision_ground"),
        ({"content_id": {"EAN-8": "12345678"}}, "content_id: an EAN-13 alone"),
        ({"url": "x"}, "url: no field of the schema"),
    ],
)
def test_faults_are_found(changes: dict[str, Any], fault: str) -> None:
    """Each wrong value, length, date and combination is named."""
    assert fault in faults({**EXAMPLE, **changes})


def test_something_must_be_decided() -> None:
    """A statement without any of the four restrictions is none; an end date belongs to its restriction."""
    nothing = {name: value for name, value in EXAMPLE.items() if not name.startswith("decision_") or "ground" in name}
    found = faults({**nothing, "decision_facts": "x"})
    assert "nothing is decided" in found
    assert "end_date_monetary_restriction: without decision_monetary" in found


@pytest.mark.parametrize(
    "text",
    ["write to a.b@example.org", "call +49 170 1234567", "call 0170-123 45 67", "see www.example.org", "ask @seller"],
)
def test_personal_data_is_found(text: str) -> None:
    """Addresses, numbers, links and handles are named; figures and dates are none."""
    assert personal_data({**EXAMPLE, "decision_facts": text}) != []
    assert personal_data({**EXAMPLE, "decision_facts": "12 of 345 orders in 30 days, 2023-08-08, 1,234,567.89"}) == []
