"""Server-sent events: what happens now, rendered once a second for everybody who looks."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Final

logger = logging.getLogger("shopwarden.console")

_EVERY_SECONDS: Final = 1.0
#: Pages that may look on at once; more are told to come again later.
MOST_CLIENTS: Final = 100


class TooManyError(Exception):
    """So many look on already."""


class Live:
    """Renders a fragment of a page once a second, while anybody looks, and hands it to all who do.

    Parameters
    ----------
    render
        Makes the fragment; called in a thread, as it reads the index.
    """

    def __init__(self, render: Callable[[], str]) -> None:
        self._render = render
        self._clients: set[asyncio.Queue[str | None]] = set()
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def clients(self) -> int:
        """How many look on."""
        return len(self._clients)

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Send everybody away."""
        for queue in self._clients:
            _put(queue, None)
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def watch(self) -> AsyncIterator[str]:
        """Fragments as they come, until :meth:`stop`. A slow client misses some, and nobody waits for it.

        Raises
        ------
        TooManyError
            Too many look on.
        """
        if len(self._clients) >= MOST_CLIENTS:
            raise TooManyError
        queue: asyncio.Queue[str | None] = asyncio.Queue(maxsize=1)
        self._clients.add(queue)
        self._wanted.set()
        try:
            while (fragment := await queue.get()) is not None:
                yield fragment
        finally:
            self._clients.discard(queue)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if not self._clients:
                self._wanted.clear()
                await self._wanted.wait()
            try:
                fragment = await asyncio.to_thread(self._render)
            except Exception:
                logger.exception("the live view can't be rendered")
                fragment = ""
            for queue in self._clients if fragment else ():
                _put(queue, fragment)
            # Of the clock of the loop: a machine that is busy gets fewer, and never a backlog.
            await asyncio.sleep(_EVERY_SECONDS - loop.time() % _EVERY_SECONDS)


def _put(queue: asyncio.Queue[str | None], fragment: str | None) -> None:
    with contextlib.suppress(asyncio.QueueEmpty):
        queue.get_nowait()
    queue.put_nowait(fragment)
