"""Matched decisions in groups, and the worth of what they touch."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from detectors.comparison.matching import Match
from detectors.comparison.published import Decision, PartyRef, Published
from detectors.comparison.trade import Money, OrderRef, Trade
from detectors.evaluation.proportions import Share


class Group(Struct, frozen=True):
    """Decisions that have something in common: how many each run took, how they match, how many merchants and
    creators (``parties``) and how much they touch.

    A changed decision counts in the group of its candidate. ``baseline_precision`` and ``candidate_precision``: of the
    merchants that its decisions accuse and of whom it is known what they are, the malicious; None without a truth.
    """

    name: str
    baseline: int
    candidate: int
    equal: int
    changed: int
    lost: int
    gained: int
    parties: int
    baseline_restricted: Money
    candidate_restricted: Money
    baseline_precision: Share | None = None
    candidate_precision: Share | None = None


class Sums:
    """Sums over the matched decisions of a baseline and a candidate; without their trade all amounts are empty."""

    def __init__(self, runs: tuple[Published, Published], trade: Trade | None, matches: Sequence[Match]) -> None:
        self._runs = runs
        self._trade = trade
        self._matches = matches
        self._orders: tuple[dict[str, list[OrderRef]], dict[str, list[OrderRef]]] = ({}, {})
        self._of_party: tuple[dict[PartyRef, list[Decision]], dict[PartyRef, list[Decision]]] = ({}, {})
        for side, run in enumerate(runs):
            for each in run.decisions:
                self._of_party[side].setdefault(each.party, []).append(each)
                if trade is not None:
                    end = run.ended.get(each.id)
                    self._orders[side][each.id] = list(trade.touched(each, None if end is None else end.time))

    def category(self, decision: Decision) -> str:
        """Category of what was decided upon, empty where it is not known."""
        if self._trade is None:
            return ""
        return self._trade.category(decision.merchant_id, decision.kind, decision.subject_id)

    def category_of(self, party: PartyRef) -> str:
        """A merchant's main category, empty where it is not known or where it is a creator."""
        kind, name = party
        return "" if self._trade is None or kind != "merchant" else self._trade.category(name)

    def worth(self, each: Match) -> Money:
        """Worth of what the candidate's decision touches, or the baseline's where that has none."""
        side = 0 if each.candidate is None else 1
        return self._worth([each.decision], side)

    def restricted(self, side: int) -> Money:
        """Worth of everything that the restrictions of a run (0: the baseline) touch, each order once."""
        return self._worth(self._runs[side].decisions, side)

    def of_party(self, party: PartyRef) -> tuple[Money, Money]:
        """The same of one merchant or creator, in the baseline and in the candidate."""
        one, other = (self._worth(self._of_party[side].get(party, ()), side) for side in (0, 1))
        return one, other

    def groups(
        self, key: Callable[[Decision], str], precision: Callable[[Sequence[Decision]], Share] | None = None
    ) -> list[Group]:
        """Groups by what a key says of a decision, those that differ most first."""
        outcomes: dict[str, Counter[str]] = {}
        for each in self._matches:
            outcomes.setdefault(key(each.decision), Counter())[each.outcome] += 1
        sides: tuple[dict[str, list[Decision]], dict[str, list[Decision]]] = ({}, {})
        for run, members in zip(self._runs, sides, strict=True):
            for decision in run.decisions:
                members.setdefault(key(decision), []).append(decision)
        found = []
        for name in outcomes.keys() | sides[0].keys() | sides[1].keys():
            counted = outcomes.get(name, Counter())
            one, other = sides[0].get(name, []), sides[1].get(name, [])
            group = Group(
                name,
                baseline=len(one),
                candidate=len(other),
                equal=counted["equal"],
                changed=counted["changed"],
                lost=counted["lost"],
                gained=counted["gained"],
                parties=len({each.party for each in (*one, *other)}),
                baseline_restricted=self._worth(one, 0),
                candidate_restricted=self._worth(other, 1),
                baseline_precision=None if precision is None else precision(one),
                candidate_precision=None if precision is None else precision(other),
            )
            found.append(group)
        return sorted(found, key=lambda each: (-(each.lost + each.gained + each.changed), each.name))

    def _worth(self, decisions: Iterable[Decision], side: int) -> Money:
        if self._trade is None:
            return {}
        orders = self._orders[side]
        return self._trade.worth(order for each in decisions for order in orders.get(each.id, ()))
