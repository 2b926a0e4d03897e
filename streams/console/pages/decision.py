"""A decision: what it rests on, the statement of reasons, what became of it, and what can be done about it."""

from typing import Any, Final

import msgspec
from aiohttp import web

from streams.console.index.harm import Harm
from streams.console.index.reading import IndexReader
from streams.console.pages.timeline import entries
from streams.console.service import in_thread, service_of
from streams.console.trail import Trail
from streams.console.web import asked, not_found, render


def look(index: IndexReader, harm: Harm, trail: Trail, identifier: str) -> dict[str, Any] | None:
    """All that is known of a decision."""
    row = index.decision(identifier)
    if row is None:
        return None
    output = index.row("SELECT value FROM output WHERE ce_id = ?", (identifier,))
    assessed = index.row("SELECT value FROM output WHERE ce_id = ?", (row["assessment"],))
    return {
        "decision": dict(row)
        | {"at_risk": harm.at_risk(index.rows, row["party"], row["subject_kind"], row["subject"], index.latest())},
        "event": {} if output is None else _event(output["value"]),
        "assessment": None if assessed is None else _event(assessed["value"]),
        "history": entries(index, _HISTORY, (identifier,)),
        "said": index.rows(_SAID, (identifier,)),
        "done": trail.entries(subject=identifier),
    }


async def show(request: web.Request) -> web.StreamResponse:
    """The page."""
    service = service_of(request)
    identifier = asked(request, "id")
    found = await in_thread(request, look, service.index, service.harm, service.trail, identifier)
    if found is None:
        raise not_found(f"No decision {identifier!r} is known here. It may be older than the index.")
    return render(request, "decision.html", **found)


def _event(value: bytes) -> dict[str, Any]:
    return msgspec.json.decode(value, type=dict[str, Any])


ROUTES: Final = (web.get("/decision", show),)

_HISTORY: Final = "SELECT ce_id, type, time, value FROM output WHERE decision = ? ORDER BY id"
_SAID: Final = "SELECT time, type, words, by FROM feedback WHERE decision = ? ORDER BY time"
