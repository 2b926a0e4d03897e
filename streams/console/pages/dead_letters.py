"""Dead letters: what could not be processed, where it came from and why; no values, as they may hold anything."""

from typing import Final

from aiohttp import web

from streams.console.index.reading import IndexReader, Row
from streams.console.service import in_thread, service_of
from streams.console.web import asked, asked_number, render

PAGE: Final = 50


def listed(index: IndexReader, reason: str, skip: int) -> list[Row]:
    """A page of dead letters, the latest first."""
    return index.rows(_LISTED, (reason, reason, PAGE, skip))


async def show(request: web.Request) -> web.StreamResponse:
    """The page."""
    index = service_of(request).index
    reason = asked(request, "reason", "")
    skip = asked_number(request, "skip", 0, 1_000_000)
    return render(
        request,
        "dead_letters.html",
        letters=await in_thread(request, listed, index, reason, skip),
        counts=await in_thread(request, index.counts, "dead_letters"),
        reason=reason,
        skip=skip,
        size=PAGE,
    )


ROUTES: Final = (web.get("/dead-letters", show),)

_LISTED: Final = "SELECT * FROM dead_letter WHERE (? = '' OR reason = ?) ORDER BY time DESC LIMIT ? OFFSET ?"
