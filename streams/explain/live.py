"""Explains out of Redis (what is known now) and Kafka (what was published, and what came in).

Reads only: no consumer group, no claim on a shard. What is stored is as of the shard's last checkpoint, which is
seconds old while a worker runs.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from config.policies import PolicyError
from config.settings import Settings
from features.events import SubjectKind
from features.keys import entity_key
from features.pseudonyms import Pseudonyms
from streams.clients import kafka_config
from streams.explain.inputs import concerns, input_entry, parse_event
from streams.explain.judgement import attributions_of
from streams.explain.present import describe
from streams.explain.stored import AWAY, Found, StoredSubjects, only
from streams.explain.story import ExplainError, Explanation, InputEntry, Wanted
from streams.explain.timeline import Published, entries_of, published_of
from streams.reading import ReadError, TopicReader, partition_of, read_to_end
from streams.recording import archive_record
from streams.store import StoreError
from streams.topics import TopicsError, connect_admin

_ADMIN_SECONDS: Final = 10.0


def explain_live(settings: Settings, wanted: Wanted) -> Explanation:
    """Everything that a deployment knows about a subject.

    Raises
    ------
    ExplainError
        Nothing is known of it, or Kafka or Redis cannot be read; an AmbiguousError where it is more than one thing.
    """
    store = StoredSubjects(settings)
    try:
        return _explain(settings, store, wanted)
    except AWAY as error:
        raise ExplainError(f"Redis at {settings.redis.url} cannot be read: {error}") from error
    except (ReadError, TopicsError) as error:
        raise ExplainError(str(error)) from error
    except (StoreError, PolicyError, msgspec.DecodeError) as error:
        raise ExplainError(f"what is stored cannot be used: {error}") from error
    finally:
        store.close()


def _explain(settings: Settings, store: StoredSubjects, wanted: Wanted) -> Explanation:
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


def _published(settings: Settings, wanted: Wanted, found: Found | None) -> Iterator[Published]:
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


def _of_published(wanted: Wanted, published: Sequence[Published]) -> Found | None:
    """What the outputs say that an id is."""
    found = []
    for one in published:
        kind = one.kind
        party: SubjectKind = "creator" if one.entry.event.get("creator_id") else "merchant"
        if one.merchant == wanted.id and wanted.kind in (None, party):
            kind = party
        elif one.subject != wanted.id or kind is None or wanted.kind not in (None, kind):
            continue
        found.append(Found(kind, wanted.id, one.merchant, one.shard))
    return only(found)


def _events(settings: Settings, found: Found) -> Iterator[InputEntry]:
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
