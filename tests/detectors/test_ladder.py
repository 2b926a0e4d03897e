from copy import deepcopy
from typing import TypeAlias

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.actions import HARSHNESS, NO_STRIKE
from detectors.circumstances import Circumstances
from detectors.ladder import Decision, SubjectRef, count_strikes, decide, expire, propose
from detectors.policy import PolicySet
from features.enforcement_state import MAX_ACTIVE, MAX_QUIET, MAX_STRIKES, EnforcementState, Strike
from features.events import SubjectKind
from features.order import LATE_SHIP
from features.windows import DAY_MS

START = 1_700_000_000_000
MERCHANT: SubjectRef = ("merchant", "m1")
#: There is evidence for every step.
PROVEN = Circumstances("m1", lambda _: 1_000.0)

History: TypeAlias = list[tuple[tuple[str, SubjectKind, str], float]]

#: Rules and subjects of random histories, and the time between two firings in days.
FIRINGS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                ("late-dispatch", "merchant", "m1"),
                ("late-dispatch-severe", "merchant", "m1"),
                ("bust-out", "merchant", "m1"),
                ("fake-tracking", "merchant", "m1"),
                ("scan-before-order", "order", "o1"),
                ("scan-before-order", "order", "o2"),
                ("counterfeit-listing", "listing", "l1"),
                ("off-platform-contact", "listing", "l1"),
                ("off-platform-contact", "listing", "l2"),
                ("behaviour-anomaly", "merchant", "m1"),
            ]
        ),
        st.floats(0, 60),
    ),
    max_size=40,
)


def play(packaged: PolicySet, firings: History) -> list[Decision]:
    """The decisions that a history of fired rules leads to."""
    standing = EnforcementState()
    decisions = []
    now = START
    for number, ((rule, kind, subject), days) in enumerate(firings):
        now += round(days * DAY_MS)
        decision = decide(packaged.rules[rule], (kind, subject), standing, now, packaged, f"d{number}")
        if decision is not None:
            decisions.append(decision)
    return decisions


@given(firings=FIRINGS)
def test_a_rule_never_acts_twice_within_its_cool_down(packaged: PolicySet, firings: History) -> None:
    """Two decisions of a rule on a subject lie at least the action's duration and the cool-down apart."""
    last: dict[tuple[str, str], Decision] = {}
    for decision in play(packaged, firings):
        key = (decision.rule, decision.subject_id)
        if key in last:
            before = last[key]
            ladder = packaged.ladders[packaged.rules[decision.rule].action or ""]
            assert decision.starts_at >= (before.expires_at or before.starts_at) + ladder.cool_down
        last[key] = decision


@given(firings=FIRINGS)
def test_steps_get_harsher_with_strikes(packaged: PolicySet, firings: History) -> None:
    """Within the look-back, a rule's next action is never milder than its last; it is the step that the strikes say."""
    last: dict[str, Decision] = {}
    for decision in play(packaged, firings):
        ladder = packaged.ladders[packaged.rules[decision.rule].action or ""]
        assert ladder.steps[decision.step].action == decision.action
        before = last.get(decision.rule)
        if before is not None and decision.starts_at - before.starts_at <= ladder.look_back:
            assert decision.step >= before.step
            assert HARSHNESS[decision.action] >= HARSHNESS[before.action]
        last[decision.rule] = decision


@given(firings=FIRINGS)
def test_no_two_equal_actions_are_in_force_under_one_policy(packaged: PolicySet, firings: History) -> None:
    """While an action is in force, its policy adds none to the subject that is not harsher, and names what it
    supersedes, unless that waits for a person.
    """
    in_force: list[Decision] = []
    for decision in play(packaged, firings):
        in_force = [each for each in in_force if each.expires_at is None or decision.starts_at < each.expires_at]
        for each in in_force:
            same = (each.policy, each.subject_id) == (decision.policy, decision.subject_id)
            if same and each.action != "warn" and not each.requires_review:
                assert HARSHNESS[decision.action] > HARSHNESS[each.action]
                assert decision.requires_review or decision.supersedes is not None
        in_force.append(decision)


@given(firings=FIRINGS, later=st.floats(0, 1000))
def test_everything_that_began_ends_once(packaged: PolicySet, firings: History, later: float) -> None:
    """Expiring at any time ends exactly what has run out; the next expiry is then in the future."""
    standing = EnforcementState()
    now = START
    for number, ((rule, kind, subject), days) in enumerate(firings):
        now += round(days * DAY_MS)
        decide(packaged.rules[rule], (kind, subject), standing, now, packaged, f"d{number}")
    before = {active.decision_id: active for active in standing.active}
    now += round(later * DAY_MS)
    ended = expire(standing, now)
    assert [active.expires_at for active in ended] == sorted(active.expires_at or 0 for active in ended)
    assert {active.decision_id for active in ended} | {active.decision_id for active in standing.active} == set(before)
    assert all((active.expires_at or 0) <= now for active in ended)
    following = standing.next_expiry()
    assert following is None or following > now
    assert expire(standing, now) == []
    assert all(until > now for until in standing.quiet.values())


@given(firings=FIRINGS)
def test_proposing_changes_nothing_and_depends_on_nothing_else(packaged: PolicySet, firings: History) -> None:
    """A proposal leaves the state as it is, is the same when repeated, and survives the state's way through JSON."""
    standing = EnforcementState()
    now = START
    for number, ((rule, kind, subject), days) in enumerate(firings):
        now += round(days * DAY_MS)
        before = deepcopy(standing)
        first = propose(packaged.rules[rule], (kind, subject), standing, now, packaged, "d")
        assert standing == before
        stored = msgspec.json.decode(msgspec.json.encode(standing), type=EnforcementState)
        assert stored == standing
        assert propose(packaged.rules[rule], (kind, subject), stored, now, packaged, "d") == first
        decide(packaged.rules[rule], (kind, subject), standing, now, packaged, f"d{number}")


@given(firings=FIRINGS)
def test_harsh_steps_need_a_person(packaged: PolicySet, firings: History) -> None:
    """Suspensions and payouts held beyond a week always require a review; every decision can be appealed."""
    for decision in play(packaged, firings):
        if decision.action == "suspend_merchant":
            assert decision.requires_review
        if (
            decision.action == "hold_payout"
            and decision.subject_kind == "merchant"
            and (decision.expires_at or 0) - decision.starts_at > 7 * DAY_MS
        ):
            assert decision.requires_review
        assert decision.appeal_until == decision.starts_at + 180 * DAY_MS


def test_a_late_merchant_climbs_the_ladder(packaged: PolicySet) -> None:
    """Severe lateness that goes on: fewer orders for 7, 14, 28 and 28 days, with a week's chance in between."""
    rule = packaged.rules["late-dispatch-severe"]
    standing = EnforcementState()
    taken = []
    for day in range(150):
        now = START + day * DAY_MS
        standing.note(LATE_SHIP, 0, day)
        expire(standing, now)
        decision = decide(rule, MERCHANT, standing, now, packaged, f"d{day}", PROVEN)
        if decision is not None:
            duration = None if decision.expires_at is None else (decision.expires_at - now) // DAY_MS
            taken.append((day, decision.action, duration))
    assert taken == [
        (0, "limit_orders", 7),
        (14, "limit_orders", 14),
        (35, "limit_orders", 28),
        (70, "limit_orders", 28),
        (105, "limit_orders", 28),
        (140, "limit_orders", 28),
    ]


def test_after_the_look_back_the_ladder_begins_anew(packaged: PolicySet) -> None:
    """A merchant that kept clear for longer than the look-back starts at the first step again."""
    rule = packaged.rules["late-dispatch-severe"]
    standing = EnforcementState()
    first = decide(rule, MERCHANT, standing, START, packaged, "d0")
    for buyer in range(8):
        standing.note(LATE_SHIP, 0, buyer)
    second = decide(rule, MERCHANT, standing, START + 20 * DAY_MS, packaged, "d1")
    third = decide(rule, MERCHANT, standing, START + 201 * DAY_MS, packaged, "d2")
    assert [each.step for each in (first, second, third) if each] == [0, 1, 0]


def test_findings_of_the_same_days_are_one_strike(packaged: PolicySet) -> None:
    """Fifty listings of one weekend are fifty warnings, not fifty steps up the ladder."""
    rule = packaged.rules["off-platform-contact"]
    standing = EnforcementState()
    actions = [
        decision.action
        for number in range(50)
        if (decision := decide(rule, ("listing", f"l{number}"), standing, START + number * 3_600_000, packaged, "d"))
    ]
    assert actions == ["warn"] * 50
    strikes = standing.strikes["off_platform_diversion l"]
    assert len(strikes) == MAX_STRIKES
    ladder = packaged.ladders["listing_warning"]
    assert count_strikes(strikes, START + 10 * DAY_MS, ladder, packaged.limits.strike_merge) == 1


def test_findings_on_orders_are_no_strikes_of_the_merchant(packaged: PolicySet) -> None:
    """After held orders over weeks, the first finding against the merchant itself is still the first."""
    standing = EnforcementState()
    for week in range(6):
        rule = packaged.rules["scan-before-order"]
        decide(rule, ("order", f"o{week}"), standing, START + week * 7 * DAY_MS, packaged, f"o{week}")
    assert len(standing.strikes["fake_tracking o"]) == 6
    first = decide(packaged.rules["fake-tracking"], MERCHANT, standing, START + 42 * DAY_MS, packaged, "d")
    assert first is not None
    assert first.step == 0


def test_two_rules_of_a_policy_do_not_punish_twice(packaged: PolicySet) -> None:
    """When two rules of one policy fire together, the second adds nothing that is not harsher."""
    standing = EnforcementState()
    severe = decide(packaged.rules["late-dispatch-severe"], MERCHANT, standing, START, packaged, "d0")
    assert severe is not None
    assert severe.action == "limit_orders"
    assert decide(packaged.rules["late-dispatch"], MERCHANT, standing, START, packaged, "d1") is None


def test_a_harsher_action_takes_the_place_of_a_milder_one(packaged: PolicySet) -> None:
    """A review under way is superseded when the same policy leads to a removal."""
    standing = EnforcementState()
    review = decide(packaged.rules["replica-word"], ("listing", "l1"), standing, START, packaged, "d0")
    removal = decide(packaged.rules["counterfeit-listing"], ("listing", "l1"), standing, START + 1, packaged, "d1")
    assert review is not None
    assert removal is not None
    assert (removal.action, removal.supersedes) == ("remove_listing", "d0")
    assert [active.decision_id for active in standing.active] == ["d1"]


def test_a_review_is_no_strike(packaged: PolicySet) -> None:
    """Asking a person to look leaves the record of the merchant clean."""
    standing = EnforcementState()
    assert decide(packaged.rules["behaviour-anomaly"], MERCHANT, standing, START, packaged, "d0") is not None
    assert standing.strikes == {}
    assert "require_review" in NO_STRIKE


@pytest.mark.parametrize("mode", ["shadow", "off"])
def test_rules_that_are_not_enforced_decide_nothing(packaged: PolicySet, mode: str) -> None:
    """A rule in shadow or off leads to no action and leaves no trace."""
    rule = msgspec.structs.replace(packaged.rules["bust-out"], mode=mode)
    standing = EnforcementState()
    assert decide(rule, MERCHANT, standing, START, packaged, "d0") is None
    assert standing == EnforcementState()


def test_strikes_that_were_only_counted_still_count(packaged: PolicySet) -> None:
    """A state of before strikes were kept one by one leads to the step that it led to then."""
    old = b'{"s":{"bust_out":[2,' + str(START).encode() + b"]}}"
    standing = msgspec.json.decode(old, type=EnforcementState)
    decision = propose(packaged.rules["bust-out"], MERCHANT, standing, START + 20 * DAY_MS, packaged, "d", PROVEN)
    assert decision is not None
    assert decision.step == 2
    assert msgspec.json.decode(msgspec.json.encode(standing), type=EnforcementState) == standing


def test_strikes_run_out_one_by_one(packaged: PolicySet) -> None:
    """De-escalation: as each strike leaves the look-back, the next action is a step milder."""
    ladder = packaged.ladders["order_limit"]
    strikes = [
        Strike(START + week * 30 * DAY_MS, f"d{week}", "late-dispatch-severe", week, "limit_orders")
        for week in range(3)
    ]
    merge = packaged.limits.strike_merge
    counts = [count_strikes(strikes, START + day * DAY_MS, ladder, merge) for day in (61, 181, 211, 241)]
    assert counts == [2, 2, 1, 0]


def test_an_action_that_ends_later_takes_over_from_another_rule(packaged: PolicySet) -> None:
    """Of two rules of one policy the longer action counts; the same rule does not prolong its own."""
    standing = EnforcementState()
    first = decide(packaged.rules["late-dispatch-severe"], MERCHANT, standing, START, packaged, "d0")
    assert first is not None
    standing.facts = []
    longer = decide(packaged.rules["poor-fulfilment"], MERCHANT, standing, START + 4 * DAY_MS, packaged, "d1")
    assert longer is not None
    assert (longer.action, longer.supersedes) == ("limit_orders", "d0")
    assert longer.expires_at == START + 18 * DAY_MS


def test_what_waits_for_a_person_keeps_nothing_back_that_need_not(packaged: PolicySet) -> None:
    """A hold that nobody has looked at yet is superseded by one that takes no person, at the same moment."""
    standing = EnforcementState()
    waiting = decide(packaged.rules["bust-out-prepared"], MERCHANT, standing, START, packaged, "d0")
    assert waiting is not None
    assert waiting.requires_review
    held = decide(packaged.rules["bust-out"], MERCHANT, standing, START, packaged, "d1")
    assert held is not None
    assert (held.action, held.supersedes, held.requires_review) == ("hold_payout", "d0", False)


def test_strikes_are_forgotten_after_their_retention(packaged: PolicySet) -> None:
    """Strikes leave the state after 730 days, so that a clean merchant's state is empty again."""
    standing = EnforcementState()
    decide(packaged.rules["late-dispatch"], MERCHANT, standing, START, packaged, "d0")
    expire(standing, START + 730 * DAY_MS)
    assert standing.strikes
    expire(standing, START + 731 * DAY_MS)
    assert standing == EnforcementState()


def test_the_state_is_bounded(packaged: PolicySet) -> None:
    """Thousands of removed listings keep the newest in the state and forget the oldest."""
    standing = EnforcementState()
    for number in range(MAX_ACTIVE + 50):
        decide(
            packaged.rules["prohibited-category"], ("listing", f"l{number}"), standing, START, packaged, f"d{number}"
        )
    assert len(standing.active) == MAX_ACTIVE
    assert standing.active[-1].decision_id == f"d{MAX_ACTIVE + 49}"
    for number in range(MAX_QUIET + 50):
        decide(
            packaged.rules["off-platform-contact"], ("listing", f"l{number}"), standing, START + number, packaged, "d"
        )
    assert len(standing.quiet) == MAX_QUIET


def test_a_clean_merchant_takes_two_bytes() -> None:
    """The state of a merchant without history is an empty JSON object, one with an action a short one."""
    assert msgspec.json.encode(EnforcementState()) == b"{}"


def test_one_action_takes_little_room(packaged: PolicySet) -> None:
    """An action in force with its strike and cool-down is a short JSON text with short names."""
    standing = EnforcementState()
    decide(packaged.rules["bust-out"], MERCHANT, standing, START, packaged, "orders-0-4711-e")
    stored = msgspec.json.encode(standing)
    assert set(msgspec.json.decode(stored)) == {"a", "t", "q", "f"}
    assert len(stored) < 350
