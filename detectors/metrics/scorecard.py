"""Everything that a report of a period says: the estimates, how they developed, and the transparency summary."""

from collections import Counter, defaultdict
from typing import Final

from msgspec import Struct

from detectors.metrics.estimate import Estimate, Period
from detectors.metrics.facts import Ruling
from detectors.metrics.ledger import Ledger
from detectors.metrics.outcomes import outcomes
from detectors.metrics.transparency import Transparency, transparency
from features.windows import DAY_MS

#: Version of the scorecard's JSON: fields are added, never renamed.
SCORECARD_VERSION: Final = 1
#: Points of a development: about a quarter by weeks.
_MOST_STEPS: Final = 14


class Day(Struct, frozen=True):
    """Decisions of one day that restrict something, ask a person to look, or warn."""

    start: int
    restrictions: int
    reviews: int
    warnings: int


class Scorecard(Struct, frozen=True, kw_only=True):
    """A period's figures; times in ms.

    ``development``: the bad-order rate in parts of the period. ``unread``: outputs, ``rejected``: inputs that could not
    be read and are in no figure.
    """

    version: int
    start: int
    end: int
    now: int
    estimates: list[Estimate]
    development: list[Estimate]
    days: list[Day]
    transparency: Transparency
    inputs: int
    outputs: int
    rejected: int
    unread: int

    def find(self, name: str, **slice_: str) -> Estimate | None:
        """The estimate with a name and slice."""
        return next((each for each in self.estimates if each.name == name and each.slice == slice_), None)


def scorecard(
    ledger: Ledger, start: int, end: int, *, inputs: int = 0, outputs: int = 0, rejected: int = 0
) -> Scorecard:
    """The scorecard of a period, as of how far the ledger is."""
    period = Period(start, end, ledger.now)
    return Scorecard(
        version=SCORECARD_VERSION,
        start=start,
        end=end,
        now=ledger.now,
        estimates=ledger.estimates(start, end),
        development=_development(ledger, period),
        days=_days(ledger, period),
        transparency=transparency(ledger.state, period),
        inputs=inputs,
        outputs=outputs,
        rejected=rejected,
        unread=ledger.unread,
    )


def _development(ledger: Ledger, period: Period) -> list[Estimate]:
    """The bad-order rate of each week, or of longer steps where there would be too many."""
    days = max(1, -(-(period.end - period.start) // DAY_MS))
    length = max(7, -(-days // _MOST_STEPS)) * DAY_MS
    found = []
    for start in range(period.start, period.end, length):
        part = Period(start, min(start + length, period.end), period.now)
        found += [each for each in outcomes(ledger.state, part) if each.name == "bad_order_rate" and not each.slice]
    return found


def _days(ledger: Ledger, period: Period) -> list[Day]:
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for ruling in ledger.state.rulings.values():
        if ruling.at in period:
            counts[ruling.at // DAY_MS][_sort(ruling)] += 1
    first, last = period.start // DAY_MS, (period.end - 1) // DAY_MS
    return [
        Day(day * DAY_MS, counts[day]["restrictions"], counts[day]["reviews"], counts[day]["warnings"])
        for day in range(first, last + 1)
    ]


def _sort(ruling: Ruling) -> str:
    if ruling.waiting:
        return "reviews"
    return "restrictions" if ruling.restricts else "warnings"
