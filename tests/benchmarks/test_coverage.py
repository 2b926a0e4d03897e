"""Intervals hold the truth about as often as they say."""

from benchmarks.coverage import measure


def test_intervals_of_95_percent_hold_the_truth_about_as_often() -> None:
    """In 12 runs at least 9; `make coverage` has the figures of 500."""
    found = measure(12, 7, merchants=800)
    peeking = found.pop("false_stops_by_peeking")["covered"]
    assert min(each["covered"] for each in found.values()) >= 0.75, found
    # Who peeks at the plain interval is fooled far more often than one time in twenty.
    assert peeking > 0
