"""Every row of credit.yaml has a story, and every story comes out as it says."""

from typing import Any

import pytest
import yaml

from config.policies import PACKAGED
from detectors.policy import PolicySet
from tests.detectors.stories.creator_stage import CreatorStage
from tests.detectors.stories.runner import Stage, load_stories, play

STORIES = load_stories("credit.yaml")
CREATOR_STORIES = load_stories("creator_credit.yaml")
#: What the first case of each policy costs a merchant without history, by the action: to be read and changed by policy
#: owners. All are against the merchant itself.
COSTS = {
    "counterfeit": {"hold_payout": 50, "warn": 13},
    "bust_out": {"hold_payout": 50},
    "triangulation": {"hold_payout": 50},
    "reregistration": {"hold_payout": 50},
    "fake_tracking": {"hold_payout": 25},
    "empty_box": {"hold_payout": 25},
    "self_dealing": {"hold_payout": 25},
    "brushing": {"hold_payout": 25},
    "linked_accounts": {"hold_payout": 25},
    "probation_evasion": {"limit_orders": 8},
    "account_takeover": {"hold_payout": 4},
    "prohibited_product": {"remove_listing": 25},
    "ip_infringement": {"remove_listing": 25},
    "switched_listing": {"remove_listing": 25, "demote_listing": 13},
    "restricted_no_permit": {"remove_listing": 8},
    "circumvention": {"remove_listing": 8},
    "off_platform_diversion": {"remove_listing": 8, "warn": 2},
    "copied_listing": {"remove_listing": 8},
    "duplicate_listing": {"remove_listing": 4},
    "category_spam": {"remove_listing": 4},
    "misleading_claim": {"remove_listing": 4, "warn": 1},
    "misleading_discount": {"remove_listing": 4, "warn": 1},
    "price_spam": {"remove_listing": 4},
    "late_dispatch": {"limit_orders": 8, "warn": 2},
    "seller_cancellation": {"limit_orders": 8, "warn": 2},
    "non_delivery": {"hold_payout": 25, "warn": 6},
    "not_as_described": {"limit_orders": 8, "warn": 2},
    "order_defects": {"limit_orders": 8, "warn": 2},
    "low_ratings": {"warn": 1},
}

CREATOR_COSTS = {"harmful_promotion": 25, "promoted_violations": 25, "joint_liability": 8}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story["story"])
def test_story(packaged: PolicySet, story: dict[str, Any]) -> None:
    """It comes out as it says."""
    play(story, packaged)


@pytest.mark.parametrize(("code", "action"), [(code, action) for code, costs in COSTS.items() for action in costs])
def test_what_a_policy_costs(packaged: PolicySet, code: str, action: str) -> None:
    """The first case of each policy costs what the table says."""
    stage = Stage(packaged)
    stage.violation(code, action, "d1", "merchant", "m1", confirmed=False)
    assert [-entry.points for entry in stage.merchant.record.credit.ledger] == [COSTS[code][action]]  # type: ignore[union-attr]


@pytest.mark.parametrize("story", CREATOR_STORIES, ids=lambda story: story["story"])
def test_story_of_a_creator(packaged: PolicySet, story: dict[str, Any]) -> None:
    """It comes out as it says."""
    play(story, packaged, CreatorStage)


@pytest.mark.parametrize(("code", "cost"), CREATOR_COSTS.items())
def test_what_a_policy_costs_a_creator(packaged: PolicySet, code: str, cost: int) -> None:
    """The first case of each policy costs what the table says."""
    stage = CreatorStage(packaged)
    stage.violation(code, "freeze_commission", "d1", "creator", "c1", confirmed=False)
    assert [-entry.points for entry in stage.creator.record.credit.ledger] == [cost]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("section", "stories", "costs"), [("credit", STORIES, COSTS), ("creator_credit", CREATOR_STORIES, CREATOR_COSTS)]
)
def test_every_row_has_a_story(section: str, stories: list[dict[str, Any]], costs: dict[str, Any]) -> None:
    """What the packaged policy says is told by a story, or by the table of costs."""
    content: dict[str, Any] = yaml.safe_load((PACKAGED / "credit.yaml").read_text(encoding="utf-8"))[section]
    rows = set(content) - set(_PARTS)
    for key in _PARTS:
        parts = content[key]
        names = [each["score"] for each in parts] if isinstance(parts, list) else parts
        rows |= {f"{key}.{name}" for name in names}
    told = {row for story in stories for row in story["rows"]}
    told |= {f"violations.{code}" for code in costs}
    assert rows - {"source", "standard"} - told == set()
    assert told - rows == set()


#: Sections of rows that each have a story.
_PARTS = ("classes", "severities", "violations", "milestones", "tiers")
