"""Starts the competitors and takes their results."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.competitor import Job

ROOT = Path(__file__).parents[1]
#: The interpreter of benchmarks/requirements.lock (`make setup-bench`).
QUIX_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
#: What a competitor may need to start, join its group, and report.
_STARTING_S = 60.0
_LOG_LINES = 12


class CompetitorError(RuntimeError):
    """A competitor failed; the message holds the end of its log."""


@dataclass(frozen=True)
class Result:
    """Records that a competitor was done with, the seconds that it took, and those of its processor time."""

    records: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.seconds


def compete(name: str, job: Job, python: Path = Path(sys.executable)) -> Result:
    """Run the competitor in the module of that name to its end.

    Raises
    ------
    CompetitorError
        It ended without a result, or did not end.
    """
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [str(python), "-m", f"benchmarks.{name}", job.encode()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=ROOT,
        )
        try:
            output, _ = process.communicate(timeout=job.seconds + _STARTING_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            output = b""
        lines = [line for line in output.splitlines() if line.startswith(b"{")]
        if process.returncode or not lines:
            log.seek(0)
            raise CompetitorError(f"{name} gave no result: {_tail(log.read())}")
    result = json.loads(lines[-1])
    return Result(result["records"], result["seconds"], result["cpu_seconds"])


class WorkerProcess:
    """``shopwarden worker`` as a process; see :func:`worker`."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process = process
        self._log = log
        self.pid = process.pid

    def check(self) -> None:
        """Raise CompetitorError if the worker has ended."""
        if self._process.poll() is not None:
            raise CompetitorError(f"the worker ended by itself: {_tail(self._log.read_bytes())}")

    def waiting(self, deadline_s: float, what: str) -> Iterator[None]:
        """Iterate until the caller breaks off; raises CompetitorError when the worker has ended or time is up."""
        until = time.monotonic() + deadline_s
        while time.monotonic() < until:
            self.check()
            yield
        raise CompetitorError(f"the worker did not {what} within {deadline_s:.0f} s: {_tail(self._log.read_bytes())}")


@contextmanager
def worker(variables: Mapping[str, str]) -> Iterator[WorkerProcess]:
    """A worker with these environment variables for as long as the block lasts; it must end cleanly."""
    command = Path(sys.executable).with_name("shopwarden")
    with tempfile.TemporaryDirectory(prefix="shopwarden-bench-") as folder:
        log = Path(folder) / "worker.log"
        with log.open("wb") as stream:
            # In a folder of its own it finds no settings file of ours.
            process = subprocess.Popen(
                [str(command), "worker"],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                cwd=folder,
                env=dict(variables),
            )
        running = WorkerProcess(process, log)
        try:
            yield running
            running.check()
        finally:
            code = _stop(process)
        if code:
            raise CompetitorError(f"the worker ended with exit code {code}: {_tail(log.read_bytes())}")


def _stop(process: "subprocess.Popen[bytes]") -> int:
    process.terminate()
    try:
        return process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _tail(log: bytes) -> str:
    lines = log.decode(errors="replace").splitlines()[-_LOG_LINES:]
    return "\n".join(["the end of its log is", *(f"    {line}" for line in lines)]) if lines else "it logged nothing"
