import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from streams.clients import redis_client
from streams.embedded import LOOPBACK, EmbeddedServices, free_port
from streams.store import STORE_VERSION, Position
from streams.topics import connect_admin, create_topics
from tests.deployment import Deployment
from tests.fed import ends_of, feed
from tests.streams.mixed_input import mixed_input
from tests.worker_process import COMMAND, Worker

PARTITIONS = 2


@pytest.fixture
def deployment(services: EmbeddedServices, topic_prefix: str) -> Deployment:
    """Names of this test's own; the topics do not exist yet."""
    return Deployment(services.brokers, services.redis_url, topic_prefix, "run", PARTITIONS)


def run(environment: dict[str, str], folder: Path, seconds: float = 30) -> subprocess.CompletedProcess[str]:
    """A worker that must end by itself."""
    return subprocess.run(
        COMMAND, env=environment, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False
    )


def assert_told(found: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """It ended with this exit code and said this, to people."""
    assert found.returncode == code, found.stderr
    assert "Traceback" not in found.stderr
    for word in words:
        assert word in found.stderr


def test_without_a_pseudonym_key_nothing_starts(deployment: Deployment, tmp_path: Path) -> None:
    """Exit code 2, and how to make a key."""
    environment = deployment.environment()
    del environment["SHOPWARDEN_PSEUDONYM_KEY"]
    found = run(environment, tmp_path)
    assert_told(found, 2, "pseudonym_key is missing", "SHOPWARDEN_PSEUDONYM_KEY_FILE", "secrets.token_hex")


def test_missing_topics_are_named(deployment: Deployment, tmp_path: Path) -> None:
    """Exit code 1, which topics, and the command that makes them."""
    topics = deployment.settings.topics
    assert_told(run(deployment.environment(), tmp_path), 1, topics.orders, topics.listings, "shopwarden topics create")


def test_unequal_partition_counts_are_refused(deployment: Deployment, tmp_path: Path) -> None:
    """Exit code 1, and how many partitions each input has."""
    create_topics(deployment.settings)
    wide = f"{deployment.prefix}wide"
    admin, _ = connect_admin(deployment.settings, 10)
    admin.create_topics([NewTopic(wide, 3)])[wide].result(30)
    found = run(deployment.environment() | {"SHOPWARDEN_TOPICS__ORDERS": wide}, tmp_path)
    assert_told(found, 1, "unequal partition counts", f"{wide} 3", f"{deployment.settings.topics.listings} 2")


def test_a_broker_that_is_away_is_named(deployment: Deployment, tmp_path: Path) -> None:
    """Exit code 1 when it did not answer in the time to start, with the address and the reason."""
    address = f"{LOOPBACK}:{free_port()}"
    started = time.monotonic()
    found = run(replace(deployment, brokers=address, worker={"start_wait_s": 3}).environment(), tmp_path)
    assert_told(found, 1, "no Kafka broker answered", address, "refused", "after 3 s (worker.start_wait_s)")
    assert 2 < time.monotonic() - started < 20


def test_a_store_that_is_away_is_named(deployment: Deployment, tmp_path: Path) -> None:
    """Exit code 1 when it did not answer in the time to start, with its address."""
    create_topics(deployment.settings)
    url = f"redis://{LOOPBACK}:{free_port()}/0"
    found = run(replace(deployment, redis_url=url, worker={"start_wait_s": 3}).environment(), tmp_path)
    assert_told(found, 1, "Redis did not answer", url, "redis.url")


def test_a_store_that_refuses_is_not_waited_for(deployment: Deployment, tmp_path: Path) -> None:
    """A password that is not right will not become so: exit code 1 at once, and what to look at."""
    create_topics(deployment.settings)
    started = time.monotonic()
    user = {"SHOPWARDEN_REDIS__USERNAME": "nobody", "SHOPWARDEN_REDIS__PASSWORD": "wrong"}
    found = run(deployment.environment() | user, tmp_path)
    assert_told(found, 1, "Redis refused to answer", "redis.password")
    assert time.monotonic() - started < 20


def test_services_that_come_later_are_waited_for(
    deployment: Deployment, own_services: Callable[..., EmbeddedServices], tmp_path: Path
) -> None:
    """A worker that is started before its store joins when that is there; it says what it waits for."""
    create_topics(deployment.settings)
    port = free_port()
    with Worker(replace(deployment, redis_url=f"redis://{LOOPBACK}:{port}/0"), tmp_path) as worker:
        worker.until(lambda: "Redis is away" in worker.log(), "the outage")
        own_services(brokers=deployment.brokers, store_port=port)
        worker.until(lambda: worker.holds() == set(range(PARTITIONS)), "the assignment")
        assert worker.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_waits_for_services_stops_it(
    deployment: Deployment, tmp_path: Path, number: signal.Signals
) -> None:
    """Nothing was begun, so that is a clean stop, and at once."""
    with Worker(replace(deployment, brokers=f"{LOOPBACK}:{free_port()}"), tmp_path) as worker:
        worker.until(lambda: "Kafka is away" in worker.log(), "the outage")
        started = time.monotonic()
        assert worker.stop(5, number) == 0
        assert time.monotonic() - started < 2
        assert "Traceback" not in worker.log()


def test_a_store_that_dies_is_waited_for(
    deployment: Deployment, own_services: Callable[..., EmbeddedServices], tmp_path: Path
) -> None:
    """A worker whose store dies waits, with few words, and goes on when it is back: everything fed meanwhile is
    counted.
    """
    create_topics(deployment.settings)
    mine = own_services(brokers=deployment.brokers, append_only=True)
    lonely = replace(deployment, redis_url=mine.redis_url)
    records = mixed_input().records
    with Worker(lonely, tmp_path) as worker:
        worker.until(lambda: worker.holds() == set(range(PARTITIONS)), "the assignment")
        worker.until_checkpointed(ends_of(feed(lonely, records[:50])))
        time.sleep(1.5)  # the file is synced each second
        mine.kill_store()
        fed = feed(lonely, records[50:100])
        worker.until(lambda: "Redis is away" in worker.log(), "the outage")
        time.sleep(3)
        mine.restart_store()
        worker.until_checkpointed(ends_of(fed))
        assert worker.log().count("Redis is away") == worker.log().count("Redis is back") == 1
        assert "Traceback" not in worker.log()
        assert worker.stop() == 0
    assert lonely.statistics().records == 100


def test_wrong_policies_are_explained(deployment: Deployment, tmp_path: Path) -> None:
    """Exit code 1, the file and what is wrong in it."""
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "rules.yaml").write_text("rules: [{id: a", encoding="utf-8")
    environment = deployment.environment() | {"SHOPWARDEN_POLICY_DIR": str(policies)}
    assert_told(run(environment, tmp_path), 1, "rules.yaml")


def test_a_state_of_a_newer_version_is_refused(deployment: Deployment, tmp_path: Path) -> None:
    """Exit code 1, which shard, and what to do; what is stored stays as it was."""
    create_topics(deployment.settings)
    newer = msgspec.json.encode(Position(version=STORE_VERSION + 1, sequence=3))
    key = deployment.tag(1) + "position"
    with contextlib.closing(redis_client(deployment.settings)) as client:
        client.set(key, newer)
        found = run(deployment.environment(), tmp_path)
        assert_told(found, 1, "shard 1 was stored by a newer version", "upgrade this worker")
        assert client.get(key) == newer


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(deployment: Deployment, tmp_path: Path, number: signal.Signals) -> None:
    """SIGTERM and SIGINT end an idle worker with exit code 0, well within its deadline, its shards given up. Until then
    it has listened on no port: Faust's web server (0.0.0.0:6066) stays off.
    """
    create_topics(deployment.settings)
    with Worker(deployment, tmp_path) as worker:
        worker.until(lambda: worker.holds() == set(range(PARTITIONS)), "the assignment")
        if Path("/proc/net/tcp").exists():  # Linux
            assert listening(worker.pid) == set()
            with socket.create_server((LOOPBACK, 0)) as server:
                assert listening(os.getpid()) == {server.getsockname()[1]}
        started = time.monotonic()
        assert worker.stop(25, number) == 0
        assert time.monotonic() - started < 10
    assert deployment.owned() == 0
    assert "Traceback" not in worker.log()


def test_a_signal_while_it_joins_stops_it_in_time(deployment: Deployment, tmp_path: Path) -> None:
    """Told to stop while it waits for the group, it does so, at the latest at its deadline."""
    create_topics(deployment.settings)
    with Worker(deployment, tmp_path, shutdown_deadline_s=15) as worker:
        worker.until(lambda: "BatchConsumerThread" in worker.log(), "the join", pause=0.01)
        assert not worker.holds()
        started = time.monotonic()
        assert worker.stop(25) in (0, 70)
        assert time.monotonic() - started < 16


Hanging = Callable[[float], tuple[Worker, Deployment]]


@pytest.fixture
def hanging(deployment: Deployment, own_services: Callable[..., EmbeddedServices], tmp_path: Path) -> Iterator[Hanging]:
    """Give a worker with so many seconds to stop, and a store that has just ceased to answer."""
    create_topics(deployment.settings)
    store = own_services(brokers=deployment.brokers)
    assert store.store is not None
    mine = replace(deployment, redis_url=store.redis_url)
    with contextlib.ExitStack() as stack:

        def start(deadline: float) -> tuple[Worker, Deployment]:
            worker = stack.enter_context(Worker(mine, tmp_path, shutdown_deadline_s=deadline))
            worker.until(lambda: worker.holds() == set(range(PARTITIONS)), "the assignment")
            assert store.store is not None
            os.kill(store.store.pid, signal.SIGSTOP)
            stack.callback(os.kill, store.store.pid, signal.SIGCONT)
            return worker, mine

        yield start


def test_a_second_signal_stops_it_at_once(hanging: Hanging) -> None:
    """Who insists is obeyed: exit code 70, without waiting for what hangs."""
    worker, mine = hanging(60)
    feed(mine, mixed_input().records[:20])
    worker.until(lambda: "Redis is away" in worker.log(), "the outage")
    assert worker.stop(1.5) is None
    assert worker.stop(1.5) == 70
    assert "told to stop again" in worker.log()


def test_a_stop_that_hangs_is_cut_off(hanging: Hanging) -> None:
    """At its deadline the worker leaves with exit code 70, whatever hangs."""
    worker, _ = hanging(2)
    assert worker.stop(1.5) is None
    assert worker.wait(2) == 70


def test_a_stop_while_the_store_is_away_does_not_wait_for_the_deadline(hanging: Hanging) -> None:
    """With records begun and Redis away the worker gives up after some seconds: exit code 70, and what that means."""
    worker, mine = hanging(60)
    feed(mine, mixed_input().records[:20])
    worker.until(lambda: "Redis is away" in worker.log(), "the outage")
    started = time.monotonic()
    assert worker.stop(30) == 70
    assert time.monotonic() - started < 20
    assert "the journal has what was begun" in worker.log()
    assert "Traceback" not in worker.log()


def listening(pid: int) -> set[int]:
    """TCP ports that a process listens on."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            inodes.add(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports
