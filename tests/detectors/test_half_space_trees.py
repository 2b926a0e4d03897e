"""Our Half-Space Trees against River's own."""

from collections.abc import Hashable
from random import Random
from typing import Any

import pytest
from river import anomaly
from river.base import AnomalyDetector

from detectors.half_space_trees import HalfSpaceTrees


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("n_trees", "height", "window"), [(1, 1, 10), (7, 6, 100), (10, 8, 250), (3, 8, 20)])
def test_scores_are_those_of_river_bit_for_bit(seed: int, n_trees: int, height: int, window: int) -> None:
    """Over many windows, with crowded and empty regions, values on the edge, and names that don't come sorted."""
    names = ["n3", "n11", "n2", "n5"]
    ours = HalfSpaceTrees(names, n_trees, height, window, seed)
    theirs: AnomalyDetector = anomaly.HalfSpaceTrees(n_trees=n_trees, height=height, window_size=window, seed=seed)
    random = Random(seed)
    for _ in range(6 * window + 3):
        x: dict[Hashable, Any] = {
            name: random.choice([random.random() ** 4, random.random(), 0.0, 1.0]) for name in names
        }
        assert ours.score_one(x) == theirs.score_one(x)
        ours.learn_one(x)
        theirs.learn_one(x)
    assert ours.warm


def test_trees_follow_from_the_seed() -> None:
    """The same seed builds the same trees, another others; the hash tells."""
    first, same, other = (HalfSpaceTrees(["a", "b"], 3, 4, 10, seed) for seed in (1, 1, 2))
    assert first.structure == same.structure != other.structure


def test_like_models_learn_apart() -> None:
    """Models may share the trees they are built of, but not what they count."""
    first, second = (HalfSpaceTrees(["a"], 2, 3, 10, 1) for _ in range(2))
    first.learn_one({"a": 0.5})
    assert sum(map(sum, first.masses()[1])) == 2
    assert sum(map(sum, second.masses()[1])) == 0
