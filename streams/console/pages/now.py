"""What happens now: rates, levels, what waits, and the latest decisions; live by server-sent events."""

from typing import Any, Final

from aiohttp import web
from jinja2 import Environment

from features.outputs import LEVELS
from streams.console.charts import bars
from streams.console.index.follower import Follower
from streams.console.index.inputs import DAY
from streams.console.index.reading import IndexReader
from streams.console.live import TooManyError
from streams.console.middlewares import is_in
from streams.console.service import in_thread, service_of
from streams.console.web import PageError, asking, render

_DECISIONS: Final = 12
_NOTICES: Final = 6
_DAYS: Final = 42
_NOTICE_TYPES: Final = tuple(
    f"shopwarden.{name}.v1" for name in ("drift.detected", "enforcement.capped", "gap.detected", "policies.changed")
)


def snapshot(index: IndexReader, follower: Follower) -> dict[str, Any]:
    """What the page shows of this moment: counters, and the newest rows of indexed tables."""
    states = index.counts("decisions")
    events = index.counts("events")
    latest = index.latest()
    return {
        "latest": latest,
        "rate": follower.progress.rate,
        "events": sum(events.values()),
        "by_topic": events,
        "outputs": sum(index.counts("outputs").values()),
        "levels": [(name, index.counts("merchants").get(name, 0)) for name in LEVELS],
        "creators": sum(index.counts("creators").values()),
        "states": states,
        "appeals": index.counts("appeals").get("open", 0),
        "dead": sum(index.counts("dead_letters").values()),
        "decisions": index.rows(_LATEST, (_DECISIONS,)),
        "notices": [row for kind in _NOTICE_TYPES for row in index.rows(_OF_TYPE, (kind, _NOTICES))],
        "chart": bars(
            index.rows(_BY_DAY, (latest - _DAYS * DAY,)), latest // DAY, _DAYS, "Decisions a day of event time"
        ),
    }


def fragment(templates: Environment, index: IndexReader, follower: Follower) -> str:
    """The live part of the page."""
    return templates.get_template("now_live.html").render(**snapshot(index, follower))


async def show(request: web.Request) -> web.StreamResponse:
    """The page."""
    service = service_of(request)
    return render(request, "now.html", **await in_thread(request, snapshot, service.index, service.follower))


async def live(request: web.Request) -> web.StreamResponse:
    """The live part, again and again, for as long as who asked is signed in."""
    service, who = service_of(request), asking(request)
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }
    )
    watching = service.live.watch()
    try:
        first = await anext(watching, None)
    except TooManyError:
        raise PageError(503, "Too many look on", "The live view is for so many at once; reload the page.") from None
    await response.prepare(request)
    try:
        text = first
        while text is not None and is_in(service, who):
            data = "".join(f"data: {line}\n" for line in text.splitlines())
            await response.write(f"event: now\n{data}\n".encode())
            text = await anext(watching, None)
    except (ConnectionResetError, ConnectionError):
        pass
    finally:
        await watching.aclose()  # type: ignore[attr-defined]
    return response


ROUTES: Final = (web.get("/", show), web.get("/live", live))

_LATEST: Final = (
    "SELECT d.*, p.kind AS party_kind, p.name AS party_name FROM decision d JOIN party p ON p.id = d.party"
    " ORDER BY d.starts_at DESC LIMIT ?"
)
_OF_TYPE: Final = "SELECT ce_id, type, time, value FROM output WHERE type = ? ORDER BY time DESC LIMIT ?"
_BY_DAY: Final = (
    "SELECT starts_at / 86400000 AS day, count(*) AS count, sum(state = 'waiting') AS marked FROM decision"
    " WHERE starts_at > ? GROUP BY day ORDER BY day"
)
