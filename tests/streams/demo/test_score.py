"""Precision and recall against a ground truth, on cases that can be counted by hand."""

from streams.demo.score import score
from streams.simulator import Episode, GroundTruth

DAY = 86_400_000
END = 90 * DAY


def truth() -> GroundTruth:
    """Two bust-outs on days 10 and 20, a brushing ring of two on day 30; seven honest merchants."""
    bust_out, brushing = Episode(), Episode()
    bust_out.join("b1", 10 * DAY)
    bust_out.join("b2", 20 * DAY)
    brushing.join("r1", 30 * DAY)
    brushing.join("r2", 30 * DAY)
    return GroundTruth(
        seed=1,
        start=0,
        end=END,
        attacks={"bust_out": bust_out, "brushing": brushing},
        hard_negatives={},
        merchants=11,
        honest_merchants=7,
    )


def test_nothing_flagged() -> None:
    """Nothing flagged is a recall of nothing and no precision at all."""
    found = score(truth(), {}, {}, END)
    assert found.overall.recall == 0
    assert found.overall.precision is None
    assert found.overall.days is None
    assert (found.honest, found.honest_flagged) == (7, 0)


def test_all_found_and_nobody_else() -> None:
    """Everything found rightly is 1 everywhere; days are from each onset to the flag."""
    flagged = {"b1": 12 * DAY, "b2": 24 * DAY, "r1": 31 * DAY, "r2": 30 * DAY}
    flagged_for = {
        (attack, merchant): flagged[merchant]
        for attack, merchant in (("bust_out", "b1"), ("bust_out", "b2"), ("brushing", "r1"), ("brushing", "r2"))
    }
    found = score(truth(), flagged, flagged_for, END)
    assert {name: (ratio.precision, ratio.recall) for name, ratio in found.attacks.items()} == {
        "bust_out": (1, 1),
        "brushing": (1, 1),
    }
    assert found.attacks["bust_out"].days == 3
    assert (found.overall.precision, found.overall.recall, found.overall.days) == (1, 1, 1.5)


def test_wrong_attack_counts_against_it() -> None:
    """A bust-out flagged for brushing finds neither attack, and costs precision of brushing; overall it is found."""
    found = score(truth(), {"b1": 12 * DAY}, {("brushing", "b1"): 12 * DAY}, END)
    assert found.attacks["bust_out"].recall == 0
    assert found.attacks["bust_out"].precision is None
    assert (found.attacks["brushing"].precision, found.attacks["brushing"].recall) == (0, 0)
    assert (found.overall.precision, found.overall.recall) == (1, 0.25)


def test_found_for_its_own_attack_an_attacker_is_no_mistake_of_another() -> None:
    """A milder decision finds b1, which is flagged for brushing as well; of r1 a bust-out may be said too."""
    known = truth()
    known.also["r1"] = ["bust_out"]
    flagged_for = {("bust_out", "b1"): 12 * DAY, ("brushing", "b1"): 13 * DAY, ("bust_out", "r1"): 40 * DAY}
    found = score(known, {"b1": 13 * DAY}, flagged_for, END)
    assert found.attacks["brushing"].precision is None
    assert (found.attacks["bust_out"].precision, found.attacks["bust_out"].days) == (1, 2)
    assert (found.overall.recall, found.overall.days) == (0.25, 2)


def test_honest_merchants_count() -> None:
    """Honest merchants that are flagged lower the precision of the attack and of the whole."""
    flagged = {"b1": 12 * DAY, "h1": DAY, "h2": DAY, "h3": DAY}
    found = score(truth(), flagged, {("bust_out", "b1"): 12 * DAY, ("bust_out", "h1"): DAY}, END)
    assert found.attacks["bust_out"].precision == 0.5
    assert found.overall.precision == 0.25
    assert found.honest_flagged == 3


def test_attacks_yet_to_begin_are_not_missed() -> None:
    """A demo that ends on day 15 is not blamed for attacks of days 20 and 30."""
    found = score(truth(), {"b1": 12 * DAY}, {("bust_out", "b1"): 12 * DAY}, 15 * DAY)
    assert found.attacks["bust_out"].there == 1
    assert found.attacks["bust_out"].recall == 1
    assert found.attacks["brushing"].recall is None
    assert found.overall.recall == 1
