"""A simulated marketplace with creators, honest ones and others, judged as a worker would."""

from dataclasses import replace

import pytest

from config.settings import Settings
from detectors.evaluation.observations import Observations
from streams.archive import ArchiveRecord
from streams.evaluation.archive_run import evaluation_judge, run_archive
from streams.simulator import GroundTruth, Plan, Simulation, SimulatorConfig

#: What restricts a creator; a request for review and a warning do not.
_RESTRICTS = {"freeze_commission", "suspend_creator"}


@pytest.fixture(scope="module", params=[1, 4])
def judged(request: pytest.FixtureRequest) -> tuple[Observations, GroundTruth]:
    """What was observed, and the truth."""
    config = SimulatorConfig.for_events(8_000, seed=11)
    config = replace(config, merchants=config.merchants + 4, bad_promoter=Plan(1), deceived_creator=Plan(1))
    simulation = Simulation(config)
    observed = Observations({}, set())
    records = (ArchiveRecord(each.topic, each.key, each.value, each.timestamp) for each in simulation)
    run_archive(records, evaluation_judge(Settings()), observed, shards=request.param)
    return observed, simulation.truth


def test_bad_creators_are_restricted(judged: tuple[Observations, GroundTruth]) -> None:
    """Whoever lives off counterfeiters has its commission frozen; whether it is suspended is for a person to say."""
    observed, truth = judged
    assert truth.creators
    for creator in truth.creators:
        decisions = observed.creators[creator]
        assert any(each.action == "freeze_commission" and not each.requires_review for each in decisions)
        assert all(each.requires_review for each in decisions if each.action == "suspend_creator")


def test_honest_creators_are_left_alone(judged: tuple[Observations, GroundTruth]) -> None:
    """Also those who promoted attackers unknowingly, and one who lived off a shop that busted out: a person may look at
    it under the joint rule, commission on the sales of a suspended shop may be kept back, and that is all.
    """
    observed, truth = judged
    for creator in truth.honest_creators:
        decisions = observed.creators.get(creator, [])
        assert not [each for each in decisions if each.action in _RESTRICTS and each.limited_to is None], creator
        assert {each.policy.id for each in decisions} <= {"joint-merchant", "joint-suspended-merchant"}
