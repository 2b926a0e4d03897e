"""The category model: learns which words belong where, says nothing too early, and continues from its snapshots."""

import subprocess
import sys
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.category import CATEGORY_LIMIT, CATEGORY_MINIMUM, LISTINGS_MINIMUM, CategoryModel
from detectors.examples import CategorisedListing, retrain_category
from detectors.model import SnapshotMismatch
from features.listing_words import listing_words

GOODS = {
    "kitchen": "mug kettle spoon plate teapot pan ceramic steel grater jar",
    "audio": "headphones speaker bluetooth wireless bass microphone radio stereo earbuds cable",
    "toys": "doll puzzle train blocks plush robot marbles kite dice figure",
}
COMMON = ["black", "white", "new", "large", "small", "set", "blue", "classic"]


def text(category: str, random: Random) -> str:
    """A title of a category."""
    return " ".join(random.sample(GOODS[category].split(), 3) + random.sample(COMMON, 2))


def trained(count: int = 600, seed: int = 1) -> CategoryModel:
    """A model that has seen so many rightly placed listings."""
    random, model = Random(seed), CategoryModel()
    for _ in range(count):
        category = random.choice(list(GOODS))
        model.learn(listing_words(text(category, random)), category)
    return model


def test_a_listing_in_a_wrong_category_is_told_from_one_in_its_own() -> None:
    """Every misplaced one scores higher than every other, and its own category is suggested."""
    model, random = trained(), Random(2)
    right, wrong = [], []
    for _ in range(300):
        category = random.choice(list(GOODS))
        other = random.choice([each for each in GOODS if each != category])
        words = listing_words(text(category, random))
        fits, misplaced = model.mismatch(words, category), model.mismatch(words, other)
        assert fits is not None
        assert misplaced is not None
        assert misplaced.suggested == category
        right.append(fits.probability)
        wrong.append(misplaced.probability)
    assert max(right) < 0.5
    assert min(wrong) > 0.8


def test_nothing_is_said_too_early() -> None:
    """Neither before enough listings, nor of a category that is new, nor is a new one suggested."""
    model, random = CategoryModel(), Random(3)
    for count in range(LISTINGS_MINIMUM):
        assert model.mismatch(listing_words("steel pan"), "kitchen") is None, count
        category = ("kitchen", "audio")[count % 2]
        model.learn(listing_words(text(category, random)), category)
    assert model.mismatch(listing_words("steel pan"), "kitchen") is not None
    for _ in range(CATEGORY_MINIMUM - 1):
        model.learn(listing_words(text("toys", random)), "toys")
    assert model.mismatch(listing_words("steel pan"), "toys") is None
    found = model.mismatch(listing_words("doll puzzle train"), "kitchen")
    assert found is not None
    assert found.suggested == "audio"
    model.learn(listing_words(text("toys", random)), "toys")
    assert model.mismatch(listing_words("steel pan"), "toys") is not None
    found = model.mismatch(listing_words("doll puzzle train"), "kitchen")
    assert found is not None
    assert found.suggested == "toys"


def test_a_text_without_words_says_nothing() -> None:
    """It has no score and teaches nothing."""
    model = trained()
    before = model.snapshot()
    assert model.mismatch([], "kitchen") is None
    model.learn([], "kitchen")
    model.unlearn([], "kitchen")
    assert model.snapshot() == before


def test_reviewers_teach() -> None:
    """What is called wrong becomes more doubtful, what is called right less."""
    model, words = trained(), listing_words("doll puzzle classic")
    scores = []
    for step in (model.unlearn, model.learn):
        before = model.mismatch(words, "audio")
        step(words, "audio")
        after = model.mismatch(words, "audio")
        assert before is not None
        assert after is not None
        scores.append(after.probability - before.probability)
    assert scores[0] > 0 > scores[1]


def test_weight_is_how_much_is_learned() -> None:
    """Weight 0 leaves the weights as they are, one half moves the score by less than 1."""
    words = listing_words("doll puzzle classic")
    moved = []
    for weight in (0.0, 0.5, 1.0):
        model = trained()
        model.learn(words, "audio", weight)
        found = model.mismatch(words, "audio")
        assert found is not None
        moved.append(found.probability)
    untaught = trained().mismatch(words, "audio")
    assert untaught is not None
    assert untaught.probability == moved[0] > moved[1] > moved[2]


def test_there_is_an_end_to_categories() -> None:
    """Further ones than the limit are not learned, so the state stays bounded."""
    model = CategoryModel()
    for number in range(CATEGORY_LIMIT + 5):
        model.learn(listing_words("steel pan"), f"category {number}")
    assert model.learned == CATEGORY_LIMIT
    assert model.mismatch(listing_words("steel pan"), f"category {CATEGORY_LIMIT + 1}") is None
    assert len(model.snapshot()) < 300_000


@pytest.mark.parametrize("count", [0, 1, 19, 199, 200, 700])
def test_a_restored_model_continues_bit_for_bit(count: int) -> None:
    """Snapshot and restore at any moment change no later score or snapshot."""
    original, restored, random = trained(count), CategoryModel(), Random(9)
    restored.restore(original.snapshot())
    assert not restored.changed
    assert restored.snapshot() == original.snapshot()
    for _ in range(200):
        category = random.choice(list(GOODS))
        words = listing_words(text(category, random))
        assert restored.mismatch(words, "toys") == original.mismatch(words, "toys")
        original.learn(words, category)
        restored.learn(words, category)
    assert restored.snapshot() == original.snapshot()
    assert restored.learned == original.learned == count + 200


def test_a_crowded_table_is_restored_too() -> None:
    """Once most weights are in use they are written without their places."""
    model, random = CategoryModel(), Random(4)
    for number in range(6_000):
        model.learn([random.getrandbits(32) for _ in range(20)], f"category {number % 7}")
    restored = CategoryModel()
    restored.restore(model.snapshot())
    assert restored.snapshot() == model.snapshot()
    assert len(model.snapshot()) < 300_000


def test_a_damaged_snapshot_is_refused() -> None:
    """No flipped byte and no cut goes unnoticed, and the model stays as it was."""
    model, other, random = trained(), trained(300, seed=5).snapshot(), Random(0)
    before = model.snapshot()
    damaged = [b"", other[:-1], other[: len(other) // 2], other + b"\0"]
    for _ in range(60):
        at = random.randrange(len(other))
        damaged.append(other[:at] + bytes([other[at] ^ (1 << random.randrange(8))]) + other[at + 1 :])
    for data in damaged:
        with pytest.raises(SnapshotMismatch):
            model.restore(data)
    assert model.snapshot() == before


@given(st.lists(st.integers(0, 2**32 - 1), max_size=60, unique=True), st.sampled_from([*GOODS, "unknown"]))
@settings(max_examples=200, deadline=None)
def test_scores_are_probabilities_and_change_nothing(words: list[int], category: str) -> None:
    """Any words give a probability or nothing, the same when asked again."""
    before = _MODEL.snapshot()
    found = _MODEL.mismatch(words, category)
    assert found is None or (0.0 <= found.probability <= 1.0 and found.suggested in GOODS)
    assert _MODEL.mismatch(words, category) == found
    assert _MODEL.snapshot() == before


_MODEL = trained()


def test_extremes_stay_finite() -> None:
    """The same listing taught ten thousand times, here and there, leaves finite scores."""
    model, words = trained(), listing_words("steel pan")
    for number in range(10_000):
        model.learn(words, ("kitchen", "audio")[number > 5_000])
        model.unlearn(words, "toys")
    for category in GOODS:
        found = model.mismatch(words, category)
        assert found is not None
        assert 0.0 <= found.probability <= 1.0


def test_a_model_is_trained_anew_from_kept_titles() -> None:
    """It suggests what the lost one did; what is damaged is left out."""
    random = Random(6)
    kept = []
    for _ in range(400):
        category = random.choice(list(GOODS))
        kept.append(msgspec.json.encode(CategorisedListing(text(category, random), category, 1.0)))
    model = CategoryModel()
    odd = msgspec.json.encode(CategorisedListing("mug", "toys", 7.0))
    assert retrain_category(model, [b"{", *kept, b"[]", odd]) == 400
    found = model.mismatch(listing_words("doll puzzle kite"), "audio")
    assert found is not None
    assert found.suggested == "toys"
    assert found.probability > 0.8


_ELSEWHERE = """
import hashlib
from tests.detectors.test_category import trained
print(hashlib.sha256(trained().snapshot()).hexdigest())
"""


def test_it_does_not_depend_on_the_process() -> None:
    """Another process, with other hash seeds for its dictionaries and sets, learns the same to the last bit."""
    runs = {
        subprocess.run(
            [sys.executable, "-c", _ELSEWHERE], capture_output=True, check=True, env={"PYTHONHASHSEED": seed}, text=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
