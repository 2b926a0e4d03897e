from typing import Any

import pytest

from streams.simulator import ATTACK_NAMES, HARD_NEGATIVE_NAMES, Plan, SimulatorConfig
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


@pytest.fixture(scope="package")
def bazaar() -> Market:
    """Some 100,000 events of 340 merchants: two of each attack that ``market`` has not, and the honest trouble."""
    others = (
        "bust_out", "counterfeit", "fake_tracking", "brushing", "carrier_strike", "viral_burst", "discount_sale",
        "bad_luck",
    )  # fmt: skip
    plans: dict[str, Any] = {name: Plan(2) for name in ATTACK_NAMES if name not in others}
    plans |= {name: Plan(1) for name in HARD_NEGATIVE_NAMES if name not in others}
    return Market(SimulatorConfig(seed=12, merchants=340, orders_per_day=70, **plans))
