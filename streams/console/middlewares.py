"""What every request passes: errors as pages, headers that keep the page to itself, who asks, and forms of our own."""

import logging
import sqlite3
from ipaddress import ip_address
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from config.console import ConsoleSettings
from streams.console.service import ASKING, Asking, Service, service_of
from streams.console.sessions import COOKIE, Session
from streams.console.users import User
from streams.console.web import PageError, answer, posted, render, wants_json

logger = logging.getLogger("shopwarden.console")

#: Nothing is fetched from anywhere else, nothing inline is run, and nobody may put the page into a frame.
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
#: Open to everybody: signing in, its style, and what probes ask.
_OPEN: Final = ("/static/", "/sign-in", "/health", "/ready")
_SAFE: Final = frozenset({"GET", "HEAD"})


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn errors into pages; an unexpected one is logged, and says no more than that."""
    try:
        response = await handler(request)
    except PageError as error:
        response = _error(request, error.status, error.title, error.words)
    except web.HTTPRedirection as error:
        response = web.Response(status=error.status, headers={"Location": error.headers["Location"]})
    except web.HTTPException as error:
        title = {404: "Not found", 405: "Not so", 413: "Too long"}.get(error.status, "That did not work")
        words = {404: "There is no such page.", 413: "A form of the console is never so long."}.get(
            error.status, error.reason
        )
        response = _error(request, error.status, title, words)
    except sqlite3.Error as error:
        logger.exception("the index can't be read")
        response = _error(request, 503, "Not now", f"The index can't be read: {error}. It may be being made anew.")
    except Exception:
        logger.exception("a page failed: %s", request.path)
        response = _error(request, 500, "That failed", "The console has a fault here; its log has the details.")
    if not response.prepared:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
    return response


def _error(request: web.Request, status: int, title: str, words: str) -> web.StreamResponse:
    if wants_json(request):
        return answer({"error": words}, status)
    return render(request, "error.html", status=status, title=title, words=words)


@web.middleware
async def sign_in(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who asks; send those who have not signed in to where they can, and forms that are not ours away."""
    service = service_of(request)
    settings = service.settings.console
    who, cookie = _who(request, service, settings)
    if who is not None:
        request[ASKING] = who
    elif not request.path.startswith(_OPEN):
        if wants_json(request) or request.method not in _SAFE or request.path == "/live":
            raise PageError(401, "Signed out", "You are not signed in any more.")
        raise web.HTTPSeeOther("/sign-in")
    if request.method not in _SAFE:
        await _check_form(request, service, who)
    response = await handler(request)
    if cookie and not response.prepared:
        set_session(response, cookie, service)
    return response


def set_session(response: web.StreamResponse, cookie: str, service: Service) -> None:
    """Give a session's cookie along: to this site alone, and to no script."""
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=service.sessions.seconds,
        httponly=True,
        samesite="Strict",
        secure=service.settings.console.https,
        path="/",
    )


def _who(request: web.Request, service: Service, settings: ConsoleSettings) -> tuple[Asking | None, str]:
    """Who asks, and the cookie to be set if the session begins with this request."""
    session = service.sessions.read(request.cookies.get(COOKIE, ""))
    named = _named_by_proxy(request, settings)
    if named is not None:
        user = service.users.get(named)
        if user is None:
            raise PageError(403, "Not known", f"{named!r} is not among the users of this console.")
        if session is not None and _fits(session, user):
            return Asking(user, session), ""
        session, cookie = service.sessions.begin(user.name, user.fingerprint)
        return Asking(user, session), cookie
    if session is None:
        return None, ""
    user = service.users.get(session.user)
    # A role is looked up each time; who was taken out, or has another token, is out at once.
    return (Asking(user, session), "") if user is not None and _fits(session, user) else (None, "")


def is_in(service: Service, who: Asking) -> bool:
    """Whether who has signed in before is still among the users, with the same token, in a session that is not over."""
    user = service.users.get(who.session.user)
    return user is not None and _fits(who.session, user) and service.sessions.lasts(who.session)


def _fits(session: Session, user: User) -> bool:
    return session.user == user.name and session.fingerprint == user.fingerprint


def _named_by_proxy(request: web.Request, settings: ConsoleSettings) -> str | None:
    """Who signed in at the reverse proxy, if one that is trusted says so."""
    if settings.proxy_user_header is None or request.remote is None:
        return None
    try:
        peer = ip_address(request.remote)
    except ValueError:
        return None
    if not any(peer in network for network in settings.proxies):
        return None
    # Two headers would be a guess at which one the proxy wrote.
    names = request.headers.getall(settings.proxy_user_header, [])
    return names[0] if len(names) == 1 and names[0] else None


async def _check_form(request: web.Request, service: Service, who: Asking | None) -> None:
    """Refuse what another site has a browser send."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if site not in ("same-origin", "none"):
        raise PageError(403, "Not from here", "This form was sent from another site.")
    if who is None:
        return
    form = await posted(request)
    token = form.get("form_token", "")
    if not isinstance(token, str) or not service.sessions.is_form_token(who.session, token):
        raise PageError(403, "Not from here", "This form is not of your session. Open the page again.")
