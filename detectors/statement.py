"""Statements of reasons in the terms of the EU's DSA Transparency Database, schema version 2.

Field names and values are those of the database's code (digital-services-act/transparency-database, June 2026); which
policy and action mean which of them stands in the ``statements`` section of the policy files.
"""

import re
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from config.policy_specs import RestrictionSpec
from detectors.ladder import Decision
from detectors.policy import PolicySet
from detectors.rules import Rule
from features.enforcement_state import EnforcementState, Notice
from features.windows import DAY_MS

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
#: Content from before this time is dated to it: the database takes none that is older (2000-01-01).
EARLIEST_CONTENT: Final = 946_684_800_000
#: Later dates are not taken either (2038-01-01): what lasts longer is without an end.
LATEST: Final = 2_145_916_800_000
#: How long before a decision a report may have come that led to it, ms.
NOTICE_MS: Final = 180 * DAY_MS
_OTHER_CONTENT: Final = {"merchant": "Seller account", "creator": "Creator account", "order": "Sale"}
_ACCOUNT_TYPES: Final = {"business": "ACCOUNT_TYPE_BUSINESS", "individual": "ACCOUNT_TYPE_PRIVATE"}


Person: TypeAlias = Literal["confirmed", "alone"]


def statement_of_reasons(
    rule: Rule,
    decision: Decision,
    facts: str,
    policies: PolicySet,
    account_kind: str = "",
    content_at: int | None = None,
    notice: Notice | None = None,
    person: Person | None = None,
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
        When the listing, order or account came into being, ms; the decision's own time where it is not known.
    notice
        A report that came before, if there was one.
    person
        What a person has done, if any took part: ``confirmed`` what was found by rule, or decided ``alone``.
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
        statement["content_type_other"] = _OTHER_CONTENT[decision.subject_kind]
    statement["category"] = policy.category
    if policy.keywords:
        statement["category_specification"] = list(policy.keywords)
    if account_kind in _ACCOUNT_TYPES:
        statement["account_type"] = _ACCOUNT_TYPES[account_kind]
    if policies.statements.territorial_scope:
        statement["territorial_scope"] = list(policies.statements.territorial_scope)
    if policies.statements.content_language is not None and decision.subject_kind == "listing":
        statement["content_language"] = policies.statements.content_language
    statement["decision_facts"] = f"{rule.title}. {facts}"[:MAX_FACTS]
    statement["source_type"] = _source(notice, illegal=policy.ground == "illegal" or policy.also_illegal)
    statement["automated_detection"] = "No" if person == "alone" else "Yes"
    # A person confirms a decision that requires a review before it is carried out.
    partly = decision.requires_review or person == "confirmed"
    automated = "AUTOMATED_DECISION_PARTIALLY" if partly else "AUTOMATED_DECISION_FULLY"
    statement["automated_decision"] = "AUTOMATED_DECISION_NOT_AUTOMATED" if person == "alone" else automated
    created = decision.starts_at if content_at is None else max(EARLIEST_CONTENT, min(content_at, decision.starts_at))
    statement["content_date"] = _date(created)
    statement["application_date"] = _date(decision.starts_at)
    return statement


def notice_about(standing: EnforcementState | None, decision: Decision) -> Notice | None:
    """The latest report, of the half year before a decision, about its subject and (if it names one) its policy."""
    if standing is None:
        return None
    for notice in reversed(standing.notices):
        about = (notice.subject_kind, notice.subject_id) == (decision.subject_kind, decision.subject_id)
        if about and notice.policy in ("", decision.policy) and decision.starts_at - notice.at <= NOTICE_MS:
            return notice
    return None


def _source(notice: Notice | None, *, illegal: bool) -> str:
    """What led to a decision: a notice in the sense of Article 16 is about what is against the law; what an authority
    says, and what is against the terms alone, is another notification.
    """
    if notice is None:
        return "SOURCE_VOLUNTARY"
    return "SOURCE_ARTICLE_16" if illegal and notice.by != "regulator" else "SOURCE_TYPE_OTHER_NOTIFICATION"


def _restricted(restriction: RestrictionSpec, expires_at: int | None) -> dict[str, object]:
    fields: dict[str, object] = {}
    for kind, end_date in _END_DATES.items():
        value = getattr(restriction, kind)
        if value is None:
            continue
        # Visibility alone is a list in the schema.
        fields[f"decision_{kind}"] = [value] if kind == "visibility" else value
        if expires_at is not None and expires_at < LATEST:
            fields[end_date] = _date(expires_at)
    return fields


def _date(time: int) -> str:
    """UTC date of a time in ms."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d")
