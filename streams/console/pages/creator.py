"""Creators: the list, and the page of one."""

from typing import Final

from aiohttp import web

from streams.console.pages.party import show_list, show_party


async def creators(request: web.Request) -> web.StreamResponse:
    """All creators, the worst first."""
    return await show_list(request, "creator")


async def creator(request: web.Request) -> web.StreamResponse:
    """One creator: credit, conduct, decisions, the orders that they drove."""
    return await show_party(request, "creator", "creator.html")


ROUTES: Final = (web.get("/creators", creators), web.get("/creator", creator))
