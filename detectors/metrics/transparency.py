"""What the law asks a platform to tell about its moderation: counts, and statements of reasons to hand in.

DSA, Article 15(1): notices and what became of them (b), own initiative by ground, restriction and method (c),
complaints with their outcomes and median time (d), and the use of automated means (e); Article 24(5): the statements of
reasons, which the Transparency Database takes in batches of at most 100.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from detectors.evaluation.survival import median_time
from detectors.metrics.estimate import Period
from detectors.metrics.facts import Ruling, State
from features.windows import HOUR_MS

#: Statements that the database takes at once (``POST /api/v1/statements``).
BATCH: Final = 100
_KINDS: Final = ("visibility", "monetary", "provision", "account")


class Notices(Struct, frozen=True):
    """Reports received, those followed by a restriction of their subject, and the median hours until then."""

    received: int
    acted_on: int
    median_hours: float | None


class Complaints(Struct, frozen=True):
    """Appeals filed, how they ended or that they are open, and the median hours to a decision."""

    filed: int
    upheld: int
    overturned: int
    open: int
    overdue: int
    median_hours: float | None


class Transparency(Struct, frozen=True):
    """Restrictions of a period by what the law asks for. ``reversed``: those taken back, by why."""

    restrictions: int
    by_ground: dict[str, int]
    by_category: dict[str, int]
    by_restriction: dict[str, int]
    by_automation: dict[str, int]
    by_detection: dict[str, int]
    by_source: dict[str, int]
    reversed: dict[str, int]
    notices: Notices
    complaints: Complaints


def transparency(state: State, period: Period) -> Transparency:
    """The counts of a period."""
    stated = [ruling for _, ruling in _stated(state, period)]
    kinds = Counter(
        code for ruling in stated for kind in _KINDS for code in _codes(ruling.statement.get(f"decision_{kind}"))
    )
    return Transparency(
        restrictions=len(stated),
        by_ground=_by(stated, "decision_ground"),
        by_category=_by(stated, "category"),
        by_restriction=dict(sorted(kinds.items())),
        by_automation=_by(stated, "automated_decision"),
        by_detection=_by(stated, "automated_detection"),
        by_source=_by(stated, "source_type"),
        reversed=dict(sorted(Counter(ruling.why_reversed for ruling in stated if ruling.reversed_at).items())),
        notices=_notices(state, period),
        complaints=_complaints(state, period),
    )


def statements(state: State, period: Period) -> list[dict[str, Any]]:
    """The statements of reasons of restrictions that began in the period, in order; each ``puid`` once.

    What waits for a person is no restriction yet: its statement comes with the decision that carries it out.
    """
    found: dict[Any, dict[str, Any]] = {}
    for key, ruling in _stated(state, period):
        found.setdefault(ruling.statement.get("puid", key), dict(ruling.statement))
    return list(found.values())


def batches(items: list[dict[str, Any]], size: int = BATCH) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """Bodies for the database's call that takes several statements."""
    for first in range(0, len(items), size):
        yield {"statements": items[first : first + size]}


def _stated(state: State, period: Period) -> list[tuple[str, Ruling]]:
    found = [
        (key, ruling)
        for key, ruling in state.rulings.items()
        if ruling.statement and not ruling.waiting and ruling.at in period
    ]
    return sorted(found, key=lambda each: (each[1].at, each[0]))


def _by(rulings: list[Ruling], field: str) -> dict[str, int]:
    return dict(sorted(Counter(str(ruling.statement.get(field, "")) for ruling in rulings).items()))


def _codes(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(each) for each in value]
    return [str(value)] if value else []


def _notices(state: State, period: Period) -> Notices:
    waits: list[float] = []
    happened: list[bool] = []
    for subject, times in state.reports.items():
        acted = sorted(
            ruling.at
            for ruling in (state.rulings[each] for each in state.about.get(subject, ()))
            if ruling.restricts and not ruling.waiting
        )
        for at in times:
            if at in period:
                later = next((each for each in acted if each >= at), None)
                waits.append((max(period.now, at) if later is None else later) - at)
                happened.append(later is not None)
    median = median_time(waits, happened)
    return Notices(len(waits), sum(happened), None if median is None else median / HOUR_MS)


def _complaints(state: State, period: Period) -> Complaints:
    filed = [appeal for appeal in state.appeals.values() if appeal.filed in period]
    states = Counter(appeal.state for appeal in filed)
    waits = [(appeal.decided or max(period.now, appeal.filed)) - appeal.filed for appeal in filed]
    median = median_time(waits, [appeal.decided > 0 for appeal in filed])
    return Complaints(
        filed=len(filed),
        upheld=states["upheld"],
        overturned=states["overturned"],
        open=states["open"],
        overdue=sum(appeal.overdue for appeal in filed),
        median_hours=None if median is None else median / HOUR_MS,
    )
