"""A store with an append-only file that can be killed, kept away, and set back to an older copy of itself."""

import contextlib
import shutil
import time
from collections import deque
from pathlib import Path

import redis

from streams.embedded import EmbeddedServices

#: Sizes of the file remembered, and how often it is looked at: some minutes.
_KEPT = 10_000
_LOOK_S = 0.05


class Store:
    """Valkey as a child process. Its append-only file is never rewritten, so it tells all that was ever written."""

    def __init__(self, fsync: str = "everysec") -> None:
        self._fsync = fsync
        self._services = EmbeddedServices(brokers="127.0.0.1:9", append_only=True)
        self._sizes: deque[tuple[float, int]] = deque(maxlen=_KEPT)
        self._looked = 0.0

    def __enter__(self) -> "Store":
        self._services.start()
        self._configure()
        return self

    def __exit__(self, *_: object) -> None:
        self._services.stop()

    @property
    def url(self) -> str:
        """Address."""
        return self._services.redis_url

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.url.removeprefix("redis://").partition("/")[0].partition(":")
        return host, int(port)

    @property
    def pid(self) -> int:
        """Process id of the server."""
        process = self._services.store
        assert process is not None
        return process.pid

    @property
    def history(self) -> Path:
        """The part of the append-only file that grows."""
        process = self._services.store
        assert process is not None
        (found,) = (process.folder / "appendonlydir").glob("*.incr.aof")
        return found

    def kill(self) -> None:
        """End it as a crash would; nothing that it has written is lost."""
        self._services.kill_store()

    def start(self) -> None:
        """Start it again with what its file holds."""
        self._services.restart_store()
        self._configure()

    def watch(self) -> None:
        """Note how far the file reaches now; to be called often."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_S:
            self._looked = now
            with contextlib.suppress(OSError, ValueError):
                self._sizes.append((now, self.history.stat().st_size))

    def set_back(self, seconds: float) -> None:
        """While it does not run: give its file the length it had so long ago, as a restored copy would have it."""
        past = time.monotonic() - seconds
        size = next((size for at, size in reversed(self._sizes) if at <= past), None)
        if size is None:
            raise RuntimeError(f"nothing is known of the store {seconds:.1f} s ago")
        with self.history.open("r+b") as file:
            file.truncate(size)
        while self._sizes and self._sizes[-1][1] > size:
            self._sizes.pop()

    def keep_history(self, folder: Path) -> Path:
        """A copy of the file for later."""
        return Path(shutil.copy(self.history, folder / "history.aof"))

    def _configure(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.config_set("appendfsync", self._fsync)
            client.config_set("auto-aof-rewrite-percentage", "0")
