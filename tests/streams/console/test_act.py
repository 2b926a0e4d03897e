from typing import Any, get_args

import msgspec
import pytest

from config.settings import Settings
from features.decode import InputLimits, decode
from features.events import EnforcementOverridden, ReviewDecided
from streams.console.acts import sender
from streams.console.acts.act import ROLE_OF, Act, ActError, ActKind, encode_act
from streams.console.acts.second_person import Decided, why_second

NOW = 1_760_000_000_000


def act(kind: ActKind, **fields: Any) -> Act:
    """An act about a merchant."""
    return Act(kind=kind, party_kind="merchant", party="m1", **fields)


COMPLETE = [
    act("verdict", decision_id="d1", verdict="clean"),
    act("appeal", decision_id="d1"),
    act("appeal_decision", decision_id="d1", outcome="overturned"),
    act("lift", decision_id="d1", why="wrong"),
    act("lift", decision_id="d1", why="for now", until=NOW + 1),
    act("snooze", policy="late-shipment", until=NOW + 1, why="strike of the carrier"),
    act("allow", policy="fulfilment", until=NOW + 1, why="known"),
    act("take", action="hold_payout", policy="fraud", why="found out"),
]


@pytest.mark.parametrize("one", COMPLETE, ids=lambda each: each.what)
def test_an_act_is_an_event_that_the_worker_takes(one: Act) -> None:
    """Each is what the contract asks for, with who did it."""
    event = decode("feedback", b"m1", encode_act(one, "alice", "e1", NOW), NOW, InputLimits())
    assert getattr(event, "by", None) == "alice"
    assert getattr(event, "event_id", None) == "e1" and getattr(event, "occurred_at", None) == NOW


def test_an_act_about_a_creator_is_keyed_by_it() -> None:
    """Both ids are the creator's, as the contract asks."""
    one = Act(kind="verdict", party_kind="creator", party="c1", decision_id="d1", verdict="violation")
    event = msgspec.json.decode(encode_act(one, "alice", "e1", NOW))
    assert event["merchant_id"] == event["creator_id"] == "c1"


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (act("verdict", verdict="clean"), "a decision is missing"),
        (act("verdict", decision_id="d1"), "can't be sent"),
        (act("lift", decision_id="d1", why="  "), "a reason is missing"),
        (act("snooze", policy="late-shipment", why="x"), "say until when"),
        (act("take", policy="fraud", why="x"), "an action is missing"),
        (act("take", action="warn", policy="x" * 300, why="x"), "can't be sent"),
    ],
)
def test_what_is_missing_is_said(one: Act, words: str) -> None:
    """Nothing is sent that the worker could not use."""
    with pytest.raises(ActError, match=words):
        encode_act(one, "alice", "e1", NOW)


def test_an_act_does_not_queue_behind_one_that_waits_for_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused after a while, so that pages keep their threads; nothing of it is sent."""
    monkeypatch.setattr(sender, "_TURN_SECONDS", 0.01)
    queued = sender.FeedbackSender(Settings())
    with queued._lock, pytest.raises(ActError, match="was not sent: another act"):
        queued.send("m1", b"{}")
    assert queued._producer is None


def test_every_act_has_a_role() -> None:
    """A new kind of act is nobody's until it is said whose."""
    assert set(ROLE_OF) == set(get_args(ActKind))


WAITS = Decided("suspend_merchant", "waiting", 100.0)
SUSPENDED = Decided("suspend_merchant", "in_force", 100.0)
DEMOTED = Decided("demote_listing", "in_force", 100.0)
RICH = Decided("demote_listing", "in_force", 20_000.0)


@pytest.mark.parametrize(
    ("one", "decision", "two"),
    [
        (act("verdict", decision_id="d", verdict="violation"), WAITS, True),
        (act("verdict", decision_id="d", verdict="clean"), WAITS, False),
        (act("verdict", decision_id="d", verdict="clean"), SUSPENDED, True),
        (act("verdict", decision_id="d", verdict="violation"), SUSPENDED, False),
        (act("lift", decision_id="d", why="x"), SUSPENDED, True),
        (act("lift", decision_id="d", why="x"), DEMOTED, False),
        (act("lift", decision_id="d", why="x"), RICH, True),
        (act("appeal_decision", decision_id="d", outcome="overturned"), SUSPENDED, True),
        (act("appeal_decision", decision_id="d", outcome="upheld"), SUSPENDED, False),
        (act("appeal", decision_id="d"), SUSPENDED, False),
        (act("take", action="close_merchant", policy="fraud", why="x"), None, True),
        (act("take", action="warn", policy="fraud", why="x"), None, False),
        (act("snooze", policy="r", until=NOW, why="x"), None, False),
    ],
)
def test_severe_acts_take_two(one: Act, decision: Decided | None, two: bool) -> None:
    """Suspending, closing, lifting either, and setting aside where much money is at risk."""
    assert (why_second(one, decision, 10_000) is not None) is two


def test_the_types_of_events_are_those_of_the_contract() -> None:
    """A verdict is a review, everything that sets aside or takes is an override."""
    review = decode("feedback", b"m1", encode_act(COMPLETE[0], "a", "e", NOW), NOW, InputLimits())
    lifted = decode("feedback", b"m1", encode_act(COMPLETE[3], "a", "e", NOW), NOW, InputLimits())
    assert isinstance(review, ReviewDecided) and isinstance(lifted, EnforcementOverridden)
