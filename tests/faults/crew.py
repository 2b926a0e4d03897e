"""The workers of a run, and a supervisor that starts again what has ended, as systemd or Kubernetes would."""

import contextlib
import itertools
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import orjson

from streams.local_process import LocalProcess
from tests.worker_process import COMMAND

RESTART_AFTER_S = 0.5
#: Longer than the worker's own deadline for stopping.
_STOP_S = 40.0
_LOOK_S = 0.05


class Member:
    """One worker process; its log stays."""

    def __init__(self, name: str, folder: Path, environment: dict[str, str]) -> None:
        self._process = LocalProcess(name, folder / f"{name}-{time.monotonic_ns()}")
        self._process.start(COMMAND, environment)
        self._read = 0
        self._held: set[int] = set()
        self.pid = self._process.pid

    @property
    def running(self) -> bool:
        """True while the process exists."""
        return self._process.running

    def holds(self) -> frozenset[int]:
        """Shards that its log says it has."""
        with contextlib.suppress(OSError), self._process.log.open("rb") as log:
            log.seek(self._read)
            for line in log:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                if b'"shard assigned"' in line:
                    self._held.add(orjson.loads(line)["shard"])
                elif b'"shard released"' in line:
                    self._held.discard(orjson.loads(line)["shard"])
        return frozenset(self._held)

    def signal(self, number: int) -> None:
        """Send it a signal, if it is there."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self, seconds: float) -> int | None:
        """Its exit code, ``None`` if it goes on for so long."""
        return self._process.wait(seconds)

    def log_tail(self, characters: int = 3000) -> str:
        """The end of what it has written."""
        return self._process.log.read_text(errors="replace")[-characters:]

    def end(self) -> None:
        """End it if it still runs, keep its log."""
        self.signal(signal.SIGCONT)
        self._process.end("kill")


class Crew:
    """So many workers, for as long as a ``with`` block lasts."""

    def __init__(self, environment: dict[str, str], folder: Path, size: int, partitions: int) -> None:
        #: Of the workers that are started from now on.
        self.environment = environment
        self._folder = folder
        self._size = size
        self._shards = frozenset(range(partitions))
        self._names = (f"worker-{number}" for number in itertools.count())
        self._lock = threading.Lock()
        self._members: dict[str, Member] = {}
        self._ended_at: dict[str, float] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        #: How workers ended, by exit code (137 is SIGKILL's).
        self.exits: Counter[int] = Counter()

    def __enter__(self) -> "Crew":
        for _ in range(self._size):
            self.add()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        for member in self._members.values():
            member.end()

    def add(self) -> str:
        """Start one more worker."""
        name = next(self._names)
        with self._lock:
            self._members[name] = Member(name, self._folder, self.environment)
        return name

    def dismiss(self, names: list[str]) -> None:
        """Tell workers to stop (SIGTERM), all at once, and wait for them; they are not started again."""
        with self._lock:
            leaving = [self._members.pop(name) for name in names]
        for member in leaving:
            member.signal(signal.SIGTERM)
        for member in leaving:
            self._note(member.wait(_STOP_S))
            member.end()

    def stop(self) -> None:
        """Tell all to stop, and supervise no more."""
        self._stopping.set()
        self._thread.join()
        self.dismiss(list(self._members))

    @property
    def names(self) -> list[str]:
        """Everyone, ended or not."""
        return list(self._members)

    def member(self, name: str) -> Member:
        """The process that is now the worker of that name."""
        with self._lock:
            return self._members[name]

    def holding(self) -> dict[str, frozenset[int]]:
        """The shards of every worker that runs."""
        with self._lock:
            members = dict(self._members)
        return {name: member.holds() for name, member in members.items() if member.running}

    def settled(self) -> bool:
        """Whether everyone has shards, and all are held."""
        held = self.holding()
        return len(held) == len(self._members) and all(held.values()) and self._shards == _union(held.values())

    def log_tails(self, characters: int = 3000) -> str:
        """The ends of the latest logs, for who must find out."""
        paths = sorted(self._folder.glob("*/*.log"), key=lambda path: path.stat().st_mtime)
        tails = {path.parent.name: path.read_text(errors="replace")[-characters:] for path in paths[-4:]}
        return "\n".join(f"--- {name}\n{tail}" for name, tail in tails.items())

    def complaints(self) -> Counter[str]:
        """Warnings and errors of all logs, shortened, with how often they came."""
        found: Counter[str] = Counter()
        for path in self._folder.glob("*/*.log"):
            for line in path.read_bytes().splitlines():
                try:
                    entry = orjson.loads(line)
                except orjson.JSONDecodeError:
                    found[line.decode(errors="replace")[:120]] += 1
                    continue
                if str(entry.get("level")).upper() in ("WARNING", "ERROR", "CRITICAL"):
                    found[f"{entry.get('logger')}: {entry.get('message')}"[:120]] += 1
        return found

    def _supervise(self) -> None:
        while not self._stopping.wait(_LOOK_S):
            now = time.monotonic()
            with self._lock:
                for name, member in self._members.items():
                    if member.running:
                        continue
                    if name not in self._ended_at:
                        self._ended_at[name] = now
                        self._note(member.wait(1))
                    elif now - self._ended_at[name] >= RESTART_AFTER_S:
                        del self._ended_at[name]
                        member.end()
                        self._members[name] = Member(name, self._folder, self.environment)

    def _note(self, code: int | None) -> None:
        self.exits[-1 if code is None else code] += 1


def _union(sets: Iterable[frozenset[int]]) -> frozenset[int]:
    return frozenset(itertools.chain.from_iterable(sets))
