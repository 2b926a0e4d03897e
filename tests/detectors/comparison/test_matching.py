from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from detectors.comparison.matching import WITHIN, match
from detectors.comparison.published import Decision
from features.windows import DAY_MS
from tests.detectors.comparison.made import START, decision

CODES = {"late-dispatch": "late_dispatch", "late-dispatch-severe": "late_dispatch", "disputes": "order_defects"}


@st.composite
def runs(draw: st.DrawFn, most: int = 8) -> list[Decision]:
    """Decisions about few merchants by few rules, with ids of their own."""
    made = draw(
        st.lists(
            st.tuples(
                st.integers(0, 30),
                st.sampled_from(("m1", "m2")),
                st.sampled_from(tuple(CODES)),
                st.sampled_from(("warn", "limit_orders")),
                st.sampled_from(("5 of 50", "6 of 50")),
            ),
            max_size=most,
        )
    )
    return [
        decision(day, merchant_id=merchant, rule=rule, action=action, facts=facts, id=f"{number}")
        for number, (day, merchant, rule, action, facts) in enumerate(made)
    ]


@given(runs(), runs())
def test_every_decision_is_in_one_match(one: list[Decision], other: list[Decision]) -> None:
    """Nothing is lost, nothing is counted twice, and a match has what its outcome says."""
    found = match(one, other, policies=CODES)
    assert Counter(each.baseline.id for each in found if each.baseline) == Counter(each.id for each in one)
    assert Counter(each.candidate.id for each in found if each.candidate) == Counter(each.id for each in other)
    for each in found:
        assert (each.outcome == "lost") == (each.candidate is None)
        assert (each.outcome == "gained") == (each.baseline is None)
        assert (each.outcome == "changed") == bool(each.differs)
        if each.baseline and each.candidate:
            assert each.baseline.party == each.candidate.party
            assert abs(each.baseline.starts_at - each.candidate.starts_at) <= WITHIN


@given(runs())
def test_a_run_equals_itself(run: list[Decision]) -> None:
    """Whatever it is, and in whatever order it is told."""
    assert {each.outcome for each in match(run, list(reversed(run)), policies=CODES)} <= {"equal"}


@given(runs(), runs())
def test_the_other_way_round_gained_is_lost(one: list[Decision], other: list[Decision]) -> None:
    """Swapping the runs swaps gained and lost, and leaves the number of equal and changed ones."""
    there, back = (
        Counter(each.outcome for each in match(*pair, policies=CODES)) for pair in ((one, other), (other, one))
    )
    assert (there["equal"], there["changed"]) == (back["equal"], back["changed"])
    assert (there["gained"], there["lost"]) == (back["lost"], back["gained"])


@given(runs(most=5), runs(most=5))
def test_as_many_as_can_be_are_matched(one: list[Decision], other: list[Decision]) -> None:
    """Where none are equal, no way to pair those of one rule (all are tried) pairs more."""
    same = [
        [decision((each.starts_at - START) / DAY_MS, id=each.id, facts=facts) for each in run]
        for facts, run in (("the one", one), ("the other", other))
    ]
    found = match(*same)
    assert sum(each.outcome == "changed" for each in found) == _most_pairs(*same)


def _most_pairs(one: Sequence[Decision], other: Sequence[Decision]) -> int:
    fewer, more = sorted((one, other), key=len)
    return max(
        sum(abs(a.starts_at - b.starts_at) <= WITHIN for a, b in zip(fewer, order, strict=True))
        for order in permutations(more, len(fewer))
    )


def test_equal_ones_are_paired_before_near_ones() -> None:
    """Of two warnings a day apart, the one at the same time is the same one; the other is new."""
    found = match([decision(1)], [decision(0), decision(1)])
    assert [(each.outcome, each.decision.starts_at) for each in found] == [
        ("gained", decision(0).starts_at),
        ("equal", decision(1).starts_at),
    ]


def test_what_differs_is_named() -> None:
    """The same rule later and harsher is a changed decision."""
    (found,) = match([decision(0)], [decision(2, action="limit_orders", rule_version="2")])
    assert (found.outcome, found.differs) == ("changed", ("rule_version", "action", "starts_at"))


def test_another_rule_may_take_the_same_action() -> None:
    """The same action against the same listing by another rule is not a lost and a gained one."""
    removal: dict[str, Any] = {"kind": "listing", "subject_id": "l1", "action": "remove_listing"}
    (found,) = match([decision(rule="replica", **removal)], [decision(rule="counterfeit", **removal)])
    assert (found.outcome, found.differs) == ("changed", ("rule",))


def test_another_action_under_the_same_policy() -> None:
    """Rules of one policy stand for each other where policies are known; otherwise one is lost and one is gained."""
    one, other = [decision(0)], [decision(1, rule="late-dispatch-severe", action="limit_orders")]
    assert [each.outcome for each in match(one, other, policies=CODES)] == ["changed"]
    assert [each.outcome for each in match(one, other)] == ["lost", "gained"]
    assert [
        each.outcome for each in match(one, [decision(1, rule="disputes", action="limit_orders")], policies=CODES)
    ] == [
        "lost",
        "gained",
    ]


def test_too_far_apart_is_another_decision() -> None:
    """Eight days later the same warning is another one."""
    assert [each.outcome for each in match([decision(0)], [decision(8)])] == ["lost", "gained"]
    assert [each.outcome for each in match([decision(0)], [decision(8)], within=8 * DAY_MS)] == ["changed"]


def test_a_creator_is_no_merchant() -> None:
    """A decision against a creator is not one against a merchant of that id."""
    creator = decision(merchant_id="", creator_id="m1", kind="creator", subject_id="m1")
    assert [each.outcome for each in match([decision()], [creator])] == ["gained", "lost"]
