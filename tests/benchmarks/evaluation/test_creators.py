"""The evaluation of creators: who counts as found, acted on and accused."""

from typing import Any

from benchmarks.evaluation.creators import Decision, count, summarise
from benchmarks.evaluation.creators_section import creators

HOUR = 3_600_000


def decided(creator: str, hours: int, action: Any = "require_review", **fields: bool) -> Decision:
    """A decision about a creator, so many hours after the start."""
    given = {"waits": False, "limited": False} | fields
    return Decision(creator=creator, action=action, time=hours * HOUR, **given)


def test_what_accuses_and_what_restricts_is_told_apart() -> None:
    """A request for review finds; what waits restricts nobody; commission kept back of one shop accuses nobody."""
    found = count(
        [
            decided("bad", 10),
            decided("bad", 30, "freeze_commission"),
            decided("hidden", 20, "suspend_creator", waits=True),
            decided("victim", 5),
            decided("seller", 6, "freeze_commission", limited=True),
            decided("warned", 7, "warn"),
        ],
        {"bad", "hidden", "missed", "victim", "seller", "warned", "quiet"},
        {"bad": 4 * HOUR, "hidden": 0, "missed": 0},
        {"victim"},
    )
    assert found["bad"] == {"creators": 3, "found": 2, "acted_on": 1, "kept_back": 0}
    assert found["deceived"] == {"creators": 1, "found": 1, "acted_on": 0, "kept_back": 0}
    assert found["honest"] == {"creators": 3, "found": 1, "acted_on": 0, "kept_back": 1}
    assert sorted(found["hours_to_found"]) == [6, 20]
    assert found["hours_to_action"] == [26]


def test_seeds_are_put_together_and_shown() -> None:
    """Shares are of all seeds, with intervals; a group that is not there has none."""
    one = count([decided("bad", 10), decided("fine", 1)], {"bad", "fine"}, {"bad": 0}, set())
    found = summarise({1: one, 2: one})
    assert found["bad"]["found_share"]["value"] == 1
    assert found["precision_found"]["value"] == 0.5
    assert found["precision_acted_on"]["value"] is None
    assert found["deceived"]["found_share"]["value"] is None
    assert (found["hours_to_found"], found["hours_to_action"]) == (10, None)
    section = creators(found)
    assert [row[:3] for row in section.tables[0].rows] == [
        ("bad", "2", "2"),
        ("deceived", "0", "0"),
        ("honest", "2", "2"),
    ]
