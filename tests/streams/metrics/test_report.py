"""``shopwarden report``: the same events give the same report, whoever asks in which way."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.archive import read_archive, write_archive
from streams.cli import main
from streams.comparison.reading import OUTPUTS
from tests.dsa_v2 import faults

PERIOD = ("--from", "2025-10-25", "--to", "2025-11-25")


def run(*arguments: object) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


@pytest.fixture(scope="module")
def report(marketplace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report whose reviewers know the truth."""
    out = tmp_path_factory.mktemp("report") / "r"
    truth = marketplace.with_name("run.truth.json")
    result = run(marketplace, *PERIOD, "--mode", "all", "--truth", truth, "--out", out)
    assert result.exit_code == 0, result.output
    assert "Bad-order rate" in result.output and "written:" in result.output
    return out


def test_judging_now_says_the_same_as_what_was_recorded(report: Path, marketplace: Path, tmp_path: Path) -> None:
    """The inputs alone, judged by the same policies, give the same scorecard; and so do two files, one of each."""
    truth = marketplace.with_name("run.truth.json")
    wanted = json.loads((report / "scorecard.json").read_text())
    judged = tmp_path / "judged"
    inputs = marketplace.with_name("inputs.jsonl")
    assert run(inputs, *PERIOD, "--judge", "--truth", truth, "--out", judged).exit_code == 0
    found = json.loads((judged / "scorecard.json").read_text())
    assert {each["name"]: each for each in found["estimates"]} == {each["name"]: each for each in wanted["estimates"]}
    outputs = tmp_path / "outputs.jsonl"
    with write_archive(outputs) as archive:
        for record in read_archive(marketplace):
            if record.topic == OUTPUTS:
                archive.write(record)
    both = tmp_path / "both"
    assert run(outputs, inputs, *PERIOD, "--mode", "all", "--truth", truth, "--out", both).exit_code == 0
    assert (both / "scorecard.json").read_bytes() == (report / "scorecard.json").read_bytes()
    assert (both / "scorecard.html").read_bytes() == (report / "scorecard.html").read_bytes()


def test_the_scorecard_holds_every_group(report: Path) -> None:
    """Prevalence, precision, times and the others, each with its interval and whether it is mature."""
    card = json.loads((report / "scorecard.json").read_text())
    named = {each["name"] for each in card["estimates"]}
    assert named >= {"bad_order_rate", "listing_violation_rate", "violating_view_rate", "precision", "time_to_review",
                     "recidivism", "precision_at_k", "slice_restriction_rate", "score_shift"}  # fmt: skip
    rate = next(each for each in card["estimates"] if each["name"] == "bad_order_rate" and not each["slice"])
    assert rate["low"] < rate["value"] < rate["high"] and rate["mature"]
    precision = next(each for each in card["estimates"] if each["name"] == "precision" and not each["slice"])
    assert precision["denominator"] > 10 and precision["value"] > 0.6


def test_the_page_needs_nothing_else_and_can_be_read_without_eyes(report: Path) -> None:
    """No address, headings and landmarks, every plot with words, and what looks like mark-up is text."""
    page = (report / "scorecard.html").read_text()
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert "default-src 'none'" in page and page.count("<main>") == 1 and page.count("<h1>") == 1
    assert all('aria-label="' in drawing for drawing in re.findall(r"<svg[^>]*>", page))
    assert "@media print" in page and "prefers-color-scheme: dark" in page


def test_statements_come_in_batches_that_the_database_takes(report: Path) -> None:
    """At most 100 each, every one by the database's rules, no id twice, and as many as are counted."""
    files = sorted((report / "statements").iterdir())
    batches = [json.loads(file.read_text())["statements"] for file in files]
    assert all(0 < len(batch) <= 100 for batch in batches)
    every = [each for batch in batches for each in batch]
    assert len({each["puid"] for each in every}) == len(every) > 20
    assert [fault for each in every for fault in faults(each)] == []
    counted = json.loads((report / "scorecard.json").read_text())["transparency"]
    assert counted["restrictions"] == len(every)
    assert sum(counted["by_automation"].values()) == len(every)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--from", "2025-11-02", "--to", "2025-11-01"], 2, "--from must be before --to"),
        (["--from", "2031-01-01", "--to", "2031-02-01"], 1, "none are in that period"),
        (["--judge", "--from", "2001-01-01", "--to", "2001-02-01", "more"], 2, "does not exist"),
    ],
)
def test_mistakes_are_told(marketplace: Path, arguments: list[str], code: int, words: str) -> None:
    """In words, without a traceback."""
    result = run(marketplace, "--mode", "all", *arguments)
    assert (result.exit_code, "Traceback" in result.output) == (code, False)
    assert words in result.output


def test_without_outputs_there_is_nothing_to_report(marketplace: Path) -> None:
    """And it is said how to get some."""
    result = run(marketplace.with_name("inputs.jsonl"))
    assert result.exit_code == 1
    assert "--judge" in result.output


def test_a_folder_in_use_is_not_overwritten(report: Path, marketplace: Path, tmp_path: Path) -> None:
    """Unless that is said; a file is no folder."""
    (tmp_path / "file").write_text("")
    for out, words in ((report, "not empty"), (tmp_path / "file", "is a file")):
        result = run(marketplace, "--mode", "all", *PERIOD, "--out", out)
        assert result.exit_code == 1
        assert words in result.output


@pytest.mark.slow
def test_a_browser_opens_it_from_disk(report: Path, chromium: str, tmp_path: Path) -> None:
    """Every plot is there, and the console has nothing to complain of."""
    result = subprocess.run(
        [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
            f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000", "--dump-dom",
            f"file://{report / 'scorecard.html'}",
        ],
        capture_output=True, text=True, timeout=110, check=True,
    )  # fmt: skip
    assert result.stdout.count("<figure>") >= 4
    assert "Governance scorecard" in result.stdout
    assert "CONSOLE" not in result.stderr, result.stderr
