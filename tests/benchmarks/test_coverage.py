"""Intervals hold the truth about as often as they say."""

from benchmarks.coverage import measure


def test_intervals_of_95_percent_hold_the_truth_about_as_often() -> None:
    """In 100 runs between 88 and 100 % (four standard errors); with every look counted, the sequence does as well."""
    found = measure(100, 7)
    for name in ("prevalence_by_listings", "prevalence_by_views", "precision", "recall", "experiment_effect"):
        assert 0.88 <= found[name]["covered"] <= 1, name
    assert found["experiment_at_all_times"]["covered"] >= 0.9
    # Who peeks at the plain interval is fooled far more often than one time in twenty.
    assert found["false_stops_by_peeking"]["covered"] > 0.12
