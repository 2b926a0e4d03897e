"""Atheris looks for bytes that raise, for a bounded time."""

from pathlib import Path

import pytest

from tests.features.example_events import FIELDS
from tests.fuzz.bytes_path import BytesPath
from tests.fuzz.coverage_guided import available, fuzz, seeds, words

SECONDS = 20


def test_the_corpus_is_made_of_valid_events(tmp_path: Path) -> None:
    """Every type is among the seeds and applied from there: the fuzzer begins behind the decoder. Words about decisions
    that nobody made are put aside, but only behind it.
    """
    path = BytesPath(tmp_path)
    about_decisions = 0
    for data in seeds():
        path.feed(data)
        about_decisions += data.count(b'"decision_id"')
        assert path._core.state.statistics.rejected <= about_decisions, data
    assert len(list(seeds())) > len(FIELDS)
    assert path._core.state.statistics.orders > 10
    assert {'"order.created"', '"merchant_id"', '"not_received"'} <= set(words())


@pytest.mark.slow
@pytest.mark.skipif(not available(), reason="Atheris has no wheel for this platform")
def test_no_bytes_raise(tmp_path: Path) -> None:
    """Guided by coverage, and started from valid events, the fuzzer finds nothing in its time."""
    report = fuzz(tmp_path, SECONDS)
    assert report.crashes == [], report.log[-4_000:]
    assert report.inputs > 2_000
    assert report.kept > 100
