"""Appeals, reviews and overrides: a wrong decision is undone as if it had never been, and nobody gains by trying."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from config.policies import PACKAGED
from detectors.judge import Judge
from features import events
from features.events import SubjectKind
from features.order import BAD, IMPLAUSIBLE_SCAN
from features.outputs import AppealNoted, EnforcementDecided, EnforcementReversed
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
    packaged_policies,
    placed,
    policies_of,
    shipped,
    tracked,
)
from tests.detectors.stories.runner import Stage

RULES = """
rules:
  - id: early-scan
    version: 1
    title: Scanned before it was ordered
    policy: fake_tracking
    subject: order
    on: [order.tracked]
    when: scan_before_order_hours > 2
    evidence: {scan_before_order_hours: 2}
    severity: high
    weight: 0.5
    reason: "scanned {scan_before_order_hours:.0f} hours before"
    mode: enforce
    action: order_hold
  - id: replica
    version: 1
    title: Words of the replica trade
    policy: counterfeit
    subject: listing
    on: [listing.created, listing.updated]
    when: replica_terms > 0
    severity: high
    weight: 0.5
    reason: "{replica_terms:d} terms"
    mode: {replica}
    action: listing_removal
  - id: low-ratings
    version: 1
    title: Buyers rate its orders 1 or 2
    policy: low_ratings
    subject: merchant
    when: low_ratings_90d > 1
    evidence: {low_ratings_90d: 2}
    severity: elevated
    weight: 0.5
    reason: "{low_ratings_90d:d} low ratings"
    mode: {ratings}
    action: limit
"""
LADDERS = """
ladders:
  order_hold:
    steps:
      - {action: hold_payout, days: 3}
      - {action: hold_payout, days: 10}
    cool_down_days: 90
    look_back_days: 365
  listing_removal:
    steps:
      - {action: remove_listing}
    cool_down_days: 0
    look_back_days: 180
  limit:
    steps:
      - {action: limit_orders, days: 7}
      - {action: limit_orders, days: 28}
    cool_down_days: 3
    look_back_days: 180
limits:
  appeal_days: 180
  strike_merge_days: 3
  review_required: [suspend_merchant, suspend_creator, close_merchant]
  review_hold_payout_above_days: 14
"""


def judged(folder: Path, replica: str = "enforce", ratings: str = "enforce") -> Judge:
    """A judge by three rules, each of which may be off."""
    shutil.copy(PACKAGED / "credit.yaml", folder)
    rules = RULES.replace("{replica}", replica).replace("{ratings}", ratings)
    return make_judge(policies_of(folder, rules, enforcement=LADDERS), audit_rate=0.0, holdout_rate=0.0)


@pytest.fixture
def shard(tmp_path: Path) -> Shard:
    """A shard with rules of its own."""
    return Shard(judged(tmp_path))


def decided(shard: Shard) -> list[EnforcementDecided]:
    """Decisions so far."""
    return shard.outputs(EnforcementDecided)


def reversals(shard: Shard) -> list[tuple[str, str, list[str]]]:
    """What was reversed so far: the decision, why, and what that restored."""
    return [(each.reverses, each.why, each.restores) for each in shard.outputs(EnforcementReversed)]


def noted(shard: Shard) -> list[tuple[str, int]]:
    """States of appeals so far, with their numbers."""
    return [(each.state, each.number) for each in shard.all_outputs() if isinstance(each, AppealNoted)]


def filed(decision: str, at: int) -> Event:
    """The merchant appeals."""
    return event("appeal.filed", at, decision_id=decision)


def answered(decision: str, at: int, outcome: str = "overturned") -> Event:
    """The appeal is decided."""
    return event("appeal.decided", at, decision_id=decision, outcome=outcome)


def early(order: str, at: int) -> list[Event]:
    """An order whose parcel was scanned five hours before it was placed."""
    return [placed(order, at=at), shipped(order, at=at + HOUR), tracked(order, at=at - 5 * HOUR)]


# -- appeals ----------------------------------------------------------------------------------------------------------


def test_an_overturned_hold_is_reversed_and_its_facts_count_no_longer(shard: Shard) -> None:
    """The payout is free, the order is good, and the same scan is not held against it again."""
    shard.apply(*early("o1", 0))
    (hold,) = decided(shard)
    assert shard.order().flags & IMPLAUSIBLE_SCAN
    shard.apply(filed(hold.decision_id, DAY))
    assert [each.decision_id for each in shard.standings()[-1].appeals] == [hold.decision_id]
    shard.apply(answered(hold.decision_id, 2 * DAY))
    assert shard.standings()[-1].appeals == []
    assert [(what, why) for what, why, _ in reversals(shard)] == [(hold.decision_id, "appeal")]
    assert "hold_payout" in reversals(shard)[0][2]
    assert noted(shard) == [("open", 1), ("overturned", 1)]
    assert not shard.order().flags & IMPLAUSIBLE_SCAN
    assert shard.feature("implausible_scans_30d") == 0
    shard.apply(tracked("o1", at=2 * DAY, status="accepted"))
    assert len(decided(shard)) == 1


def test_an_upheld_decision_stands_and_a_third_appeal_is_refused_once(shard: Shard) -> None:
    """Two appeals a decision are heard; whoever goes on filing is told so once."""
    shard.apply(*early("o1", 0))
    (hold,) = decided(shard)
    for day in range(1, 9):
        shard.apply(filed(hold.decision_id, day * DAY), answered(hold.decision_id, day * DAY + HOUR, "upheld"))
    states = [state for state, _ in noted(shard)]
    assert states[:4] == ["open", "upheld", "open", "upheld"]
    assert states.count("refused") == 1
    assert states.count("open") == 2
    shard.apply(tick=12 * DAY)
    assert reversals(shard) == [(hold.decision_id, "expiry", ["hold_payout"])]


def test_an_appeal_after_its_time_is_refused(shard: Shard) -> None:
    """Half a year after the decision."""
    shard.apply(*early("o1", 0))
    (hold,) = decided(shard)
    shard.apply(filed(hold.decision_id, 181 * DAY))
    assert noted(shard) == [("refused", 1)]


def test_an_appeal_that_nobody_answers_is_pointed_out_once(shard: Shard) -> None:
    """When its deadline has passed in event time; it can still be decided."""
    shard.apply(*early("o1", 0))
    (hold,) = decided(shard)
    shard.apply(filed(hold.decision_id, DAY))
    shard.apply(tick=14 * DAY)
    assert noted(shard) == [("open", 1)]
    shard.apply(tick=16 * DAY)
    shard.apply(tick=40 * DAY)
    assert noted(shard) == [("open", 1), ("overdue", 1)]
    shard.apply(answered(hold.decision_id, 41 * DAY))
    assert noted(shard)[-1] == ("overturned", 1)


def test_what_names_no_known_decision_goes_to_the_dead_letters(shard: Shard) -> None:
    """Nothing is changed, and the same event can be sent again when it is known."""
    emits = shard.apply(filed("d1", 0), answered("d2", 1), event("appeal.filed", 2, decision_id="d3"))
    assert [emit.stream for emit in emits] == ["dead_letters"] * 3
    assert b"d1" in dict(emits[0].headers)["dlq_detail"]
    assert shard.merchant().record.seen == []


def test_an_answer_that_comes_twice_changes_nothing_more(shard: Shard) -> None:
    """Nor does the second one go to the dead letters."""
    shard.apply(*early("o1", 0))
    (hold,) = decided(shard)
    shard.apply(answered(hold.decision_id, DAY))
    emits = shard.apply(answered(hold.decision_id, 2 * DAY))
    assert [emit for emit in emits if emit.stream == "dead_letters"] == []
    assert len(reversals(shard)) == 1


def test_a_later_action_that_built_on_it_becomes_milder(shard: Shard) -> None:
    """The second hold lasted ten days as it was the second; without the first it lasts three."""
    shard.apply(*early("o1", 0), *early("o2", 5 * DAY))
    first, second = decided(shard)
    assert second.expires_at == second.starts_at + 10 * DAY
    shard.apply(answered(first.decision_id, 6 * DAY))
    third = decided(shard)[-1]
    assert (third.supersedes, third.subject.id, third.starts_at) == (second.decision_id, "o2", second.starts_at)
    assert third.expires_at == second.starts_at + 3 * DAY
    assert (second.decision_id, "correction") in [each[:2] for each in reversals(shard)]


def test_a_milder_action_that_would_be_over_is_only_reversed(shard: Shard) -> None:
    """Nothing new is decided for the past."""
    shard.apply(*early("o1", 0), *early("o2", 5 * DAY))
    first, second = decided(shard)
    shard.apply(answered(first.decision_id, 9 * DAY))
    assert len(decided(shard)) == 2
    assert (second.decision_id, "correction") in [each[:2] for each in reversals(shard)]


# -- as if it had never been ------------------------------------------------------------------------------------------

Plain: TypeAlias = dict[str, Any]
#: What a wrong decision leaves behind on purpose: numbers of events, digests of what was seen, appeals, pardons, and
#: when the merchant was last assessed.
AUDIT: dict[str, tuple[str, ...]] = {
    "m": ("sequence", "seen", "appeals", "timer", "assessment", "as_of", "assessed", "bad"),
    "o": ("seen", "first_scan", "pardons", "pardoned", "assessment"),
    # What a text was judged by: the digest has the version of the policies.
    "l": ("seen", "pardons", "judged"),
}


def plain(value: object) -> Any:
    """A record as JSON shows it."""
    return msgspec.json.decode(msgspec.json.encode(value))


def state_of(shard: Shard) -> Plain:
    """All merchants, orders and listings, apart from the audit trail; decisions are named by what they say."""
    found: Plain = {}
    for merchant_id, merchant in shard.state.merchants.items():
        record = plain(merchant.packed())
        standing = merchant.record.enforcement
        record["enforcement"] = None
        if standing is not None:
            record["enforcement"] = {
                "active": sorted(
                    (a.rule, a.action, a.subject_kind, a.subject_id, a.starts_at, a.expires_at or 0)
                    for a in standing.active
                ),
                "strikes": {
                    key: [(each.at, each.rule, each.step) for each in strikes]
                    for key, strikes in standing.strikes.items()
                    if strikes
                },
                "quiet": standing.quiet,
            }
            if not any(record["enforcement"].values()):
                record["enforcement"] = None
        credit = record.get("credit", {})
        # Ledger, score, tier and milestone; the rest is as of the last review, which may have been at another time.
        record["credit"] = {key: credit[key] for key in ("s", "t", "m") if key in credit}
        record["credit"]["l"] = [[*entry[:3], *entry[4:]] for entry in credit.get("l", [])]
        found[f"m {merchant_id}"] = without(record, "m")
    found |= {f"o {key}": without(plain(order), "o") for key, order in shard.state.orders.items()}
    found |= {f"l {key}": without(plain(listing), "l") for key, listing in shard.state.listings.items()}
    return found


def without(record: Plain, kind: str) -> Plain:
    """A record without the audit trail; counters at the end of a day that came back to 0 are none."""
    return {
        key: re.sub(r"(,0)+(?= |$)", "", value) if key in ("placed", "ship", "outcome", "churn") else value
        for key, value in record.items()
        if key not in AUDIT[kind]
    }


def differing(left: Plain, right: Plain) -> Plain:
    """Where two states differ: both values by record and field."""
    found: Plain = {}
    for name in sorted({*left, *right}):
        one, other = left.get(name, {}), right.get(name, {})
        for key in sorted({*one, *other}):
            if one.get(key) != other.get(key):
                found[f"{name}: {key}"] = one.get(key), other.get(key)
    return found


#: What else happens: kind, order, hours after the one before.
STEPS = st.lists(
    st.tuples(st.sampled_from(["placed", "shipped", "scanned", "delivered", "claimed", "rated"]), st.integers(1, 90)),
    min_size=3,
    max_size=25,
)


def history(steps: Sequence[tuple[str, int]]) -> list[Event]:
    """Events of the merchant's orders, none of which breaks a rule on orders."""
    at = 6 * HOUR
    found = [placed("base", at=HOUR)]
    count = 0
    for kind, hours in steps:
        at += hours * HOUR
        if kind == "placed":
            count += 1
            found.append(placed(f"n{count}", at=at))
            continue
        order = f"n{count}" if count else "base"
        extra: dict[str, tuple[str, dict[str, Any]]] = {
            "delivered": ("delivered", {}),
            "claimed": ("return_requested", {"reason": "not_as_described"}),
            "rated": ("reviewed", {"rating": 2}),
        }
        if kind == "shipped":
            found.append(shipped(order, at=at))
        elif kind == "scanned":
            found.append(tracked(order, at=at))
        else:
            name, fields = extra[kind]
            found.append(of_order(name, order, at=at, **fields))
    return found


def ticked(shard: Shard, events: Sequence[Event]) -> None:
    """Apply events one by one, each with the time that it brings."""
    for one in events:
        shard.apply(one)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=25,
    deadline=None,
    # What fails here fails in few steps; shrinking would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(steps=STEPS, place=st.integers(0, 25), wait=st.integers(0, 10))
def test_after_an_overturned_appeal_the_violation_never_was(
    tmp_path: Path, steps: list[tuple[str, int]], place: int, wait: int
) -> None:
    """Whatever else happened before, in between and after: merchants, orders and listings are as without it."""
    judge = judged(tmp_path)
    events = history(steps)
    place = min(place, len(events))
    at = max([HOUR, *(one["occurred_at"] - START for one in events[:place])])
    order = events[0]["order_id"]
    with_it, without_it = Shard(judge), Shard(judge)
    ticked(with_it, events[:place] or events[:1])
    ticked(without_it, events[:place] or events[:1])
    rest = events[max(place, 1) :]
    ticked(with_it, [tracked(order, at=-5 * HOUR)])
    held = [each for each in decided(with_it) if each.policy.id == "early-scan"]
    middle, later = rest[:wait], rest[wait:]
    for shard in (with_it, without_it):
        ticked(shard, middle)
    at = max([at, *(one["occurred_at"] - START for one in middle)])
    for hold in held:
        ticked(with_it, [answered(hold.decision_id, at)])
    # Time passes in both alike.
    ticked(without_it, [event("report.received", at, subject={"kind": "merchant", "id": "m1"}, by="buyer")])
    ticked(with_it, [event("report.received", at, subject={"kind": "merchant", "id": "m1"}, by="buyer")])
    for shard in (with_it, without_it):
        ticked(shard, later)
        shard.apply(tick=60 * DAY)
    left, right = state_of(with_it), state_of(without_it)
    assert differing(left, right) == {}
    assert not any(order.flags & BAD and order.pardoned & order.flags for order in with_it.state.orders.values())


@pytest.mark.parametrize("kind", ["listing", "merchant"])
def test_an_overturned_finding_leaves_what_a_rule_that_is_off_leaves(tmp_path: Path, kind: SubjectKind) -> None:
    """About a listing or the merchant itself: the same events, judged by a rule that was never there."""
    (tmp_path / "on").mkdir()
    (tmp_path / "off").mkdir()
    off = {"replica": "off"} if kind == "listing" else {"ratings": "off"}
    shards = Shard(judged(tmp_path / "on")), Shard(judged(tmp_path / "off", **off))
    for shard in shards:
        shard.apply(placed(), placed("o2", at=HOUR), listed("l9", at=2 * HOUR, title="Replica mug"))
        if kind == "merchant":
            shard.apply(of_order("reviewed", at=3 * DAY, rating=1), of_order("reviewed", "o2", at=4 * DAY, rating=1))
    wanted = "replica" if kind == "listing" else "low-ratings"
    wrong = [each for each in decided(shards[0]) if each.policy.id == wanted]
    assert wrong
    for shard in shards:
        for each in wrong if shard is shards[0] else ():
            shard.apply(answered(each.decision_id, 5 * DAY))
        shard.apply(placed("o3", at=6 * DAY), placed("o4", at=7 * DAY), tick=30 * DAY)
    assert len([each for each in decided(shards[0]) if each.policy.id == wanted]) == len(wrong)
    left, right = (state_of(shard) for shard in shards)
    if kind == "merchant":
        # The orders that it rested on still count, so the rule stays quiet for as long as it was going to.
        for state in (left, right):
            state["m m1"]["enforcement"].pop("quiet")
    assert differing(left, right) == {}


def test_a_pardoned_merchant_is_found_again_on_new_facts(shard: Shard) -> None:
    """What was overturned is no licence: enough new low ratings are a finding of their own."""
    shard.apply(placed(), placed("o2", at=HOUR))
    shard.apply(of_order("reviewed", at=DAY, rating=1), of_order("reviewed", "o2", at=DAY + 1, rating=1))
    (limit,) = decided(shard)
    shard.apply(answered(limit.decision_id, 2 * DAY))
    assert shard.merchant().record.level == 0
    for number in range(12, 15):
        at = number * DAY
        shard.apply(placed(f"o{number}", at=at), of_order("reviewed", f"o{number}", at=at + HOUR, rating=1))
        assert (len(decided(shard)) == 2) == (number >= 13)
    assert decided(shard)[1].expires_at == decided(shard)[1].starts_at + 7 * DAY


# -- reviews ----------------------------------------------------------------------------------------------------------


def reviewed(at: int, verdict: str, **fields: Any) -> Event:
    """A person's verdict."""
    return event("review.decided", at, verdict=verdict, source="human", **fields)


def test_a_clean_verdict_undoes_a_decision(shard: Shard) -> None:
    """As a correction; about the subject alone it does the same."""
    shard.apply(*early("o1", 0), *early("o2", HOUR))
    first, second = decided(shard)
    shard.apply(reviewed(DAY, "clean", decision_id=first.decision_id))
    shard.apply(reviewed(DAY + 1, "clean", subject={"kind": "order", "id": "o2"}))
    undone = {what for what, why, _ in reversals(shard) if why == "correction"}
    assert {first.decision_id, second.decision_id} <= undone
    assert shard.feature("implausible_scans_30d") == 0


def test_who_confirmed_what_was_wrong_was_wrong_as_well(shard: Shard) -> None:
    """After a successful appeal the verdict lets no further severe action pass without a person."""
    shard.apply(*early("o1", 0))
    (hold,) = decided(shard)
    shard.apply(reviewed(HOUR, "violation", decision_id=hold.decision_id))
    enforcement = shard.merchant().record.enforcement
    assert enforcement is not None
    assert list(enforcement.verdicts) == ["fake_tracking o"]
    shard.apply(answered(hold.decision_id, DAY))
    assert enforcement.verdicts == {}


def test_a_verdict_on_an_unknown_decision_goes_to_the_dead_letters(shard: Shard) -> None:
    """Unless it says what it is about."""
    emits = shard.apply(reviewed(0, "clean", decision_id="d1"))
    assert [emit.stream for emit in emits] == ["dead_letters"]
    assert shard.apply(reviewed(1, "violation", decision_id="d1", subject={"kind": "order", "id": "o1"})) == []


# -- overrides --------------------------------------------------------------------------------------------------------


def overridden(at: int, action: str, **fields: Any) -> Event:
    """A person steps in."""
    if fields.get("until") is not None:
        fields["until"] += START
    return event("enforcement.overridden", at, action=action, by="ops", why="as agreed", **fields)


def test_a_lifted_action_comes_back_when_the_override_ends(shard: Shard) -> None:
    """If it would still run then; it keeps its own end."""
    shard.apply(*early("o1", 0))
    (hold,) = decided(shard)
    shard.apply(overridden(DAY, "lift", decision_id=hold.decision_id, until=2 * DAY))
    assert reversals(shard) == [(hold.decision_id, "override", ["hold_payout"])]
    assert shard.standings()[-1].enforcements == []
    shard.apply(tick=2 * DAY + HOUR)
    again = decided(shard)[-1]
    assert (again.supersedes, again.expires_at) == (hold.decision_id, hold.expires_at)
    shard.apply(tick=20 * DAY)
    assert shard.standings()[-1].enforcements == []


def test_a_lifted_action_that_would_be_over_does_not_come_back(shard: Shard) -> None:
    """Nor does one that was lifted for good."""
    shard.apply(*early("o1", 0), *early("o2", HOUR))
    first, second = decided(shard)
    shard.apply(overridden(DAY, "lift", decision_id=first.decision_id, until=10 * DAY))
    shard.apply(overridden(DAY, "hold_payout", decision_id=second.decision_id))
    shard.apply(tick=30 * DAY)
    assert len(decided(shard)) == 2


def test_an_action_can_be_set_by_hand(shard: Shard) -> None:
    """Against the merchant, under a policy, until a time; its statement says that no machine decided."""
    shard.apply(placed(), overridden(DAY, "limit_orders", policy="late_dispatch", until=5 * DAY))
    (limit,) = decided(shard)
    assert (limit.action, limit.requires_review, limit.expires_at) == ("limit_orders", False, START + 5 * DAY)
    assert limit.statement_of_reasons["automated_decision"] == "AUTOMATED_DECISION_NOT_AUTOMATED"
    assert limit.statement_of_reasons["automated_detection"] == "No"
    shard.apply(tick=6 * DAY)
    assert reversals(shard) == [(limit.decision_id, "expiry", ["limit_orders"])]


def test_a_snoozed_rule_and_an_allowed_policy_leave_the_merchant_alone(shard: Shard) -> None:
    """Until the time that was given."""
    shard.apply(overridden(0, "snooze", policy="early-scan", until=2 * DAY))
    shard.apply(*early("o1", HOUR))
    assert decided(shard) == []
    shard.apply(*early("o2", 3 * DAY))
    assert [each.subject.id for each in decided(shard)] == ["o2"]
    shard.apply(overridden(3 * DAY, "allow", policy="fake_tracking", until=9 * DAY))
    shard.apply(*early("o3", 4 * DAY))
    assert len(decided(shard)) == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"action": "limit_order"}, b"limit_orders"),
        ({"action": "freeze_commission"}, b"merchant"),
        ({"action": "lift", "decision_id": "d9"}, b"d9"),
        ({"action": "snooze", "policy": "early-scam", "until": DAY}, b"early-scan"),
        ({"action": "snooze", "policy": "early-scan"}, b"until"),
        ({"action": "allow", "until": DAY}, b"policy"),
        ({"action": "limit_orders"}, b"policy"),
    ],
)
def test_an_override_that_can_not_be_meant_goes_to_the_dead_letters(
    shard: Shard, fields: dict[str, Any], words: bytes
) -> None:
    """With what to write instead."""
    emits = shard.apply(overridden(0, **fields))
    assert [emit.stream for emit in emits] == ["dead_letters"]
    assert words in dict(emits[0].headers)["dlq_detail"]


# -- what people do one after the other --------------------------------------------------------------------------------


def test_an_open_appeal_ends_when_the_decision_is_corrected(shard: Shard) -> None:
    """By a review: nobody need answer any more, and nobody is reminded."""
    shard.apply(*early("o1", 0))
    (hold,) = decided(shard)
    shard.apply(filed(hold.decision_id, DAY), reviewed(DAY + 1, "clean", decision_id=hold.decision_id))
    assert shard.standings()[-1].appeals == []
    shard.apply(tick=100 * DAY)
    assert noted(shard) == [("open", 1), ("overturned", 1)]


def test_an_appeal_against_what_was_announced_anew_is_heard(shard: Shard) -> None:
    """The hold was set aside, came back under a new id, and the appeal names the first one."""
    shard.apply(*early("o1", 0))
    (hold,) = decided(shard)
    shard.apply(filed(hold.decision_id, HOUR), overridden(DAY, "lift", decision_id=hold.decision_id, until=2 * DAY))
    shard.apply(tick=2 * DAY + HOUR)
    again = decided(shard)[-1]
    shard.apply(answered(hold.decision_id, 2 * DAY + 2 * HOUR))
    assert (again.decision_id, "appeal", ["hold_payout"]) in reversals(shard)
    assert shard.standings()[-1].enforcements == []
    assert shard.feature("implausible_scans_30d") == 0


def test_what_came_back_and_was_wrong_costs_no_points(shard: Shard) -> None:
    """The ledger knows the decision by its first id, and the appeal by its second."""
    shard.apply(listed(title="replica watch 1:1 mirror quality"))
    (removal,) = decided(shard)
    credit = shard.merchant().record.credit
    assert credit is not None
    assert [entry.decision for entry in credit.ledger] == [removal.decision_id]
    shard.apply(overridden(DAY, "lift", decision_id=removal.decision_id, until=2 * DAY))
    shard.apply(tick=3 * DAY)
    again = decided(shard)[-1]
    assert again.supersedes == removal.decision_id
    shard.apply(answered(again.decision_id, 4 * DAY))
    assert credit.ledger == []


def test_what_was_lifted_for_a_time_can_be_lifted_for_good(shard: Shard) -> None:
    """The second override is the one that counts."""
    shard.apply(*early("o1", 0))
    (hold,) = decided(shard)
    shard.apply(overridden(HOUR, "lift", decision_id=hold.decision_id, until=2 * DAY))
    shard.apply(overridden(2 * HOUR, "lift", decision_id=hold.decision_id))
    shard.apply(tick=2 * DAY + HOUR)
    assert len(decided(shard)) == 1


def test_a_milestone_that_was_lifted_for_a_time_comes_back() -> None:
    """Rules by the score are rules like others, though no feature fires them."""
    stage = Stage(packaged_policies())
    stage.orders(30)
    stage.move_to(10)
    stage.violation("counterfeit", "remove_listing", "d1", "listing", "l1", confirmed=False)
    (block,) = [each for each in stage.since_last() if isinstance(each, EnforcementDecided)]
    assert block.policy.id == "credit-milestone-150"
    lifting = events.EnforcementOverridden(
        event_id="e1",
        merchant_id="m1",
        occurred_at=stage.time,
        decision_id=block.decision_id,
        action="lift",
        by="ops",
        why="as agreed",
        until=stage.time + DAY,
    )
    stage.flow.apply(lifting)
    assert stage.enforcement.active == []
    stage.move_to(12)
    (again,) = stage.enforcement.active
    assert (again.rule, again.expires_at) == ("credit-milestone-150", block.expires_at)


def test_an_appeal_against_what_was_confirmed_since_is_heard(tmp_path: Path) -> None:
    """It was filed while the decision waited for a person; carried out, it has another id."""
    shutil.copy(PACKAGED / "credit.yaml", tmp_path)
    rules = RULES.replace("{replica}", "enforce").replace("{ratings}", "enforce")
    ladders = LADDERS.replace("{action: remove_listing}", "{action: remove_listing, review: true}")
    shard = Shard(make_judge(policies_of(tmp_path, rules, enforcement=ladders), audit_rate=0.0, holdout_rate=0.0))
    shard.apply(listed(title="replica watch 1:1 mirror quality"))
    (asked,) = decided(shard)
    shard.apply(filed(asked.decision_id, HOUR), reviewed(DAY, "violation", decision_id=asked.decision_id))
    carried_out = decided(shard)[-1]
    assert carried_out.supersedes == asked.decision_id
    shard.apply(answered(asked.decision_id, 2 * DAY))
    assert (carried_out.decision_id, "appeal", ["remove_listing"]) in reversals(shard)
    assert shard.standings()[-1].enforcements == []


def test_who_promoted_a_listing_is_blamed_once(tmp_path: Path) -> None:
    """Nobody is told of a removal again that was set aside for a time: when it comes back, its listing need not even
    be loaded.
    """
    shutil.copy(PACKAGED / "credit.yaml", tmp_path)
    rules = RULES.replace("{replica}", "enforce").replace("{ratings}", "enforce")
    ladders = LADDERS.rstrip() + "\n  promoted_policies: [counterfeit]\n"
    shard = Shard(make_judge(policies_of(tmp_path, rules, enforcement=ladders), audit_rate=0.0, holdout_rate=0.0))
    shard.apply(listed(), placed(at=HOUR, creator_id="c1"))
    shard.apply(listed(at=2 * HOUR, kind="updated", title="replica watch 1:1 mirror quality"))
    removal = decided(shard)[-1]
    assert shard.listing().blamed == {removal.decision_id: ["c1"]}
    shard.apply(overridden(DAY, "lift", decision_id=removal.decision_id, until=2 * DAY))
    shard.apply(tick=3 * DAY)
    again = decided(shard)[-1]
    assert again.supersedes == removal.decision_id
    assert shard.listing().blamed == {removal.decision_id: ["c1"]}
    shard.apply(answered(again.decision_id, 4 * DAY))
    assert shard.listing().blamed == {}


def test_rules_by_the_score_can_be_snoozed() -> None:
    """A person tells a milestone to leave the merchant alone."""
    stage = Stage(packaged_policies())
    stage.orders(30)
    stage.move_to(10)
    snooze = events.EnforcementOverridden(
        event_id="e1",
        merchant_id="m1",
        occurred_at=stage.time,
        action="snooze",
        policy="credit-milestone-150",
        by="ops",
        why="as agreed",
        until=stage.time + 30 * DAY,
    )
    stage.flow.apply(snooze)
    stage.violation("counterfeit", "remove_listing", "d1", "listing", "l1", confirmed=False)
    assert [each for each in stage.since_last() if isinstance(each, EnforcementDecided)] == []


def test_a_verdict_under_a_policy_that_nobody_knows_is_not_kept(shard: Shard) -> None:
    """No rule could ask for it, and whatever people write would stay in the merchant's state."""
    about = {"kind": "order", "id": "o1"}
    shard.apply(placed(), reviewed(1, "violation", policy="none-such", subject=about))
    shard.apply(reviewed(2, "violation", policy="fake_tracking", subject=about))
    assert shard.merchant().record.enforcement.verdicts == {"fake_tracking o": START + 2}  # type: ignore[union-attr]
