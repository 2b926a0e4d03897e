"""Shorthands for Prometheus metric families, as collectors give them."""

from collections.abc import Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from streams.telemetry.histogram import Histogram


def gauge(
    name: str, meaning: str, values: float | Iterable[tuple[tuple[str, ...], float]], labels: tuple[str, ...] = ()
) -> GaugeMetricFamily:
    """A gauge with one value, or with one for each combination of labels."""
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for combination, value in _values(values):
        family.add_metric(combination, value)
    return family


def counter(
    name: str, meaning: str, values: float | Iterable[tuple[tuple[str, ...], float]], labels: tuple[str, ...] = ()
) -> CounterMetricFamily:
    """A counter, likewise; ``_total`` is added to its name."""
    family = CounterMetricFamily(name, meaning, labels=labels)
    for combination, value in _values(values):
        family.add_metric(combination, value)
    return family


def histogram(name: str, meaning: str, observed: Histogram) -> HistogramMetricFamily:
    """A histogram without labels."""
    family = HistogramMetricFamily(name, meaning)
    family.add_metric((), observed.cumulative(), observed.total)
    return family


def by_label(counts: Mapping[str, float]) -> list[tuple[tuple[str, ...], float]]:
    """The values of counts that have one label."""
    return [((value,), count) for value, count in counts.items()]


def _values(
    values: float | Iterable[tuple[tuple[str, ...], float]],
) -> Iterable[tuple[tuple[str, ...], float]]:
    return [((), values)] if isinstance(values, int | float) else values
