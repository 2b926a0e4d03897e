"""Merchants: the list, and the page of one."""

from typing import Final

from aiohttp import web

from streams.console.pages.party import show_list, show_party


async def merchants(request: web.Request) -> web.StreamResponse:
    """All merchants, the worst first."""
    return await show_list(request, "merchant")


async def merchant(request: web.Request) -> web.StreamResponse:
    """One merchant: credit with its ledger, figures against peers, linked accounts, decisions, timeline."""
    return await show_party(request, "merchant", "merchant.html")


ROUTES: Final = (web.get("/merchants", merchants), web.get("/merchant", merchant))
