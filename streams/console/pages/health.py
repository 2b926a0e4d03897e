"""For probes: whether the console lives, and whether it is of use yet."""

from typing import Final

from aiohttp import web

from streams.console.service import service_of
from streams.console.web import answer


async def health(request: web.Request) -> web.StreamResponse:
    """The event loop turns and the topics are followed."""
    alive = service_of(request).follower.running
    return answer({"alive": alive}, 200 if alive else 503)


async def ready(request: web.Request) -> web.StreamResponse:
    """The index can be written. That it is still behind is no reason to hide it: the pages say so."""
    progress = service_of(request).follower.progress
    trouble = progress.trouble.startswith("the index")
    return answer({"ready": not trouble, "behind": progress.behind}, 503 if trouble else 200)


ROUTES: Final = (web.get("/health", health), web.get("/ready", ready))
