"""What the pages share: rendering, what came with a request, and roles."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final, TypeAlias

import msgspec
from aiohttp import web
from msgspec import Struct
from multidict import MultiDictProxy

from streams.console.service import ASKING, Asking, service_of
from streams.console.users import Role

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
_MOST_CHARACTERS: Final = 128


class Page(Struct, frozen=True):
    """A page of the menu: its path, its name, the key that leads to it (after g), and who sees it."""

    path: str
    name: str
    key: str
    role: Role = "viewer"


MENU: Final = (
    Page("/", "Now", "n"),
    Page("/queue", "Review queue", "q"),
    Page("/proposals", "Second person", "s"),
    Page("/merchants", "Merchants", "m"),
    Page("/creators", "Creators", "c"),
    Page("/policies", "Policies", "p"),
    Page("/metrics", "Metrics", "t"),
    Page("/models", "Models", "o"),
    Page("/dead-letters", "Dead letters", "d"),
    Page("/audit", "Audit trail", "a", "admin"),
)


class PageError(Exception):
    """A page that says what is wrong instead of what was asked for."""

    def __init__(self, status: int, title: str, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.title = title
        self.words = words


def not_found(what: str) -> PageError:
    """There is nothing of that name."""
    return PageError(404, "Not found", what)


def bad_request(words: str) -> PageError:
    """What was asked can't be meant."""
    return PageError(400, "That can't be meant", words)


def asking(request: web.Request) -> Asking:
    """Who asks; the pages that ask this are for people who have signed in."""
    return request[ASKING]


def needs(role: Role) -> Callable[[Handler], Handler]:
    """Let only people with a role come to a handler."""

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        async def guarded(request: web.Request) -> web.StreamResponse:
            user = asking(request).user
            if not user.may(role):
                trail = service_of(request).trail
                trail.add(user.name, "refused", request.path, why=f"takes the role {role}")
                raise PageError(403, "Not for your role", f"This takes the role {role}; you are {user.role}.")
            return await handler(request)

        return guarded

    return decorate


def render(request: web.Request, template: str, *, status: int = 200, **context: Any) -> web.Response:
    """A page, with what every page shows: who is signed in, the menu, the form token."""
    service = service_of(request)
    who = request.get(ASKING)
    text = service.templates.get_template(template).render(
        user=None if who is None else who.user,
        form_token="" if who is None else service.sessions.form_token(who.session),
        menu=MENU,
        path=request.path,
        now=service.follower.latest,
        behind=service.follower.progress.behind and service.follower.progress.records > 0,
        trouble=service.follower.progress.trouble,
        **context,
    )
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


async def posted(request: web.Request) -> MultiDictProxy[str | bytes | bytearray | web.FileField]:
    """The form of a request; raises PageError if it is none."""
    try:
        return await request.post()
    except (ValueError, LookupError):  # text that is not in its encoding, an encoding that is none, no parts
        raise bad_request("The form can't be read.") from None


def wants_json(request: web.Request) -> bool:
    """Whether a script asks, which shows the answer itself."""
    return "application/json" in request.headers.get("Accept", "")


def answer(value: Any, status: int = 200) -> web.Response:
    """An answer for a script."""
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def asked(request: web.Request, name: str, default: str | None = None) -> str:
    """A parameter of the address; raises PageError if it is missing, or no id could be so long."""
    value = request.query.get(name, default)
    if value is None or (not value and default is None):
        raise bad_request(f"The address names no {name}.")
    if len(value) > _MOST_CHARACTERS:
        raise bad_request(f"{name} has {len(value):,} characters; ids have at most {_MOST_CHARACTERS}.")
    return value


def asked_number(request: web.Request, name: str, default: int, most: int = 2**62) -> int:
    """A number of the address."""
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > most:
        raise bad_request(f"{name} is {text[:40]!r}, and not a number up to {most:,}.")
    return int(text)
