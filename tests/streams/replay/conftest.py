"""A small marketplace with everything that can be wrong with records, and the settings to replay it by."""

from pathlib import Path

import pytest

from config.settings import Settings
from streams.archive import write_archive
from tests.streams.mixed_input import MixedInput, mixed_input


@pytest.fixture(scope="session")
def history() -> MixedInput:
    """Two months of a marketplace, with records that are repeated or of no use."""
    return mixed_input()


@pytest.fixture(scope="session")
def archive(history: MixedInput, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The history as a file."""
    path = tmp_path_factory.mktemp("history") / "history.jsonl.zst"
    with write_archive(path) as writer:
        for record in history.records:
            writer.write(record)
    return path


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Of a deployment that publishes much from little."""
    return Settings(
        worker={"publish_level": "guarded", "audit_rate": 0.05},  # type: ignore[arg-type]
        pseudonym_key="only-for-tests-and-nothing-else",  # type: ignore[arg-type]
    )
