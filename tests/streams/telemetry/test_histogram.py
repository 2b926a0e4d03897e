"""Histograms."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client import Histogram as Reference

from streams.telemetry.histogram import Histogram

BOUNDS = (0.01, 0.1, 1.0, 10.0)


@given(st.lists(st.floats(0, 20) | st.sampled_from(BOUNDS)))
def test_it_counts_as_the_client_library_does(values: list[float]) -> None:
    """The ranges, the count and the sum are those of prometheus_client's own histogram, bounds included."""
    ours = Histogram(BOUNDS)
    reference = Reference("x", "x", registry=CollectorRegistry(), buckets=BOUNDS)
    for value in values:
        ours.observe(value)
        reference.observe(value)
    samples = {
        (each.name, each.labels.get("le", "")): each.value for family in reference.collect() for each in family.samples
    }
    assert ours.cumulative() == [(le, samples["x_bucket", le]) for le in ("0.01", "0.1", "1.0", "10.0", "+Inf")]
    assert ours.count == samples["x_count", ""]
    assert ours.total == samples["x_sum", ""]
