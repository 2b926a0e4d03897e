"""The watchdog: what it takes for stuck, what it does not, and that it ends the process."""

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
from faust.types import TP

from config.settings import load_settings
from streams.embedded import LOOPBACK, EmbeddedServices, free_port
from streams.topics import create_topics
from streams.watchdog import EXIT_STUCK, Beat, BrokerEnds, Progress, Stuckness, Watchdog, stacks
from tests.deployment import Deployment
from tests.fed import ends_of, feed
from tests.streams.mixed_input import mixed_input
from tests.worker_process import Worker

#: A worker whose fetcher brings nothing after its first records, as aiokafka's does when it hangs; and one whose event
#: loop is blocked then.
HANGS = """
import time
from streams.transport import BatchConsumerThread
from streams.shards import Shards
fetch, offer, calls = BatchConsumerThread._fetch_records, Shards.offer, []
async def hanging(self, *arguments, **options):
    found = {} if calls else await fetch(self, *arguments, **options)
    calls.extend(found)
    return found
def blocking(self, *arguments):
    time.sleep(1000)
%s
from streams.cli import main
main(prog_name="shopwarden")
"""
A, B, OTHER = TP("orders", 0), TP("listings", 0), TP("orders", 1)
STUCK_AFTER, JOINING = 60.0, 120.0


def at(
    position: int | None,
    applied: int | None = None,
    *,
    fetched: int | None = None,
    end: int | None = None,
    full: bool = False,
) -> Progress:
    """How far a partition is; by default all that was fetched is applied, and the fetcher knows no end."""
    return Progress(position, position if fetched is None else fetched, applied or position, end, full)


def beat(partitions: Mapping[TP, Progress], *, waiting: bool = False, joined: bool = True) -> Beat:
    """A beat of a worker that has joined."""
    return Beat(waiting, joined, 1, partitions)


@pytest.fixture
def stuckness() -> Stuckness:
    """With the figures above."""
    return Stuckness(STUCK_AFTER, JOINING)


def test_a_partition_that_is_not_fetched_is_stuck(stuckness: Stuckness) -> None:
    """The broker has records, the fetcher does not move: after the time, and not before, with all figures told."""
    held = beat({A: at(10)})
    assert stuckness.verdict(0, held, {A: 15}) is None
    assert stuckness.verdict(60, held, {A: 17}) is None
    assert stuckness.verdict(61, held, {A: 17}) == (
        "nothing is fetched of orders/0: position 10, applied 10, end 17, for 61 s"
    )


def test_the_fetchers_own_end_is_believed_too(stuckness: Stuckness) -> None:
    """Where the broker tells an end that is too low, as the embedded one does, the consumer's own counts."""
    held = beat({A: at(10, end=12)})
    assert stuckness.verdict(0, held, {A: 1}) is None
    assert "end 12" in (stuckness.verdict(61, held, {A: 1}) or "")


def test_a_shard_that_does_not_apply_is_stuck(stuckness: Stuckness) -> None:
    """Records were fetched and nothing is done with them, although the buffers are full."""
    held = beat({A: at(20, 10, full=True)})
    assert stuckness.verdict(0, held, {A: 99}) is None
    assert stuckness.verdict(61, held, {A: 99}) == (
        "nothing is applied of orders/0: position 20, applied 10, end 99, for 61 s"
    )


def test_records_that_got_lost_on_the_way_are_noticed(stuckness: Stuckness) -> None:
    """The fetcher is at the end, and what it fetched never reached the shard."""
    held = beat({A: at(20, 10)})
    stuckness.verdict(0, held, {A: 20})
    assert "nothing is applied" in (stuckness.verdict(61, held, {A: 20}) or "")


def test_slow_progress_is_progress(stuckness: Stuckness) -> None:
    """A record each 50 seconds, with thousands waiting and full buffers, is slow and not stuck."""
    for step in range(20):
        slow = beat({A: at(5000, 10 + step, full=True), B: at(3000, 7, fetched=3000, full=True)})
        assert stuckness.verdict(50.0 * step, slow, {A: 90_000, B: 90_000}) is None


def test_one_partition_that_is_not_fetched_is_stuck_though_others_move(stuckness: Stuckness) -> None:
    """Other partitions, of the same shard too, do not hide it."""
    for step in range(13):
        now = 5.0 * step
        assert (
            stuckness.verdict(now, beat({A: at(10), B: at(step), OTHER: at(step)}), {A: 11, B: 99, OTHER: 99}) is None
        )
    assert "orders/0" in (stuckness.verdict(61, beat({A: at(10), B: at(13), OTHER: at(13)}), {A: 11}) or "")


def test_without_records_nothing_is_stuck(stuckness: Stuckness) -> None:
    """A quiet topic, an empty one, an end that the broker tells too low, and no partition at all."""
    for held in ({A: at(10)}, {A: at(0)}, {A: at(None)}, {}):
        for now in range(0, 1000, 100):
            assert stuckness.verdict(now, beat(held), {A: 10 if held.get(A) == at(10) else 0}) is None
    assert stuckness.verdict(2000, beat({A: at(10)}), {A: 1}) is None


def test_offsets_without_a_record_are_not_waited_for(stuckness: Stuckness) -> None:
    """Behind the marker of a transaction the fetcher is at the end, and the shard one before it, for ever."""
    held = beat({A: at(11, 10, fetched=10)})
    for now in range(0, 1000, 100):
        assert stuckness.verdict(now, held, {A: 11}) is None


def test_what_was_behind_once_counts_anew(stuckness: Stuckness) -> None:
    """A partition that has caught up and falls behind again gets its whole time again."""
    stuckness.verdict(0, beat({A: at(10)}), {A: 11})
    stuckness.verdict(50, beat({A: at(11)}), {A: 11})
    assert stuckness.verdict(70, beat({A: at(11)}), {A: 12}) is None
    assert stuckness.verdict(120, beat({A: at(11)}), {A: 12}) is None
    assert stuckness.verdict(131, beat({A: at(11)}), {A: 12}) is not None


def test_joining_for_ever_is_stuck(stuckness: Stuckness) -> None:
    """A worker that never gets its partitions is stuck, later than one that has them; each new generation counts as
    progress.
    """
    joining = beat({}, joined=False)
    assert stuckness.verdict(0, joining, {}) is None
    assert stuckness.verdict(119, joining, {}) is None
    assert stuckness.verdict(119, joining._replace(generation=2), {}) is None
    assert stuckness.verdict(230, joining._replace(generation=2), {}) is None
    assert stuckness.verdict(240, joining._replace(generation=2), {}) == (
        "it has been joining the consumer group for 121 s, with Kafka and Redis there"
    )


def test_a_rebalance_gives_partitions_their_time_again(stuckness: Stuckness) -> None:
    """What did not move while the group was joined anew was not stuck."""
    held = beat({A: at(10)})
    stuckness.verdict(0, held, {A: 11})
    stuckness.verdict(55, held._replace(joined=False, generation=2), {A: 11})
    assert stuckness.verdict(65, held._replace(generation=2), {A: 11}) is None


class Dog:
    """A watchdog with a clock and ends of the test's own; its thread is not started."""

    def __init__(self, ends: Mapping[TP, int] | None) -> None:
        self.now = 0.0
        self.ends = ends
        self.bites: list[str] = []
        self.dog = Watchdog(STUCK_AFTER, JOINING, lambda _: self.ends, self.bites.append, lambda: self.now)

    def pass_time(self, seconds: float, beat: Beat | None) -> str | None:
        """Beat (or not) and look every five seconds; the first reason, if any."""
        for _ in range(int(seconds / 5)):
            self.now += 5
            if beat is not None:
                self.dog.beat(beat)
            if (reason := self.dog.look(self.now)) is not None:
                return reason
        return None


def test_it_waits_while_redis_or_kafka_is_away() -> None:
    """However long an outage is, it is no fault of the worker; when it is over, the time begins."""
    held = beat({A: at(10)})
    dog = Dog({A: 11})
    assert dog.pass_time(50, held) is None
    assert dog.pass_time(600, held._replace(waiting=True)) is None
    assert dog.pass_time(50, held) is None
    dog.ends = None
    assert dog.pass_time(600, held) is None
    dog.ends = {A: 11}
    assert dog.pass_time(60, held) is None
    assert "nothing is fetched" in (dog.pass_time(20, held) or "")


def test_an_event_loop_that_stands_still_is_stuck() -> None:
    """Beats that no longer come are noticed, whether or not there is anything to do, and during an outage too."""
    dog = Dog({})
    assert dog.pass_time(600, None) is None  # before the first beat: it is still starting
    assert dog.pass_time(5, beat({}, waiting=True)) is None
    assert dog.pass_time(60, None) is None
    assert dog.pass_time(5, None) == "its event loop has not moved for 65 s"


def test_a_process_that_was_suspended_is_not_stuck() -> None:
    """After a SIGSTOP nothing has moved for long; the time begins again."""
    held = beat({A: at(10)})
    dog = Dog({A: 11})
    dog.pass_time(30, held)
    dog.now += 3600
    assert dog.dog.look(dog.now, suspended=True) is None
    assert dog.pass_time(60, held) is None
    assert dog.pass_time(20, held) is not None


def test_the_thread_bites_once() -> None:
    """Started, it finds out by itself; stopped, it finds nothing."""
    bitten = threading.Event()
    reasons: list[str] = []

    def bite(reason: str) -> None:
        reasons.append(reason)
        bitten.set()

    dog = Watchdog(0.6, 1.2, lambda _: {}, bite)
    dog.start()
    dog.beat(beat({}))
    assert bitten.wait(10)
    assert reasons[0].startswith("its event loop has not moved")
    quiet = Watchdog(0.6, 1.2, lambda _: {}, bite)
    quiet.start()
    quiet.beat(beat({}))
    quiet.stop()
    bitten.clear()
    assert not bitten.wait(1.5)


def test_ends_are_asked_of_the_broker(any_broker: str, topic_prefix: str) -> None:
    """Without a group, of all partitions at once; a broker that is away gives nothing."""
    topic = f"{topic_prefix}orders"
    admin = AdminClient({"bootstrap.servers": any_broker})
    admin.create_topics([NewTopic(topic, 2)])[topic].result(30)
    producer = Producer({"bootstrap.servers": any_broker})
    for _ in range(3):
        producer.produce(topic, b"x", partition=1)
        producer.flush(10)
    ends = BrokerEnds(load_settings(kafka={"brokers": any_broker}))
    assert ends({TP(topic, 0), TP(topic, 1)}) == {TP(topic, 0): 0, TP(topic, 1): 3}
    assert ends(set()) == {}


def test_a_broker_that_is_away_tells_no_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known then, which is not the same as no records."""
    monkeypatch.setattr("streams.watchdog._ANSWER_S", 0.5)
    ends = BrokerEnds(load_settings(kafka={"brokers": f"{LOOPBACK}:{free_port()}"}))
    assert ends({A}) is None
    assert ends(set()) is None


def test_the_log_tells_what_each_thread_was_doing() -> None:
    """By the thread's name, with the function that it is in."""
    assert "MainThread:" in stacks()
    assert "test_the_log_tells_what_each_thread_was_doing" in stacks()


@pytest.mark.parametrize(
    ("hang", "reason"),
    [
        ("BatchConsumerThread._fetch_records = hanging", "nothing is fetched of"),
        ("Shards.offer = blocking", "its event loop has not moved for"),
    ],
)
def test_a_worker_that_hangs_ends_and_its_successor_goes_on(
    services: EmbeddedServices,
    topic_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hang: str,
    reason: str,
) -> None:
    """Exit code 71 and why; the next worker counts everything, once."""
    deployment = Deployment(services.brokers, services.redis_url, topic_prefix, "run", 1)
    create_topics(deployment.settings)
    records = mixed_input().records
    monkeypatch.setattr("tests.worker_process.COMMAND", [sys.executable, "-c", HANGS % hang, "worker"])
    with Worker(deployment, tmp_path, stuck_after_s=4) as worker:
        worker.until(lambda: worker.holds() == {0}, "the assignment")
        feed(deployment, records[:100])
        fed = feed(deployment, records[100:200])
        assert worker.wait(40) == EXIT_STUCK, worker.log()
        assert "worker is stuck and ends" in worker.log()
        assert reason in worker.log()
    monkeypatch.undo()
    with Worker(deployment, tmp_path, "successor", stuck_after_s=4) as worker:
        worker.until_checkpointed(ends_of(fed))
        time.sleep(6)
        assert worker.stop() == 0
    assert deployment.statistics().records == len(fed)


def test_a_suspended_worker_goes_on(services: EmbeddedServices, topic_prefix: str, tmp_path: Path) -> None:
    """Stopped for longer than what counts as stuck, and continued: that is no reason to end."""
    deployment = Deployment(services.brokers, services.redis_url, topic_prefix, "run", 1)
    create_topics(deployment.settings)
    with Worker(deployment, tmp_path, stuck_after_s=2) as worker:
        worker.until(lambda: worker.holds() == {0}, "the assignment")
        os.kill(worker.pid, signal.SIGSTOP)
        fed = feed(deployment, mixed_input().records[:100])
        time.sleep(5)
        os.kill(worker.pid, signal.SIGCONT)
        worker.until_checkpointed(ends_of(fed))
        time.sleep(3)
        assert worker.stop() == 0
