import re
from datetime import datetime

import msgspec
import pytest

from detectors.outbox import Outbox
from features.decode import Rejection
from features.outputs import AuditSampled, Source, Standing, Subject
from features.shard import Record

AT = 1_704_067_200_123


def sampled(merchant: str = "m1", subject: str = "o1") -> AuditSampled:
    """A small output event."""
    return AuditSampled(
        sequence=1,
        merchant_id=merchant,
        subject=Subject("order", subject),
        stratum="uniform",
        inclusion_probability=0.5,
        assessment_id="a",
    )


def outbox(topic: str = "orders", offset: int = 7, time: int = AT) -> Outbox:
    """An outbox at work on a record."""
    made = Outbox()
    made.start(Source(topic, 3, offset), time)
    return made


def test_events_are_cloudevents_in_binary_mode() -> None:
    """Context attributes are headers, the body is the JSON, the key is the merchant."""
    box = outbox()
    box.publish(box.next_id(), sampled("münze", "o€"), "o€")
    (emit,) = box.emits
    assert (emit.stream, emit.key, emit.id) == ("events", "münze".encode(), "orders-3-7-0")
    assert dict(emit.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"orders-3-7-0",
        "ce_type": b"shopwarden.audit.sampled.v1",
        "ce_source": b"/shopwarden",
        "ce_time": b"2024-01-01T00:00:00.123Z",
        "ce_subject": "o€".encode(),
        "content-type": b"application/json",
    }
    assert msgspec.json.decode(emit.value or b"", type=AuditSampled) == sampled("münze", "o€")


def test_ids_count_within_a_record_and_begin_anew_with_the_next() -> None:
    """The same record gives the same ids whenever it is applied."""
    box = outbox()
    assert [box.next_id() for _ in range(3)] == ["orders-3-7-0", "orders-3-7-1", "orders-3-7-2"]
    box.start(Source("orders", 3, 8), AT)
    assert box.next_id() == "orders-3-8-0"
    assert outbox().next_id() == "orders-3-7-0"


@pytest.mark.parametrize("topic", ["shop.orders", "a/b c", "tick", "Ünicode_topic-1"])
def test_ids_are_safe_in_urls_and_file_names(topic: str) -> None:
    """Letters, digits, hyphens and underscores only, whatever the topic is called."""
    assert re.fullmatch(r"[A-Za-z0-9_-]+", outbox(topic).next_id())


@pytest.mark.parametrize("time", [946_684_800_000, AT, 4_102_444_800_000, 1_704_067_200_000])
def test_times_are_rfc_3339_to_the_millisecond(time: int) -> None:
    """Every time that an input may have reads back exactly."""
    box = outbox(time=time)
    box.publish(box.next_id(), sampled(), "o1")
    text = dict(box.emits[0].headers)["ce_time"].decode()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    assert round(datetime.fromisoformat(text).timestamp() * 1000) == time


def test_standings_are_plain_values_under_the_merchants_key() -> None:
    """For a compacted topic: the latest per merchant is all there is."""
    box = outbox()
    standing = Standing(merchant_id="m1", sequence=4, level="high", as_of=AT, enforcements=[], mode="live")
    box.standing(standing)
    (emit,) = box.emits
    assert (emit.stream, emit.key) == ("standing", b"m1")
    assert msgspec.json.decode(emit.value or b"", type=Standing) == standing


def test_dead_letters_hold_the_record_as_it_was() -> None:
    """With a detail that is cut to a length a header can have, even within a character."""
    box = outbox()
    record = Record("orders", "orders", 3, 7, AT, b"\xff", b"{", (("h", b"1"),))
    box.reject(record, Rejection("undecodable", "x" + "é" * 900 + "\ud800"))
    (emit,) = box.emits
    assert (emit.stream, emit.key, emit.value) == ("dead_letters", b"\xff", b"{")
    headers = dict(emit.headers)
    assert headers["h"] == b"1"
    assert headers["dlq_detail"] == ("x" + "é" * 499).encode()
    assert [headers[f"dlq_{name}"] for name in ("reason", "topic", "partition", "offset", "at")] == [
        b"undecodable",
        b"orders",
        b"3",
        b"7",
        str(AT).encode(),
    ]
