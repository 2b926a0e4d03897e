"""Signing in and out."""

from typing import Final

from aiohttp import web

from streams.console.middlewares import set_session
from streams.console.service import ASKING, in_thread, service_of
from streams.console.sessions import COOKIE
from streams.console.web import PageError, asking, posted, render

_MOST_CHARACTERS: Final = 512


async def show(request: web.Request) -> web.StreamResponse:
    """The form."""
    if ASKING in request:
        raise web.HTTPSeeOther("/")
    return render(request, "sign_in.html", wrong="")


async def enter(request: web.Request) -> web.StreamResponse:
    """Take a token. Tries are few, so that guessing is hopeless; what was tried is not kept."""
    service = service_of(request)
    address = request.remote or "?"
    if not service.tries.take(address):
        # Kept for ever, so what anybody can do as often as they like has only some entries a minute.
        if service.tries.take(f"refused {address}"):
            await in_thread(request, service.trail.add, "?", "sign-in refused", address, why="too many tries")
        raise PageError(429, "Too many tries", "Wait a minute, then try again.")
    form = await posted(request)
    token = form.get("token", "")
    user = None
    if isinstance(token, str) and 0 < len(token) <= _MOST_CHARACTERS:
        user = service.users.by_token(token.strip())
    if user is None:
        await in_thread(request, service.trail.add, "?", "sign-in refused", address, why="unknown token")
        return render(request, "sign_in.html", status=401, wrong="Nobody has this token.")
    _, cookie = service.sessions.begin(user.name, user.fingerprint)
    await in_thread(request, service.trail.add, user.name, "signed in", address, role=user.role)
    response = web.Response(status=303, headers={"Location": "/"})
    set_session(response, cookie, service)
    return response


async def leave(request: web.Request) -> web.StreamResponse:
    """End the session of this browser."""
    await in_thread(request, service_of(request).trail.add, asking(request).user.name, "signed out")
    response = web.Response(status=303, headers={"Location": "/sign-in"})
    response.del_cookie(COOKIE, path="/", samesite="Strict", httponly=True)
    return response


ROUTES: Final = (
    web.get("/sign-in", show),
    web.post("/sign-in", enter),
    web.post("/sign-out", leave),
)
