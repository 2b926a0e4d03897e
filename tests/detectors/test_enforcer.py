"""Decisions as they leave a shard: what waits for a person, and what a statement says of where it comes from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.policies import PACKAGED
from detectors.policy import PolicySet
from features.governance import GovernanceState
from features.outputs import EnforcementCapped, EnforcementDecided
from tests.builders import (
    DAY,
    HOUR,
    START,
    Event,
    Shard,
    event,
    listed,
    make_judge,
    of_order,
    placed,
    policies_of,
)

RULES = """
rules:
  - id: cancelled
    version: 1
    title: Orders cancelled
    policy: seller_cancellation
    subject: merchant
    when: seller_cancels_30d >= 1
    evidence: {seller_cancels_30d: 1}
    severity: high
    weight: 0.8
    reason: "{seller_cancels_30d:d} cancelled"
    mode: enforce
    action: fraud
    detector: outcomes
  - id: two-cancelled
    version: 1
    title: Two orders cancelled
    policy: seller_cancellation
    subject: merchant
    when: seller_cancels_30d >= 99
    evidence: {seller_cancels_30d: 2}
    severity: high
    weight: 0.8
    reason: "{seller_cancels_30d:d} cancelled"
    mode: enforce
    action: fraud
    review_at: {when: refunds_30d >= 1, evidence: {refunds_30d: 1}}
  - id: contact
    version: 1
    title: Contact data
    policy: off_platform_diversion
    subject: listing
    on: [listing.created, listing.updated]
    when: contact_terms >= 1
    severity: elevated
    weight: 0.5
    reason: "{contact_terms:d} contacts"
    mode: enforce
    action: listing_removal
"""


def policies(folder: Path, replaced: dict[str, str] | None = None, more: str = "") -> PolicySet:
    """Rules on cancelled orders and contact data, with the packaged ladders but for what is replaced in them."""
    text = (PACKAGED / "enforcement.yaml").read_text(encoding="utf-8")
    for old, new in (replaced or {}).items():
        assert old in text
        text = text.replace(old, new)
    return policies_of(folder, RULES, enforcement=text + more)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> PolicySet:
    """The rules with the packaged ladders."""
    return policies(tmp_path_factory.mktemp("policies"))


def shard_of(given: PolicySet) -> Shard:
    """A shard that draws nothing and holds nothing out."""
    return Shard(make_judge(given, audit_rate=0.0, holdout_rate=0.0))


def cancels(merchant: str, at: int = 0, count: int = 1, **fields: Any) -> Iterator[Event]:
    """Orders that a merchant cancels."""
    for number in range(count):
        order = f"{merchant}-{at}-{number}"
        yield placed(order, at, merchant, **fields)
        yield of_order("cancelled", order, at, merchant, by="seller")


def holds(shard: Shard) -> list[EnforcementDecided]:
    """The payouts held, carried out and waiting."""
    return [one for one in shard.outputs(EnforcementDecided) if one.action == "hold_payout"]


# -- circuit breaker --------------------------------------------------------------------------------------------------


def test_beyond_the_cap_decisions_wait_and_none_is_lost(tmp_path: Path) -> None:
    """Of seven merchants two are held at once, five wait for a person; that the breaker opened is said once."""
    shard = shard_of(policies(tmp_path, {"max_actions: 100": "max_actions: 2"}))
    for number in range(7):
        shard.apply(*cancels(f"m{number}", number * HOUR))
    decided = holds(shard)
    assert [one.requires_review for one in decided] == [False] * 2 + [True] * 5
    assert {one.review_reason for one in decided[2:]} == {"cap"}
    assert {one.merchant_id for one in decided} == {f"m{number}" for number in range(7)}
    (capped,) = [one for one in shard.all_outputs() if isinstance(one, EnforcementCapped)]
    assert (capped.cap, capped.observed, capped.limit) == ("actions", 3, 2)
    assert (capped.opened_at, capped.until) == (START + 2 * HOUR, START + 24 * HOUR)


def test_a_day_later_the_breaker_closes(tmp_path: Path) -> None:
    """What comes when the first actions have left the interval is carried out again, and a new opening is said."""
    shard = shard_of(policies(tmp_path, {"max_actions: 100": "max_actions: 1"}))
    for number, at in enumerate((0, HOUR, 25 * HOUR, 26 * HOUR)):
        shard.apply(*cancels(f"m{number}", at))
    assert [one.requires_review for one in holds(shard)] == [False, True, False, True]
    assert sum(isinstance(one, EnforcementCapped) for one in shard.all_outputs()) == 2


def test_the_share_of_turnover_is_of_the_whole_shard(tmp_path: Path) -> None:
    """A merchant with most of the shard's sales waits, where a small one is held at once."""
    replaced = {"least_merchants: 10": "least_merchants: 0", "max_merchant_share: 0.05": "max_merchant_share: 1"}
    shard = shard_of(policies(tmp_path, replaced))
    for number in range(9):
        shard.apply(placed(f"o{number}", 0, f"seller{number}"))
    shard.apply(placed("large", 0, "large", total=100_000))
    # Turnover is counted when a merchant's next day begins.
    for merchant in (*(f"seller{number}" for number in range(9)), "large"):
        shard.apply(placed(f"next {merchant}", DAY, merchant, total=1))
    assert (shard.state.population.sellers, shard.state.population.turnovers) == (10, {"EUR": 109_000})
    shard.apply(*cancels("large", DAY + HOUR), *cancels("seller1", DAY + HOUR))
    assert {one.merchant_id: one.review_reason for one in holds(shard)} == {"large": "cap", "seller1": None}


def test_turnover_is_weighed_in_one_currency(tmp_path: Path) -> None:
    """15,000 yen are a hundred dollars: a merchant who sells in them is no large one among shops of some hundred euros;
    of a currency without a weight only the number of merchants counts.
    """
    replaced = {"least_merchants: 10": "least_merchants: 0", "max_merchant_share: 0.05": "max_merchant_share: 1"}
    shard = shard_of(policies(tmp_path, replaced))
    for number in range(9):
        shard.apply(placed(f"o{number}", 0, f"seller{number}", total=30_000))
    shard.apply(placed("yen", 0, "yen", total=15_000, currency="JPY"))
    shard.apply(placed("other", 0, "other", total=10**9, currency="VND"))
    for number in range(9):
        shard.apply(placed(f"next {number}", DAY, f"seller{number}"))
    shard.apply(placed("next yen", DAY, "yen", currency="JPY"), placed("next other", DAY, "other", currency="VND"))
    assert shard.state.population.turnovers == {"EUR": 9 * 30_000, "JPY": 15_000, "VND": 10**9}
    shard.apply(*cancels("yen", DAY + HOUR, currency="JPY"), *cancels("other", DAY + HOUR, currency="VND"))
    assert [one.review_reason for one in holds(shard)] == [None, None]
    assert [each.gmv for each in shard.state.governance.breaker.taken] == [10_000 + 1_333, 0]


def test_what_people_do_by_hand_is_neither_capped_nor_counted(tmp_path: Path) -> None:
    """The breaker leaves to people what machines may not do any more, so it does not count what people do."""
    shard = shard_of(policies(tmp_path, {"max_actions: 100": "max_actions: 1"}))
    for number in range(3):
        by_hand = {"action": "hold_payout", "policy": "bust_out", "by": "ops", "why": "seen", "until": START + 9 * DAY}
        shard.apply(
            placed(f"o{number}", 0, f"h{number}"), event("enforcement.overridden", HOUR, f"h{number}", **by_hand)
        )
    shard.apply(*cancels("m0", 2 * HOUR), *cancels("m1", 3 * HOUR))
    assert [one.requires_review for one in holds(shard)] == [False, False, False, False, True]


def test_the_state_of_the_breaker_is_stored(tmp_path: Path) -> None:
    """It survives its way through JSON, so that a crash does not close it."""
    shard = shard_of(policies(tmp_path, {"max_actions: 100": "max_actions: 1"}))
    for number in range(3):
        shard.apply(*cancels(f"m{number}", number * HOUR))
    state = shard.state.governance
    assert len(state.breaker.taken) == 1
    assert msgspec.json.decode(msgspec.json.encode(state), type=GovernanceState) == state


def test_a_policy_folder_without_a_breaker_caps_nothing(tmp_path: Path) -> None:
    """The section may be left out."""
    text = (PACKAGED / "enforcement.yaml").read_text(encoding="utf-8")
    start = text.index("breaker:\n")
    end = text.index("\n\n", start)
    given = policies_of(tmp_path, RULES, enforcement=text[:start] + text[end:])
    assert given.breaker is None
    shard = shard_of(given)
    shard.apply(*cancels("m1"))
    assert [one.requires_review for one in holds(shard)] == [False]


# -- evidence, second threshold, allow-lists --------------------------------------------------------------------------


@pytest.mark.parametrize(("others", "days"), [(2, 7), (3, 28)])
def test_a_step_without_its_evidence_is_not_taken(plain: PolicySet, others: int, days: int) -> None:
    """With too few buyers the second finding holds for 7 days again; with five of them for 28."""
    shard = shard_of(plain)
    bought = (placed(f"o{number}", 8 * DAY) for number in range(others))
    shard.apply(*cancels("m1"), *bought, *cancels("m1", 9 * DAY))
    lengths = [((one.expires_at or 0) - one.starts_at) // DAY for one in holds(shard)]
    assert lengths == [7, days]


def test_the_second_threshold_asks_a_person(plain: PolicySet) -> None:
    """Below the rule's own threshold, at the one for review, somebody is asked to look, and nothing else happens."""
    shard = shard_of(plain)
    shard.apply(placed(), of_order("refunded", amount=500, fault="seller", at=DAY))
    (asked,) = shard.outputs(EnforcementDecided)
    assert (asked.action, asked.policy.id, asked.severity) == ("require_review", "two-cancelled-review", "elevated")
    assert asked.statement_of_reasons == {}


@pytest.mark.parametrize(
    ("party", "name", "until", "left_alone"),
    [
        ("m1", "cancelled", None, True),
        ("m1", "seller_cancellation", "2024-02-01", True),
        ("m1", "*", None, True),
        ("*", "cancelled", None, True),
        ("m1", "cancelled", "2024-01-01", False),
        ("m2", "cancelled", None, False),
        ("m1", "contact", None, False),
    ],
)
def test_who_is_on_the_allow_list_is_left_alone(
    tmp_path: Path, party: str, name: str, until: str | None, left_alone: bool
) -> None:
    """By rule, by policy or by everything, for one merchant or all, up to a date."""
    end = "" if until is None else f', until: "{until}"'
    allow = f'\nallow:\n  entries:\n    - {{party: "{party}", name: "{name}", why: "a test"{end}}}\n'
    shard = shard_of(policies(tmp_path, more=allow))
    shard.apply(*cancels("m1"))
    assert (holds(shard) == []) == left_alone


# -- statements of reasons --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "policy", "source"),
    [
        ("brand", "off_platform_diversion", "SOURCE_TYPE_OTHER_NOTIFICATION"),
        ("regulator", None, "SOURCE_TYPE_OTHER_NOTIFICATION"),
        ("buyer", "counterfeit", "SOURCE_VOLUNTARY"),
        (None, None, "SOURCE_VOLUNTARY"),
    ],
)
def test_a_statement_says_that_a_report_came_first(
    plain: PolicySet, by: str | None, policy: str | None, source: str
) -> None:
    """A report about the listing, under its policy or none, led to its removal; one about something else did not."""
    shard = shard_of(plain)
    shard.apply(listed(at=0))
    if by is not None:
        subject = {"kind": "listing", "id": "l1"}
        more = {} if policy is None else {"policy": policy}
        shard.apply(event("report.received", HOUR, subject=subject, by=by, **more))
    shard.apply(listed(at=2 * DAY, kind="updated", title="Mug, write to a@b.com"))
    (removed,) = shard.outputs(EnforcementDecided)
    statement = removed.statement_of_reasons
    assert statement["source_type"] == source
    assert (statement["content_date"], statement["application_date"]) == ("2024-01-01", "2024-01-03")
    assert "a@b.com" not in str(statement)


def test_an_account_is_dated_by_its_registration(plain: PolicySet) -> None:
    """Content of a decision about an account is the account, as old as it is."""
    shard = shard_of(plain)
    registered = START - 400 * DAY
    shard.apply(event("merchant.registered", 0, kind="business", country="DE", registered_at=registered))
    shard.apply(*cancels("m1", DAY))
    statement = holds(shard)[0].statement_of_reasons
    assert statement["content_date"] == "2022-11-27"
    assert statement["account_type"] == "ACCOUNT_TYPE_BUSINESS"
    assert "content_language" not in statement
    assert {"DE", "FR", "NO"} <= set(statement["territorial_scope"])  # type: ignore[call-overload]


# -- decisions that a person confirms ---------------------------------------------------------------------------------


def test_a_confirmed_decision_is_published_anew(tmp_path: Path) -> None:
    """It supersedes the one that waited, is in force from then on, partly automated, and counts as a strike."""
    shard = shard_of(policies(tmp_path, {"max_actions: 100": "max_actions: 0"}))
    shard.apply(*cancels("m1"), placed("o9", DAY, "m1"))
    (waiting,) = holds(shard)
    standing = shard.merchant().record.enforcement
    assert standing is not None
    assert standing.strikes == {}
    verdict = event("review.decided", DAY, verdict="violation", source="human", decision_id=waiting.decision_id)
    shard.apply(verdict)
    decided = holds(shard)[-1]
    assert (decided.supersedes, decided.requires_review) == (waiting.decision_id, False)
    assert (decided.starts_at, decided.expires_at) == (START + DAY, START + 8 * DAY)
    assert decided.facts == "1 cancelled"
    assert decided.statement_of_reasons["automated_decision"] == "AUTOMATED_DECISION_PARTIALLY"
    assert [each.decision_id for each in standing.active] == [decided.decision_id]
    assert [each.decision_id for each in standing.strikes["seller_cancellation"]] == [decided.decision_id]


def test_a_request_that_finds_a_violation_leads_to_the_rules_ladder(plain: PolicySet) -> None:
    """Below the rule's own threshold a person is asked; who finds a violation brings about what the rule would have."""
    shard = shard_of(plain)
    shard.apply(placed(), of_order("refunded", amount=500, fault="seller", at=DAY))
    (asked,) = shard.outputs(EnforcementDecided)
    shard.apply(event("review.decided", 2 * DAY, verdict="violation", source="human", decision_id=asked.decision_id))
    (held,) = holds(shard)
    assert (held.supersedes, held.requires_review, held.policy.id) == (asked.decision_id, False, "two-cancelled-review")
    assert (held.starts_at, held.expires_at) == (START + 2 * DAY, START + 9 * DAY)
    standing = shard.merchant().record.enforcement
    assert standing is not None
    assert [each.action for each in standing.active] == ["hold_payout"]
    assert [each.action for each in standing.strikes["seller_cancellation"]] == ["hold_payout"]


def test_a_request_that_finds_nothing_leads_to_nothing(plain: PolicySet) -> None:
    """A verdict that all is well takes the request back."""
    shard = shard_of(plain)
    shard.apply(placed(), of_order("refunded", amount=500, fault="seller", at=DAY))
    (asked,) = shard.outputs(EnforcementDecided)
    shard.apply(event("review.decided", 2 * DAY, verdict="clean", source="human", decision_id=asked.decision_id))
    assert holds(shard) == []
    standing = shard.merchant().record.enforcement
    assert standing is not None
    assert standing.active == []
