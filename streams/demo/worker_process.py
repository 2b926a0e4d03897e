"""The worker as a process of its own, as in production: started, looked after, and told to stop by SIGTERM."""

import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from streams.local_process import LocalProcess

#: The console script would do, but may not be on PATH.
_COMMAND: Final = [sys.executable, "-c", "from streams.cli import main; main(prog_name='shopwarden')", "worker"]
#: Above the worker's own deadline for stopping, after which it leaves by itself.
STOP_SECONDS: Final = 30.0
_TAIL_LINES: Final = 25


class WorkerProcess:
    """A worker for as long as a ``with`` block lasts; it never outlives this process (see streams/guard.py)."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._process = LocalProcess("worker", folder / "worker")
        # What it leaves there goes with the folder.
        self._environment = {**environment, "TMPDIR": str(self._process.folder)}

    def __enter__(self) -> Self:
        self._process.start(_COMMAND, self._environment)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.end()

    @property
    def running(self) -> bool:
        """Whether the worker works, or is still starting or stopping."""
        return self._process.running

    def stop(self) -> int | None:
        """Tell the worker to stop and wait until it has; returns its exit code, None if it does not stop in time."""
        if self._process.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGTERM)
        return self._process.wait(STOP_SECONDS)

    def log_tail(self) -> str:
        """The last lines that the worker wrote, indented; a sentence if there are none."""
        try:
            lines = self._process.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        except OSError:
            lines = []
        return "\n".join(f"    {line}" for line in lines) or "    (it wrote nothing)"
