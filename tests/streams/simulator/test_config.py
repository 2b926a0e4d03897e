import math
from dataclasses import replace
from typing import Any

import pytest

from streams.simulator import Plan, Simulation, SimulatorConfig


@pytest.mark.parametrize(("events", "span_days"), [(20_000, 90), (60_000, 90), (60_000, 30), (40_000, 7)])
def test_for_events_gives_about_as_many_events(events: int, span_days: float) -> None:
    """The stream has the wanted number of events within a tenth."""
    config = SimulatorConfig.for_events(events, seed=5, span_days=span_days)
    assert sum(1 for _ in Simulation(config)) == pytest.approx(events, rel=0.1)


def test_larger_simulations_have_more_merchants_and_attackers() -> None:
    """Merchants grow with the events, attackers with the merchants, and orders per merchant stay."""
    small, large = SimulatorConfig.for_events(200_000), SimulatorConfig.for_events(2_000_000)
    assert large.merchants == pytest.approx(10 * small.merchants, rel=0.05)
    assert large.attackers > 5 * small.attackers
    ratio = large.orders_per_day / large.merchants / (small.orders_per_day / small.merchants)
    assert ratio == pytest.approx(1, abs=0.1)


def test_the_span_ends_where_it_is_told_to() -> None:
    """Start and end are the span apart."""
    config = SimulatorConfig(span_days=30, end=1_800_000_000_000)
    assert config.start == 1_800_000_000_000 - 30 * 86_400_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"merchants": 0}, "merchants must be between 1 and"),
        ({"orders_per_day": float("nan")}, "orders_per_day must be between"),
        ({"orders_per_day": -1.0}, "orders_per_day must be between"),
        ({"span_days": 0.0}, "span_days must be between"),
        ({"span_days": 10.0, "bust_out": Plan(1)}, "at least 21 days"),
        ({"end": 0}, "end must be between"),
        ({"currency": "JPY"}, "currency must be USD, EUR or GBP"),
        ({"merchants": 20, "bust_out": Plan(11)}, "at most half may be"),
        ({"listings_per_merchant": 0.0}, "listings_per_merchant must be between"),
        ({"seasons": 5, "bad_luck": Plan(1)}, "at least 21 days"),
    ],
)
def test_bad_configurations_say_what_is_wrong(change: dict[str, Any], message: str) -> None:
    """Values out of range and contradictions raise a ValueError for people."""
    with pytest.raises(ValueError, match=message):
        SimulatorConfig(**change)


@pytest.mark.parametrize(
    "plan",
    [{"count": -1}, {"intensity": 0.0}, {"intensity": 11.0}, {"stealth": 1.1}, {"start": -1.0}, {"start": math.inf}],
)
def test_bad_plans_are_refused(plan: dict[str, Any]) -> None:
    """Counts must not be negative, intensities between a tenth and ten, stealth up to one, starts in days."""
    with pytest.raises(ValueError, match="scenario's"):
        Plan(**({"count": 1} | plan))


def test_too_few_events_are_refused() -> None:
    """A marketplace with attacks does not fit into a thousand events."""
    with pytest.raises(ValueError, match="at least 5,000 events, not 1,000"):
        SimulatorConfig.for_events(1_000)


def test_intensity_scales_an_attack() -> None:
    """Twice the intensity gives about twice the orders."""
    base = SimulatorConfig(merchants=120, orders_per_day=20)
    orders = []
    for intensity in (1.0, 2.0):
        simulation = Simulation(replace(base, counterfeit=Plan(20, intensity), fake_tracking=Plan(20, intensity)))
        for _ in simulation:
            pass
        orders.append(sum(episode.orders for episode in simulation.truth.attacks.values()))
    assert 1.6 < orders[1] / orders[0] < 2.4


def test_seasons_repeat_the_scenarios() -> None:
    """Each part of the span has its own attackers, with their onsets in it."""
    config = SimulatorConfig(
        merchants=200, orders_per_day=20, span_days=120, seasons=3, bust_out=Plan(4), brushing=Plan(3)
    )
    onsets = sorted(Simulation(config).truth.attacks["bust_out"].onsets.values())
    assert config.attackers == 3 * (4 + 2 * 3)
    days = [(onset - config.start) / 86_400_000 for onset in onsets]
    assert [sum(40 * i <= day < 40 * (i + 1) for day in days) for i in range(3)] == [4, 4, 4]
