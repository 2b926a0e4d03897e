"""promtool, which comes with Prometheus, as a judge of metrics and rules."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def promtool(*arguments: str | Path, given: bytes | None = None) -> str:
    """Run promtool; it must find no fault. Returns what it says.

    Where it is not installed the test is skipped, but fails where SHOPWARDEN_REQUIRE_PROMTOOL=1 says that it must run.
    """
    command = shutil.which("promtool")
    if command is None:
        if os.environ.get("SHOPWARDEN_REQUIRE_PROMTOOL"):
            pytest.fail("SHOPWARDEN_REQUIRE_PROMTOOL is set, but promtool is not on PATH (package prometheus)")
        pytest.skip("promtool is not installed (package prometheus)")
    done = subprocess.run([command, *map(str, arguments)], input=given, capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, said
    return said
