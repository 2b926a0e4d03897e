"""Doing something, and seeing what came of it."""

from typing import Any, Final

import msgspec
from aiohttp import web

from streams.console.acts.act import Act, ActError
from streams.console.acts.desk import RefusedError
from streams.console.acts.effects import Outcome, outcome_of
from streams.console.index.inputs import DAY
from streams.console.index.reading import IndexReader
from streams.console.pages.timeline import Entry, entries
from streams.console.service import Service, in_thread, service_of
from streams.console.trail import TrailEntry
from streams.console.web import (
    PageError,
    answer,
    asked,
    asking,
    bad_request,
    needs,
    not_found,
    posted,
    render,
    wants_json,
)

_FIELDS: Final = frozenset(
    {"kind", "party_kind", "party", "decision_id", "verdict", "outcome", "action", "policy", "why"}
)
_MOST_WORDS: Final = 256
_MOST_DAYS: Final = 3650


@needs("reviewer")
async def do(request: web.Request) -> web.StreamResponse:
    """Do what a form says."""
    service = service_of(request)
    form = await posted(request)
    fields = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
    act = _act(fields, service.desk.now())
    try:
        done = await in_thread(request, service.desk.do, asking(request).user, act)
    except RefusedError as error:
        raise PageError(403, "Not for you", str(error)) from error
    except ActError as error:
        raise bad_request(f"{error}.") from error
    if wants_json(request):
        return answer(done)
    raise web.HTTPSeeOther(f"/act?event={done.event_id}" if done.event_id else "/proposals")


def _act(fields: dict[str, str], now: int) -> Act:
    given: dict[str, Any] = {name: value for name, value in fields.items() if name in _FIELDS and value}
    if len(given.get("why", "")) > _MOST_WORDS:
        raise bad_request(f"The reason has {len(given['why']):,} characters; {_MOST_WORDS} are accepted.")
    if days := fields.get("days"):
        try:
            length = float(days)
        except ValueError:
            raise bad_request(f"{days[:40]!r} is no number of days.") from None
        if not 0 < length <= _MOST_DAYS:
            raise bad_request(f"Days lie between 0 and {_MOST_DAYS:,}.")
        given["until"] = now + round(length * DAY)
    try:
        return msgspec.convert(given, Act)
    except msgspec.ValidationError as error:
        raise bad_request(f"The form is not complete: {error}.") from error


class Seen(msgspec.Struct, frozen=True):
    """What is known of an act that was sent."""

    entry: TrailEntry
    detail: dict[str, Any]
    outcome: Outcome
    effects: list[Entry]


def see(service: Service, event_id: str) -> Seen | None:
    """Look an act up in the trail, and what came of it in the stream."""
    entry = service.trail.of_event(event_id)
    if entry is None:
        return None
    detail = msgspec.json.decode(entry.detail, type=dict[str, Any])
    topic = service.settings.topics.feedback
    outcome = outcome_of(service.index, service.states, topic, detail["partition"], detail["offset"])
    return Seen(entry, detail, outcome, _entries(service.index, outcome))


def _entries(index: IndexReader, outcome: Outcome) -> list[Entry]:
    found: list[Entry] = []
    for effect in outcome.effects:
        found += entries(index, "SELECT ce_id, type, time, value FROM output WHERE ce_id = ?", (effect.id,))
    return found


async def show(request: web.Request) -> web.StreamResponse:
    """What came of an act; a script asks for the state alone."""
    event_id = asked(request, "event")
    seen = await in_thread(request, see, service_of(request), event_id)
    if seen is None:
        raise not_found(f"Nothing was sent under {event_id!r} from here.")
    if wants_json(request):
        kinds = [effect.type for effect in seen.outcome.effects]
        return answer({"state": seen.outcome.state, "refused": seen.outcome.refused, "effects": kinds})
    return render(request, "act.html", seen=seen, event_id=event_id)


ROUTES: Final = (web.post("/act", do), web.get("/act", show))
