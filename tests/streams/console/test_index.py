"""What the index makes of records, and that each counts once."""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from features.outputs import (
    AppealNoted,
    CreditChanged,
    EnforcementDecided,
    EnforcementReversed,
    MetricEstimated,
    PolicyRef,
    Redress,
    RiskAssessed,
    Source,
    Standing,
    StandingEnforcement,
    Subject,
    Versions,
)
from streams.console.index.harm import Harm
from streams.console.index.inputs import DAY
from streams.console.index.pruning import prune
from streams.console.index.reading import IndexReader
from streams.console.index.schema import open_index
from streams.console.index.writer import FOLLOWED, IndexWriter
from tests.builders import START, event

TIME = "2024-01-01T00:00:00.000Z"
HARM = Harm({"USD": 100.0, "JPY": 150.0}, {"low": 0.0, "high": 0.4})


class Message:
    """A record as the client gives it."""

    def __init__(
        self, topic: str, offset: int, key: str, value: bytes, headers: Mapping[str, str] = {}, partition: int = 0
    ) -> None:
        self._said = topic, partition, offset, key.encode(), value
        self._headers = [(name, text.encode()) for name, text in headers.items()]

    def topic(self) -> str:
        """Topic."""
        return self._said[0]

    def partition(self) -> int:
        """Partition."""
        return self._said[1]

    def offset(self) -> int:
        """Offset."""
        return self._said[2]

    def key(self) -> bytes:
        """Key."""
        return self._said[3]

    def value(self) -> bytes:
        """Value."""
        return self._said[4]

    def headers(self) -> list[tuple[str, bytes]]:
        """Headers."""
        return self._headers

    def timestamp(self) -> tuple[int, int]:
        """Kind and ms."""
        return 1, START


class Index:
    """An index in a folder, written record by record."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.connection = open_index(file, "here")
        self.writer = IndexWriter(self.connection, {name: name for name in FOLLOWED})
        self.read = IndexReader(file)
        self._ends: dict[str, int] = {}

    def put(self, topic: str, key: str, value: bytes, headers: Mapping[str, str] = {}) -> None:
        """Take the next record of a topic."""
        offset = self._ends.get(topic, 0)
        self._ends[topic] = offset + 1
        self.writer.take([Message(topic, offset, key, value, headers)])  # type: ignore[list-item]

    def event(self, topic: str, kind: str, at: int = 0, merchant: str = "m1", **fields: Any) -> None:
        """Take an input event."""
        self.put(topic, merchant, msgspec.json.encode(event(kind, at, merchant, **fields)))

    def output(self, identifier: str, output: Any) -> None:
        """Take an output."""
        headers = {
            "ce_id": identifier,
            "ce_time": TIME,
            "ce_type": str(output.__struct_config__.tag),
            "ce_subject": "s",
        }
        self.put("events", "m1", msgspec.json.encode(output), headers)

    def decision(self, identifier: str = "d1") -> dict[str, Any]:
        """A decision's row."""
        row = self.read.decision(identifier)
        assert row is not None
        return dict(row)

    def close(self) -> None:
        """Close everything."""
        self.read.close()
        self.connection.close()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """An empty index."""
    made = Index(tmp_path / "index.db")
    yield made
    made.close()


def decided(identifier: str = "d1", sequence: int = 1, **changes: Any) -> EnforcementDecided:
    """A decision that waits, about an order."""
    fields: dict[str, Any] = {
        "decision_id": identifier, "sequence": sequence, "merchant_id": "m1", "subject": Subject("order", "o1"),
        "action": "hold_payout", "severity": "high", "starts_at": START, "requires_review": True,
        "policy": PolicyRef("some-rule", "1", "Some rule"), "assessment_id": "a1", "evidence": [], "facts": "facts",
        "redress": Redress(START + DAY), "mode": "live",
    }  # fmt: skip
    return EnforcementDecided(**fields | changes)


def reversal(identifier: str, why: Any = "expiry") -> EnforcementReversed:
    """The end of a decision."""
    return EnforcementReversed(
        decision_id="r1", sequence=9, merchant_id="m1", reverses=identifier, why=why, restores=[], mode="live"
    )


def standing(sequence: int, *decisions: str) -> bytes:
    """A standing that lists some decisions."""
    subject = Subject("order", "o1")
    listed = [StandingEnforcement(each, "hold_payout", "some-rule", subject, None) for each in decisions]
    return msgspec.json.encode(
        Standing(merchant_id="m1", sequence=sequence, level="high", as_of=START, enforcements=listed, mode="live")
    )


def place_order(index: Index, total: int = 5_000, currency: str = "USD", **fields: Any) -> None:
    """An order placed at m1."""
    items = [{"listing_id": "l1", "quantity": 2, "unit_price": total // 2}]
    order: dict[str, Any] = {
        "order_id": "o1",
        "buyer_id": "buyer-of-somebody",
        "items": items,
        "total": total,
        "currency": currency,
    }
    index.event("orders", "order.created", **order | fields)


def test_events_are_kept_without_persons(index: Index) -> None:
    """Who, what, when and a few words; turnover by day of the merchant, the listing and the creator."""
    place_order(index, creator_id="c1", device_id="device-of-somebody", channel="live")
    index.event("orders", "order.reviewed", 5, order_id="o1", rating=2, text="words of somebody")
    rows = index.read.rows("SELECT type, subject, words, amount FROM event ORDER BY id")
    assert [tuple(row) for row in rows] == [
        ("order.created", "o1", "2 pc, 50.00 USD, live", 5_000),
        ("order.reviewed", "o1", "2 of 5", None),
    ]
    sales = index.read.rows(
        "SELECT p.kind, p.name, s.listing, s.amount FROM sales s JOIN party p ON p.id = s.party"
        " ORDER BY p.kind, s.listing"
    )
    assert [tuple(row) for row in sales] == [
        ("creator", "c1", "", 5_000), ("merchant", "m1", "", 5_000), ("merchant", "m1", "l1", 5_000),
    ]  # fmt: skip
    stored = b"".join(file.read_bytes() for file in sorted(index.file.parent.glob("index.db*")))
    assert b"of-somebody" not in stored and b"of somebody" not in stored


def test_a_record_counts_once(index: Index) -> None:
    """Read again after a restart it is passed over, as offsets and rows are one transaction."""
    place_order(index)
    again = IndexWriter(index.connection, {name: name for name in FOLLOWED})
    again.take([Message("orders", 0, "m1", index.file.read_bytes()[:1])])  # type: ignore[list-item]
    assert index.read.counts("events") == {"orders": 1} and again.latest == START
    assert again.places == {("orders", 0): 1}


def test_a_batch_that_fails_leaves_nothing(index: Index) -> None:
    """Neither rows nor offsets; taken again, it counts as if nothing had been."""
    value = msgspec.json.encode(event("listing.removed", 0, "m1", listing_id="l1"))
    good, bad = Message("listings", 0, "m1", value), Message("nothing", 0, "m1", b"")
    with pytest.raises(KeyError):
        index.writer.take([good, bad])  # type: ignore[list-item]
    assert index.read.counts("events") == {} and index.read.rows("SELECT * FROM party") == []
    index.writer.take([good])  # type: ignore[list-item]
    assert index.read.counts("events") == {"listings": 1} and index.read.party("merchant", "m1") is not None


def test_a_rollback_of_sqlites_own_is_no_second_failure(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk SQLite leaves the transaction itself; its parties are new again at the next try."""

    def full() -> None:
        index.connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    value = msgspec.json.encode(event("listing.removed", 0, "m1", listing_id="l1"))
    message = Message("listings", 0, "m1", value)
    with monkeypatch.context() as patch:
        patch.setattr(index.writer._counters, "flush", full)
        with pytest.raises(sqlite3.OperationalError, match="full"):
            index.writer.take([message])  # type: ignore[list-item]
    index.writer.take([message])  # type: ignore[list-item]
    party = index.read.party("merchant", "m1")
    assert party is not None and party["events"] == 1


def test_an_event_of_the_far_future_moves_nothing(index: Index) -> None:
    """The worker refuses it too; taken, all that is there would look old, and no dollars at risk."""
    place_order(index)
    index.event("listings", "listing.removed", 60 * 365 * DAY, listing_id="l1")
    assert index.writer.latest == START
    assert index.read.counts("events") == {"orders": 1} and index.read.counts("unusable") == {"listings": 1}


def test_unusable_records_stop_nothing(index: Index) -> None:
    """Garbage in any topic is counted, and the rest goes on."""
    for topic in FOLLOWED:
        index.put(topic, "m1", b"\xff{", {"dlq_reason": "invalid"})
    place_order(index)
    assert sum(index.read.counts("unusable").values()) == 8 and index.read.counts("events") == {"orders": 1}
    assert index.read.counts("dead_letters") == {"invalid": 1}


def test_another_deployments_index_is_made_anew(tmp_path: Path) -> None:
    """Offsets of one cluster mean nothing in another."""
    first = Index(tmp_path / "index.db")
    place_order(first)
    first.close()
    open_index(tmp_path / "index.db", "here").close()
    same = IndexReader(tmp_path / "index.db")
    assert same.counts("events") == {"orders": 1}
    same.close()
    open_index(tmp_path / "index.db", "elsewhere").close()
    other = IndexReader(tmp_path / "index.db")
    assert other.counts("events") == {}
    other.close()


def test_expected_harm_orders_the_queue(index: Index) -> None:
    """Probability times dollars at risk: of the order, or of the turnover of thirty days, whatever the currency."""
    place_order(index, 10_000)
    index.output("a1", assessment("a1", 0.5))
    index.output("d1", decided())
    index.output("d2", decided("d2", 2, subject=Subject("merchant", "m1"), assessment_id="gone"))
    place_order(index, 30_000, "JPY", order_id="o2")
    assert HARM.weigh(index.connection, index.writer.latest) == 2
    assert index.decision("d1")["harm"] == 50.0 and index.decision("d1")["at_risk"] == 100.0
    # No assessment of its own is known: the least that its severity stands for.
    assert index.decision("d2")["harm"] == pytest.approx(0.4 * (100 + 200))
    assert HARM.weigh(index.connection, index.writer.latest) == 0
    assert HARM.weigh(index.connection, index.writer.latest + 31 * DAY) == 1
    assert index.decision("d2")["harm"] == 0.0


def assessment(identifier: str, probability: float) -> RiskAssessed:
    """An assessment of the order."""
    return RiskAssessed(
        assessment_id=identifier, sequence=1, merchant_id="m1", subject=Subject("order", "o1"), level="high", score=700,
        probability=probability, detectors=[], reasons=[], features={}, versions=Versions("p", "f", "m"), mode="live",
        source=Source("orders", 0, 0),
    )  # fmt: skip


def test_the_life_of_a_decision(index: Index) -> None:
    """It waits, is confirmed by one that takes its place, appealed, and taken back; counters go along."""
    index.output("d1", decided())
    assert index.read.counts("decisions") == {"waiting": 1}
    index.event("feedback", "review.decided", 1, verdict="violation", source="human", decision_id="d1", by="alice")
    index.output("d2", decided("d2", 2, requires_review=False, supersedes="d1"))
    assert index.decision("d1")["state"] == "superseded" and index.decision("d1")["superseded_by"] == "d2"
    assert index.decision("d2")["state"] == "in_force" and index.decision("d2")["verdict"] == "violation"
    noted = AppealNoted(
        sequence=3, merchant_id="m1", decision_id="d2", state="open", number=1, why="x", mode="live", due_at=START + DAY
    )
    index.output("n1", noted)
    assert index.decision("d2")["appeal"] == "open" and index.read.counts("appeals") == {"open": 1}
    index.output("n2", msgspec.structs.replace(noted, state="overturned", due_at=None))
    index.output("r1", reversal("d2", "appeal"))
    assert index.decision("d2")["state"] == "ended" and index.decision("d2")["ended_why"] == "appeal"
    assert index.read.counts("appeals") == {"overturned": 1}
    assert index.read.counts("decisions") == {"ended": 1, "superseded": 1}


def test_topics_may_be_read_in_any_order(index: Index) -> None:
    """A verdict and a standing that are read before the decision that they are about."""
    index.event("feedback", "review.decided", 1, verdict="clean", source="human", decision_id="d1")
    index.put("merchant_standing", "m1", standing(7, "d2"))
    index.output("d1", decided())
    index.output("d2", decided("d2", 2))
    assert index.decision("d1")["state"] == "ended" and index.decision("d1")["verdict"] == "clean"
    assert index.decision("d2")["state"] == "waiting"
    assert index.read.counts("decisions") == {"ended": 1, "waiting": 1}


def test_a_repeat_changes_nothing(index: Index) -> None:
    """An output that comes again has the id of the first; an older standing does not take a newer one's place."""
    index.output("d1", decided())
    index.output("r1", reversal("d1"))
    index.output("d1", decided())
    assert index.read.counts("decisions") == {"ended": 1} and index.decision()["state"] == "ended"
    index.put("merchant_standing", "m1", standing(7, "d2"))
    index.put("merchant_standing", "m1", standing(6))
    party = index.read.party("merchant", "m1")
    assert party is not None and party["sequence"] == 7
    assert index.read.counts("merchants") == {"high": 1}


def test_shadows_do_not_wait_for_anybody(index: Index) -> None:
    """What a candidate set would decide is shown as such, and is in no queue."""
    index.output("d1", decided(mode="shadow"))
    assert index.decision()["state"] == "shadow" and index.read.counts("decisions") == {"shadow": 1}


def test_credit_and_estimates_are_kept(index: Index) -> None:
    """Score and tier of the party; an estimate that is published again takes the place of the first."""
    index.output("c1", credit())
    party = index.read.party("merchant", "m1")
    assert party is not None and (party["score"], party["tier"]) == (420, "standard")
    for value in (0.1, 0.2):
        index.put("metrics", "bad_order_rate", msgspec.json.encode(estimate(value)))
    rows = index.read.rows("SELECT slice, value FROM estimate")
    assert len(rows) == 1 and msgspec.json.decode(rows[0]["value"])["value"] == 0.2


def credit() -> CreditChanged:
    """A change of credit."""
    return CreditChanged(
        sequence=1, merchant_id="m1", subject=Subject("merchant", "m1"), score=420, previous=200, tier="standard",
        previous_tier="new", probability=0.1, lower=0.0, upper=0.2, entries=[], mode="live",
    )  # fmt: skip


def estimate(value: float) -> MetricEstimated:
    """An estimate."""
    return MetricEstimated(
        name="bad_order_rate", slice={"b": "2", "a": "1"}, period="recent", start=START, end=START + DAY, as_of=START,
        value=value, low=0.0, high=1.0, numerator=1, denominator=10, unit="share", method="wilson", mature=True,
        completeness=1.0, note="", bound=None,
    )  # fmt: skip


def test_what_is_old_is_forgotten(index: Index) -> None:
    """By age and by number; decisions stay, as people look them up."""
    place_order(index)
    index.output("d1", decided())
    for day in range(1, 11):
        index.event("listings", "listing.removed", day * DAY, listing_id="l1")
    assert prune(index.connection, index.writer.latest, 5, 1_000) > 0
    assert len(index.read.rows("SELECT * FROM event")) == 6 and not index.read.rows("SELECT * FROM output")
    assert index.decision()["id"] == "d1"
    prune(index.connection, index.writer.latest, 5, 2)
    assert len(index.read.rows("SELECT * FROM event")) == 2
    assert prune(index.connection, index.writer.latest, 5, 2) == 0
