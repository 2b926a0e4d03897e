"""A local service as a child process that never outlives this one (see streams/guard.py)."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

GUARD = Path(__file__).with_name("guard.py")
LOG_TAIL_LINES = 8
#: The guard gives a service five seconds to end by itself.
STOP_SECONDS = 10.0
#: Variables by which Tansu would take other options than ours from the caller's environment.
TANSU_VARIABLES = (
    "ADVERTISED_LISTENER_URL",
    "CLUSTER_ID",
    "LISTENER_URL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "SCHEMA_REGISTRY",
    "STORAGE_ENGINE",
)


class EmbeddedServicesError(RuntimeError):
    """A service could not be started; the message says which, why, and what to do."""


class LocalProcess:
    """One service under its guard. ``pid`` is the service's own process id, for tests that pause or kill it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.log = folder / f"{name}.log"
        self.pid = 0
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self, command: list[str], environment: Mapping[str, str] | None = None) -> None:
        """Start ``command`` in this service's folder. It may not answer yet when this returns.

        ``environment`` is used instead of this process's.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if environment is None:
            environment = {name: value for name, value in os.environ.items() if name not in TANSU_VARIABLES}
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(GUARD), str(self.folder), str(self.log), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        assert self._guard.stdout is not None and self._guard.stderr is not None  # noqa: S101 - for the type checker
        word = self._guard.stdout.readline()
        if not word:
            reason = self._guard.stderr.read().decode(errors="replace").strip().rpartition("\n")[2]
            self.end("stop")
            raise EmbeddedServicesError(f"{self.name} could not be started: {reason or 'its guard ended at once'}")
        self.pid = int(word)

    @property
    def running(self) -> bool:
        """True while the service's process exists."""
        return self._guard is not None and self._guard.poll() is None

    def wait(self, seconds: float) -> int | None:
        """Exit code of a service that ends by itself within so many seconds; None if it goes on."""
        if self._guard is None:
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._guard.wait(seconds)
        return None

    def end(self, word: str = "") -> None:
        """End the service and wait for it. ``stop`` and ``kill`` (by SIGKILL) keep its folder; no word removes it."""
        guard, self._guard = self._guard, None
        if guard is None:
            return
        assert guard.stdin is not None  # noqa: S101 - for the type checker
        with contextlib.suppress(BrokenPipeError):
            guard.stdin.write(word.encode())
            guard.stdin.flush()
        if word:
            self._wait(guard)
        with contextlib.suppress(BrokenPipeError):
            guard.stdin.close()
        self._wait(guard)
        for stream in (guard.stdout, guard.stderr):
            if stream is not None:
                stream.close()

    def _wait(self, guard: subprocess.Popen[bytes]) -> None:
        try:
            guard.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:  # the guard itself hangs; on Linux its service dies with it
            guard.kill()
            guard.wait()

    def log_tail(self) -> str:
        """The last lines the service wrote, indented, for error messages."""
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").splitlines()
            return "\n".join(f"    {line}" for line in lines[-LOG_TAIL_LINES:])
        return ""
