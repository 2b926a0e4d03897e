"""docs/settings.md is what the settings are."""

from pathlib import Path

from config.settings import Settings
from config.settings_docs import render
from config.sources import known_keys


def test_page_is_up_to_date() -> None:
    """The page in the repository is the generated one (`python -m config.settings_docs > docs/settings.md`)."""
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert page.read_text(encoding="utf-8") == render()


def test_every_setting_is_described() -> None:
    """No row of the page lacks a meaning."""
    for key, section in known_keys(Settings).items():
        assert section is not None or f"| `{key}` |" in render(), key
    assert not [line for line in render().splitlines() if line.endswith("|  |")]
