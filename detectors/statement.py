"""Statements of reasons in the terms of the EU's DSA Transparency Database, schema version 2.

Field names and values are those of the database's code (digital-services-act/transparency-database, June 2026); which
policy and action mean which of them stands in the ``statements`` section of the policy files.
"""

import re
from datetime import UTC, datetime
from typing import Final

from config.policy_specs import RestrictionSpec
from detectors.ladder import Decision
from detectors.policy import PolicySet
from detectors.rules import Rule

#: Longest texts that the database takes.
MAX_FACTS: Final = 5000
MAX_PUID: Final = 500
_NOT_PUID: Final = re.compile(r"[^A-Za-z0-9_-]")
#: Which end date belongs to which kind of decision.
_END_DATES: Final = {
    "visibility": "end_date_visibility_restriction",
    "monetary": "end_date_monetary_restriction",
    "provision": "end_date_service_restriction",
    "account": "end_date_account_restriction",
}
_ACCOUNT_TYPES: Final = {"business": "ACCOUNT_TYPE_BUSINESS", "individual": "ACCOUNT_TYPE_PRIVATE"}


def statement_of_reasons(
    rule: Rule,
    decision: Decision,
    facts: str,
    policies: PolicySet,
    account_kind: str = "",
    content_at: int | None = None,
) -> dict[str, object]:
    """The statement of reasons for a decision; empty for actions that restrict nothing (a warning, a request for
    review).

    Parameters
    ----------
    facts
        What was found, in figures; no personal data may be in it.
    account_kind
        ``business`` or ``individual``, as the merchant registered; anything else leaves the field out.
    content_at
        When the listing or order came into being, ms; the decision's own time where it is not known.
    """
    restriction = policies.statements.actions.get(decision.action)
    if restriction is None:
        return {}
    policy = policies.statements.policies[rule.policy]
    statement: dict[str, object] = {
        "puid": _NOT_PUID.sub("-", decision.decision_id)[:MAX_PUID],
        **_restricted(restriction, decision.expires_at),
    }
    if policy.ground == "illegal":
        statement["decision_ground"] = "DECISION_GROUND_ILLEGAL_CONTENT"
        statement["illegal_content_legal_ground"] = policy.basis
        statement["illegal_content_explanation"] = policy.explanation
    else:
        statement["decision_ground"] = "DECISION_GROUND_INCOMPATIBLE_CONTENT"
        statement["incompatible_content_ground"] = policy.basis
        statement["incompatible_content_explanation"] = policy.explanation
        statement["incompatible_content_illegal"] = "Yes" if policy.also_illegal else "No"
    if decision.subject_kind == "listing":
        statement["content_type"] = ["CONTENT_TYPE_PRODUCT"]
    else:
        statement["content_type"] = ["CONTENT_TYPE_OTHER"]
        statement["content_type_other"] = "Seller account" if decision.subject_kind == "merchant" else "Sale"
    statement["category"] = policy.category
    if policy.keywords:
        statement["category_specification"] = list(policy.keywords)
    if account_kind in _ACCOUNT_TYPES:
        statement["account_type"] = _ACCOUNT_TYPES[account_kind]
    statement["decision_facts"] = f"{rule.title}. {facts}"[:MAX_FACTS]
    statement["source_type"] = "SOURCE_VOLUNTARY"
    statement["automated_detection"] = "Yes"
    # A person confirms a decision that requires a review before it is carried out.
    automated = "AUTOMATED_DECISION_PARTIALLY" if decision.requires_review else "AUTOMATED_DECISION_FULLY"
    statement["automated_decision"] = automated
    statement["content_date"] = _date(decision.starts_at if content_at is None else content_at)
    statement["application_date"] = _date(decision.starts_at)
    return statement


def _restricted(restriction: RestrictionSpec, expires_at: int | None) -> dict[str, object]:
    fields: dict[str, object] = {}
    for kind, end_date in _END_DATES.items():
        value = getattr(restriction, kind)
        if value is None:
            continue
        # Visibility alone is a list in the schema.
        fields[f"decision_{kind}"] = [value] if kind == "visibility" else value
        if expires_at is not None:
            fields[end_date] = _date(expires_at)
    return fields


def _date(time: int) -> str:
    """UTC date of a time in ms."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d")
