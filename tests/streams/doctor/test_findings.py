"""Running checks: all are reported, none can hang or break the doctor."""

import threading
import time
from collections.abc import Iterator

from streams.doctor.findings import Finding, run_checks

FINE = Finding("ok", "a", "fine")


def test_findings_come_in_the_order_of_the_checks() -> None:
    """A slow check does not change the order of the report."""

    def slow() -> Iterator[Finding]:
        time.sleep(0.05)
        yield FINE

    found = run_checks([("slow", slow), ("quick", lambda: [Finding("ok", "b", "x"), Finding("ok", "b", "y")])], 5)
    assert [finding.text for finding in found] == ["fine", "x", "y"]


def test_checks_run_at_the_same_time() -> None:
    """Three checks that wait for each other end, which they would not one after the other."""
    together = threading.Barrier(3)

    def check() -> Iterator[Finding]:
        together.wait(5)
        yield FINE

    assert run_checks([("x", check)] * 3, 5) == [FINE] * 3


def test_a_check_that_hangs_is_left_behind() -> None:
    """What it had found is kept, and a line says that it did not end."""
    release = threading.Event()

    def hanging() -> Iterator[Finding]:
        yield FINE
        release.wait(30)

    started = time.monotonic()
    found = run_checks([("network", hanging), ("b", lambda: [FINE])], 0.2)
    assert time.monotonic() - started < 2
    assert [(f.status, f.area) for f in found] == [("ok", "a"), ("problem", "network"), ("ok", "a")]
    assert "did not end within 0.2 s" in found[1].text
    release.set()


def test_a_check_that_fails_is_a_problem() -> None:
    """An error nobody thought of is shown as such and hides nothing else."""

    def broken() -> Iterator[Finding]:
        yield FINE
        raise RuntimeError("odd")

    found = run_checks([("x", broken), ("b", lambda: [FINE])], 5)
    assert [f.status for f in found] == ["ok", "problem", "ok"]
    assert "RuntimeError('odd')" in found[1].text
