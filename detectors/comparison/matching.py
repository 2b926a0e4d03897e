"""Which decision of one run is which of another.

Two runs seldom name their decisions alike: an id is made of an input record's place and a count, and under other
policies the counts differ. So decisions are matched by what they are about, in four passes, each over what the one
before it left:

1. *equal*: the same in everything that is compared (:data:`COMPARED`);
2. *changed*: the same rule on the same subject, at most ``within`` apart;
3. *changed*: the same action against the same subject by another rule, at most ``within`` apart;
4. *changed*: another rule under the same policy against the same subject, where the rules' policies are known;

and what is left is *lost* (the baseline's) or *gained* (the candidate's). In each pass the earliest that can be matched
are, which matches as many as can be.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct

from detectors.comparison.published import Decision, PartyRef
from features.windows import DAY_MS

Outcome: TypeAlias = Literal["equal", "changed", "lost", "gained"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("equal", "changed", "lost", "gained")
#: Further apart, two decisions are two.
WITHIN: Final = 7 * DAY_MS
#: What makes two decisions equal, besides being about the same subject of the same merchant or creator.
COMPARED: Final = (
    "rule", "rule_version", "action", "severity", "starts_at", "expires_at", "requires_review", "withheld", "facts",
)  # fmt: skip


class Match(Struct, frozen=True):
    """A decision of the baseline, of the candidate, or of both; ``differs`` names what is not the same in both."""

    outcome: Outcome
    baseline: Decision | None
    candidate: Decision | None
    differs: tuple[str, ...] = ()

    @property
    def decision(self) -> Decision:
        """The candidate's, or the baseline's where that has none."""
        found = self.candidate or self.baseline
        assert found is not None  # noqa: S101  # one of the two is there
        return found


def match(
    baseline: Iterable[Decision],
    candidate: Iterable[Decision],
    *,
    policies: Mapping[str, str] | None = None,
    within: int = WITHIN,
) -> list[Match]:
    """Match the decisions of two runs, by time of the candidate's, else the baseline's.

    Parameters
    ----------
    policies
        The policy (its code in the taxonomy) of each rule; what is not in it takes no part in the fourth pass.
    within
        How far apart (ms) two decisions may lie that are one.
    """
    codes = policies or {}
    passes: list[tuple[Callable[[Decision], Hashable | None], int]] = [
        (_everything, 0),
        (lambda each: (*_about(each), each.rule), within),
        (lambda each: (*_about(each), each.action), within),
        (lambda each: (*_about(each), codes[each.rule]) if each.rule in codes else None, within),
    ]
    left, right = _by_time(baseline), _by_time(candidate)
    found: list[Match] = []
    for key, apart in passes:
        pairs, left, right = _pair(left, right, key, apart)
        for one, other in pairs:
            differs = tuple(name for name in COMPARED if getattr(one, name) != getattr(other, name))
            found.append(Match("changed" if differs else "equal", one, other, differs))
    found += [Match("lost", each, None) for each in left]
    found += [Match("gained", None, each) for each in right]
    return sorted(found, key=lambda each: _order(each.decision))


def _pair(
    left: Sequence[Decision], right: Sequence[Decision], key: Callable[[Decision], Hashable | None], within: int
) -> tuple[list[tuple[Decision, Decision]], list[Decision], list[Decision]]:
    """Pairs of the same key and at most ``within`` apart, and what is left of both."""
    waiting: dict[Hashable, list[Decision]] = {}
    for each in right:
        if (name := key(each)) is not None:
            waiting.setdefault(name, []).append(each)
    next_of = dict.fromkeys(waiting, 0)
    pairs: list[tuple[Decision, Decision]] = []
    alone: list[Decision] = []
    taken: set[int] = set()
    for each in left:
        name = key(each)
        there = waiting.get(name, []) if name is not None else []
        at = next_of.get(name, 0)
        while at < len(there) and there[at].starts_at < each.starts_at - within:
            at += 1
        if at < len(there) and there[at].starts_at <= each.starts_at + within:
            pairs.append((each, there[at]))
            taken.add(id(there[at]))
            at += 1
        else:
            alone.append(each)
        if name in next_of:
            next_of[name] = at
    return pairs, alone, [each for each in right if id(each) not in taken]


def _about(decision: Decision) -> tuple[PartyRef, str, str]:
    return decision.party, decision.kind, decision.subject_id


def _everything(decision: Decision) -> tuple[Any, ...]:
    return (*_about(decision), *(getattr(decision, name) for name in COMPARED))


def _by_time(decisions: Iterable[Decision]) -> list[Decision]:
    return sorted(decisions, key=_order)


def _order(decision: Decision) -> tuple[int, PartyRef, str, str]:
    return decision.starts_at, decision.party, decision.subject_id, decision.id
