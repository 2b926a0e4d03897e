import msgspec
import pytest

from config.policies import PACKAGED
from detectors.comparison.causes import Causes
from detectors.comparison.comparison import Background, Comparison, compare
from detectors.comparison.quality import Known
from tests.detectors.comparison.made import START, decision, published, restriction
from tests.detectors.comparison.test_policy_changes import compiled
from tests.detectors.comparison.test_trade import listing, order, traded

CODES = {"late-dispatch": "late_dispatch", "late-dispatch-severe": "late_dispatch"}
ONE = (decision(0), restriction(3), decision(1, merchant_id="m2", rule="disputes"))
OTHER = (decision(0), restriction(3, 14), decision(2, merchant_id="m3"))


@pytest.fixture
def found() -> Comparison:
    """Two runs with one decision each that the other lacks, one changed and one equal."""
    trade = traded(listing("l1", "home/decor"), order(4, 1, 100), order(12, 2, 1_000))
    known = Known({"m3": ("bust_out", START)}, frozenset({"m1", "m2"}))
    background = Background(names=("a", "b"), trade=trade, known=known, codes=CODES)
    return compare(published(*ONE), published(*OTHER), background)


def test_totals(found: Comparison) -> None:
    """Outcomes, and the worth of the orders under restrictions in each run."""
    assert found.outcomes == {"equal": 1, "changed": 1, "lost": 1, "gained": 1}
    assert found.changed == {"expires_at": 1}
    assert (found.baseline.decisions, found.candidate.parties) == (3, 2)
    assert (found.baseline.restricted, found.candidate.restricted) == ({"EUR": 100}, {"EUR": 1_100})
    assert found.traded == {"EUR": 1_100}
    assert [(day.baseline, day.candidate, day.lost, day.gained) for day in found.days] == [
        (1, 1, 0, 0),
        (1, 0, 1, 0),
        (0, 1, 0, 1),
        (1, 1, 0, 0),
    ]


def test_every_grouping_adds_up(found: Comparison) -> None:
    """By rule, policy, action, tier and category: the same decisions, sorted another way."""
    for groups in (found.rules, found.policies, found.actions, found.tiers_of, found.categories):
        for outcome, count in found.outcomes.items():
            assert sum(getattr(group, outcome) for group in groups) == count
        assert sum(group.baseline for group in groups) == found.baseline.decisions
        assert sum(group.candidate for group in groups) == found.candidate.decisions
    assert {group.name: group.candidate_restricted for group in found.policies} == {
        "late_dispatch": {"EUR": 1_100},
        "not known": {},
    }
    assert {group.name for group in found.categories} == {"home", "not known"}


def test_precision_of_each_rule(found: Comparison) -> None:
    """Of the merchants that a rule's decisions accuse, the malicious; a warning accuses nobody."""
    rules = {group.name: group for group in found.rules}
    severe, mild = rules["late-dispatch-severe"], rules["late-dispatch"]
    assert severe.baseline_precision is not None and mild.candidate_precision is not None
    assert (severe.baseline_precision.hits, severe.baseline_precision.total) == (0, 1)
    assert mild.candidate_precision.total == 0
    assert compare(published(*ONE), published(*OTHER)).rules[0].baseline_precision is None


def test_who_is_touched(found: Comparison) -> None:
    """Everybody with the decisions of both runs, what the truth says, and the most differing first."""
    assert [(each.id, each.differences, each.label) for each in found.touched] == [
        ("m1", 1, "honest"),
        ("m2", 1, "honest"),
        ("m3", 1, "bust_out"),
    ]
    first = found.touched[0]
    assert first.restricted == ({"EUR": 100}, {"EUR": 1_100})
    assert [line.match.outcome for line in first.lines] == ["equal", "changed"]
    assert first.category == "home/decor"


def test_it_is_json(found: Comparison) -> None:
    """Programs read everything, matches with both decisions included."""
    read = msgspec.json.decode(msgspec.json.encode(found))
    line = read["touched"][0]["lines"][1]["match"]
    assert (line["outcome"], line["differs"]) == ("changed", ["expires_at"])
    assert line["candidate"]["expires_at"] > line["baseline"]["expires_at"]


def test_outputs_alone_are_enough() -> None:
    """Without input, truth and policies there are no amounts, verdicts, and causes, and all else is there."""
    found = compare(published(*ONE), published(*OTHER))
    assert found.outcomes == {"equal": 1, "changed": 1, "lost": 1, "gained": 1}
    assert (found.traded, found.truth, found.verdicts, found.policy, found.tiers) == ({}, None, None, None, None)
    assert found.touched[0].lines[1].cause == ""


def test_two_empty_runs() -> None:
    """Nothing is nothing, and no error."""
    found = compare(published(), published())
    assert not any(found.outcomes.values())
    assert (found.touched, found.baseline.first) == ([], None)


def test_causes_come_along() -> None:
    """With both policy sets every difference has its cause, and the page has what changed."""
    same = compiled(PACKAGED)
    found = compare(published(*ONE), published(*OTHER), Background(causes=Causes(same, same)))
    assert found.policy is not None and found.policy.changes == []
    assert all(bool(line.cause) == (line.match.outcome != "equal") for each in found.touched for line in each.lines)
