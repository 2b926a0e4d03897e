"""Results become rows of a file, and of the table in the documentation."""

from pathlib import Path

import orjson
import pytest

from tests.faults import report
from tests.faults.campaign import Campaign
from tests.faults.verdict import Verdict


def campaign(fault: str, broker: str = "kafka", **verdict: int) -> Campaign:
    """Two tries of a fault."""
    figures = Verdict(records=1000, outputs=50)
    for name, value in verdict.items():
        setattr(figures, name, value)
    return Campaign(fault, "what it is", broker, 2, [1.0, 3.0], figures)


def test_a_row_has_the_figures_of_its_campaign() -> None:
    """All that the file promises, recovery times included."""
    row = report.row(campaign("kill9", lost=1, repeated_outputs=7))
    assert row.items() >= {
        "fault": "kill9", "broker": "kafka", "tries": 2, "lost": 1, "doubled": 0, "missing_outputs": 0,
        "extra_outputs": 0, "repeated_outputs": 7, "recovery_s_p50": 2.0, "recovery_s_max": 3.0,
    }.items()  # fmt: skip


def test_results_of_other_faults_stay(tmp_path: Path) -> None:
    """A result replaces the one of the same fault on the same broker; the order is the catalogue's."""
    file = tmp_path / "build" / "faults.json"
    for each in (campaign("zombie"), campaign("kill9"), campaign("kill9", "embedded"), campaign("zombie", lost=3)):
        report.write(each, file)
    rows = orjson.loads(file.read_bytes())
    assert [(row["fault"], row["broker"], row["lost"]) for row in rows] == [
        ("kill9", "embedded", 0),
        ("kill9", "kafka", 0),
        ("zombie", "kafka", 3),
    ]


def test_the_table_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    """What stands around the marks stays; without marks nothing is written."""
    document = tmp_path / "reliability.md"
    document.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write_document([report.row(campaign("kill9", repeated_outputs=1234))], document)
    text = document.read_text()
    assert text.startswith(f"before\n{report.BEGIN}\n| fault | broker |")
    assert text.endswith(f"\n{report.END}\nafter\n")
    assert "| one of two workers killed with SIGKILL | kafka | 2 | 0 |" in text
    assert "| 1,234 | 2.0 s | 3.0 s |" in text
    assert "old" not in text
    document.write_text("no marks")
    with pytest.raises(ValueError, match="lacks the marks"):
        report.write_document([], document)
    assert document.read_text() == "no marks"


def test_a_campaign_that_got_stuck_has_not_survived() -> None:
    """However good its figures are."""
    assert campaign("kill9").survived
    stuck = campaign("kill9")
    stuck.failure = "shards [1] made no progress"
    assert not stuck.survived
    assert not campaign("kill9", doubled=1).survived
