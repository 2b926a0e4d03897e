"""Governance metrics with their intervals, as `shopwarden metrics` publishes them."""

from typing import Any, Final

import msgspec
from aiohttp import web
from msgspec import Struct

from detectors.metrics.catalogue import GROUPS, METRICS, Metric
from detectors.metrics.estimate import Estimate
from streams.console.index.reading import IndexReader
from streams.console.service import in_thread, service_of
from streams.console.web import asked, bad_request, render
from streams.metrics import words

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


class Span(Struct, frozen=True):
    """A period of which there are estimates: ``recent``, or ``settled`` once its outcomes are known."""

    period: str
    start: int
    end: int

    @property
    def name(self) -> str:
        """How an address names it."""
        return f"{self.period}-{self.start}-{self.end}"


def periods(index: IndexReader) -> list[Span]:
    """Periods of which there are estimates, the latest first, the settled before the recent."""
    rows = index.rows(
        "SELECT DISTINCT period, start, end FROM estimate ORDER BY period DESC, end DESC LIMIT ?", (_PERIODS,)
    )
    return [Span(row["period"], row["start"], row["end"]) for row in rows]


def shown(index: IndexReader, span: Span) -> dict[str, list[Shown]]:
    """What a period's estimates are, by group."""
    now = _estimates(index, span)
    then = _estimates(index, Span(span.period, 2 * span.start - span.end, span.start))
    found: dict[str, list[Shown]] = {}
    for name, estimates in now.items():
        metric = METRICS.get(name) or Metric(name.replace("_", " ").capitalize(), "", "Others")
        whole = next((each for each in estimates if not each.slice), None)
        before = next((each for each in then.get(name, []) if not each.slice), None)
        slices = [each for each in estimates if each.slice][:_SLICES]
        found.setdefault(metric.group, []).append(Shown(name, metric, whole, before, slices))
    order = {group: at for at, group in enumerate(GROUPS)}
    return dict(sorted(found.items(), key=lambda each: order.get(each[0], len(order))))


def _estimates(index: IndexReader, span: Span) -> dict[str, list[Estimate]]:
    found: dict[str, list[Estimate]] = {}
    for row in index.rows(_OF_SPAN, (span.period, span.start, span.end)):
        estimate = msgspec.json.decode(row["value"], type=Estimate)
        found.setdefault(estimate.name, []).append(estimate)
    return found


async def show(request: web.Request) -> web.StreamResponse:
    """The page: of the latest settled period, or of the one that is asked for."""
    index = service_of(request).index
    known = await in_thread(request, periods, index)
    name = asked(request, "period", "")
    chosen = next((span for span in known if name in ("", span.name)), None)
    if name and chosen is None:
        raise bad_request(f"There are no estimates of a period {name[:60]!r}.")
    groups: dict[str, Any] = {} if chosen is None else await in_thread(request, shown, index, chosen)
    return render(request, "metrics.html", groups=groups, periods=known, chosen=chosen, say=words)


ROUTES: Final = (web.get("/metrics", show),)

_OF_SPAN: Final = (
    "SELECT value FROM estimate WHERE period = ? AND start = ? AND end = ? ORDER BY name, length(slice), slice"
)
