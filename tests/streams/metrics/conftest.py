"""One small marketplace for all tests of reports."""

from pathlib import Path

import pytest

from tests.streams.metrics.recorded import record_marketplace


@pytest.fixture(scope="session")
def marketplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of input and output events, with its truth beside it."""
    return record_marketplace(tmp_path_factory.mktemp("marketplace"))
