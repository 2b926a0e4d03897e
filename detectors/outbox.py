"""Turns judgements into messages: CloudEvents 1.0 in Kafka binary mode, with deterministic ids."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import msgspec

from detectors.adwin import Shift
from detectors.flush import Emit, Stream
from features.decode import Rejection
from features.omissions import Gap
from features.outputs import (
    CreatorStanding,
    DriftDetected,
    EnforcementCapped,
    GapDetected,
    MerchantOutput,
    Mode,
    Output,
    PartyOutput,
    PoliciesChanged,
    PoliciesRefused,
    Source,
    Standing,
)
from features.policy_notices import PolicyNotice
from features.rounding import nearest
from features.shard import Record
from features.trace_context import trace_headers

_SOURCE: Final = b"/shopwarden"
_JSON: Final = b"application/json"
_encode = msgspec.json.Encoder().encode


class Outbox:
    """Collects the messages of one flush, in order.

    An id is made of the source record's coordinates and the number of the output among those that this record caused,
    so that the same input gives the same ids live, after a crash and in replay.
    """

    __slots__ = ("_at", "_count", "_record", "emits", "time")

    def __init__(self) -> None:
        self.emits: list[Emit] = []
        self.time = 0
        self._record: Record | Source = Source("", 0, 0)
        self._at = ""
        self._count = 0

    def start(self, record: Record | Source, time: int) -> None:
        """Begin the outputs of one record (or tick) at an event time, ms."""
        self._record = record
        self.time = time
        self._at = ""
        self._count = 0

    @property
    def source(self) -> Source:
        """The record that the present outputs come from."""
        record = self._record
        return Source(record.topic, record.partition, record.offset)

    def next_id(self) -> str:
        """A fresh id for an output of the present record: letters, digits, hyphens and underscores only."""
        if not self._at:
            record = self._record
            self._at = f"{_slug(record.topic)}-{record.partition}-{record.offset}"
        identifier = f"{self._at}-{self._count}"
        self._count += 1
        return identifier

    def publish(self, identifier: str, output: PartyOutput | MerchantOutput, subject: str) -> None:
        """Add an output event, keyed by its merchant or creator."""
        self._event(identifier, output.merchant_id or getattr(output, "creator_id", None) or "", output, subject)

    def gap(self, gap: Gap, partition: int, mode: Mode, time: int) -> None:
        """Add that records of an input partition were never seen; ``time`` is how far the shard's event time is."""
        self.start(Source(gap.topic, partition, gap.first), time)
        detected = GapDetected(
            topic=gap.topic,
            partition=partition,
            first_offset=gap.first,
            last_offset=gap.last,
            why=gap.why,
            mode=mode,
        )
        # The record at this offset may yet come, in a topic made anew: its outputs have other ids.
        identifier = f"gap-{_slug(gap.topic)}-{partition}-{gap.first}-{gap.last}"
        self._event(identifier, f"shard-{partition}", detected, f"{gap.topic}/{partition}")

    def drift(self, what: str, shift: Shift, partition: int, mode: Mode) -> None:
        """Add that a figure of the shard has changed for good."""
        detected = DriftDetected(
            what=what,
            detector="adwin",
            before=nearest(shift.before, 1e5),
            after=nearest(shift.after, 1e5),
            window=shift.window,
            partition=partition,
            mode=mode,
        )
        self._event(self.next_id(), f"shard-{partition}", detected, what)

    def policies(self, notice: PolicyNotice, partition: int, mode: Mode, time: int) -> None:
        """Add that a published policy set was taken up or left alone; ``time`` is how far the shard's event time is."""
        self.start(Source("policies", partition, notice.publication), time)
        told: PoliciesChanged | PoliciesRefused
        if notice.detail:
            told = PoliciesRefused(partition=partition, publication=notice.publication, why=notice.detail, mode=mode)
        else:
            told = PoliciesChanged(
                partition=partition,
                publication=notice.publication,
                version=notice.version,
                previous=notice.previous,
                percent=notice.percent,
                mode=mode,
            )
        identifier = f"policies-{partition}-{notice.publication}-{notice.version or 'refused'}"
        self._event(identifier, f"shard-{partition}", told, notice.version or "policies")

    def capped(self, capped: EnforcementCapped) -> None:
        """Add that the shard's circuit breaker has opened."""
        self._event(self.next_id(), f"shard-{capped.partition}", capped, "circuit-breaker")

    def _event(self, identifier: str, key: str, output: Output, subject: str) -> None:
        kind = str(output.__struct_config__.tag)
        self.emits.append(
            Emit(
                "events",
                key.encode(),
                _encode(output),
                (
                    ("ce_specversion", b"1.0"),
                    ("ce_id", identifier.encode()),
                    ("ce_type", kind.encode()),
                    ("ce_source", _SOURCE),
                    ("ce_time", _rfc3339(self.time)),
                    ("ce_subject", subject.encode()),
                    ("content-type", _JSON),
                    *self._trace(),
                ),
                identifier,
            )
        )

    def _trace(self) -> tuple[tuple[str, bytes], ...]:
        """To which trace the present record belongs, as its producer said."""
        record = self._record
        return trace_headers(record.headers) if isinstance(record, Record) and record.headers else ()

    def standing(self, standing: Standing | CreatorStanding) -> None:
        """Add the latest standing of a merchant or creator, for its compacted topic."""
        identifier = self.next_id()
        headers = (("ce_id", identifier.encode()), ("content-type", _JSON), *self._trace())
        if isinstance(standing, Standing):
            stream: Stream = "standing"
            key = standing.merchant_id
        else:
            stream, key = "creator_standing", standing.creator_id
        self.emits.append(Emit(stream, key.encode(), _encode(standing), headers, identifier))

    def refuse(self, rejection: Rejection) -> None:
        """Add the present record to the dead letters: it was understood, and can't be meant."""
        if isinstance(self._record, Record):
            self.reject(self._record, rejection)

    def reject(self, record: Record, rejection: Rejection) -> None:
        """Add a record that could not be used to the dead letters, with its own bytes."""
        identifier = self.next_id()
        headers = (
            *record.headers,
            ("ce_id", identifier.encode()),
            ("dlq_reason", rejection.code.encode()),
            ("dlq_detail", _shortened(rejection.detail)),
            ("dlq_topic", record.topic.encode()),
            ("dlq_partition", str(record.partition).encode()),
            ("dlq_offset", str(record.offset).encode()),
            ("dlq_at", str(record.timestamp).encode()),
        )
        self.emits.append(Emit("dead_letters", record.key, record.value, headers, identifier))


@lru_cache(maxsize=256)
def _slug(topic: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c == "_") else "-" for c in topic)


def _shortened(detail: str) -> bytes:
    """At most 1,000 bytes of UTF-8, cut between characters: not everyone reads headers with replacements."""
    return detail.encode("utf-8", "replace")[:1_000].decode("utf-8", "ignore").encode()


def _rfc3339(time: int) -> bytes:
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()
