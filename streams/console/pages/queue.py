"""The review queue: decisions that wait for a person, the greatest expected harm first; and open appeals."""

from typing import Any, Final

import msgspec
from aiohttp import web

from streams.console.index.reading import IndexReader
from streams.console.service import in_thread, service_of
from streams.console.web import asked_number, render

PAGE: Final = 50


def waiting(index: IndexReader, skip: int) -> list[dict[str, Any]]:
    """A page of the queue: each decision with the facts that it was published with. What a person has judged does not
    wait any more, though a request for review may stand until it lapses.
    """
    return [dict(row) | {"facts": _facts(row["value"])} for row in index.rows(_WAITING, (PAGE, skip))]


def appeals(index: IndexReader, skip: int) -> list[dict[str, Any]]:
    """A page of the open appeals, the most urgent first."""
    return [dict(row) | {"facts": _facts(row["value"])} for row in index.rows(_APPEALS, (PAGE, skip))]


def _facts(value: bytes | None) -> str:
    """What a decision says of its facts; empty where the output is past its retention."""
    if value is None:
        return ""
    try:
        facts = msgspec.json.decode(value, type=dict[str, Any]).get("facts")
    except msgspec.DecodeError:
        return ""
    return facts if isinstance(facts, str) else ""


async def show(request: web.Request) -> web.StreamResponse:
    """The page."""
    service = service_of(request)
    what = "appeals" if request.query.get("show") == "appeals" else "waiting"
    skip = asked_number(request, "skip", 0, 1_000_000)
    found = await in_thread(request, appeals if what == "appeals" else waiting, service.index, skip)
    states = await in_thread(request, service.index.counts, "decisions")
    open_appeals = await in_thread(request, service.index.counts, "appeals")
    return render(
        request,
        "queue.html",
        what=what,
        decisions=found,
        skip=skip,
        size=PAGE,
        waiting=states.get("waiting", 0),
        appeals=open_appeals.get("open", 0),
    )


ROUTES: Final = (web.get("/queue", show),)

_COLUMNS: Final = (
    "SELECT d.*, p.kind AS party_kind, p.name AS party_name, p.level AS party_level,"
    " (SELECT value FROM output o WHERE o.ce_id = d.id) AS value"
    " FROM decision d JOIN party p ON p.id = d.party"
)
_WAITING: Final = f"{_COLUMNS} WHERE d.state = 'waiting' AND d.verdict IS NULL ORDER BY d.harm DESC LIMIT ? OFFSET ?"
_APPEALS: Final = f"{_COLUMNS} WHERE d.appeal IN ('open', 'overdue') ORDER BY d.appeal_due LIMIT ? OFFSET ?"
