"""Explains out of Redis (what is known now) and Kafka (what was published, and what came in).

Reads only: no consumer group, no claim on a shard. What is stored is as of the shard's last checkpoint, which is
seconds old while a worker runs.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import redis
from msgspec import Struct

from config.policies import PolicyError
from config.settings import Settings
from detectors.apply import Core
from detectors.judge import Judge, fresh_models
from features.events import SubjectKind
from features.keys import entity_key, split_key
from features.pseudonyms import Pseudonyms
from streams.clients import kafka_config, redis_client
from streams.evaluation.archive_run import evaluation_judge
from streams.evaluation.partitioner import shard_of
from streams.explain.inputs import concerns, input_entry, parse_event
from streams.explain.judgement import attributions_of
from streams.explain.present import describe
from streams.explain.story import AmbiguousError, ExplainError, Explanation, InputEntry, Wanted
from streams.explain.timeline import Published, entries_of, published_of
from streams.reading import ReadError, TopicReader, partition_of, read_to_end
from streams.recording import archive_record
from streams.snapshot import BLOBS, CREATOR, LISTING, MERCHANT, ORDER, keep_loaded, restore
from streams.store import Loaded, Position, StoreError
from streams.topics import TopicsError, connect_admin
from streams.worker import make_judge

_SCAN: Final = 1_000
_ADMIN_SECONDS: Final = 10.0
_STORED: Final[Mapping[SubjectKind, str]] = {
    "merchant": MERCHANT,
    "creator": CREATOR,
    "order": ORDER,
    "listing": LISTING,
}
#: Kinds that belong to nobody else: keyed by their own id.
_PARTIES: Final[tuple[SubjectKind, ...]] = ("merchant", "creator")
_MODELS: Final = "model:"
_Away: Final = (redis.exceptions.RedisError, redis.exceptions.RedisClusterException)


class _Found(Struct, frozen=True):
    kind: SubjectKind
    id: str
    merchant: str
    shard: int


def explain_live(settings: Settings, wanted: Wanted) -> Explanation:
    """Everything that a deployment knows about a subject.

    Raises
    ------
    ExplainError
        Nothing is known of it, or Kafka or Redis cannot be read; an AmbiguousError where it is more than one thing.
    """
    store = _Store(settings)
    try:
        return _explain(settings, store, wanted)
    except _Away as error:
        raise ExplainError(f"Redis at {settings.redis.url} cannot be read: {error}") from error
    except (ReadError, TopicsError) as error:
        raise ExplainError(str(error)) from error
    except (StoreError, PolicyError, msgspec.DecodeError) as error:
        raise ExplainError(f"what is stored cannot be used: {error}") from error
    finally:
        store.close()


def _explain(settings: Settings, store: "_Store", wanted: Wanted) -> Explanation:
    shards = _shards(settings)
    found = store.find(wanted, shards)
    published = list(_published(settings, wanted, found))
    if found is None:
        found = _of_published(wanted, published) or store.search(wanted, shards)
    if found is None:
        what = wanted.kind or "a merchant, a creator, an order or a listing"
        raise ExplainError(
            f"nothing is known of {what} {wanted.id!r}: neither Redis nor {settings.topics.events} has it. Ids are "
            "told apart by case; what is past its retention is forgotten"
        )
    explanation = Explanation(
        kind=found.kind,
        id=found.id,
        merchant_id="" if found.kind == "creator" else found.merchant,
        shard=found.shard,
        source=f"Redis ({settings.worker.namespace}), {settings.topics.events}",
        timeline=entries_of(published, found.kind, found.id, found.merchant),
    )
    core, notes = store.core(found)
    explanation.notes += notes
    describe(explanation, core)
    order = core.state.orders.get(entity_key(found.merchant, found.id)) if found.kind == "order" else None
    if order is not None and not notes:
        explanation.attributions = attributions_of(order, core.models)
    if wanted.events:
        explanation.events = list(_events(settings, found))
    return explanation


def _shards(settings: Settings) -> int:
    _, metadata = connect_admin(settings, _ADMIN_SECONDS)
    topic = metadata.topics.get(settings.topics.events)
    if topic is None or not topic.partitions:
        raise ExplainError(f"there is no topic {settings.topics.events!r}; is topics.prefix right?")
    return len(topic.partitions)


class _Store:
    """Redis, read by hand: the records of one subject and the blobs of its shard."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # redis-py's own types allow an awaitable for every answer.
        self._client: Any = redis_client(settings)

    def close(self) -> None:
        self._client.close()

    def _tag(self, shard: int) -> str:
        return f"{{{self._settings.worker.namespace}:{shard}}}:"

    def find(self, wanted: Wanted, shards: int) -> _Found | None:
        """The subject, where its key can be told: a merchant, or what belongs to a merchant that is named."""
        for found in _candidates(wanted, shards):
            if self._client.exists(self._tag(found.shard) + _name(found)):
                return found
        return None

    def search(self, wanted: Wanted, shards: int) -> _Found | None:
        """Look at the names of all orders and listings: the last resort, for what nothing was ever published about."""
        kinds: list[SubjectKind] = [wanted.kind] if wanted.kind is not None else ["order", "listing"]
        found = []
        for kind in kinds:
            if kind in _PARTIES:
                continue
            prefix = _STORED[kind]
            pattern = rf"{{{_literal(self._settings.worker.namespace)}:*}}:{prefix}*:{_literal(wanted.id)}"
            for name in self._client.scan_iter(match=pattern, count=_SCAN):
                match = re.fullmatch(r"\{.*:(\d+)\}:[ol]:(.*)", name.decode(), re.DOTALL)
                if match is None:
                    continue
                merchant, entity = split_key(match[2])
                if entity == wanted.id and wanted.merchant in (None, merchant):
                    found.append(_Found(kind, entity, merchant, int(match[1])))
        return _only(found)

    def core(self, found: _Found) -> tuple[Core, list[str]]:
        """The shard as its last checkpoint left it, with the subject and its merchant in its caches; and notes of what
        is missing.
        """
        names = [_name(found)] if found.kind in _PARTIES else [MERCHANT + found.merchant, _name(found)]
        tag = self._tag(found.shard)
        keys = ["position", *BLOBS, *names]
        values: list[bytes | None] = self._client.mget([tag + key for key in keys])
        stored = dict(zip(keys, values, strict=True))
        encoded = stored["position"]
        position = Position() if encoded is None else msgspec.json.decode(encoded, type=Position)
        judge, notes = self._judge(position)
        blobs = {
            name: value
            for name in BLOBS
            if (value := stored[name]) is not None and not (notes and name.startswith(_MODELS))
        }
        core = restore(
            found.shard,
            Loaded(position, [], [], blobs),
            judge,
            fresh_models(self._settings.worker.seed, challenger=self._settings.worker.challenger),
        )
        keep_loaded(core.state, names, [stored[name] for name in names])
        return core, notes

    def _judge(self, position: Position) -> tuple[Judge, list[str]]:
        """Who judges, and why the stored models cannot be used, if so."""
        settings = self._settings
        if settings.pseudonym_key is None:
            note = "without SHOPWARDEN_PSEUDONYM_KEY the models' snapshots cannot be opened: no contributions"
            return evaluation_judge(settings), [note]
        if position.pseudonym_key not in ("", settings.pseudonym_key_id):
            note = f"the state was stored under the pseudonym key {position.pseudonym_key!r}: no contributions"
            return evaluation_judge(settings), [note]
        return make_judge(settings), []


def _candidates(wanted: Wanted, shards: int) -> Iterator[_Found]:
    if wanted.merchant in (None, wanted.id):
        for party in _PARTIES:
            if wanted.kind in (None, party):
                yield _Found(party, wanted.id, wanted.id, shard_of(wanted.id.encode(), shards))
    if wanted.merchant is not None:
        shard = shard_of(wanted.merchant.encode(), shards)
        kinds: Sequence[SubjectKind] = ("order", "listing")
        for kind in kinds:
            if wanted.kind in (None, kind):
                yield _Found(kind, wanted.id, wanted.merchant, shard)


def _name(found: _Found) -> str:
    key = found.id if found.kind in _PARTIES else entity_key(found.merchant, found.id)
    return _STORED[found.kind] + key


def _published(settings: Settings, wanted: Wanted, found: _Found | None) -> Iterator[Published]:
    """Outputs about the subject: from its shard's partition, or from all where that is not known."""
    topic = settings.topics.events
    start = None if found is None else {(topic, found.shard): 0}
    with TopicReader(kafka_config(settings), [topic], start=start) as reader:
        for message in read_to_end(reader):
            one = published_of(archive_record(message), partition_of(message)[1])
            if one is None:
                continue
            if one.merchant == wanted.id or (one.subject == wanted.id and wanted.merchant in (None, one.merchant)):
                yield one


def _of_published(wanted: Wanted, published: Sequence[Published]) -> _Found | None:
    """What the outputs say that an id is."""
    found = []
    for one in published:
        kind = one.kind
        party: SubjectKind = "creator" if one.entry.event.get("creator_id") else "merchant"
        if one.merchant == wanted.id and wanted.kind in (None, party):
            kind = party
        elif one.subject != wanted.id or kind is None or wanted.kind not in (None, kind):
            continue
        found.append(_Found(kind, wanted.id, one.merchant, one.shard))
    return _only(found)


def _only(found: Sequence[_Found]) -> _Found | None:
    different = list(dict.fromkeys(found))
    if len(different) > 1:
        listed = "; ".join(f"--kind {each.kind} --merchant {each.merchant}" for each in different[:10])
        raise AmbiguousError(f"{different[0].id!r} is {len(different)} things; say which: {listed}")
    return different[0] if different else None


def _events(settings: Settings, found: _Found) -> Iterator[InputEntry]:
    """Input events about the subject, as far as the topics still hold them, in event-time order."""
    key = settings.pseudonym_key
    pseudonyms = None if key is None else Pseudonyms(key.get_secret_value().encode())
    start = {(topic, found.shard): 0 for topic in settings.topics.inputs}
    entries = []
    with TopicReader(kafka_config(settings), settings.topics.inputs, start=start) as reader:
        for message in read_to_end(reader):
            record = archive_record(message)
            if record.key != found.merchant.encode():
                continue
            event = parse_event(record)
            if event is not None and concerns(event, found.kind, found.id):
                entries.append(input_entry(record, event, found.shard, message.offset() or 0, pseudonyms))
    return iter(sorted(entries, key=lambda entry: entry.time))


def _literal(text: str) -> str:
    """A text that a Redis pattern takes as it stands."""
    return re.sub(r"([\\*?\[\]^-])", r"\\\1", text)
