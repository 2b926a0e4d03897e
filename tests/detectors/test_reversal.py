from itertools import count
from typing import Final

import pytest

from detectors.ladder import SubjectRef, decide, expire
from detectors.policy import PolicySet
from detectors.reversal import confirm, exempt, forgive, lift, rejudge
from features.enforcement_state import EnforcementState, policy_and_kind, strike_key
from features.events import SubjectKind
from features.order import LATE_SHIP
from features.windows import DAY_MS

START: Final = 1_700_000_000_000
MERCHANT: SubjectRef = ("merchant", "m1")
ORDER: SubjectRef = ("order", "o1")


def with_facts(standing: EnforcementState, cases: int = 10) -> EnforcementState:
    """The state after as many more late shipments, each of another buyer."""
    for buyer in range(cases):
        standing.note(LATE_SHIP, 0, buyer)
    return standing


def test_a_forgiven_decision_is_no_strike_but_its_facts_are_used(packaged: PolicySet) -> None:
    """An overturned decision ends and leaves no strike, but its rule does not act on the same facts again."""
    standing = EnforcementState()
    rule = packaged.rules["bust-out"]
    assert decide(rule, MERCHANT, standing, START, packaged, "d0") is not None
    forgiven = forgive(standing, "d0")
    assert forgiven is not None
    assert forgiven.action == "hold_payout"
    assert standing.active == []
    assert standing.strikes == {}
    assert decide(rule, MERCHANT, standing, START + DAY_MS, packaged, "d1") is None
    assert decide(rule, MERCHANT, standing, START + 60 * DAY_MS, packaged, "d1") is None
    assert forgive(standing, "d0") is None


@pytest.mark.parametrize("ended", [False, True])
def test_a_forgiven_decision_on_an_order_leaves_nothing(packaged: PolicySet, ended: bool) -> None:
    """Its facts are taken back with it: the history is that of a merchant whom nothing happened to, whether the action
    was still in force or had ended.
    """
    standing = EnforcementState()
    assert decide(packaged.rules["scan-before-order"], ORDER, standing, START, packaged, "d0") is not None
    if ended:
        expire(standing, START + 20 * DAY_MS)
    assert (forgive(standing, "d0") is None) == ended
    assert standing == EnforcementState()


def test_a_later_decision_on_the_same_order_stands(packaged: PolicySet) -> None:
    """What a rule decided later about an order has its strike and its cool-down from itself."""
    rule = packaged.rules["scan-before-order"]
    both, alone = EnforcementState(), EnforcementState()
    decide(rule, ORDER, both, START, packaged, "d0")
    expire(both, START + 200 * DAY_MS)
    for standing in (both, alone):
        assert decide(rule, ORDER, standing, START + 200 * DAY_MS, packaged, "d1") is not None
    forgive(both, "d0")
    assert both == alone


def test_lifting_keeps_the_strike(packaged: PolicySet) -> None:
    """An action that a person ends early still counts; of two strikes one is left when the second is forgiven."""
    standing = EnforcementState()
    rule = packaged.rules["late-dispatch-severe"]
    decide(rule, MERCHANT, standing, START, packaged, "d0")
    lift(standing, "d0")
    assert len(standing.strikes["late_dispatch"]) == 1
    decide(rule, MERCHANT, with_facts(standing), START + 30 * DAY_MS, packaged, "d1")
    assert len(standing.strikes["late_dispatch"]) == 2
    forgive(standing, "d1")
    assert [strike.decision_id for strike in standing.strikes["late_dispatch"]] == ["d0"]


def test_decisions_are_known_while_in_force_and_while_they_count(packaged: PolicySet) -> None:
    """An appeal may come when the action has ended; of one that was taken back nothing is known."""
    standing = EnforcementState()
    decide(packaged.rules["scan-before-order"], ORDER, standing, START, packaged, "d0")
    in_force = standing.known("d0")
    expire(standing, START + 20 * DAY_MS)
    assert standing.active == []
    assert standing.known("d0") == in_force
    assert in_force is not None
    assert (in_force.policy, in_force.action, in_force.subject_id) == ("fake_tracking", "hold_payout", "o1")
    forgive(standing, "d0")
    assert standing.known("d0") is None


@pytest.mark.parametrize("kind", ["order", "listing", "merchant", "creator"])
def test_keys_of_strikes_can_be_read(kind: SubjectKind) -> None:
    """The key of a policy and kind says both."""
    assert policy_and_kind(strike_key("fake_tracking", kind)) == ("fake_tracking", kind)


def test_a_later_action_becomes_what_it_would_have_been(packaged: PolicySet) -> None:
    """Without the first strike the second action is the first step; a third, that has no strike too many, stays."""
    rule = packaged.rules["late-dispatch-severe"]
    standing = EnforcementState()
    decide(rule, MERCHANT, standing, START, packaged, "d0")
    expire(standing, START + 20 * DAY_MS)
    second = decide(rule, MERCHANT, with_facts(standing), START + 20 * DAY_MS, packaged, "d1")
    assert second is not None
    assert (second.step, second.expires_at) == (1, START + 34 * DAY_MS)
    known = standing.known("d0")
    assert known is not None
    forgive(standing, "d0")
    ids = (f"new{number}" for number in count())
    ((before, milder),) = rejudge(standing, packaged, known, START + 21 * DAY_MS, lambda: next(ids))
    assert before.decision_id == "d1"
    assert milder is not None
    assert (milder.decision_id, milder.action, milder.supersedes) == ("new0", "limit_orders", "d1")
    assert (milder.starts_at, milder.expires_at) == (START + 20 * DAY_MS, START + 27 * DAY_MS)
    assert [each.decision_id for each in standing.active] == ["new0"]
    assert [(each.decision_id, each.step) for each in standing.strikes["late_dispatch"]] == [("new0", 0)]
    alone = EnforcementState()
    decide(rule, MERCHANT, alone, START + 20 * DAY_MS, packaged, "new0")
    assert (standing.active, standing.strikes, standing.quiet) == (alone.active, alone.strikes, alone.quiet)
    assert standing.facts[1:] == alone.facts
    assert rejudge(standing, packaged, known, START + 21 * DAY_MS, lambda: next(ids)) == []


def test_a_milder_action_that_would_have_ended_is_none(packaged: PolicySet) -> None:
    """Eight days into a fortnight that should have been a week, the limit ends."""
    rule = packaged.rules["late-dispatch-severe"]
    standing = EnforcementState()
    decide(rule, MERCHANT, standing, START, packaged, "d0")
    expire(standing, START + 20 * DAY_MS)
    decide(rule, MERCHANT, with_facts(standing), START + 20 * DAY_MS, packaged, "d1")
    known = standing.known("d0")
    assert known is not None
    forgive(standing, "d0")
    ((_, milder),) = rejudge(standing, packaged, known, START + 28 * DAY_MS, lambda: "new")
    assert milder is None
    assert standing.active == []
    assert [(each.decision_id, each.step) for each in standing.strikes["late_dispatch"]] == [("d1", 0)]


def test_who_is_exempt_is_left_alone_for_the_time(packaged: PolicySet) -> None:
    """A rule, its policy or all of them can be told to leave a merchant alone until a time."""
    rule = packaged.rules["bust-out"]
    for name in ("bust-out", "bust_out", "*"):
        standing = EnforcementState()
        exempt(standing, name, START + DAY_MS)
        assert decide(rule, MERCHANT, standing, START, packaged, "d0") is None
        expire(standing, START + DAY_MS)
        assert standing == EnforcementState()
        assert decide(rule, MERCHANT, standing, START + DAY_MS, packaged, "d1") is not None


def test_a_confirmed_decision_lasts_from_then_on(packaged: PolicySet) -> None:
    """What waited for a person is carried out for its whole time, under a new id that can be appealed."""
    standing = EnforcementState()
    rule = packaged.rules["bust-out-prepared"]
    waiting = decide(rule, MERCHANT, standing, START, packaged, "d0")
    assert waiting is not None
    assert (waiting.requires_review, waiting.review_reason) == (True, "rule")
    assert standing.strikes == {}
    action = confirm(standing, "d0", "d1", START + 2 * DAY_MS, packaged)
    assert action is not None
    assert not action.requires_review
    assert action.expires_at == START + 9 * DAY_MS
    assert standing.quiet == {rule.id: START + 16 * DAY_MS}
    assert [strike.decision_id for strike in standing.strikes["bust_out"]] == ["d1"]
    assert [since.decision_id for since in standing.facts] == ["d1"]
    assert confirm(standing, "d1", "d2", START + 3 * DAY_MS, packaged) is None
