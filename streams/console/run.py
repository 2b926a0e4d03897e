"""A console from start to end: checks who may come in, opens what it reads, serves, and takes everything down."""

import asyncio
import contextlib
import fcntl
import logging
import secrets
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from aiohttp import web

from config.policies import PolicyError
from config.settings import Settings
from detectors.judge import Judge
from streams.console.acts.desk import Desk
from streams.console.acts.sender import FeedbackSender
from streams.console.buckets import Buckets
from streams.console.index.follower import Follower
from streams.console.index.harm import Harm
from streams.console.index.reading import IndexReader
from streams.console.live import Live
from streams.console.pages.now import fragment
from streams.console.proposals import Proposals
from streams.console.server import make_app
from streams.console.service import Service
from streams.console.sessions import Sessions
from streams.console.state import StateReader
from streams.console.telemetry import metrics_served
from streams.console.templating import make_environment
from streams.console.trail import Trail
from streams.console.users import Users, UsersError
from streams.evaluation.archive_run import evaluation_judge
from streams.reading import ReadError
from streams.telemetry.console_metrics import ConsoleMetrics
from streams.telemetry.server import TelemetryError
from streams.worker import make_judge

logger = logging.getLogger("shopwarden.console")

#: Pages that wait for the disk or Redis at once; they are quick, and more would only take turns.
_THREADS: Final = 4
_SIGN_INS_A_MINUTE: Final = 10
_SHUTDOWN_SECONDS: Final = 3.0


class ConsoleError(Exception):
    """The console can't start; the message says why and what to do."""


def admit(settings: Settings) -> tuple[Users, str]:
    """The people who may sign in; and, where none are named and the console is for this machine alone, the token that
    it makes up for whoever started it.

    Raises
    ------
    ConsoleError
        Others could reach the console, and nobody is named; or the users' file can't be used.
    """
    console = settings.console
    try:
        users = Users(console)
    except UsersError as error:
        raise ConsoleError(str(error)) from error
    if len(users):
        return users, ""
    if not console.local:
        raise ConsoleError(
            f"the console would listen on {console.host} and nobody could sign in. Name people with `shopwarden "
            "console --add-user NAME --role ROLE` and console.users_file, or give console.token_file; on 127.0.0.1 a "
            "token is made up for you"
        )
    token = secrets.token_urlsafe(32)
    users.admit(token)
    return users, token


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a console's folder for as long as the block lasts: two that write one index would count each record twice.

    Raises
    ------
    ConsoleError
        Another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConsoleError(
                f"another console is at work in {folder}: end it, or give this one a folder of its own with --folder"
            ) from None
        yield  # closing the file, or the end of the process, lets it go


@contextmanager
def open_service(settings: Settings, users: Users) -> Iterator[Service]:
    """The parts of a console, which follows its topics for as long as the block lasts.

    Raises
    ------
    ConsoleError
        Kafka, the policies or the console's folder can't be used.
    """
    console = settings.console
    folder = console.folder
    try:
        judge = _judge(settings)
        with ExitStack() as stack:
            stack.enter_context(alone(folder))
            trail = Trail(folder / "trail.db")
            stack.callback(trail.close)
            harm = Harm.by(judge.policies)
            follower = Follower(settings, folder / "index.db", harm)
            stack.callback(follower.stop)
            index = IndexReader(folder / "index.db")
            stack.callback(index.close)
            states = StateReader(settings, judge, follower.shards)
            stack.callback(states.close)
            sender = FeedbackSender(settings)
            stack.callback(sender.close)
            threads = stack.enter_context(ThreadPoolExecutor(_THREADS, "console"))
            templates = make_environment()
            key = console.session_key
            live = Live(partial(fragment, templates, index, follower))
            service = Service(
                settings=settings,
                judge=judge,
                follower=follower,
                index=index,
                states=states,
                trail=trail,
                users=users,
                sessions=Sessions(
                    secrets.token_bytes(32) if key is None else key.get_secret_value().encode(), console.session_hours
                ),
                desk=Desk(console, index, trail, Proposals(trail, console.proposal_hours), sender, harm),
                harm=harm,
                live=live,
                templates=templates,
                threads=threads,
                metrics=ConsoleMetrics(lambda: follower.progress.lag, lambda: live.clients),
                tries=Buckets(_SIGN_INS_A_MINUTE, 60),
            )
            follower.start()
            yield service
    except (ReadError, PolicyError) as error:
        raise ConsoleError(str(error)) from error
    except (OSError, sqlite3.Error) as error:
        raise ConsoleError(f"the console's files in {folder} can't be used: {error}") from error


def run_console(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM.

    Parameters
    ----------
    say
        Prints a line for people.

    Raises
    ------
    ConsoleError
        It can't start.
    """
    users, token = admit(settings)
    try:
        with open_service(settings, users) as service, metrics_served(service):
            asyncio.run(_serve(service, token, say))
    except TelemetryError as error:
        raise ConsoleError(str(error)) from error


async def _serve(service: Service, token: str, say: Callable[[str], None]) -> None:
    async with serving(service) as port:
        host = service.settings.console.host
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        if token:
            # Behind the hash: a browser sends it to nobody, and no log holds it.
            say(f"Sign in at {address}/sign-in#token={token}")
        else:
            say(f"The console is at {address}")
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await stop.wait()


@contextlib.asynccontextmanager
async def serving(service: Service) -> AsyncIterator[int]:
    """The server, for as long as the block lasts; gives the port.

    Raises
    ------
    ConsoleError
        The port is taken.
    """
    console = service.settings.console
    runner = web.AppRunner(make_app(service), access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        try:
            site = web.TCPSite(runner, console.host, console.port)
            await site.start()
        except OSError as error:
            raise ConsoleError(
                f"{console.host}:{console.port} can't be listened on: {error.strerror or error}. Choose another with "
                "--port, or 0 for a free one"
            ) from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _judge(settings: Settings) -> Judge:
    """Explains what is stored. Without the pseudonym key everything but models' contributions can be shown."""
    return evaluation_judge(settings) if settings.pseudonym_key is None else make_judge(settings)
