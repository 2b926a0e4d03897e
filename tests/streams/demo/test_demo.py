"""The command as a user runs it: to its end, interrupted, killed, and with a worker that fails."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli import main

COMMAND = [sys.executable, "-c", "from streams.cli import main; main(prog_name='shopwarden')", "demo"]
pytestmark = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="finds processes in /proc")

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a demo in a folder of its own, with its temporary files there too."""
    started: list[subprocess.Popen[str]] = []
    temporary = tmp_path / "tmp"
    temporary.mkdir()

    def run(*options: str) -> subprocess.Popen[str]:
        demo = subprocess.Popen(
            [*COMMAND, *options],
            cwd=tmp_path,
            env={**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(demo)
        return demo

    yield run
    for demo in started:
        demo.kill()
        demo.wait()


def processes(folder: Path) -> dict[int, str]:
    """Processes that work in a folder below this one, with the name of that folder."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                place = str((entry / "cwd").readlink()).removesuffix(" (deleted)")
            except OSError:
                continue
            if place.startswith(str(folder / "tmp")):
                found[int(entry.name)] = Path(place).name
    return found


def assert_nothing_left(folder: Path) -> None:
    """All processes and temporary files of the demo are gone, at the latest after the guards' five seconds."""
    until = time.monotonic() + 15
    # Python itself tries out a temporary folder with a file of another name, in whose moment a signal may come.
    while left := [*processes(folder).items(), *(folder / "tmp").glob("shopwarden-*")]:
        assert time.monotonic() < until, f"left behind: {left}"
        time.sleep(0.1)


def read_until(demo: "subprocess.Popen[str]", words: str) -> str:
    """Read the demo's output up to the line with these words."""
    assert demo.stdout is not None
    lines = []
    for line in demo.stdout:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError("the demo ended early:\n" + "".join(lines))


def rest(demo: "subprocess.Popen[str]") -> str:
    """Read what the demo has to say until it ends."""
    return demo.communicate(timeout=90)[0]


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_whole_demo(start: Start, tmp_path: Path) -> None:
    """It plays, the worker does all of it and finds attackers, the figures are printed and written, nothing is left."""
    demo = start("--duration", "4", "--rate", "2500", "--seed", "3", "--json", "figures/demo.json")
    output = rest(demo)
    assert demo.returncode == 0, output
    for words in ("Attach a consumer", "Summary", "latency", "precision", "bust out", "figures/demo.json"):
        assert words in output
    figures = json.loads((tmp_path / "figures" / "demo.json").read_text())
    assert figures["events_in"] == pytest.approx(10_000, rel=0.15)
    assert figures["events_per_second"] > 0
    assert figures["outputs"]["shopwarden.risk.assessed.v1"] > 0
    assert figures["outputs"]["shopwarden.enforcement.decided.v1"] > 0
    assert "governance-dead-letters" not in figures["outputs"]
    latency = figures["latency_ms"]
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"]
    assert {"bust_out", "counterfeit", "fake_tracking", "brushing"} <= set(figures["attacks"])
    assert figures["overall"]["recall"] > 0
    assert figures["state_bytes_per_merchant_median"] > 0
    assert_nothing_left(tmp_path)


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_interrupt_sums_up(start: Start, tmp_path: Path) -> None:
    """Ctrl-C ends the demo early with a summary of what was played, and exit code 0."""
    demo = start("--duration", "60", "--rate", "500")
    read_until(demo, "attackers found")
    assert set(processes(tmp_path).values()) == {"broker", "store", "worker"}
    demo.send_signal(signal.SIGINT)
    output = rest(demo)
    assert demo.returncode == 0, output
    assert "Summary" in output
    figures = json.loads((tmp_path / "build" / "demo.json").read_text())
    assert 1_000 < figures["events_in"] < 20_000
    assert_nothing_left(tmp_path)


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("delay", [0.1, 1.0])
def test_killed_during_start_up(start: Start, tmp_path: Path, number: signal.Signals, delay: float) -> None:
    """A demo that is killed while its services or its worker start leaves no process and no file behind."""
    demo = start("--duration", "60")
    read_until(demo, "Starting")
    time.sleep(delay)
    demo.send_signal(number)
    rest(demo)
    assert demo.returncode != 0
    assert_nothing_left(tmp_path)


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_worker_that_dies_fails_the_demo(start: Start, tmp_path: Path) -> None:
    """A worker that ends by itself ends the demo with exit code 1, what happened, and the worker's last words."""
    demo = start("--duration", "60", "--rate", "500")
    read_until(demo, "redis-cli")
    (worker,) = (pid for pid, name in processes(tmp_path).items() if name == "worker")
    os.kill(worker, signal.SIGKILL)
    output = rest(demo)
    assert demo.returncode == 1
    assert "Error: the worker ended by itself with exit code 137. Its last words:" in output
    assert "worker started" in output
    assert "Traceback" not in output
    assert not (tmp_path / "build" / "demo.json").exists()
    assert_nothing_left(tmp_path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--duration", "1", "--rate", "10"], "1 s at 10 events/s are 10 events"),
        (["--rate", "fast"], "Invalid value for '--rate'"),
        (["--policies", "nowhere"], "Directory 'nowhere' does not exist"),
    ],
)
def test_mistakes_are_told_before_anything_starts(options: list[str], words: str) -> None:
    """What can't work is refused with exit code 2 and the reason."""
    result = CliRunner().invoke(main, ["demo", *options])
    assert result.exit_code == 2
    assert words in result.output


def test_policies_with_mistakes(tmp_path: Path) -> None:
    """Policies that no worker could use are refused with file and line, before anything starts."""
    (tmp_path / "mine.yaml").write_text("rules:\n  - id: my-rule\n    whne: orders_30d > 3\n")
    result = CliRunner().invoke(main, ["demo", "--policies", str(tmp_path)])
    assert result.exit_code == 2
    assert "mine.yaml:3" in result.output
    assert 'did you mean "when"?' in result.output
