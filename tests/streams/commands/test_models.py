"""`shopwarden models`: cards for people, and words on what was wrong."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from detectors.model_cards import model_cards, render_page
from streams.cli import main


def test_cards_prints_the_page() -> None:
    """Without options it is docs/models.md."""
    result = CliRunner().invoke(main, ["models", "cards"])
    assert result.exit_code == 0
    assert result.output == render_page()


def test_cards_writes_a_file_per_model_with_figures(tmp_path: Path) -> None:
    """Into a folder that it makes."""
    report = tmp_path / "evaluation.json"
    report.write_text('{"anomaly": {"shuttle": {"auc_mean": 0.5}}}')
    out = tmp_path / "new" / "cards"
    result = CliRunner().invoke(main, ["models", "cards", "--out", str(out), "--figures", str(report)])
    assert result.exit_code == 0, result.output
    assert {file.name for file in out.iterdir()} == {f"{card.name}.md" for card in model_cards()}
    text = (out / "behaviour-anomaly.md").read_text()
    assert text.startswith("# behaviour-anomaly\n")
    assert "| 0.500 |" in text


@pytest.mark.parametrize(("content", "words"), [(None, "make evaluate"), ("{", "no JSON"), ("[]", "no JSON object")])
def test_a_report_that_is_none_is_told(tmp_path: Path, content: str | None, words: str) -> None:
    """Exit code 2, with what to do, and no traceback."""
    report = tmp_path / "evaluation.json"
    if content is not None:
        report.write_text(content)
    result = CliRunner().invoke(main, ["models", "cards", "--figures", str(report)])
    assert result.exit_code == 2
    assert words in result.output


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """Exit code 1: the command was right, the file system was not."""
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(main, ["models", "cards", "--out", str(tmp_path / "file" / "cards")])
    assert result.exit_code == 1
    assert "can't be written" in result.output
