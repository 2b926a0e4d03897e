"""How the category model lives with listings: what it learns, what it says, what reviewers change."""

from random import Random
from typing import Any

import pytest

from detectors.category import CategoryModel
from detectors.judge import Judge
from features.listing_words import listing_words
from features.outputs import EnforcementDecided, RiskAssessed
from tests.builders import DAY, Event, Shard, event, listed, make_judge
from tests.detectors.test_category import GOODS, text


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge with the packaged policies, who publishes what is guarded or worse."""
    return make_judge(publish_level=1, audit_rate=0.0)


@pytest.fixture
def shard(judge: Judge) -> Shard:
    """A shard whose shops have listed 600 things in the right categories, and none elsewhere."""
    made, random = Shard(judge), Random(1)
    for number in range(600):
        category = random.choice(list(GOODS))
        title = f"{text(category, random)} {number}"
        made.apply(listed(f"s{number}", at=-DAY, merchant=f"honest{number % 30}", title=title, category=category))
    return made


def asked(shard: Shard, title: str, category: str) -> float:
    """What the model says of a title."""
    found = model_of(shard).mismatch(listing_words(title), category)
    assert found is not None
    return found.probability


def model_of(shard: Shard) -> CategoryModel:
    """The shard's model."""
    return shard.core.models.category


def reviewed(verdict: str, at: int, **fields: Any) -> Event:
    """A reviewer judged listing l1."""
    subject = {"kind": "listing", "id": "l1"}
    return event("review.decided", at, verdict=verdict, source="human", subject=subject, **fields)


def test_a_misplaced_listing_is_sent_to_review_with_the_category_it_belongs_to(shard: Shard) -> None:
    """The reason names the likelier category in words."""
    shard.apply(listed(title="doll puzzle train plush kite", category="audio"))
    assessed = next(each for each in shard.outputs(RiskAssessed) if each.subject.id == "l1")
    reason = next(each for each in assessed.reasons if each.code == "category-mismatch")
    assert reason.text.startswith("by its text the listing belongs to toys, and not to its own category (probability ")
    assert isinstance(reason.observed, float)
    assert reason.observed > 0.95
    assert assessed.level == "guarded"


def test_a_listing_in_its_place_is_left_alone(shard: Shard) -> None:
    """Its text fits, and nothing is published."""
    shard.apply(listed(title="doll puzzle train plush kite", category="toys"))
    assert (shard.feature("category_mismatch", listing="l1") or 1.0) < 0.5
    assert shard.listing().category_suggested == ""
    assert not [each for each in shard.outputs(RiskAssessed) if each.subject.id == "l1"]


def test_an_edit_into_another_category_is_judged_anew(shard: Shard) -> None:
    """Moving a listing raises the probability, and moving it back lowers it."""
    title = "doll puzzle train plush kite"
    found = []
    for day, category in enumerate(("toys", "audio", "toys")):
        shard.apply(listed(kind="updated" if day else "created", at=day * DAY, title=title, category=category))
        found.append(shard.feature("category_mismatch", listing="l1") or 0.0)
    assert found[0] < 0.5
    assert found[1] > 0.95
    assert found[2] < 0.5


def test_only_new_texts_are_learned(shard: Shard) -> None:
    """An edit of the price alone teaches nothing: else a shop could teach by repeating itself."""
    shard.apply(listed(title="doll kite", category="toys"))
    before = model_of(shard).learned
    for day in range(1, 6):
        shard.apply(listed(kind="updated", at=day * DAY, title="doll kite", category="toys", price=1000 + day))
    assert model_of(shard).learned == before
    shard.apply(listed(kind="updated", at=9 * DAY, title="doll kite red", category="toys"))
    assert model_of(shard).learned == before + 1


def test_listings_with_findings_are_not_learned(shard: Shard) -> None:
    """What the rules object to is no example of its category."""
    before = model_of(shard).learned
    shard.apply(listed(title="doll kite replica mirror quality", category="toys"))
    assert shard.listing().risk > 0
    assert model_of(shard).learned == before


def test_one_shop_cannot_teach_the_others(shard: Shard) -> None:
    """600 dolls of one shop among the audio goods leave the dolls of others in doubt there."""
    for number in range(600):
        title = f"doll puzzle plush n{number}"
        shard.apply(listed(f"x{number}", at=number, merchant="spammer", title=title, category="audio"))
    flooded = asked(shard, "doll puzzle train", "audio")
    honest = Shard(shard.core.judge)
    random = Random(1)
    for number in range(600):
        category = random.choice(list(GOODS))
        honest.apply(listed(f"s{number}", merchant=f"m{number}", title=text(category, random), category=category))
    for number in range(600):
        title = f"doll puzzle plush n{number}"
        honest.apply(listed(f"x{number}", at=number, merchant=f"n{number}", title=title, category="audio"))
    assert flooded > 1.5 * asked(honest, "doll puzzle train", "audio")


def test_a_reviewer_who_clears_a_listing_teaches_the_category(shard: Shard) -> None:
    """The same text is less doubtful afterwards."""
    title = "doll puzzle train plush kite"
    shard.apply(listed(title=title, category="audio"))
    before = asked(shard, title, "audio")
    shard.apply(reviewed("clean", DAY))
    assert asked(shard, title, "audio") < before


@pytest.mark.parametrize("by_decision", [True, False])
def test_a_clean_review_of_a_decision_teaches_once(shard: Shard, by_decision: bool) -> None:
    """That the decision is taken back and that the reviewer clears the listing is one word, and not two."""
    shard.apply(listed(title="doll kite replica mirror quality", category="toys"))
    (decision,) = shard.outputs(EnforcementDecided)
    before = model_of(shard).learned
    named = {"decision_id": decision.decision_id} if by_decision else {}
    shard.apply(reviewed("clean", DAY, **named))
    assert model_of(shard).learned == before + 1


@pytest.mark.parametrize(("policy", "moved"), [("category_spam", True), ("counterfeit", False), (None, False)])
def test_a_reviewer_who_finds_the_category_wrong_teaches_it(shard: Shard, policy: str | None, moved: bool) -> None:
    """Violations of other policies say nothing of the category."""
    title = "doll puzzle classic small"
    shard.apply(listed(title=title, category="audio"))
    before = asked(shard, title, "audio")
    shard.apply(reviewed("violation", DAY, **({} if policy is None else {"policy": policy})))
    assert (asked(shard, title, "audio") > before) == moved


def test_a_verdict_on_an_unknown_listing_teaches_nothing(shard: Shard) -> None:
    """There is no text to learn from."""
    before = model_of(shard).snapshot()
    shard.apply(reviewed("clean", DAY))
    assert model_of(shard).snapshot() == before
