"""The web application: its pages, what every request passes, and its beginning and end."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from aiohttp import web

from streams.console import middlewares
from streams.console.pages import (
    act,
    audit,
    creator,
    dead_letters,
    decision,
    health,
    listing,
    merchant,
    metrics,
    models,
    now,
    order,
    policies,
    proposals,
    queue,
    search,
    sign_in,
)
from streams.console.service import SERVICE, Service

_STATIC: Final = Path(__file__).parent / "static"
#: The longest form is a reason of 256 characters.
_MOST_BYTES: Final = 64 * 1024
_PAGES: Final = (
    act, audit, creator, dead_letters, decision, health, listing, merchant, metrics, models, now, order, policies,
    proposals, queue, search, sign_in,
)  # fmt: skip


def make_app(service: Service) -> web.Application:
    """The application of a console whose parts are there."""
    # The clock is outermost, so that it sees the status that the client gets.
    passed = [service.metrics.middleware, middlewares.errors, middlewares.sign_in]
    app = web.Application(middlewares=passed, client_max_size=_MOST_BYTES)
    app[SERVICE] = service
    for page in _PAGES:
        app.add_routes(page.ROUTES)
    app.router.add_static("/static/", _STATIC)
    app.cleanup_ctx.append(_live)
    return app


async def _live(app: web.Application) -> AsyncIterator[None]:
    service = app[SERVICE]
    service.live.start()
    # Sent away first: who looks on would otherwise keep the server from stopping.
    app.on_shutdown.append(_farewell)
    yield


async def _farewell(app: web.Application) -> None:
    await app[SERVICE].live.stop()
