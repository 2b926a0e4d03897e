from detectors.comparison.matching import match
from detectors.comparison.outage import LATE, LEAST_OUTPUTS, outage
from detectors.comparison.published import Decision, Published
from features.windows import HOUR_MS
from tests.detectors.comparison.made import START, decision, published, take


def speaking(*minutes: int, decisions: tuple[Decision, ...] = ()) -> Published:
    """A run that says something at these minutes, and takes decisions."""
    run = published(*decisions)
    for minute in minutes:
        take(run, "drift.detected", f"d{minute}", START + minute * 60_000, {})
    return run


def test_a_silence_is_what_the_candidate_has_something_to_say_in() -> None:
    """From the baseline's last output to its next, with the decisions that were never taken."""
    missed = decision(0.1)
    baseline = speaking(*range(0, 60, 5), *range(300, 400, 5))
    candidate = speaking(*range(0, 400, 5), decisions=(missed,))
    (found,) = outage(baseline, candidate, match(baseline.decisions, candidate.decisions)).silences
    assert (found.since, found.until) == (START + 55 * 60_000 + 1, START + 300 * 60_000)
    assert found.outputs == len(range(60, 300, 5)) + 1
    assert found.decisions == [missed.id]


def test_a_quiet_night_is_no_silence() -> None:
    """Hours in which the candidate says next to nothing either are none, and neither is a short span."""
    few = range(60, 60 + LEAST_OUTPUTS - 1)
    baseline = speaking(*range(60), 600)
    assert not outage(baseline, speaking(*range(60), *few, 600), []).silences
    assert not outage(speaking(0, 59), speaking(*range(59)), []).silences


def test_what_expired_in_an_outage_does_not_cut_it_up() -> None:
    """A few outputs of the baseline within do not make two of one silence; as many as the candidate's do."""
    candidate = speaking(*range(0, 600, 5))
    (found,) = outage(speaking(*range(0, 60, 5), 200, 201, *range(400, 600, 5)), candidate, []).silences
    assert (found.since, found.until, found.spoken) == (START + 55 * 60_000 + 1, START + 400 * 60_000, 2)
    two = outage(speaking(*range(0, 60, 5), *range(200, 300, 2), *range(450, 600, 5)), candidate, []).silences
    assert [each.spoken for each in two] == [0, 0]


def test_a_baseline_that_ended_or_began_too_late_was_silent() -> None:
    """Before its first and after its last output, too."""
    found = outage(speaking(200), speaking(*range(0, 400, 2)), []).silences
    assert [(each.since - START, each.until - START) for each in found] == [(0, 398 * 60_000 + 1)]
    assert not outage(speaking(200), Published(), []).silences


def test_late_decisions() -> None:
    """Written long after the usual delay, in a run that is about the present."""
    run = Published()
    for number, delay in enumerate((200, 250, 300, LATE + 10_000)):
        body = {
            "decision_id": str(number), "merchant_id": "m", "subject": {"kind": "merchant", "id": "m"},
            "action": "warn", "policy": {"id": "r"}, "starts_at": START, "mode": "live",
        }  # fmt: skip
        take(run, "enforcement.decided", str(number), START, body, written=START + delay)
    found = outage(run, Published(), [])
    assert [(each.decision, each.by) for each in found.late] == [("3", LATE + 10_000 - 275)]
    assert found.usual_delay == 275
    run.delays = {name: delay + 2 * HOUR_MS for name, delay in run.delays.items()}
    assert not outage(run, Published(), []).late, "a run over history is late with everything"
