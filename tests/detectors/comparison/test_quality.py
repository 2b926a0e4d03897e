from detectors.comparison.matching import match
from detectors.comparison.quality import Known, moved, quality, reviewed
from detectors.comparison.trade import Trade
from features.events import ReviewDecided, Subject
from tests.detectors.comparison.made import START, decision, restriction

KNOWN = Known({"bad": ("bust_out", START), "worse": ("brushing", START + 5)}, frozenset({"good", "better", "absent"}))


def test_found_and_accused() -> None:
    """A warning accuses nobody, a decision before the start finds nobody, and who is not known does not count."""
    found, malicious, honest = quality(
        [
            restriction(merchant_id="bad"),
            restriction(merchant_id="worse"),  # before it began
            restriction(merchant_id="nobody knows"),
            decision(merchant_id="good"),
            decision(merchant_id="better", action="require_review"),
        ],
        KNOWN,
        {"bad", "worse", "good", "better", "nobody knows"},
    )
    assert (found.recall.hits, found.recall.total) == (1, 2)
    assert (found.precision.hits, found.precision.total) == (1, 2)
    assert (found.honest.hits, found.honest.total) == (1, 2)
    assert found.restricted.hits == 0
    assert {name: each.hits for name, each in found.by_pattern.items()} == {"bust_out": 1, "brushing": 0}
    assert (malicious, honest) == ({"bad"}, {"better"})


def test_all_others_are_honest_where_nobody_says() -> None:
    """Without a list of honest merchants, everybody who was seen is."""
    found, _, _ = quality([restriction(merchant_id="new")], Known({}), {"new", "newer"})
    assert (found.honest.hits, found.honest.total) == (1, 2)


def test_who_moved() -> None:
    """Found and accused by one run alone, by name."""
    found = moved(({"a", "b"}, {"h"}), ({"b", "c"}, {"i"}))
    assert (found.found, found.missed, found.spared, found.accused) == (["c"], ["a"], ["h"], ["i"])


def test_verdicts_reach_the_candidate() -> None:
    """People judged the baseline's decisions; a candidate's that is the same, or on the same subject, is judged."""
    wrong, right = restriction(0, merchant_id="m1"), restriction(0, merchant_id="m2")
    trade = Trade({"m1", "m2", "m3"})
    for number, (merchant, verdict) in enumerate((("m1", "clean"), ("m2", "violation"))):
        trade.event(
            ReviewDecided(
                event_id=str(number), occurred_at=START, merchant_id=merchant, source="human",
                verdict=verdict,  # type: ignore[arg-type]
                decision_id=(wrong, right)[number].id,
            )
        )  # fmt: skip
    trade.event(
        ReviewDecided(
            event_id="x", occurred_at=START, merchant_id="m3", source="audit", verdict="violation",
            subject=Subject("merchant", "m3"),
        )
    )  # fmt: skip
    trade.close()
    candidate = [restriction(1, merchant_id="m2", id="another"), restriction(1, merchant_id="m3", id="new")]
    matches = match([wrong, right], candidate)
    before, after = (reviewed(matches, trade, candidate=which) for which in (False, True))
    assert (before.precision.hits, before.precision.total) == (1, 2)
    assert (after.precision.hits, after.precision.total) == (2, 2)
    assert (before.recall.hits, before.recall.total) == (1, 2)
    assert (after.recall.hits, after.recall.total) == (2, 2)
