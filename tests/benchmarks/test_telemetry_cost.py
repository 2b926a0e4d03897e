"""What telemetry costs a worker."""

from benchmarks.records import make_records
from benchmarks.telemetry_cost import measure_in_memory


def test_counting_costs_next_to_nothing() -> None:
    """Below the 3 % of applying that it may cost; ten times less is what it takes."""
    measured = measure_in_memory(make_records(5_000, 7), flush_records=500)
    figures = measured.figures()
    assert measured.events == 5_000
    assert 0 < measured.counting < 0.03 * measured.apply
    assert figures["scrape_bytes"] > 10_000
    assert figures["scrape_percent_at_15_s"] < 3
