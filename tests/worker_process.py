"""``shopwarden worker`` as a process, for tests that watch it from outside."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from streams.local_process import LocalProcess
from tests.deployment import Deployment

COMMAND = [sys.executable, "-c", "from streams.cli import main; main(prog_name='shopwarden')", "worker"]
PATIENCE_S = 60.0


class Worker:
    """A worker process for as long as a ``with`` block lasts; ``settings`` are of the section ``worker``, and
    ``variables`` of its environment.
    """

    def __init__(
        self,
        deployment: Deployment,
        folder: Path,
        name: str = "worker",
        variables: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        self._deployment = deployment
        changes = {f"SHOPWARDEN_WORKER__{key.upper()}": str(value) for key, value in settings.items()}
        self._environment = deployment.environment() | changes | dict(variables or {})
        self._process = LocalProcess(name, folder / f"{name}-{time.monotonic_ns()}")
        self.log_text = ""

    def __enter__(self) -> Self:
        self._process.start(COMMAND, self._environment)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            sys.stderr.write(f"\nlog of {self._process.name}:\n{self.log()}\n")
        self._keep_log()
        self._process.end()

    def log(self) -> str:
        """What the worker has written."""
        with contextlib.suppress(OSError):
            self.log_text = self._process.log.read_text(errors="replace")
        return self.log_text

    def entries(self) -> list[dict[str, Any]]:
        """The lines of its log."""
        return [orjson.loads(line) for line in self.log().splitlines()]

    def holds(self) -> set[int]:
        """Shards that it says it was assigned and has not released."""
        held: set[int] = set()
        for entry in self.entries():
            # Whatever the fields are called, the message and the number are what counts.
            text = orjson.dumps(entry).decode()
            if "shard assigned" in text:
                held.add(entry["shard"])
            elif "shard released" in text:
                held.discard(entry["shard"])
        return held

    def until(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE_S, pause: float = 0.02) -> None:
        """Wait for something while the worker runs."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert self._process.running, f"the worker ended before {what}:\n{self.log()}"
            assert time.monotonic() < deadline, f"{what} did not happen within {seconds:.0f} s:\n{self.log()}"
            time.sleep(pause)

    def until_checkpointed(self, ends: Mapping[tuple[str, int], int]) -> None:
        """Wait until checkpoints cover all records before these offsets."""
        try:
            self.until(lambda: self._deployment.positions() == ends, "the checkpoint of everything", 60)
            self.until(self._deployment.settled, "the checkpoint of all messages between shards", 60)
        except AssertionError as error:
            found = self._deployment.positions()
            missing = {place: (found.get(place), end) for place, end in ends.items() if found.get(place) != end}
            raise AssertionError(f"not checkpointed (at, wanted): {missing}") from error

    @property
    def pid(self) -> int:
        """Process id of the worker itself."""
        return self._process.pid

    def stop(self, seconds: float = 30.0, number: int = signal.SIGTERM) -> int | None:
        """Tell it to stop; returns the exit code, ``None`` if it went on for so many seconds."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, number)
        return self.wait(seconds)

    def kill(self) -> None:
        """SIGKILL."""
        os.kill(self._process.pid, signal.SIGKILL)
        self.wait(10)

    def wait(self, seconds: float) -> int | None:
        """The exit code of a worker that ends by itself."""
        code = self._process.wait(seconds)
        self._keep_log()
        return code

    def _keep_log(self) -> None:
        self.log()
