"""Risk levels of scores: which probability or percentile means guarded, elevated, high or critical."""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from features.outputs import LEVELS, Level

#: Rank of each level, 0 (low) to 4 (critical).
LEVEL_RANK: Final[dict[str, int]] = {level: rank for rank, level in enumerate(LEVELS)}


class LevelScale(Struct, frozen=True):
    """Cut-offs in rising order and the levels they begin; a score below the first is low."""

    cutoffs: tuple[float, ...]
    levels: tuple[Level, ...]
    ranks: tuple[int, ...]

    def of(self, score: float | None) -> Level:
        """Level of a score; a score that is not known is low."""
        if score is None:
            return "low"
        return self.levels[bisect_right(self.cutoffs, score)]

    def rank(self, score: float | None) -> int:
        """Rank of a score's level, 0 (low) to 4 (critical)."""
        return 0 if score is None else self.ranks[bisect_right(self.cutoffs, score)]


def level_scale(cutoffs: Mapping[str, float]) -> LevelScale:
    """A scale from ``{level: least score}``.

    Raises
    ------
    ValueError
        A name is no level, "low" has a cut-off, or a worse level begins at a lower or equal score.
    """
    for name in cutoffs:
        if name not in LEVEL_RANK:
            raise ValueError(f'unknown level "{name}"; levels are {", ".join(LEVELS)}')
        if name == "low":
            raise ValueError('"low" needs no cut-off: it is everything below the others')
    chosen = [level for level in LEVELS if level in cutoffs]
    values = [cutoffs[level] for level in chosen]
    for lower, higher, level in zip(values, values[1:], chosen[1:], strict=False):
        if higher <= lower:
            raise ValueError(f'"{level}" begins at {higher:g}, which is not above the level before it ({lower:g})')
    return LevelScale(tuple(values), ("low", *chosen), (0, *[LEVEL_RANK[level] for level in chosen]))


def worst(*levels: Level) -> Level:
    """The worst of some levels; low if there are none."""
    return max(levels, key=LEVEL_RANK.__getitem__, default="low")
