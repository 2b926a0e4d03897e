"""Waiting for Redis: what is repeated, what is not, what is told of it, and that giving up midway leaves no trace."""

import asyncio
import contextlib
import logging
import os
import random
import signal
from collections.abc import Callable
from typing import Any, cast

import pytest
from redis import exceptions

from config.settings import load_settings
from streams.clients import async_redis_client
from streams.embedded import EmbeddedServices
from streams.patience import OutageError, OutageLog, Patience, RefusedError, passes
from streams.store import JournalEntry, Position, ShardLostError, ShardStore


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        """Seconds."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Sleep without waiting."""
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def time() -> Time:
    """A clock of this test's own."""
    return Time()


@pytest.fixture
def patience(time: Time) -> Patience:
    """Patience by that clock, without chance."""
    return Patience(clock=time, sleep=time.sleep, jitter=lambda: 1.0)


def failing(times: int, error: Exception, calls: list[int] | None = None) -> Callable[[], Any]:
    """An operation that fails so often, then gives 7."""
    made = [] if calls is None else calls

    async def operation() -> int:
        made.append(1)
        if len(made) <= times:
            raise error
        return 7

    return operation


PASSING = [
    exceptions.ConnectionError("Connection refused"),
    exceptions.TimeoutError("Timeout reading"),
    exceptions.BusyLoadingError("Redis is loading the dataset in memory"),
    exceptions.ClusterDownError("CLUSTERDOWN The cluster is down"),
    exceptions.MasterDownError("MASTERDOWN Link with MASTER is down"),
    exceptions.ReadOnlyError("You can't write against a read only replica."),
    exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
    exceptions.ResponseError("MISCONF Errors writing to the AOF file: No space left on device"),
    exceptions.RedisClusterException("Redis Cluster cannot be connected. Please provide at least one reachable node"),
    ConnectionResetError("reset"),
]
LASTING = [
    exceptions.AuthenticationError("invalid username-password pair or user is disabled."),
    exceptions.NoPermissionError("this user has no permissions to run the 'get' command"),
    exceptions.ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"),
    exceptions.ResponseError("user_script:3: Script attempted to access nonexistent global variable"),
    exceptions.ClusterCrossSlotError("CROSSSLOT Keys in request don't hash to the same slot"),
]


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
async def test_what_passes_is_waited_for(patience: Patience, error: Exception) -> None:
    """Lost connections, and servers that load, fail over or are full: the operation is repeated until it succeeds."""
    assert passes(error)
    assert await patience(failing(5, error), "read") == 7
    assert not patience.waiting


@pytest.mark.parametrize("error", LASTING, ids=lambda error: str(error)[:12])
async def test_what_lasts_is_raised_at_once(patience: Patience, time: Time, error: Exception) -> None:
    """A wrong password, a wrong type or a faulty script is not asked again, and the message says where to look."""
    with pytest.raises(RefusedError, match=r"Redis refused to read shard 3: .*; (check|its keys)"):
        await patience(failing(1, error), "read shard 3")
    assert time.slept == []


async def test_other_errors_are_nobodys_business_here(patience: Patience, time: Time) -> None:
    """What our own code raises goes through as it is."""
    with pytest.raises(KeyError):
        await patience(failing(1, KeyError("mine")), "read")
    assert time.slept == []


async def test_pauses_grow_to_two_seconds(patience: Patience, time: Time) -> None:
    """Doubling from 50 ms; a server that is back is used within two seconds."""
    await patience(failing(9, PASSING[0]), "read")
    assert time.slept == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0])


async def test_pauses_differ_between_workers(time: Time) -> None:
    """Half of each pause is by chance, so that not all come back at the same moment."""
    chance = random.Random(3)
    patience = Patience(clock=time, sleep=time.sleep, jitter=chance.random)
    await patience(failing(40, PASSING[0]), "read")
    late = time.slept[8:]
    assert all(1.0 <= pause <= 2.0 for pause in late)
    assert len(set(late)) == len(late)


async def test_a_limit_ends_it(patience: Patience, time: Time) -> None:
    """After its limit an operation is given up, not much later, and says how long and why."""
    with pytest.raises(OutageError, match=r"Redis did not release shard 3 within 5 s: Connection refused"):
        await patience(failing(1000, PASSING[0]), "release shard 3", limit=5)
    assert sum(time.slept) == pytest.approx(5)
    assert not patience.waiting


async def test_being_told_to_stop_ends_it_after_the_grace(patience: Patience, time: Time) -> None:
    """Who waits when the worker is told to stop waits for the grace alone; what begins later still gets a try."""
    waiting = asyncio.create_task(patience(failing(10_000, PASSING[0]), "write checkpoint 7"))
    for _ in range(100):
        await asyncio.sleep(0)
    assert patience.waiting and sum(time.slept) > 10
    told = time.now
    patience.end(4)
    with pytest.raises(OutageError, match="write checkpoint 7"):
        await waiting
    assert time.now - told <= 4 + 2
    assert await patience(failing(0, PASSING[0]), "release") == 7
    calls: list[int] = []
    with pytest.raises(OutageError):
        await patience(failing(9, PASSING[0], calls), "release")
    assert len(calls) == 1


async def test_an_outage_is_told_of_once_a_minute(
    patience: Patience, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    """Ten shards that wait for ten minutes: a line when it begins, one each minute, one when it is over."""
    until = time.now + 600

    async def operation() -> int:
        if time.now < until:
            raise PASSING[0]
        return 7

    with caplog.at_level(logging.INFO):
        assert await asyncio.gather(*(patience(operation, f"read {n}") for n in range(10))) == [7] * 10
    told = [record.getMessage() for record in caplog.records]
    assert told[0] == "Redis is away; waiting for it, nothing is lost: Connection refused"
    assert told[-1] == "Redis is back"
    assert set(told[1:-1]) == {"Redis is still away: Connection refused"}
    assert 9 <= len(told) - 2 <= 10
    assert vars(caplog.records[-1])["seconds"] == pytest.approx(600, abs=20)


async def test_a_short_interruption_is_not_told(patience: Patience, caplog: pytest.LogCaptureFixture) -> None:
    """A connection that is lost and made anew within a second is no news."""
    with caplog.at_level(logging.INFO):
        await patience(failing(2, PASSING[0]), "read")
    assert caplog.records == []


def test_an_outage_is_over_when_the_last_waits_no_more(time: Time, caplog: pytest.LogCaptureFixture) -> None:
    """Several waits are one outage; its length counts from the first."""
    log = OutageLog("Kafka", time)
    for who in ("a", "b"):
        log.lasts(who, "refused")
    time.now += 5
    log.lasts("b", "refused")
    assert (log.waiting, log.seconds) == (True, 5)
    log.over("a")
    assert log.waiting
    log.over("b")
    log.over("b")
    assert (log.waiting, log.seconds) == (False, 0)
    assert [record.getMessage() for record in caplog.records] == [
        "Kafka is away; waiting for it, nothing is lost: refused",
        "Kafka is back",
    ]


# -- with a real store -------------------------------------------------------------------------------------------------


async def test_an_operation_cancelled_midway_shifts_no_reply(redis_db: str) -> None:
    """Commands cancelled at any moment leave no half-read reply behind: each later one gets its own."""
    client = async_redis_client(load_settings(redis={"url": redis_db, "max_connections": 2}))
    chance = random.Random(11)
    patience = Patience()
    await client.mset({f"k{n}": f"v{n}" * (1 if n % 2 else 20_000) for n in range(50)})
    cancelled = 0
    for _ in range(300):
        number = chance.randrange(50)
        task = asyncio.create_task(patience(lambda number=number: client.get(f"k{number}"), "get"))  # type: ignore[misc]
        for _ in range(chance.randrange(12)):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        cancelled += task.cancelled()
        number = chance.randrange(50)
        expected = f"v{number}" * (1 if number % 2 else 20_000)
        assert await client.get(f"k{number}") == expected.encode()
    await client.aclose()
    assert 30 < cancelled < 300


@pytest.mark.broker
@pytest.mark.parametrize("how", ["killed", "stopped"])
async def test_a_store_that_goes_away_is_written_to_when_it_is_back(
    own_services: Callable[..., EmbeddedServices], how: str
) -> None:
    """Journal, checkpoint, reading and claiming wait for a store that is dead or hangs, and each happens once."""
    services = own_services(brokers="unused:1", append_only=True)
    client = async_redis_client(load_settings(redis={"url": services.redis_url, "socket_timeout_s": 0.3, "retries": 1}))
    patience = Patience()
    store = ShardStore(client, "test", 3, "me", patience)
    await store.claim()
    await store.journal(JournalEntry(1, [("orders", 0, 9)], None, "p"))
    await asyncio.sleep(1.2)  # what the file does not hold yet would be gone: it is synced each second
    assert services.store is not None
    if how == "killed":
        await asyncio.to_thread(services.kill_store)
    else:
        os.kill(services.store.pid, signal.SIGSTOP)

    async def work() -> None:
        await store.journal(JournalEntry(2, [("orders", 10, 19)], None, "p"))
        await store.checkpoint(0, Position(sequence=1, offsets={"orders": 10}), {"m:a": b"1"}, [], {"ma": 5})
        await store.checkpoint(1, Position(sequence=2, offsets={"orders": 20}), {"m:a": b"2"}, [], {"ma": 7})

    working = asyncio.create_task(work())
    reading = asyncio.create_task(store.read(["m:b"]))
    claiming = asyncio.create_task(ShardStore(client, "test", 4, "me", patience).claim())
    await asyncio.sleep(2.5)
    assert patience.waiting
    assert not (working.done() or reading.done() or claiming.done())
    if how == "killed":
        await asyncio.to_thread(services.restart_store)
    else:
        os.kill(services.store.pid, signal.SIGCONT)
    async with asyncio.timeout(10):
        await asyncio.gather(working, reading, claiming)
    assert patience.outage.seconds == 0
    loaded = await store.load([])
    assert (loaded.position.sequence, loaded.journal, loaded.timers) == (2, [], [(7, "ma")])
    assert await store.read(["m:a", "m:b"]) == [b"2", None]
    await client.aclose()


async def test_a_claim_that_is_repeated_takes_nothing_from_who_came_later(redis_db: str) -> None:
    """The reply to a claim is lost and another worker claims: the repetition is refused, and the other keeps the shard.
    A claim whose reply alone was lost stands.
    """
    client = async_redis_client(load_settings(redis={"url": redis_db}))
    rivals: list[ShardStore] = []

    class Losing:
        """The client, as it is when the reply to its first script is lost, while rivals are at work."""

        get = client.get
        calls = 0

        async def evalsha(self, *arguments: Any) -> Any:
            answer = await client.eval(store._scripts["claim"]._text, *arguments[1:])
            self.calls += 1
            if self.calls == 1:
                for rival in rivals:
                    await rival.claim()
                raise exceptions.ConnectionError("lost")
            return answer

    store = ShardStore(cast(Any, Losing()), "test", 3, "first")
    await store.claim()
    assert await client.get("{test:3}:owner") == b"first"
    rivals.append(ShardStore(client, "test", 3, "rival"))
    store = ShardStore(cast(Any, Losing()), "test", 3, "third")
    with pytest.raises(ShardLostError, match="another worker claimed shard 3"):
        await store.claim()
    assert await client.get("{test:3}:owner") == b"rival"
    await client.aclose()


async def test_giving_a_shard_up_does_not_wait_long(redis_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With Redis away a shard is not released, and that is no error: its successor claims it all the same."""
    monkeypatch.setattr("streams.store._RELEASE_S", 0.3)
    client = async_redis_client(load_settings(redis={"url": "redis://127.0.0.1:1/0", "retries": 0}))
    async with asyncio.timeout(3):
        await ShardStore(client, "test", 3, "me").release()
    await client.aclose()
