"""Governance metrics with their intervals, as `shopwarden metrics` publishes them."""

import re
from typing import Any, Final

import msgspec
from aiohttp import web
from msgspec import Struct

from detectors.metrics.catalogue import GROUPS, METRICS, Metric
from detectors.metrics.estimate import Estimate
from streams.console.index.reading import IndexReader
from streams.console.service import in_thread, service_of
from streams.console.web import asked, bad_request, render

#: Slices of one metric that are shown.
_SLICES: Final = 40
_PERIODS: Final = 60


class Shown(Struct, frozen=True):
    """A metric: its words, its estimate of everything, the one of the period before, and those of slices."""

    name: str
    metric: Metric
    whole: Estimate | None
    before: Estimate | None
    slices: list[Estimate]

    @property
    def change(self) -> str:
        """How it stands to the period before: said only where both are mature and their intervals are apart."""
        now, then = self.whole, self.before
        if now is None or then is None or not (now.mature and then.mature):
            return ""
        if now.low is None or now.high is None or then.low is None or then.high is None:
            return ""
        moved = "higher" if now.low > then.high else "lower" if now.high < then.low else ""
        if not moved or not self.metric.better:
            return moved
        return "better" if moved == self.metric.better else "worse"


def periods(index: IndexReader) -> list[tuple[int, int]]:
    """Periods of which there are estimates, the latest first."""
    rows = index.rows("SELECT DISTINCT start, end FROM estimate ORDER BY end DESC, start LIMIT ?", (_PERIODS,))
    return [(row["start"], row["end"]) for row in rows]


def shown(index: IndexReader, start: int, end: int) -> dict[str, list[Shown]]:
    """What a period's estimates are, by group."""
    now = _estimates(index, start, end)
    then = _estimates(index, 2 * start - end, start)
    found: dict[str, list[Shown]] = {}
    for name, estimates in now.items():
        metric = METRICS.get(name) or Metric(name.replace("_", " ").capitalize(), "", "Others")
        whole = next((each for each in estimates if not each.slice), None)
        before = next((each for each in then.get(name, []) if not each.slice), None)
        slices = [each for each in estimates if each.slice][:_SLICES]
        found.setdefault(metric.group, []).append(Shown(name, metric, whole, before, slices))
    order = {group: at for at, group in enumerate(GROUPS)}
    return dict(sorted(found.items(), key=lambda each: order.get(each[0], len(order))))


def _estimates(index: IndexReader, start: int, end: int) -> dict[str, list[Estimate]]:
    found: dict[str, list[Estimate]] = {}
    for row in index.rows("SELECT value FROM estimate WHERE start = ? AND end = ? ORDER BY name, slice", (start, end)):
        estimate = msgspec.json.decode(row["value"], type=Estimate)
        found.setdefault(estimate.name, []).append(estimate)
    return found


async def show(request: web.Request) -> web.StreamResponse:
    """The page: of the latest period, or of the one that is asked for."""
    index = service_of(request).index
    known = await in_thread(request, periods, index)
    start, end = known[0] if known else (0, 0)
    chosen = _chosen(asked(request, "period", ""), (start, end))
    groups: dict[str, Any] = await in_thread(request, shown, index, *chosen) if known else {}
    return render(request, "metrics.html", groups=groups, periods=known, chosen=chosen)


def _chosen(text: str, latest: tuple[int, int]) -> tuple[int, int]:
    """The period that is asked for, START-END in ms; else the latest."""
    if not text:
        return latest
    if (match := re.fullmatch(r"(\d{1,15})-(\d{1,15})", text, re.ASCII)) is None:
        raise bad_request(f"A period is START-END in milliseconds, and not {text[:40]!r}.")
    return int(match[1]), int(match[2])


ROUTES: Final = (web.get("/metrics", show),)
