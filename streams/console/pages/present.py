"""What the pages of parties, orders and listings show of the stored state, or why there is none to be shown."""

from typing import Any

from aiohttp import web

from features.events import SubjectKind
from streams.console.service import in_thread, service_of
from streams.console.state import StateError


async def present_state(request: web.Request, kind: SubjectKind, name: str, owner: str) -> dict[str, Any]:
    """For a template: ``present``, its ``state``, and ``away`` with the reason where Redis can't be read."""
    present, away = None, ""
    try:
        present = await in_thread(request, service_of(request).states.present, kind, name, owner)
    except StateError as error:
        away = str(error)
    state = {} if present is None or present.state is None else present.state
    return {"present": present, "state": state, "away": away}
