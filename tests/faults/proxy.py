"""A TCP proxy on loopback that cuts connections: at once, or at a chosen moment of a chosen request.

*before* the request goes on, *after* it went on and the server answered, but before any of the answer is passed back,
and *within* the answer, when a part of it has been passed back.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, get_args

from streams.embedded import LOOPBACK, free_port

When = Literal["before", "after", "within"]
WHENS: tuple[When, ...] = get_args(When)
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class Cut:
    """Cut a connection ``when`` a request is seen that ``matches``."""

    when: When
    matches: Callable[[bytes], bool]


class _Connection:
    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self._client = client
        self._server = server
        #: What is to happen when the server answers.
        self.pending: When | None = None

    def abort(self) -> None:
        for writer in (self._client, self._server):
            writer.transport.abort()


class Proxy:
    """Listens from the beginning of a ``with`` block to its end, in a thread of its own.

    ``target`` may be set later, where it is to be told the proxy's own ``address`` first.
    """

    def __init__(self, target: str = "") -> None:
        self.target = target
        self.address = f"{LOOPBACK}:{free_port()}"
        #: Number of connections cut.
        self.cuts = 0
        self.fired = threading.Event()
        self._armed: Cut | None = None
        self._connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.cut_all()
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut_all(self) -> None:
        """Cut every connection now."""

        async def cut() -> None:
            for connection in list(self._connections):
                self._cut(connection)

        asyncio.run_coroutine_threadsafe(cut(), self._loop).result(10)

    def arm(self, cut: Cut) -> None:
        """Cut the connection on which a matching request is seen first; ``fired`` is set then."""
        self.fired.clear()
        self._armed = cut

    def disarm(self) -> None:
        """Cut none after all."""
        self._armed = None

    async def _listen(self) -> None:
        host, _, port = self.address.partition(":")
        self._server = await asyncio.start_server(self._serve, host, int(port))

    async def _close(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = self.target.partition(":")
        try:
            server_reader, server_writer = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection(writer, server_writer)
        self._connections.add(connection)
        try:
            await asyncio.gather(
                self._requests(connection, reader, server_writer), self._answers(connection, server_reader, writer)
            )
        finally:
            self._connections.discard(connection)
            connection.abort()

    async def _requests(self, connection: _Connection, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await source.read(_CHUNK):
                cut = self._armed
                if cut is not None and cut.matches(chunk):
                    self._armed = None
                    if cut.when == "before":
                        self._cut(connection)
                        return
                    connection.pending = cut.when
                to.write(chunk)
                await to.drain()
        connection.abort()

    async def _answers(self, connection: _Connection, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await source.read(_CHUNK):
                if connection.pending is not None:
                    if connection.pending == "within" and len(chunk) > 1:
                        to.write(chunk[: len(chunk) // 2])
                        await to.drain()
                        to.close()  # what was written arrives; aborting could drop it
                        await asyncio.sleep(0.01)
                    self._cut(connection)
                    return
                to.write(chunk)
                await to.drain()
        connection.abort()

    def _cut(self, connection: _Connection) -> None:
        connection.abort()
        self.cuts += 1
        self.fired.set()
