"""Real titles: how offers are placed, which pairs are judged, and what must be reached."""

from itertools import combinations
from pathlib import Path
from random import Random

import pytest

from benchmarks.evaluation.pricerunner import untouched
from benchmarks.evaluation.pricerunner_categories import evaluate_categories
from benchmarks.evaluation.pricerunner_duplicates import NEAR, evaluate_duplicates, near_pairs
from benchmarks.evaluation.pricerunner_rows import Offer, load_offers, place

_FILE = Path(__file__).parents[4] / "shared" / "data" / "pricerunner" / "pricerunner_aggregate.csv.gz"


def offer(title: str, merchant: str = "1", product: str = "p", category: str = "toys") -> Offer:
    """An offer."""
    return Offer(title, merchant, product, product, category)


def test_a_share_is_swapped_and_the_same_each_time() -> None:
    """Every swapped one stands in another category of the set; a seed decides on order and choice."""
    offers = [offer(f"title {number}", category=f"c{number % 4}") for number in range(2_000)]
    placed = place(offers, 7, 0.05)
    assert placed == place(offers, 7, 0.05) != place(offers, 8, 0.05)
    assert sorted(each.offer for each in placed) == sorted(offers)
    assert 70 <= sum(each.swapped for each in placed) <= 130
    assert all(each.swapped == (each.category != each.offer.category) for each in placed)
    assert [each.offer for each in place(offers, 7, 0.0, shuffle=False)] == offers


def test_all_near_pairs_are_found() -> None:
    """As many as comparing every title with every other one finds."""
    random = Random(3)
    words = [frozenset(random.sample("abcdefghijkl", random.randint(1, 9))) for _ in range(120)]
    expected = {
        (first, second)
        for first, second in combinations(range(len(words)), 2)
        if len(words[first] & words[second]) >= NEAR * len(words[first] | words[second])
    }
    assert set(near_pairs(words)) == expected


def test_titles_that_a_merchant_uses_twice_are_counted_apart() -> None:
    """They tell no product apart; offers of one merchant are no pairs."""
    found = evaluate_duplicates(
        [
            offer("acme kettle kx100 steel", "1", "kettle"),
            offer("Acme kettle KX100, steel", "2", "kettle"),
            offer("acme upgrade kit 5 parts", "1", "kit a"),
            offer("acme upgrade kit 5 parts", "1", "kit b"),
            offer("acme upgrade kit 5 parts", "2", "kit a"),
        ]
    )
    assert (found["duplicates_pairs"], found["duplicates_precision"], found["duplicates_recall"]) == (1, 1.0, 1.0)
    assert found["duplicates_all_near"] == {"pairs": 3, "precision": pytest.approx(2 / 3), "recall": 1.0}


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not _FILE.exists(), reason="the data sets are not here")
def test_the_goals_on_real_titles_are_reached() -> None:
    """Swapped categories, duplicates across merchants, and alarms on untouched titles."""
    offers = load_offers(_FILE)
    figures = evaluate_categories(offers, [3]) | evaluate_duplicates(offers) | untouched(offers)
    assert figures["category_swapped_ap"] > 0.95
    assert figures["category_swapped_ap_as_given"] > 0.8
    assert figures["category_swapped_ap"] > max(each["ap"] for each in figures["category_river"].values())
    assert figures["duplicates_precision"] > 0.9
    assert figures["duplicates_recall"] > 0.95
    assert figures["duplicates_pairs"] > 400
    assert figures["untouched_text_alarm_share"] <= 0.001
