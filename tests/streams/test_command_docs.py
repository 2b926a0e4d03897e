"""The reference of commands: complete, and the same as what stands in the documentation."""

from pathlib import Path

from streams.cli import COMMANDS
from streams.command_docs import command_docs

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def test_the_reference_is_up_to_date() -> None:
    """docs/cli.md is what the commands say of themselves."""
    assert command_docs() == PAGE.read_text(encoding="utf-8"), "python -m streams.command_docs > docs/cli.md"


def test_every_command_has_its_section() -> None:
    """Each command and subcommand has a heading, and every option has words."""
    page = command_docs()
    for name in COMMANDS:
        assert f"\n## shopwarden {name}\n" in page
    assert "\n### shopwarden policies publish\n" in page
    options = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(options) > 100
    for line in options:
        assert not line.endswith("|  |"), line
