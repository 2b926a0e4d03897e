"""Every ladder and every rule of enforcement has a story, and every story comes out as it says."""

from typing import Any

import pytest
import yaml

from config.policies import PACKAGED
from detectors.policy import PolicySet
from tests.detectors.stories.runner import load_stories, play

STORIES = load_stories("ladder.yaml")
#: What holds for all ladders.
RULES = {
    "cool_down", "look_back", "fresh_facts", "step_evidence", "escalation", "strike_merge_days", "severe",
    "independent_detectors", "corroboration_days", "verdict_days", "confirm", "relief", "forgive", "snooze",
    "allow", "report", "unanswered", "by_hand",
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story["story"])
def test_story(packaged: PolicySet, story: dict[str, Any]) -> None:
    """It comes out as it says."""
    play(story, packaged)


def test_every_ladder_and_rule_has_a_story() -> None:
    """Every ladder of the packaged files is climbed in a story, and each rule that holds for all is told by one.
    Ladders of creators are climbed in test_creators.py, those of the score in credit.yaml.
    """
    ladders: set[str] = set()
    for file in PACKAGED.glob("*.yaml"):
        if file.name == "credit.yaml":
            continue
        ladders |= set(yaml.safe_load(file.read_text(encoding="utf-8")).get("ladders", {}))
    told = {row for story in STORIES for row in story["rows"]}
    creators = {"creator_review", "creator_fraud", "creator_quality", "joint_freeze"}
    assert told == ladders - creators | RULES
