"""What the baseline missed: input it never saw, spans in which it was silent, decisions that came late."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from msgspec import Struct

from detectors.comparison.matching import Match
from detectors.comparison.published import Gap, Published
from features.windows import HOUR_MS

#: A span without any output is a silence when the candidate published at least as many in it: a quiet night has few.
LEAST_OUTPUTS: Final = 20
#: Silences are one as long as the baseline published at most this share of the candidate's outputs over all.
MOST_SPOKEN: Final = 0.4
#: So much (ms) beyond the usual delay, a decision was late.
LATE: Final = 600_000
#: A longer usual delay (ms) is that of a run over history, where being late means nothing.
LIVE: Final = HOUR_MS


class Silence(Struct, frozen=True):
    """A span of event time (ms, ``until`` excluded) in which the baseline published nothing, or next to nothing, and
    the candidate did.

    Actions that expire in an outage are told when it is over, with the time at which they did; so ``spoken`` outputs of
    the baseline may lie within, at most :data:`MOST_SPOKEN` of the candidate's ``outputs``. ``decisions`` are those
    that the candidate took in it and the baseline never did.
    """

    since: int
    until: int
    outputs: int
    decisions: list[str]
    spoken: int = 0


class Late(Struct, frozen=True):
    """A decision of the baseline that was written long (ms) after its event time, beyond the usual delay."""

    decision: str
    by: int


class Outage(Struct, frozen=True):
    """Gaps as the baseline told them, silences by time, late decisions with the latest first; the usual delay in ms."""

    gaps: list[Gap]
    silences: list[Silence]
    late: list[Late]
    usual_delay: int | None


def outage(baseline: Published, candidate: Published, matches: Sequence[Match], *, silence: int = HOUR_MS) -> Outage:
    """What was missed. ``silence`` is the shortest span (ms) that counts as one."""
    delays = baseline.delays
    usual = round(median(delays.values())) if delays else 0
    late = [Late(name, delay - usual) for name, delay in delays.items() if usual <= LIVE and delay - usual > LATE]
    return Outage(
        gaps=baseline.gaps,
        silences=_silences(baseline.times, candidate.times, matches, silence),
        late=sorted(late, key=lambda each: (-each.by, each.decision)),
        usual_delay=usual if delays else None,
    )


def _silences(baseline: Sequence[int], candidate: Sequence[int], matches: Sequence[Match], least: int) -> list[Silence]:
    ours, theirs = sorted(baseline), sorted(candidate)
    if not theirs:
        return []
    spoke = set(ours)
    marks = sorted({theirs[0], *spoke, theirs[-1] + 1})
    spans: list[tuple[int, int]] = []
    for before, after in pairwise(marks):
        # At the mark itself the baseline spoke, unless it is the beginning.
        since = before + 1 if before in spoke else before
        if after - before < least or _within(theirs, since, after) < LEAST_OUTPUTS:
            continue
        if spans and _within(ours, spans[-1][0], after) <= MOST_SPOKEN * _within(theirs, spans[-1][0], after):
            spans[-1] = spans[-1][0], after
        else:
            spans.append((since, after))
    gained = [each.decision for each in matches if each.outcome == "gained"]
    return [
        Silence(
            since,
            until,
            _within(theirs, since, until),
            [each.id for each in gained if since <= each.starts_at < until],
            _within(ours, since, until),
        )
        for since, until in spans
    ]


def _within(times: Sequence[int], since: int, until: int) -> int:
    """How many of some sorted times lie in a span."""
    return bisect_left(times, until) - bisect_left(times, since)
