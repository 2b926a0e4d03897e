"""The example subscribers of docs/examples as processes, and what they say of what they have seen.

``python -m tests.docs.subscribers`` fetches the packages of the one in Node ahead of a test run.
"""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from streams.local_process import LocalProcess

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
BUILD = Path(__file__).parents[2] / "build"
NODE_NEEDED = 18
PATIENCE_S = 90.0
#: So that the group notices a killed member soon; the embedded broker waits for half of the rebalance timeout at each
#: join.
SHORT_TIMEOUTS = {
    True: ["-X", "session.timeout.ms=3000", "-X", "max.poll.interval.ms=6000", "-X", "heartbeat.interval.ms=500"],
    False: ["--session-timeout-ms", "3000", "--rebalance-timeout-ms", "4000"],
}


class NodeUnavailableError(RuntimeError):
    """Node, npm or the packages are missing; the message says which."""


class Seen(Struct, frozen=True):
    """One event as a subscriber took it."""

    id: str
    party: str
    sequence: int | None
    type: str


def node_subscriber() -> list[str]:
    """The command of the Node example, with its locked packages, which npm fetches the first time."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NodeUnavailableError(f"the example in Node needs Node {NODE_NEEDED} or newer and npm")
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(told.removeprefix("v").partition(".")[0]) < NODE_NEEDED:
        raise NodeUnavailableError(f"the example in Node needs Node {NODE_NEEDED} or newer; {node} is {told}")
    source = EXAMPLES / "node"
    files = sorted(path for path in source.iterdir() if path.suffix in {".mjs", ".json"})
    version = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
    folder = BUILD / f"node-subscriber-{version}"
    if not folder.is_dir():
        BUILD.mkdir(exist_ok=True)
        # Made beside and renamed, so that a broken-off run leaves no half of it and two runs don't mix.
        fresh = Path(tempfile.mkdtemp(prefix="node-subscriber-", dir=BUILD))
        try:
            for path in files:
                shutil.copy(path, fresh)
            options = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
            done = subprocess.run(
                [npm, "ci", *options], cwd=fresh, capture_output=True, text=True, timeout=300, check=False
            )
            if done.returncode:
                raise NodeUnavailableError(
                    f"npm could not fetch the packages:\n{done.stdout[-1000:]}{done.stderr[-1000:]}"
                )
            with contextlib.suppress(OSError):  # another run was first
                fresh.rename(folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return [node, str(folder / "subscriber.mjs")]


def python_subscriber() -> list[str]:
    """The command of the Python example."""
    return [sys.executable, str(EXAMPLES / "python" / "enforcement_subscriber.py")]


class Subscriber:
    """One example, with its state in a folder; it may be started again on the same state."""

    def __init__(self, command: list[str], folder: Path, **options: str) -> None:
        self.in_python = command[0] == sys.executable
        self.state = folder / ("enforcement.sqlite" if self.in_python else "enforcement.jsonl")
        self._folder = folder
        options |= {"state": str(self.state)}
        self._command = [*command, *(word for name, value in options.items() for word in (f"--{name}", value))]
        self._command += SHORT_TIMEOUTS[self.in_python]
        self._process: LocalProcess | None = None
        self._starts = 0

    def start(self) -> None:
        """Start it, or start it again."""
        self.end()
        self._starts += 1
        self._process = LocalProcess("subscriber", self._folder / f"run-{self._starts}")
        self._process.start(self._command, dict(os.environ))

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something while it runs."""
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert self._process.running, f"it ended before {what}:\n{self._process.log_tail()}"
            assert time.monotonic() < deadline, f"{what} did not happen:\n{self._process.log_tail()}"
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def stop(self) -> int | None:
        """Tell it to stop; its exit code."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGTERM)
        return self._process.wait(30)

    def end(self) -> None:
        """Leave nothing behind."""
        if self._process is not None:
            self._process.end("kill")

    def seen(self) -> list[Seen]:
        """The events that it has taken, in their order."""
        if not self.state.exists():
            return []
        if self.in_python:
            with contextlib.closing(sqlite3.connect(self.state, timeout=30)) as database:
                if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'seen'").fetchone():
                    return []
                rows = database.execute("SELECT id, party, sequence, type FROM seen ORDER BY number").fetchall()
                return [Seen(*row) for row in rows]
        lines = [json.loads(line) for line in self.state.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
        return [Seen(*(line[name] for name in Seen.__struct_fields__)) for line in lines if "id" in line]

    def listed(self) -> list[tuple[str, ...]]:
        """What it lists as in force or waiting: party, action, subject, state."""
        done = subprocess.run([*self._command, "--list"], capture_output=True, text=True, timeout=60, check=True)
        return sorted(tuple(line.split("\t")) for line in done.stdout.splitlines())


if __name__ == "__main__":
    sys.stdout.write(" ".join(node_subscriber()) + "\n")
