import pytest

from streams.simulator import Plan, SimulatorConfig
from tests.streams.simulator.market import Market


@pytest.fixture(scope="package")
def market() -> Market:
    """Some 190,000 events of 400 merchants, three attackers of each kind."""
    each = Plan(3)
    return Market(
        SimulatorConfig(
            seed=11, merchants=400, orders_per_day=220, bust_out=each, counterfeit=each, fake_tracking=each,
            brushing=Plan(2), carrier_strike=Plan(1), viral_burst=Plan(2), discount_sale=each, bad_luck=each,
        )
    )  # fmt: skip
