"""Intervals hold the truth about as often as they say."""

import pytest

from benchmarks.coverage import measure


@pytest.mark.timeout(300)  # seconds of computing, minutes on a machine with much else to do
def test_intervals_of_95_percent_hold_the_truth_about_as_often() -> None:
    """In 8 runs at least 5; `make coverage` has the figures of 500."""
    found = measure(8, 7, merchants=300, markets=30)
    peeking = found.pop("false_stops_by_peeking")["covered"]
    assert min(each["covered"] for each in found.values()) >= 0.6, found
    # Who peeks at the plain interval is fooled far more often than one time in twenty.
    assert peeking > 0
