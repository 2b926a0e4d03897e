"""What becomes of a merchant's account: registration, changes, feedback."""

import pytest

from detectors.judge import Judge
from features.merchant import CHANGES_LIMIT, SEEN_LIMIT, VERIFIED_LIMIT
from tests.builders import DAY, HOUR, START, Event, Shard, event, make_judge, placed


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge with the packaged policies."""
    return make_judge(audit_rate=0.0)


@pytest.fixture
def shard(judge: Judge) -> Shard:
    """A shard that has seen nothing."""
    return Shard(judge)


def changed(at: int, what: str = "bank") -> Event:
    """An account change."""
    return event("merchant.account_changed", at, what=what, value_hash=f"h{at}")


def registered(at: int = 0, days_ago: int = 0) -> Event:
    """A registration some days ago, reported at a time."""
    return event("merchant.registered", at, kind="business", country="DE", registered_at=START + at - days_ago * DAY)


def test_registration_says_who_and_since_when(shard: Shard) -> None:
    """The account's age counts from it, also when it is heard of later."""
    shard.apply(placed(), placed("o2", at=10 * DAY))
    assert shard.feature("account_age_days") == 10
    shard.apply(registered(at=10 * DAY, days_ago=100))
    record = shard.merchant().record
    assert (record.kind, record.country) == ("business", "DE")
    assert shard.feature("account_age_days") == 100


def test_account_changes_are_counted_for_thirty_days(shard: Shard) -> None:
    """In whatever order they arrive."""
    shard.apply(changed(5 * DAY), changed(DAY), changed(3 * DAY, "device"))
    assert (shard.feature("account_changes_30d"), shard.feature("days_since_account_change")) == (3, 0)
    shard.apply(placed(at=34 * DAY))
    assert (shard.feature("account_changes_30d"), shard.feature("days_since_account_change")) == (1, 29)


def test_what_is_kept_of_an_account_is_bounded(shard: Shard) -> None:
    """A thousand changes and verifications leave the latest few."""
    for index in range(200):
        shard.apply(changed(index * HOUR), event("merchant.verified", index * HOUR, what=f"w{index}"))
    record = shard.merchant().record
    assert record.changes == [START + index * HOUR for index in range(200 - CHANGES_LIMIT, 200)]
    assert record.verified == [f"w{index}" for index in range(200 - VERIFIED_LIMIT, 200)]
    assert len(record.seen) == SEEN_LIMIT


def test_the_same_event_again_changes_nothing(shard: Shard) -> None:
    """Within the last events of a merchant's account, an id counts once."""
    events = [changed(index * HOUR) for index in range(5)]
    shard.apply(*events, *events)
    assert shard.feature("account_changes_30d") == 5
    assert shard.state.statistics.duplicates == 5


def test_feedback_is_counted(shard: Shard) -> None:
    """Reports and verdicts about a merchant; appeals are in test_redress.py."""
    subject = {"kind": "listing", "id": "l1"}
    shard.apply(
        event("report.received", 0, subject=subject, by="buyer"),
        event("review.decided", 1, verdict="violation", source="human", subject=subject),
        event("review.decided", 2, verdict="clean", source="audit", subject=subject),
        event("merchant.closed", 5),
    )
    record = shard.merchant().record
    assert (record.reports, record.violations, record.cleared, record.appeals) == (1, 1, 1, 0)
    assert record.closed == START + 5


def test_dormancy_is_the_pause_before_the_present_activity(shard: Shard) -> None:
    """A pause of fourteen days or more counts, from the last order or from registration, until the next such pause, and
    for thirty days.
    """
    shard.apply(registered(), placed(at=50 * DAY))
    assert shard.feature("dormant_days") == 50
    shard.apply(placed("o2", at=63 * DAY))
    assert shard.feature("dormant_days") == 50
    shard.apply(placed("o3", at=77 * DAY), placed("o4", at=78 * DAY))
    assert shard.feature("dormant_days") == 14
    for day in range(79, 109):
        shard.apply(placed(f"p{day}", at=day * DAY))
    assert shard.feature("dormant_days") == 0


def test_what_was_before_anything_was_heard_is_no_pause(shard: Shard) -> None:
    """An old account that is heard of when the shard begins was not dormant for that; one heard of later was."""
    shard.apply(registered(days_ago=900), placed())
    assert shard.feature("dormant_days") == 0
    shard.apply(placed("late", at=20 * DAY, merchant="m2"))
    shard.apply(
        event("merchant.registered", 20 * DAY + 1, "m3", kind="business", country="DE", registered_at=START - DAY)
    )
    shard.apply(placed("later", at=21 * DAY, merchant="m3"))
    assert shard.feature("dormant_days", "m2") == 0
    assert shard.feature("dormant_days", "m3") == 21


def test_a_change_of_account_is_judged_at_once(shard: Shard, judge: Judge) -> None:
    """Without waiting for the merchant's next regular assessment."""
    shard.apply(placed())
    before = shard.state.statistics.assessments
    shard.apply(event("merchant.verified", 1, what="identity"))
    assert shard.state.statistics.assessments == before
    shard.apply(changed(2))
    assert shard.state.statistics.assessments == before + 1
