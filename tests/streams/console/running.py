"""A marketplace with a worker and a console as processes, for tests that look at it as people do."""

import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from confluent_kafka import Producer
from msgspec import Struct

from config.settings import Settings
from streams.clients import producer_config
from streams.console.index.reading import IndexReader
from streams.console.users import add_user
from streams.demo.options import DemoOptions, demo_settings, demo_values, worker_environment
from streams.demo.player import Player
from streams.demo.sent import Sent
from streams.demo.stage import Stage
from streams.demo.store_view import StoreView
from streams.demo.worker_process import WorkerProcess
from streams.embedded import EmbeddedServices
from streams.local_process import LocalProcess
from streams.simulator import Simulation
from streams.standing.found import PartyKind, live_standings
from streams.topics import create_topics

COMMAND = [sys.executable, "-c", "from streams.cli import main; main(prog_name='shopwarden')", "console"]
#: CI runs four tests at a time on two cores.
PATIENCE_S = 90.0
USERS = {"vera": "viewer", "rita": "reviewer", "rob": "reviewer", "ada": "admin", "art": "admin"}


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE_S) -> Any:
    """What a condition gives once it holds."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"{what} did not happen within {seconds:.0f} s"
        time.sleep(0.1)
    return found


class ConsoleProcess:
    """``shopwarden console`` for as long as a ``with`` block lasts.

    ``address`` is where it listens; ``log()`` what it has written.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._process = LocalProcess("console", folder / "console")
        self._environment = environment
        self.address = ""

    def __enter__(self) -> Self:
        self._process.start([*COMMAND, "--port", "0"], self._environment)
        try:
            self.address = until(self._listens, "the console's start")
        except BaseException:
            self._process.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            sys.stderr.write(f"\nlog of the console:\n{self.log()}\n")
        self._process.end()

    def log(self) -> str:
        """What it has written."""
        return self._process.log.read_text(errors="replace") if self._process.log.exists() else ""

    def _listens(self) -> str:
        assert self._process.running, f"the console ended:\n{self.log()}"
        found = re.search(r"http://127\.0\.0\.1:\d+", self.log())
        return found[0] if found else ""


class Marketplace(Struct, frozen=True):
    """Where the console listens, the tokens of its users by name, and the settings of the deployment."""

    address: str
    tokens: dict[str, str]
    settings: Settings
    folder: Path
    #: Settings of the deployment, nested as in a TOML file.
    values: Mapping[str, Any]

    def standing(self, kind: PartyKind, name: str) -> dict[str, Any]:
        """The latest standing of a party, as systems that enforce are told; empty if there is none."""
        found = live_standings(self.settings, name, kind)
        return found[0].standing if found else {}

    def in_force(self, kind: PartyKind, name: str) -> dict[str, dict[str, Any]]:
        """What the standing lists, by decision."""
        return {each["decision_id"]: each for each in self.standing(kind, name).get("enforcements", [])}


@contextmanager
def marketplace(folder: Path, events: int, seed: int = 7) -> Iterator[Marketplace]:
    """Play a simulated marketplace into a worker, wait until it has judged all, and open a console on it."""
    options = DemoOptions(duration=10, rate=events / 10, seed=seed, partitions=2)
    with _stage(options) as stage:
        stage.await_worker()
        events = _play(stage, options)
        users = folder / "users.toml"
        tokens = {name: add_user(users, name, role) for name, role in USERS.items()}  # type: ignore[arg-type]
        environment = worker_environment(
            {
                "kafka": {"brokers": stage.settings.kafka.brokers},
                "redis": {"url": stage.settings.redis.url},
                "topics": {"partitions": 2},
                "console": {
                    "folder": str(folder / "console-files"),
                    "users_file": str(users),
                    # What takes a second person here is severe, and not a matter of amounts.
                    "second_person_above": 1_000_000,
                },
                "pseudonym_key": _secret(stage.settings),
            }
        )
        with ConsoleProcess(folder, environment) as console:
            until(lambda: _indexed(folder / "console-files" / "index.db", events), "the index of all events")
            yield Marketplace(console.address, tokens, stage.settings, folder, stage.values)


@contextmanager
def _stage(options: DemoOptions) -> Iterator[Stage]:
    """The demo's, with a worker that does not move quiet shards on: what waits would lapse while a test looks at it."""
    with EmbeddedServices() as services:
        values = demo_values(options, services.brokers, services.redis_url)
        values["worker"] |= {"idle_tick_s": 3_600}
        settings = demo_settings(values)
        create_topics(settings)
        assert services.folder is not None
        store = StoreView(settings)
        try:
            with WorkerProcess(services.folder, worker_environment(values)) as worker:
                yield Stage(settings, services, worker, store, values)
        finally:
            store.close()


def _play(stage: Stage, options: DemoOptions) -> int:
    sent = Sent()
    producer: Any = Producer(producer_config(stage.settings, linger_ms=50))
    topics = {kind: stage.settings.topics.name(kind) for kind in ("listings", "orders", "merchants")}
    player = Player(Simulation(options.marketplace()), producer, topics, sent, 1_000_000)
    player.play()
    producer.close()
    until(lambda: _judged(stage, sent), "the judgement of all events")
    return sent.total


def _judged(stage: Stage, sent: Sent) -> bool:
    stage.check()
    checkpointed = stage.store.checkpointed()
    return all(checkpointed.get(place, 0) >= end for place, end in sent.ends())


def _indexed(file: Path, events: int) -> bool:
    """Whether the index holds all that was played, and what was decided about it."""
    reader = IndexReader(file)
    try:
        waits = reader.counts("decisions").get("waiting", 0)
        weighed = reader.row("SELECT count(*) AS n FROM decision WHERE state = 'waiting' AND harm IS NULL")
        return (
            sum(reader.counts("events").values()) >= events and waits > 0 and weighed is not None and not weighed["n"]
        )
    finally:
        reader.close()


def _secret(settings: Settings) -> str:
    assert settings.pseudonym_key is not None
    return settings.pseudonym_key.get_secret_value()


def decode(value: bytes) -> dict[str, Any]:
    """A JSON object."""
    return msgspec.json.decode(value, type=dict[str, Any])
