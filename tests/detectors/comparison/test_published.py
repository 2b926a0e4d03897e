from detectors.comparison.published import End, Gap, Published, Tier
from features.outputs import Reason
from tests.detectors.comparison.made import START, decision, published, take

ASSESSED = {
    "assessment_id": "a1",
    "merchant_id": "m1",
    "subject": {"kind": "merchant", "id": "m1"},
    "level": "high",
    "score": 700,
    "reasons": [{"code": "late-dispatch", "text": "5 of 50", "weight": 0.4, "observed": 0.1}],
    "versions": {"policy": "abc", "features": "1", "models": "x"},
    "mode": "live",
}


def test_a_decision_has_the_reasons_and_the_tier_of_its_time() -> None:
    """The latest assessment of the subject and the latest credit before it, not those of others or of later."""
    run = Published()
    take(run, "risk.assessed", "1", START, ASSESSED)
    take(
        run, "credit.changed", "2", START, {"subject": {"kind": "merchant", "id": "m1"}, "tier": "silver", "score": 400}
    )
    other = ASSESSED | {"subject": {"kind": "order", "id": "o1"}, "reasons": []}
    take(run, "risk.assessed", "3", START, other)
    body = {
        "decision_id": "4",
        "merchant_id": "m1",
        "subject": {"kind": "merchant", "id": "m1"},
        "action": "an action of tomorrow",
        "policy": {"id": "late-dispatch", "version": "1", "title": "Late"},
        "starts_at": START,
        "mode": "live",
    }
    take(run, "enforcement.decided", "4", START, body, written=START + 250)
    take(
        run,
        "credit.changed",
        "5",
        START + 1,
        {"subject": {"kind": "merchant", "id": "m1"}, "tier": "gold", "score": None},
    )
    (found,) = run.decisions
    assert found.reasons == (Reason("late-dispatch", "5 of 50", 0.4, 0.1),)
    assert (found.tier, found.action, found.restricts) == ("silver", "an action of tomorrow", True)
    assert [each.level for each in run.levels["merchant", "m1"]] == ["high"]
    assert run.tiers["merchant", "m1"] == [Tier(START, "silver", 400), Tier(START + 1, "gold", None)]
    assert run.policies == {"abc": 2}
    assert run.fired == {"late-dispatch": {("merchant", "m1")}}
    assert run.delays == {"4": 250}


def test_a_repeat_counts_once() -> None:
    """An output that was published again has the id of the first."""
    run = published(decision(), decision())
    assert len(run.decisions) == 1
    assert (run.repeats, run.counts.total()) == (1, 1)


def test_modes_are_told_apart() -> None:
    """Shadow and live in one topic: only the one that is asked for is taken."""
    for modes, expected in ((frozenset({"shadow"}), 1), (frozenset[str](), 2)):
        run = Published(modes)
        for number, mode in enumerate(("live", "shadow")):
            take(run, "risk.assessed", str(number), START, ASSESSED | {"mode": mode})
        assert sum(run.modes.values()) == expected


def test_what_was_withheld_is_a_decision_that_takes_nothing() -> None:
    """The hold-out's decisions are seen and restrict nobody."""
    run = Published(frozenset({"replay"}))
    body = {
        "merchant_id": "m1",
        "subject": {"kind": "merchant", "id": "m1"},
        "stratum": "holdout:late_dispatch",
        "withheld": {
            "action": "limit_orders",
            "policy": {"id": "late-dispatch-severe", "version": "1", "title": "Late"},
            "starts_at": START,
            "until": START + 5,
        },
    }
    take(run, "audit.sampled", "s1", START, body)
    take(run, "audit.sampled", "s2", START, {key: value for key, value in body.items() if key != "withheld"})
    (found,) = run.decisions
    assert (found.id, found.withheld, found.expires_at) == ("s1", True, START + 5)
    assert not found.restricts and not found.accuses


def test_ends_and_gaps() -> None:
    """What ended when, and what was never seen."""
    run = published(decision())
    take(run, "enforcement.reversed", "r", START + 9, {"reverses": decision().id, "why": "appeal", "mode": "live"})
    gap = {"topic": "orders", "partition": 3, "first_offset": 5, "last_offset": 9, "why": "expired", "mode": "live"}
    take(run, "gap.detected", "g", START + 10, gap)
    assert run.ended == {decision().id: End(START + 9, "appeal")}
    assert run.gaps == [Gap("orders", 3, 5, 9, "expired", START + 10)]


def test_types_that_nobody_asked_for_only_count() -> None:
    """An event of an unknown type is an output all the same; one that cannot be read is said to be."""
    run = Published()
    take(run, "of.tomorrow", "1", START, {"x": 1})
    take(run, "enforcement.decided", "2", START, {"decision_id": 7})
    assert run.counts == {"shopwarden.of.tomorrow.v1": 1}
    assert run.unread == 1


def test_a_creator_is_a_party() -> None:
    """What is about a creator is kept under the creator."""
    run = Published()
    body = ASSESSED | {"merchant_id": "", "creator_id": "c1", "subject": {"kind": "creator", "id": "c1"}}
    take(run, "risk.assessed", "1", START, body)
    assert list(run.levels) == [("creator", "c1")]
    assert decision(creator_id="c1").party == ("creator", "c1")
