from click.testing import CliRunner

from features.docs import render
from streams.cli import main


def test_docs_prints_the_page() -> None:
    """`shopwarden features docs` prints exactly what docs/features.md is."""
    result = CliRunner().invoke(main, ["features", "docs"])
    assert result.exit_code == 0
    assert result.output == render()


def test_help_says_what_there_is() -> None:
    """The command is listed and explains itself."""
    assert "features" in CliRunner().invoke(main, ["--help"]).output
    assert "docs" in CliRunner().invoke(main, ["features", "--help"]).output
