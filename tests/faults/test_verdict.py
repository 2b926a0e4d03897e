"""The verdict sees what is wrong: a run that was tampered with does not pass."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest
import redis
from confluent_kafka import Message, Producer

from streams.clients import producer_config
from streams.embedded import EmbeddedServices
from streams.recording import as_bytes, headers_of
from streams.store import JournalEntry
from streams.topics import create_topics
from tests.deployment import Deployment
from tests.faults.history import journals
from tests.faults.store import Store
from tests.faults.verdict import InputFaults, Verdict, judge
from tests.fed import ends_of, feed
from tests.streams.mixed_input import mixed_input
from tests.worker_process import Worker

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

Journal = dict[int, list[JournalEntry]]


def tampered_journal(journal: Journal) -> Journal:
    """The same, but for a flush of the first shard that is applied twice, and the last one that is left out."""
    entries = journal[0]
    return journal | {0: [*entries[:3], entries[2], *entries[3:-1]]}


def publish(deployment: Deployment, message: Message, **changes: object) -> None:
    """Put a message into the topic of the events once more, with changes."""
    producer = Producer(producer_config(deployment.settings))
    fields: dict[str, object] = {"key": as_bytes(message.key()), "value": as_bytes(message.value())}
    headers = dict(headers_of(message)) | {"ce_id": changes.pop("ce_id", dict(headers_of(message))["ce_id"])}
    producer.produce(deployment.settings.topics.events, headers=headers, **(fields | changes))  # type: ignore[arg-type]
    assert producer.flush(30) == 0


def test_each_kind_of_damage_is_told(services: EmbeddedServices, topic_prefix: str, tmp_path: Path) -> None:
    """An undisturbed run is sound. A repeat is counted and no more; a changed copy, an invented output, a lost and a
    doubled record, and a changed value of the store are each found.
    """
    with Store() as store:
        deployment = Deployment(services.brokers, store.url, topic_prefix, "run", 2, {"max_flush_records": 100})
        create_topics(deployment.settings)
        given = mixed_input()
        fed = feed(deployment, given.records)
        with Worker(deployment, tmp_path) as worker:
            worker.until_checkpointed(ends_of(fed))
            assert worker.stop() == 0
        journal = journals(store.history, deployment.settings.worker.namespace)
        reasons = [str(special.reason) for special in given.specials.values() if special.reason is not None]
        bad = InputFaults(Counter(reasons))

        found = judge(deployment, journal, bad)
        assert found.sound, found.examples
        assert found.examples == []
        assert found.records == len(fed)
        assert found.outputs > 200
        assert found.counts_compared > 1000
        assert found.repeated_outputs == 0

        found = judge(deployment, journal, InputFaults(Counter([*reasons, "empty"])))
        assert (found.lost, found.sound) == (1, False)

        entries = journal[0]
        found = judge(deployment, tampered_journal(journal), bad)
        assert found.lost == _records(entries[-1:])
        assert found.doubled == _records(entries[2:3])
        assert found.state_differences > 0

        message = deployment.read(deployment.settings.topics.events)[0]
        publish(deployment, message)
        found = judge(deployment, journal, bad)
        assert (found.repeated_outputs, found.sound) == (1, True)
        publish(deployment, message, value=b"{}")
        assert judge(deployment, journal, bad).changed_outputs == 1
        publish(deployment, message, ce_id=b"invented")
        assert judge(deployment, journal, bad).extra_outputs == 1

        _damage(store, deployment)
        found = judge(deployment, journal, bad)
        assert found.state_differences >= 1
        assert found.doubled >= 1


def test_soundness_is_about_everything_but_repeats() -> None:
    """Any figure that is not zero is damage, except the repeats, which consumers drop."""
    assert Verdict(repeated_outputs=3, records=5).sound
    for name in (
        "lost",
        "doubled",
        "state_differences",
        "journal_differences",
        "missing_outputs",
        "extra_outputs",
        "changed_outputs",
    ):
        verdict = Verdict()
        setattr(verdict, name, 1)
        assert not verdict.sound, name


def _records(entries: list[JournalEntry]) -> int:
    return sum(last - first + 1 for entry in entries for _, first, last in entry.ranges)


def _damage(store: Store, deployment: Deployment) -> None:
    """Count one order of one merchant twice."""
    with redis.Redis.from_url(store.url) as client:
        for key in client.scan_iter(match="*:m:*"):
            value = msgspec.json.decode(client.get(key) or b"")
            days = value.get("placed", "").split(" ")
            if days[-1].partition(":")[2].partition(",")[0].isdigit():
                day, _, counters = days[-1].partition(":")
                orders, comma, rest = counters.partition(",")
                value["placed"] = " ".join([*days[:-1], f"{day}:{int(orders) + 1}{comma}{rest}"])
                client.set(key, msgspec.json.encode(value))
                return
    raise AssertionError("no merchant has orders")
