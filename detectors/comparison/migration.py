"""Which levels and credit tiers merchants and creators reach in one run and in the other."""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from detectors.comparison.published import Level, PartyRef, Published, Tier
from features.outputs import LEVELS


class Migration(Struct, frozen=True):
    """How many subjects are at which name in the baseline (rows) and in the candidate (columns)."""

    names: list[str]
    counts: list[list[int]]

    @property
    def moved(self) -> int:
        """How many are not at the same."""
        return sum(count for at, row in enumerate(self.counts) for to, count in enumerate(row) if at != to)


def levels(baseline: Published, candidate: Published) -> Migration:
    """The worst level that each merchant and creator was published at; one that never was counts as low."""
    worst = [{party: _worst(found) for party, found in run.levels.items()} for run in (baseline, candidate)]
    return _migration(worst[0], worst[1], [str(each) for each in LEVELS], LEVELS[0])


def tiers(baseline: Published, candidate: Published) -> Migration | None:
    """The last credit tier of merchants and creators; ``-`` for those without. None where no run published any."""
    last = [_last(run.tiers) for run in (baseline, candidate)]
    if not last[0] and not last[1]:
        return None
    names = _by_score(baseline.tiers, candidate.tiers)
    return _migration(last[0], last[1], ["-", *names], "-")


def _migration(one: Mapping[PartyRef, str], other: Mapping[PartyRef, str], names: list[str], default: str) -> Migration:
    names = names + sorted(set(one.values()).union(other.values()).difference(names))
    counted = Counter((one.get(each, default), other.get(each, default)) for each in one.keys() | other.keys())
    return Migration(names, [[counted[row, column] for column in names] for row in names])


def _worst(found: Sequence[Level]) -> str:
    return max((each.level for each in found), key=_rank)


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else -1


def _last(found: Mapping[PartyRef, Sequence[Tier]]) -> dict[PartyRef, str]:
    return {party: tiers[-1].tier or "-" for party, tiers in found.items()}


def _by_score(*runs: Mapping[PartyRef, Sequence[Tier]]) -> list[str]:
    """Names of tiers, by the mean of the scores that were published with them."""
    scores: dict[str, list[float]] = {}
    for run in runs:
        for found in run.values():
            for each in found:
                if each.tier:
                    scores.setdefault(each.tier, []).extend([] if each.score is None else [each.score])
    return sorted(scores, key=lambda name: (sum(scores[name]) / max(1, len(scores[name])), name))
