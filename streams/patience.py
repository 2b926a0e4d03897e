"""Waiting for a store or a broker that is away: with back-off, without loss, and without flooding the log.

Guarantee: an operation under :class:`Patience` is repeated until it succeeds, as long as what goes wrong is of a kind
that passes (a lost connection, a server that is loading, failing over, read-only or out of memory). What will not pass
by itself (wrong type, wrong password, a faulty script) is raised at once. An operation may be carried out more than
once, as a reply can be lost: only idempotent ones belong here.

Cancelling is safe: redis-py closes a connection whose reply was not read to its end, so no later command can get the
reply of an earlier one (tests/streams/test_patience.py holds it to that).
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis import exceptions

logger = logging.getLogger("shopwarden.patience")

T = TypeVar("T")

#: Pauses between tries, seconds: the first, and the longest. A server that comes back is used within two seconds.
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0
#: A line in the log when an outage has lasted so long (a lost connection that is made anew at once is no news), and
#: then one each minute.
_NEWS_AFTER_S = 1.0
_NEWS_EVERY_S = 60.0

#: Errors that a server says or that the connection has while it is away, starting, failing over or full.
_PASSING = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ClusterDownError,
    exceptions.MasterDownError,
    exceptions.ReadOnlyError,
    exceptions.TryAgainError,
    exceptions.MovedError,
    exceptions.OutOfMemoryError,
    exceptions.SlotNotCoveredError,
    ConnectionError,
    TimeoutError,
)
#: Of these, what does not pass: redis-py counts them as connection errors.
_LASTING = (
    exceptions.AuthenticationError,
    exceptions.AuthorizationError,
    exceptions.ExternalAuthProviderError,
)
#: Replies without a class of their own in redis-py. MISCONF: the server can't write its files. BUSY: a script of
#: someone else runs too long. NOREPLICAS: too few replicas to accept writes.
_PASSING_CODES = ("MISCONF", "BUSY", "NOREPLICAS", "LOADING", "CLUSTERDOWN", "MASTERDOWN", "READONLY", "OOM")
#: redis-py's cluster client raises its base class for each of these, with the reason in words only.
_PASSING_WORDS = ("cannot be connected", "No reachable node", "not covered")


class OutageError(Exception):
    """It was away for longer than could be waited for; nothing that was asked of it is certain."""


class RefusedError(Exception):
    """The store understood and refused: asking again would not help. The message says what, and what to look at."""


def passes(error: BaseException) -> bool:
    """Whether an error of redis-py is of a kind that passes when one waits."""
    if isinstance(error, _LASTING):
        return False
    if isinstance(error, _PASSING):
        return True
    if isinstance(error, exceptions.ResponseError):
        return str(error).startswith(_PASSING_CODES)
    if isinstance(error, exceptions.RedisClusterException):
        return any(words in str(error) for words in _PASSING_WORDS)
    return isinstance(error, AttributeError) and _lost_while_connecting(error)


def _lost_while_connecting(error: AttributeError) -> bool:
    """Whether redis-py wrote to a connection that it had closed: its cluster client closes those of a node that fails
    while others of its commands are still connecting.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == "redis.asyncio.connection"


class OutageLog:
    """Tells of an outage once when it has begun, once a minute while it lasts, and once when it is over.

    Several waits at once are one outage: it is over when the last of them is.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._since: dict[object, float] = {}
        self._began = 0.0
        self._told: float | None = None

    @property
    def waiting(self) -> bool:
        """Whether anyone waits."""
        return bool(self._since)

    @property
    def seconds(self) -> float:
        """How long the present outage has lasted; 0 if there is none."""
        return self._clock() - self._began if self._since else 0.0

    def lasts(self, who: object, reason: object) -> None:
        """``who`` still waits (or begins to), because of ``reason``."""
        now = self._clock()
        if not self._since:
            self._began = now
        self._since.setdefault(who, now)
        if self._told is None:
            if now - self._began < _NEWS_AFTER_S:
                return
            message = "%s is away; waiting for it, nothing is lost: %s"
        elif now - self._told < _NEWS_EVERY_S:
            return
        else:
            message = "%s is still away: %s"
        self._told = now
        logger.warning(
            message, self._name, reason, extra={"seconds": round(now - self._began), "waiting": len(self._since)}
        )

    def over(self, who: object) -> None:
        """``who`` waits no more, whether it got what it waited for or gave up."""
        if self._since.pop(who, None) is None or self._since:
            return
        if self._told is not None:
            self._told = None
            logger.warning("%s is back", self._name, extra={"seconds": round(self._clock() - self._began, 1)})


class Patience:
    """Repeats operations on the store until they succeed.

    One for all shards of a process, so that an outage is told once and not once a shard.
    """

    def __init__(
        self,
        name: str = "Redis",
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._name = name
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._until: float | None = None
        #: Tries that failed.
        self.failures = 0
        self.outage = OutageLog(name, clock)

    @property
    def waiting(self) -> bool:
        """Whether an operation is being repeated now."""
        return self.outage.waiting

    def end(self, grace: float) -> None:
        """The worker was told to stop: outages are waited for ``grace`` seconds more, then :class:`OutageError`."""
        self._until = self._clock() + grace

    async def __call__(self, operation: Callable[[], Awaitable[T]], what: str, limit: float | None = None) -> T:
        """The result of an operation, however often it takes.

        Parameters
        ----------
        operation
            Makes the awaitable anew for each try. Must be idempotent.
        what
            What it does, for messages: "write checkpoint 7".
        limit
            Longest wait in seconds; ``None`` waits for as long as the worker runs.

        Raises
        ------
        OutageError
            The limit passed, or the worker was told to stop, before it succeeded.
        RefusedError
            The store refused for a reason that does not pass.
        """
        who = object()
        started = self._clock()
        pause = _FIRST_PAUSE_S
        try:
            while True:
                try:
                    return await operation()
                except Exception as error:
                    self.failures += 1
                    if not passes(error):
                        raise self._explain(error, what) from error
                    reason = error
                now = self._clock()
                ends = [end for end in (self._until, None if limit is None else started + limit) if end is not None]
                if ends and now >= min(ends):
                    raise OutageError(
                        f"{self._name} did not {what} within {now - started:.0f} s: {_words(reason)}"
                    ) from reason
                self.outage.lasts(who, _words(reason))
                # Half fixed, half by chance: workers must not all come back at the same moment.
                wait = pause * (0.5 + 0.5 * self._jitter())
                await self._sleep(min([wait, *(max(0.0, end - now) for end in ends)]))
                pause = min(2 * pause, _LONGEST_PAUSE_S)
        finally:
            self.outage.over(who)

    def _explain(self, error: Exception, what: str) -> Exception:
        if not isinstance(error, exceptions.RedisError | exceptions.RedisClusterException):
            return error
        if isinstance(error, exceptions.ConnectionError):
            hint = "check redis.username and redis.password"
        elif isinstance(error, exceptions.NoPermissionError):
            hint = "check the rights of the user (ACL)"
        else:
            hint = "its keys were changed by hand, or are those of another program: check worker.namespace"
        return RefusedError(f"{self._name} refused to {what}: {_words(error)}; {hint}")


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
