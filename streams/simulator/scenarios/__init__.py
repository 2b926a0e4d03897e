"""Attacks and honest trouble, one module each behind one interface, ``base.Scenario``."""

from typing import Final

from streams.simulator.scenarios.bad_luck import BadLuck
from streams.simulator.scenarios.base import Scenario
from streams.simulator.scenarios.brushing import Brushing
from streams.simulator.scenarios.bust_out import BustOut
from streams.simulator.scenarios.carrier_strike import CarrierStrike
from streams.simulator.scenarios.counterfeit import Counterfeit
from streams.simulator.scenarios.discount_sale import DiscountSale
from streams.simulator.scenarios.fake_tracking import FakeTracking
from streams.simulator.scenarios.viral_burst import ViralBurst

SCENARIOS: Final[dict[str, type[Scenario]]] = {
    scenario.name: scenario
    for scenario in (
        BustOut, Counterfeit, FakeTracking, Brushing, CarrierStrike, ViralBurst, DiscountSale, BadLuck,
    )
}  # fmt: skip
