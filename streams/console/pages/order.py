"""The page of an order: its life, why it was judged so, and what was decided."""

from typing import Final

from aiohttp import web

from streams.console.pages import subject


async def order(request: web.Request) -> web.StreamResponse:
    """One order."""
    return await subject.show(request, "order", "order.html")


ROUTES: Final = (web.get("/order", order),)
