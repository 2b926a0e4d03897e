"""What is new in a comparison that is made again and again, in lines."""

from collections.abc import Iterator
from typing import Final

from detectors.comparison.comparison import Comparison, Line, Touched
from streams.comparison.words import action, moment

#: Differences that are told one by one each time; of more the number is.
MOST: Final = 20


class News:
    """Remembers what was told."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str, str]] = set()
        self._outcomes: dict[str, int] = {}

    def lines(self, found: Comparison) -> Iterator[str]:
        """The differences that were not told before, and the outcomes if they have changed."""
        fresh = []
        for touched in found.touched:
            for line in touched.lines:
                key = touched.id, line.match.outcome, line.match.decision.id
                if line.match.outcome != "equal" and key not in self._told:
                    self._told.add(key)
                    fresh.append((line.match.decision.starts_at, _words(touched, line)))
        fresh.sort()
        yield from (words for _, words in fresh[:MOST])
        if len(fresh) > MOST:
            yield f"and {len(fresh) - MOST:,} more"
        if found.outcomes != self._outcomes:
            self._outcomes = dict(found.outcomes)
            last = min(run.last or 0 for run in (found.baseline, found.candidate))
            counts = ", ".join(f"{count:,} {name}" for name, count in found.outcomes.items())
            yield f"until {moment(last)}: {counts}"


def _words(touched: Touched, line: Line) -> str:
    decision = line.match.decision
    about = "" if decision.subject_id == touched.id else f" on {decision.kind} {decision.subject_id}"
    cause = f" ({line.cause})" if line.cause else ""
    return (
        f"{moment(decision.starts_at)}  {line.match.outcome}: {touched.kind} {touched.id}{about}: "
        f"{action(decision)} by {decision.rule}{cause}"
    )
