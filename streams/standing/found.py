"""The latest standing of a merchant or creator: out of the compacted topics, or of an archive judged in memory."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from config.policies import PolicyError
from config.settings import Settings
from detectors.apply import ApplyError
from detectors.flush import Emit, Stream
from features.events import InputEvent
from streams.archive import ArchiveRecord
from streams.clients import kafka_config
from streams.evaluation.archive_run import evaluation_judge, run_archive
from streams.evaluation.partitioner import shard_of
from streams.reading import ReadError, TopicReader, read_to_end
from streams.topics import TopicsError, connect_admin

PartyKind: TypeAlias = Literal["merchant", "creator"]
KINDS: Final[tuple[PartyKind, ...]] = ("merchant", "creator")
_STREAMS: Final[dict[Stream, PartyKind]] = {"standing": "merchant", "creator_standing": "creator"}
_ADMIN_SECONDS: Final = 10.0


class StandingError(Exception):
    """There is no standing, or it cannot be read; the message says why."""


class Found(Struct, frozen=True):
    """A standing as published, and where it was found."""

    kind: PartyKind
    id: str
    standing: dict[str, Any]
    source: str


def live_standings(settings: Settings, party: str, kind: PartyKind | None = None) -> list[Found]:
    """What the compacted topics hold of an id, by the kinds of party that it is.

    Raises
    ------
    StandingError
        Kafka cannot be read.
    """
    topics: dict[PartyKind, str] = {
        "merchant": settings.topics.merchant_standing,
        "creator": settings.topics.creator_standing,
    }
    try:
        _, metadata = connect_admin(settings, _ADMIN_SECONDS)
        found = []
        for each in KINDS if kind is None else (kind,):
            described = metadata.topics.get(topics[each])
            if described is None or not described.partitions:
                raise StandingError(f"there is no topic {topics[each]!r}; is topics.prefix right?")
            value = _latest(settings, topics[each], party.encode(), len(described.partitions))
            if value is not None:
                found.append(_found(each, party, value, topics[each]))
    except (ReadError, TopicsError) as error:
        raise StandingError(str(error)) from error
    return found


def archived_standings(
    settings: Settings,
    records: Iterable[ArchiveRecord],
    party: str,
    name: str,
    *,
    kind: PartyKind | None = None,
    shards: int = 1,
    advance: Callable[[], object] = lambda: None,
) -> list[Found]:
    """What an archive of events, which ``name`` names, leads to.

    Raises
    ------
    StandingError
        It cannot be judged.
    streams.archive.ArchiveError
        It cannot be read.
    """
    latest = _Latest(party.encode(), kind)
    try:
        judge = evaluation_judge(settings)
        run_archive(records, judge, latest, shards=shards, seed=settings.worker.seed, advance=advance)
    except PolicyError as error:
        raise StandingError(str(error)) from error
    except ApplyError as error:
        raise StandingError(f"{error}; please report it") from error
    return [_found(each, party, latest.values[each], name) for each in KINDS if each in latest.values]


class _Latest:
    """Keeps the latest standings of an id."""

    def __init__(self, key: bytes, kind: PartyKind | None) -> None:
        self._key = key
        self._kind = kind
        self.values: dict[PartyKind, bytes] = {}

    def event(self, event: InputEvent, time: int) -> None:
        """An event that is about to be applied: nothing to be kept of it."""

    def outputs(self, emits: Sequence[Emit], time: int) -> None:
        """What applying it published."""
        for emit in emits:
            kind = _STREAMS.get(emit.stream)
            if kind is not None and emit.key == self._key and self._kind in (None, kind):
                self.values[kind] = emit.value or b""


def _latest(settings: Settings, topic: str, key: bytes, partitions: int) -> bytes | None:
    """The last value of a key; a compacted partition may hold others before it."""
    value: bytes | None = None
    shard = shard_of(key, partitions)
    with TopicReader(kafka_config(settings), [topic], start={(topic, shard): 0}) as reader:
        for message in read_to_end(reader):
            if message.key() == key:
                value = message.value()
    return value


def _found(kind: PartyKind, party: str, value: bytes, source: str) -> Found:
    try:
        return Found(kind, party, msgspec.json.decode(value, type=dict[str, Any]), source)
    except msgspec.DecodeError as error:
        raise StandingError(f"the standing of {kind} {party!r} in {source} cannot be read: {error}") from error
