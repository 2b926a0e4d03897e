"""A seeded simulator of a marketplace with known attacks: a faithful generator of the input topics.

>>> from streams.simulator import Simulation, SimulatorConfig
>>> simulation = Simulation(SimulatorConfig.for_events(20_000, seed=7))
>>> record = next(iter(simulation))
>>> record.topic, record.timestamp >= simulation.config.start
('merchants', True)
>>> sorted(simulation.truth.attacks)[:3]
['account_takeover', 'brushing', 'bust_out']
"""

from streams.simulator.config import SimulatorConfig
from streams.simulator.plans import ATTACK_NAMES, CREATOR_NAMES, GAMING_NAMES, HARD_NEGATIVE_NAMES, SCENARIO_NAMES, Plan
from streams.simulator.schedule import SimulatedRecord
from streams.simulator.simulation import Simulation, simulate
from streams.simulator.truth import Episode, GroundTruth, TruthError, read_truth, truth_path, write_truth

__all__ = [
    "ATTACK_NAMES",
    "CREATOR_NAMES",
    "GAMING_NAMES",
    "HARD_NEGATIVE_NAMES",
    "SCENARIO_NAMES",
    "Episode",
    "GroundTruth",
    "Plan",
    "SimulatedRecord",
    "Simulation",
    "SimulatorConfig",
    "TruthError",
    "read_truth",
    "simulate",
    "truth_path",
    "write_truth",
]
