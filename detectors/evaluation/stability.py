"""Whether a score's distribution stays as it was, and who moves between tiers."""

from collections.abc import Mapping, Sequence
from math import log
from typing import Final

from msgspec import Struct
from scipy.special import chdtri

#: What the industry calls moderate and considerable (E. Lewis: An Introduction to Credit Scoring, 1994); neither knows
#: of sample sizes, so a value is held against :attr:`Stability.bound` too.
MODERATE: Final = 0.10
CONSIDERABLE: Final = 0.25
#: Keeps an empty group from an infinite logarithm: half a party.
_HALF: Final = 0.5


class Stability(Struct, frozen=True):
    """The population stability index of two distributions over the same groups.

    ``bound``: what it stays below 95 % of the time where nothing but chance tells the two apart.
    """

    index: float
    bound: float
    before: int
    after: int

    @property
    def shifted(self) -> bool:
        """Whether it is more than chance and more than moderate."""
        return self.index > self.bound and self.index > MODERATE


def stability(before: Sequence[int], after: Sequence[int]) -> Stability | None:
    """PSI = sum (q - p) ln(q / p) of counts in the same groups; groups that both leave empty are passed over.

    Under the null it is about chi-squared with as many degrees of freedom as there are groups but one, times 1/N + 1/M
    (B. Yurdakul and J. Naranjo: Journal of Risk Model Validation 14, 2020). ``None`` where one has nothing or there is
    but one group.

    Raises
    ------
    ValueError
        The groups are not the same.
    """
    if len(before) != len(after):
        raise ValueError(f"{len(before)} groups cannot be held against {len(after)}")
    groups = [(old, new) for old, new in zip(before, after, strict=True) if old or new]
    total, later = sum(old for old, _ in groups), sum(new for _, new in groups)
    if not total or not later or len(groups) < 2:
        return None
    index = 0.0
    for old, new in groups:
        was, became = max(old, _HALF) / total, max(new, _HALF) / later
        index += (became - was) * log(became / was)
    bound = float(chdtri(len(groups) - 1, 0.05)) * (1 / total + 1 / later)
    return Stability(index, bound, total, later)


def borders(values: Sequence[float], groups: int = 10) -> list[float]:
    """Inner borders of groups of alike many values; fewer where values repeat."""
    ranked = sorted(values)
    return sorted({ranked[len(ranked) * place // groups] for place in range(1, groups)}) if ranked else []


def counts_between(values: Sequence[float], inner: Sequence[float]) -> list[int]:
    """How many values lie below the first border, from each border on, and from the last on."""
    counts = [0] * (len(inner) + 1)
    for value in values:
        counts[sum(value >= border for border in inner)] += 1
    return counts


class Migration(Struct, frozen=True):
    """How often parties went from one tier (first key) to another (second key) from one time to the next.

    ``stable``: share that stayed; ``None`` where nobody was there twice.
    """

    moves: dict[str, dict[str, int]]
    stable: float | None


def migration(steps: Sequence[tuple[str, str]], tiers: Sequence[str]) -> Migration:
    """The matrix of (tier before, tier after) over all parties and times."""
    moves: dict[str, dict[str, int]] = {old: dict.fromkeys(tiers, 0) for old in tiers}
    for old, new in steps:
        moves[old][new] += 1
    stayed = sum(moves[tier][tier] for tier in tiers)
    return Migration(moves, stayed / len(steps) if steps else None)


def shares(moves: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, float]]:
    """Each row of a migration matrix as shares of its sum; rows of nobody are left out."""
    return {
        old: {new: count / total for new, count in row.items()}
        for old, row in moves.items()
        if (total := sum(row.values()))
    }
