"""Guards against an upgrade: what is private of Faust and aiokafka and used by streams/transport.py is still there and
means what it did. Whether it works together is shown by test_worker_end_to_end.py.
"""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import aiokafka
import faust.transport
import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import CommitFailedError, GroupAuthorizationFailedError, KafkaError, UnknownError
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.consumer import ConsumerThread, ThreadDelegateConsumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.transport.drivers.aiokafka import Consumer as DriverConsumer
from faust.types import TP

from streams import transport
from streams.transport import BatchConsumer, BatchConsumerThread, Transport
from tests.streams.shard_fakes import Fetched

A, B = TP("orders", 0), TP("listings", 0)


def parameters(function: Callable[..., Any]) -> list[str]:
    """Names of a function's parameters."""
    return list(inspect.signature(function).parameters)


def test_the_scheme_selects_the_transport() -> None:
    """A broker URL with shopwarden:// gets this transport, by the entry point that the package declares."""
    assert faust.transport.by_url("shopwarden://127.0.0.1:9092") is Transport
    assert Transport.Consumer is BatchConsumer
    assert transport.SCHEME == "shopwarden"


@pytest.mark.parametrize(
    ("owner", "name", "wanted"),
    [
        (BaseConsumer, "_add_gap", ["self", "tp", "offset_from", "offset_to"]),
        (BaseConsumer, "_get_active_partitions", ["self"]),
        (BaseConsumer, "getmany", ["self", "timeout"]),
        (BaseConsumer, "perform_seek", ["self"]),
        (BaseConsumer, "seek_to_committed", ["self"]),
        (ThreadDelegateConsumer, "_getmany", ["self", "active_partitions", "timeout"]),
        (ThreadDelegateConsumer, "_new_consumer_thread", ["self"]),
        (ConsumerThread, "seek_wait", ["self", "partitions"]),
        (ConsumerThread, "commit", ["self", "tps"]),
        (ConsumerThread, "earliest_offsets", ["self", "partitions"]),
        (AIOKafkaConsumerThread, "_create_worker_consumer", ["self", "transport"]),
        (AIOKafkaConsumerThread, "_commit", ["self", "offsets"]),
        (AIOKafkaConsumerThread, "on_thread_stop", ["self"]),
        (GroupCoordinator, "check_errors", ["self"]),
        (
            AIOKafkaConsumerThread,
            "_fetch_records",
            ["self", "consumer", "active_partitions", "timeout", "max_records"],
        ),
    ],
)
def test_what_is_overridden_or_called_exists(owner: type, name: str, wanted: list[str]) -> None:
    """The method is there, with the parameters that it is called with."""
    assert parameters(getattr(owner, name)) == wanted


def test_overrides_keep_their_kind() -> None:
    """Coroutines stay coroutines and generators generators: else Faust would await the wrong thing."""
    for name in ("seek_to_committed", "_add_gap"):
        assert inspect.iscoroutinefunction(getattr(DriverConsumer, name))
        assert inspect.iscoroutinefunction(getattr(BatchConsumer, name))
    assert inspect.isasyncgenfunction(DriverConsumer.getmany)
    assert inspect.isasyncgenfunction(BatchConsumer.getmany)
    assert BatchConsumer._new_consumer_thread is not DriverConsumer._new_consumer_thread
    assert "_thread" in ThreadDelegateConsumer.__annotations__


def test_faust_goes_through_what_is_overridden() -> None:
    """The drain loop calls ``getmany`` and ``_add_gap``, a seek asks ``seek_to_committed``, and the consumer's thread
    makes its client by ``_create_worker_consumer``.
    """
    assert "self.getmany" in inspect.getsource(BaseConsumer._drain_messages)
    assert "self._add_gap(" in inspect.getsource(BaseConsumer._drain_messages)
    assert "self.seek_to_committed()" in inspect.getsource(BaseConsumer.perform_seek)
    assert "self._create_worker_consumer(" in inspect.getsource(AIOKafkaConsumerThread._create_consumer)
    assert "self._new_consumer_thread()" in inspect.getsource(ThreadDelegateConsumer.__init__)


async def test_the_fetch_wait_is_taken_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client keeps the wait where it is replaced, and passes it on only when it starts."""
    client = aiokafka.AIOKafkaConsumer(bootstrap_servers="127.0.0.1:1", fetch_max_wait_ms=1500)
    assert client._fetch_max_wait_ms == 1500
    assert "fetch_max_wait_ms=self._fetch_max_wait_ms" in inspect.getsource(aiokafka.AIOKafkaConsumer.start)
    monkeypatch.setattr(AIOKafkaConsumerThread, "_create_worker_consumer", lambda _self, _transport: client)
    thread = BatchConsumerThread.__new__(BatchConsumerThread)
    thread.app = cast(Any, SimpleNamespace(shopwarden_reader=SimpleNamespace(fetch_max_wait_ms=7)))
    assert thread._create_worker_consumer(None)._fetch_max_wait_ms == 7
    await client.stop()


class Thread:
    """The consumer's thread: remembers what it was told."""

    def __init__(self) -> None:
        self.sought: Mapping[TP, int] = {}
        self.committed: Mapping[TP, int] = {}

    async def seek_wait(self, positions: Mapping[TP, int]) -> None:
        """Remember positions."""
        self.sought = positions

    async def commit(self, offsets: Mapping[TP, int]) -> bool:
        """Remember offsets."""
        self.committed = offsets
        return True

    def reach(self, tp: TP) -> int | None:
        """Known of one partition only."""
        return 9 if tp == A else None


class Reader:
    """Shards that say what a test wants."""

    fetch_max_wait_ms = 20

    def __init__(self) -> None:
        self.filled: frozenset[TP] = frozenset()
        self.stored: dict[TP, int] = {}
        self.anew: list[tuple[TP, int, int]] = []
        self.earliest = 0
        self.holes: list[tuple[TP, int, int]] = []

    async def hole(self, tp: TP, expected: int, first: int) -> bool:
        """Remember; whether nothing was deleted."""
        self.holes.append((tp, expected, first))
        return self.earliest <= expected

    def made_anew(self, tp: TP, position: int, end: int) -> None:
        """Remember."""
        self.anew.append((tp, position, end))

    def full(self) -> frozenset[TP]:
        """Full partitions."""
        return self.filled

    async def positions(self, assigned: frozenset[TP]) -> Mapping[TP, int]:
        """Stored positions."""
        return {tp: offset for tp, offset in self.stored.items() if tp in assigned}


class Consumer(BatchConsumer):
    """The batch consumer without Faust's machinery around it."""

    def __init__(self, reader: Reader, fetched: dict[TP, list[Any]]) -> None:
        self.app = cast(Any, SimpleNamespace(shopwarden_reader=reader, consumer_generation_id=4))
        self.flow_active = True
        self.active = {A, B}
        self.fetched = fetched
        self.asked: set[TP] = set()
        self.meanwhile: Callable[[], object] = lambda: None
        self._thread = cast(Any, Thread())
        self._expected = {}
        self.sought = 0

    @property
    def should_stop(self) -> bool:
        """Never."""
        return False

    def _get_active_partitions(self) -> set[TP]:
        return self.active

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109
        assert active_partitions is not None
        self.asked = active_partitions
        self.meanwhile()
        return {tp: records for tp, records in self.fetched.items() if tp in active_partitions}

    async def perform_seek(self) -> None:
        """Count."""
        self.sought += 1

    def assignment(self) -> set[TP]:
        """What is active."""
        return self.active

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """Everything begins at 5."""
        return dict.fromkeys(partitions, 5)


def records(*offsets: int) -> list[Any]:
    """Fetched records."""
    return [SimpleNamespace(**Fetched(offset, 1000 + offset)._asdict(), timestamp_type=1) for offset in offsets]


async def collect(consumer: Consumer) -> list[tuple[TP, Any]]:
    """What one round gives."""
    return [each async for each in consumer.getmany(1.0)]


async def test_all_records_of_a_partition_are_one_message() -> None:
    """The value is the list of records; offset and time are those of the last, so that Faust goes on behind it."""
    given = {A: records(3, 4, 7), B: records(0)}
    found = await collect(Consumer(Reader(), given))
    assert [(tp, message.value) for tp, message in found] == [(A, given[A]), (B, given[B])]
    message = found[0][1]
    assert (message.topic, message.partition, message.tp, message.offset) == ("orders", 0, A, 7)
    assert message.timestamp == pytest.approx(1.007)
    assert message.generation_id == 4
    assert message.key is None


async def test_full_partitions_are_not_fetched() -> None:
    """A partition whose shard wants no more is left out; if all are, nothing is fetched, and nobody waits long."""
    reader = Reader()
    reader.filled = frozenset({A})
    consumer = Consumer(reader, {A: records(1), B: records(2)})
    assert [tp for tp, _ in await collect(consumer)] == [B]
    assert consumer.asked == {B}
    reader.filled = frozenset({A, B})
    consumer.asked = set()
    assert await asyncio.wait_for(collect(consumer), 0.5) == []
    assert consumer.asked == set()


async def test_a_fetch_that_waited_through_a_rebalance_is_delivered() -> None:
    """What it brings follows the seek of the new generation: nobody would fetch it again. It carries that generation,
    or Faust's stream would drop it.
    """
    consumer = Consumer(Reader(), {A: records(1)})
    consumer.meanwhile = lambda: setattr(consumer.app, "consumer_generation_id", 5)
    ((tp, message),) = await collect(consumer)
    assert (tp, message.generation_id) == (A, 5)


async def test_a_rebalance_during_delivery_drops_the_rest() -> None:
    """What has not been handed over when a rebalance begins is left out: the seek after it brings it again."""
    for change in ("generation", "flow"):
        consumer = Consumer(Reader(), {A: records(1), B: records(1)})
        found = []
        async for tp, _ in consumer.getmany(1.0):
            found.append(tp)
            if change == "generation":
                consumer.app.consumer_generation_id = 5
            else:
                consumer.flow_active = False
        assert found == [A]


async def test_a_fetch_that_ends_while_the_flow_is_stopped_is_repeated() -> None:
    """Its records may be from before the seek: they are dropped, and the positions sought once more."""
    consumer = Consumer(Reader(), {A: records(1)})
    consumer.meanwhile = lambda: setattr(consumer, "flow_active", False)
    assert await collect(consumer) == []
    assert consumer.sought == 1


async def test_reading_starts_where_the_shards_say() -> None:
    """Stored positions are sought; partitions without one are read from their beginning; Kafka is not asked."""
    reader = Reader()
    reader.stored = {A: 42, TP("orders", 9): 1}
    consumer = Consumer(reader, {})
    assert await consumer.seek_to_committed() == {A: 42, B: 5}
    assert cast(Any, consumer._thread).sought == {A: 42, B: 5}


@pytest.mark.parametrize(("stored", "offsets", "anew"), [(42, (0, 1, 8), True), (9, (0, 1, 8), False), (42, (), False)])
async def test_a_topic_that_was_made_anew_is_noticed(stored: int, offsets: tuple[int, ...], anew: bool) -> None:
    """Where a partition ends before the position sought, Faust would drop its records unseen: the shards are told. A
    partition that reaches as far is only read again.
    """
    reader = Reader()
    reader.stored = {A: stored}
    consumer = Consumer(reader, {A: records(*offsets)} if offsets else {})
    await consumer.seek_to_committed()
    found = await collect(consumer)
    assert reader.anew == ([(A, 42, 9)] if anew else [])
    assert len(found) == (1 if offsets and not anew else 0)


@pytest.mark.parametrize(("earliest", "handed_on"), [(43, False), (42, True)])
async def test_records_deleted_before_they_were_read_are_noticed(earliest: int, handed_on: bool) -> None:
    """Where aiokafka goes on with later records than were wanted, the shards say whether some were deleted; if so,
    nothing more is handed on.
    """
    reader = Reader()
    reader.stored, reader.earliest = {A: 42}, earliest
    consumer = Consumer(reader, {A: records(45, 46)})
    await consumer.seek_to_committed()
    assert len(await collect(consumer)) == handed_on
    assert reader.holes == [(A, 42, 45)]
    consumer.fetched = {A: records(47)}
    await collect(consumer)
    assert len(reader.holes) == (1 if handed_on else 2)


async def test_committing_tells_kafka() -> None:
    """Offsets of a checkpoint go to Kafka as they are."""
    consumer = Consumer(Reader(), {})
    assert await consumer.commit_offsets({A: 42})
    assert cast(Any, consumer._thread).committed == {A: 42}


def test_a_high_watermark_may_be_unknown() -> None:
    """Of a partition that is not assigned any more nothing is known; that is no error."""
    consumer = Consumer(Reader(), {})
    assert consumer.known_highwater(A) == 9
    assert consumer.known_highwater(B) is None
    assert bare_thread(None).reach(A) is None


# -- outages -----------------------------------------------------------------------------------------------------------


class Coordinator(GroupCoordinator):  # type: ignore[misc]
    """aiokafka's coordinator with an error of the group that waits to be asked for."""

    def __init__(self, error: Exception | None) -> None:
        self._coordination_task = asyncio.get_running_loop().create_future()
        self._error_consumed_fut = asyncio.get_running_loop().create_future()
        self._pending_exception = error
        self.consumed = self._error_consumed_fut
        self.generation = 3


def thread_with(coordinator: Coordinator) -> BatchConsumerThread:
    """A consumer's thread whose client has this coordinator and a fetcher that runs."""
    running = asyncio.get_running_loop().create_future()
    client = SimpleNamespace(_coordinator=coordinator, _fetcher=SimpleNamespace(_fetch_task=running))
    return bare_thread(cast(Any, client))


async def test_an_error_of_the_group_does_not_stop_coordination(caplog: pytest.LogCaptureFixture) -> None:
    """The client waits, without end, for its error to be asked for: it is, and joining goes on."""
    coordinator = Coordinator(UnknownError("unexpected"))
    thread = thread_with(coordinator)
    assert not coordinator.consumed.done()
    assert thread.trouble() is None
    assert coordinator.consumed.done()
    assert "joining goes on" in caplog.text
    assert thread.trouble() is None
    assert thread.member()


async def test_what_ends_coordination_ends_the_worker() -> None:
    """No right to the group, a coordinator or a fetcher that has ended: that is told."""
    refused = GroupAuthorizationFailedError("group")
    assert thread_with(Coordinator(refused)).trouble() is refused
    ended = Coordinator(None)
    ended._coordination_task.set_exception(KafkaError("unexpected"))
    assert isinstance(thread_with(ended).trouble(), KafkaError)
    thread = thread_with(Coordinator(None))
    cast(Any, thread._consumer)._fetcher._fetch_task.set_exception(KafkaError("unexpected"))
    assert isinstance(thread.trouble(), KafkaError)
    assert bare_thread(None).trouble() is None
    assert not bare_thread(None).member()


@pytest.mark.parametrize("error", [CommitFailedError("rebalanced"), UnknownError("?"), None])
async def test_a_commit_that_fails_or_hangs_harms_nobody(
    error: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka's offsets are for lag tools: no error ends the worker, and an absent coordinator keeps nobody waiting."""
    monkeypatch.setattr(transport, "_COMMIT_S", 0.1)

    async def commit(_: object) -> None:
        if error is not None:
            raise error
        await asyncio.sleep(100)

    thread = bare_thread(cast(Any, SimpleNamespace(commit=commit, assignment=lambda: {A})))
    async with asyncio.timeout(2):
        assert not await thread._commit({A: 4, B: 5})


async def test_only_what_is_assigned_is_committed() -> None:
    """A shard that has just moved away is left to its new owner."""
    told: list[Mapping[Any, int]] = []

    async def commit(offsets: Mapping[Any, int]) -> None:
        told.append(offsets)

    thread = bare_thread(cast(Any, SimpleNamespace(commit=commit, assignment=lambda: {A})))
    assert await thread._commit({A: 4, B: 5})
    assert told == [{aiokafka.TopicPartition("orders", 0): 4}]


async def test_a_broker_that_is_away_during_a_seek_delays_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Partitions without a position are read from 0, which aiokafka turns into their beginning; that is no hole."""
    consumer = Consumer(Reader(), {A: records(7)})
    monkeypatch.setattr(transport, "_BEGINNINGS_S", 0.1)

    async def never(*_: TP) -> Mapping[TP, int]:
        await asyncio.sleep(100)
        return {}

    monkeypatch.setattr(consumer, "earliest_offsets", never)
    assert await consumer.seek_to_committed() == {A: 0, B: 0}
    assert [tp for tp, _ in await collect(consumer)] == [A]


def bare_thread(client: aiokafka.AIOKafkaConsumer | None) -> BatchConsumerThread:
    """The consumer's thread without Faust's machinery around it."""
    thread = BatchConsumerThread.__new__(BatchConsumerThread)
    thread._consumer = client
    thread.consumer = cast(Any, SimpleNamespace(flow_active=True))
    thread.fetched = {}
    thread.errors = 0
    return thread


async def test_the_marker_of_a_transaction_is_not_waited_for(any_broker: str, topic_prefix: str) -> None:
    """Behind the records of a transaction lies a marker, which has an offset but is given to nobody: a partition
    reaches as far as its last record.
    """
    topic = f"{topic_prefix}orders"
    tp, place = TP(topic, 0), aiokafka.TopicPartition(topic, 0)
    client = aiokafka.AIOKafkaConsumer(bootstrap_servers=any_broker, fetch_max_wait_ms=100, enable_auto_commit=False)
    thread = bare_thread(client)
    producer = Producer({"bootstrap.servers": any_broker, "transactional.id": f"{topic_prefix}producer"})
    admin = AdminClient({"bootstrap.servers": any_broker})
    admin.create_topics([NewTopic(topic, 1)])[topic].result(30)
    producer.init_transactions(30)
    await client.start()
    try:
        client.assign([place])
        await client.seek_to_beginning(place)
        assert thread.reach(tp) is None
        for first in (0, 4):
            producer.begin_transaction()
            for _ in range(3):
                producer.produce(topic, b"x", partition=0)
            producer.commit_transaction(30)
            last = first
            found: tuple[int | None, ...] = ()
            for _ in range(100):
                for records in (await thread._fetch_records(client, {tp}, timeout=0.1)).values():
                    last = records[-1].offset
                found = (last, client.highwater(place), thread.reach(tp))
                if found == (first + 2, first + 4, first + 3):
                    break
            assert found == (first + 2, first + 4, first + 3)
    finally:
        await client.stop()


async def test_a_gap_in_the_offsets_costs_nothing() -> None:
    """Faust would remember each gap; ours forgets it, so a jump over millions of offsets takes no memory."""
    consumer = Consumer(Reader(), {})
    await consumer._add_gap(A, 0, 3_000_000)
    assert not hasattr(consumer, "_gap")
