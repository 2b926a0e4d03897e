import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.policies import PACKAGED
from streams.cli import main
from tests.detectors.policy_folders import RULE


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a folder without settings of anybody's."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")


def run(*arguments: str) -> Result:
    """Run ``shopwarden policies``."""
    return CliRunner().invoke(main, ["policies", *arguments])


def test_the_packaged_policies_pass() -> None:
    """Without a folder the packaged policies are checked, and the outcome is one line."""
    result = run("check")
    assert result.exit_code == 0, result.output
    assert "all well" in result.output
    assert len(result.output.splitlines()) == 1


def test_mistakes_are_listed_with_exit_code_1(tmp_path: Path) -> None:
    """A folder with mistakes fails with each of them on a line, and no traceback."""
    folder = tmp_path / "mine"
    shutil.copytree(PACKAGED, folder)
    mistaken = RULE.replace("when: late_ship_rate_30d", "when: late_ship_rat_30d").replace("elevated", "elevatd")
    (folder / "mine.yaml").write_text(mistaken)
    result = run("check", str(folder))
    assert result.exit_code == 1
    assert "2 problems in the policies:" in result.output
    assert 'did you mean "late_ship_rate_30d"?' in result.output
    assert 'unknown level "elevatd"' in result.output
    assert "Traceback" not in result.output


def test_the_folder_in_the_settings_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SHOPWARDEN_POLICY_DIR is what is checked when no folder is given."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("SHOPWARDEN_POLICY_DIR", str(tmp_path / "empty"))
    result = run("check")
    assert result.exit_code == 1
    assert "holds no *.yaml file" in result.output


def test_a_folder_that_is_not_there_is_a_usage_error() -> None:
    """A wrong path is the user's mistake: exit code 2."""
    assert run("check", "nowhere").exit_code == 2


def test_the_list_shows_every_rule() -> None:
    """The table has a line for each rule, whole when it is piped."""
    result = run("list")
    assert result.exit_code == 0, result.output
    assert "bust-out-suspected" in result.output
    assert "A young or long dormant account sells far more than it ever did" in result.output


def test_the_list_is_there_for_programs() -> None:
    """With --json each rule is an object on a line of its own."""
    result = run("list", "--json")
    rows = [json.loads(line) for line in result.output.splitlines()]
    assert len(rows) >= 16
    assert {"id", "when", "mode", "source", "evidence"} <= set(rows[0])
    assert [row["id"] for row in rows if row["mode"] == "shadow"]


def test_the_difference_of_two_folders(tmp_path: Path) -> None:
    """What a copy means that the original does not, in words and for programs."""
    folder = tmp_path / "mine"
    shutil.copytree(PACKAGED, folder)
    text = (folder / "merchants.yaml").read_text()
    (folder / "merchants.yaml").write_text(text.replace("rate_30d_lower > 0.04", "rate_30d_lower > 0.05", 1))
    result = run("diff", str(PACKAGED), str(folder))
    assert result.exit_code == 0, result.output
    assert ": 1 difference" in result.output
    assert (
        "  rule late-dispatch: when late_ship_rate_30d_lower > 0.04 → late_ship_rate_30d_lower > 0.05" in result.output
    )
    (row,) = map(json.loads, run("diff", str(PACKAGED), str(folder), "--json").output.splitlines())
    assert (row["section"], row["name"], row["key"], row["kind"]) == ("rules", "late-dispatch", "when", "changed")
    assert run("diff", str(PACKAGED)).output == "both mean the same\n"


def test_broken_policies_have_no_difference(tmp_path: Path) -> None:
    """What does not compile is not compared."""
    folder = tmp_path / "mine"
    shutil.copytree(PACKAGED, folder)
    (folder / "levels.yaml").unlink()
    result = run("diff", str(PACKAGED), str(folder))
    assert result.exit_code == 1
    assert 'no file has a section "levels"' in result.output
