from detectors.comparison.migration import levels, tiers
from detectors.comparison.published import Published
from tests.detectors.comparison.made import START, take


def run(levels_of: dict[str, list[str]], tiers_of: dict[str, list[tuple[str, float]]] | None = None) -> Published:
    """A run with these levels and tiers, by merchant."""
    found = Published()
    for merchant, names in levels_of.items():
        for number, level in enumerate(names):
            body: dict[str, object] = {
                "merchant_id": merchant,
                "subject": {"kind": "merchant", "id": merchant},
                "level": level,
            }
            take(found, "risk.assessed", f"{merchant}{number}", START + number, body)
    for merchant, steps in (tiers_of or {}).items():
        for number, (tier, score) in enumerate(steps):
            credit: dict[str, object] = {"subject": {"kind": "merchant", "id": merchant}, "tier": tier, "score": score}
            take(found, "credit.changed", f"c{merchant}{number}", START + number, credit)
    return found


def test_the_worst_level_counts() -> None:
    """Not the last one; who never was published is low."""
    found = levels(run({"a": ["high", "low"], "b": ["guarded"]}), run({"a": ["critical"], "c": ["elevated"]}))
    at = {name: place for place, name in enumerate(found.names)}
    assert found.counts[at["high"]][at["critical"]] == 1
    assert found.counts[at["guarded"]][at["low"]] == 1
    assert found.counts[at["low"]][at["elevated"]] == 1
    assert (found.moved, sum(map(sum, found.counts))) == (3, 3)


def test_the_last_tier_counts() -> None:
    """Tiers stand in the order of their scores, with those without first."""
    one = run({}, {"a": [("gold", 700), ("bronze", 100)], "b": [("silver", 400)]})
    found = tiers(one, run({}, {"a": [("bronze", 120)], "c": [("gold", 800)]}))
    assert found is not None
    assert found.names == ["-", "bronze", "silver", "gold"]
    assert found.counts == [[0, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert found.moved == 2


def test_without_credit_there_are_no_tiers() -> None:
    """Rather no table than an empty one."""
    assert tiers(run({"a": ["high"]}), run({})) is None
