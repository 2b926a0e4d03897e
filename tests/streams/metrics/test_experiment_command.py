"""``shopwarden experiment``: from a file to arms and a reading."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.cli import main

FILE = """\
id: stricter-dispatch
title: Stricter limits for late dispatch
starts: 2025-10-20
ends: 2025-11-20
control: usual
arms:
  - {name: strict, share: 0.5}
  - {name: usual, share: 0.5}
guardrails:
  - {metric: gmv_per_merchant, worse_by: 0.5, relative: true}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An experiment within the marketplace's time."""
    path = tmp_path / "experiment.yaml"
    path.write_text(FILE)
    return path


def run(*arguments: object) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["experiment", *map(str, arguments)])


def test_it_is_defined_assigned_and_read(file: Path, marketplace: Path, tmp_path: Path) -> None:
    """Every merchant has one arm, the same in every call, and the reading counts them."""
    defined = run("define", file, marketplace)
    assert defined.exit_code == 0, defined.output
    assert "strict: 50.0 % of the merchants" in defined.output
    assigned = run("assign", file, marketplace)
    rows = dict(line.split(",")[::2] for line in assigned.output.splitlines() if line.count(",") == 2)
    assert rows.pop("merchant_id") == "arm"
    assert set(rows.values()) == {"strict", "usual"}
    one = next(iter(rows))
    alone = run("assign", file, "--merchant", one, "--json")
    assert json.loads(alone.output) == {"merchant_id": one, "unit": one, "arm": rows[one]}
    result = tmp_path / "reading.json"
    read = run("read", file, marketplace, "--json", result)
    assert read.exit_code == 0, read.output
    found = json.loads(result.read_text())
    assert sum(arm["units"] for arm in found["arms"]) <= len(rows)
    assert found["ended"] and found["primary"][0]["relied_on"] == "planned end"
    assert "bad_order_rate" in read.output and "guardrail" in read.output


def test_mistakes_are_told(file: Path, marketplace: Path) -> None:
    """A wrong file exits with 2 and names the line; events that end before the start exit with 1."""
    file.write_text(FILE.replace("control: usual", "control: nobody"))
    wrong = run("define", file)
    assert wrong.exit_code == 2
    assert "experiment.yaml:5" in wrong.output
    file.write_text(FILE.replace("2025", "2031"))
    early = run("read", file, marketplace)
    assert early.exit_code == 1
    assert "before the experiment starts" in early.output
