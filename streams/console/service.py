"""Everything that a running console is made of, under one name for its pages."""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, ParamSpec, TypeVar

from aiohttp import web
from jinja2 import Environment
from msgspec import Struct

from config.settings import Settings
from detectors.judge import Judge
from streams.console.acts.desk import Desk
from streams.console.buckets import Buckets
from streams.console.index.follower import Follower
from streams.console.index.harm import Harm
from streams.console.index.reading import IndexReader
from streams.console.live import Live
from streams.console.sessions import Session, Sessions
from streams.console.state import StateReader
from streams.console.trail import Trail
from streams.console.users import User, Users
from streams.telemetry.console_metrics import ConsoleMetrics

P = ParamSpec("P")
R = TypeVar("R")


class Service(Struct, eq=False):
    """The parts of a console."""

    settings: Settings
    judge: Judge
    follower: Follower
    index: IndexReader
    states: StateReader
    trail: Trail
    users: Users
    sessions: Sessions
    desk: Desk
    harm: Harm
    live: Live
    templates: Environment
    threads: ThreadPoolExecutor
    metrics: ConsoleMetrics
    #: Tries to sign in, by address.
    tries: Buckets


class Asking(Struct, frozen=True):
    """Who asks, in which session."""

    user: User
    session: Session


SERVICE: Final = web.AppKey("service", Service)
ASKING: Final = web.RequestKey("asking", Asking)


def service_of(request: web.Request) -> Service:
    """The console that a request came to."""
    return request.app[SERVICE]


async def in_thread(request: web.Request, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run what waits for the disk, Redis or Kafka beside the event loop."""
    loop = asyncio.get_running_loop()
    call: Callable[[], Any] = functools.partial(function, *args, **kwargs)
    found: R = await loop.run_in_executor(service_of(request).threads, call)
    return found
