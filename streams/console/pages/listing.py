"""The page of a listing: its last version, what it is like, and what was decided."""

from typing import Final

from aiohttp import web

from streams.console.pages import subject


async def listing(request: web.Request) -> web.StreamResponse:
    """One listing."""
    return await subject.show(request, "listing", "listing.html")


ROUTES: Final = (web.get("/listing", listing),)
