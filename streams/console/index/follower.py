"""The thread that reads topics into the index, and goes on as they grow.

It joins no group and commits nothing; where it stands is in the index. It reads in long draughts, a few a second, and
gives way to everything else on the machine: being seconds late does no harm here, and slowing the worker would.
"""

import contextlib
import logging
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from msgspec import Struct, field

from config.settings import Settings
from streams.clients import kafka_config, names_cause
from streams.console.index.harm import Harm
from streams.console.index.pruning import STEP, prune
from streams.console.index.schema import open_index, roll_back
from streams.console.index.writer import FOLLOWED, Followed, IndexWriter
from streams.reading import SILENT, Partition, ReadError

logger = logging.getLogger("shopwarden.console")

_METADATA_SECONDS: Final = 15.0
_BATCH: Final = 10_000
#: How long a draught gathers: what people see is at most this much older.
_GATHER_SECONDS: Final = 0.25
_WEIGH_SECONDS: Final = 2.0
_PRUNE_SECONDS: Final = 30.0
#: Between tries when the broker or the disk fails.
_PAUSE_SECONDS: Final = 2.0
_NICENESS: Final = 10
_LONGEST_REST_SECONDS: Final = 5.0
#: How a trouble begins that makes the console of no use (see pages/health.py).
_INDEX: Final = "the index"
#: Rates are of this long.
_RATE_SECONDS: Final = 10.0


class Progress(Struct):
    """How the follower is doing, for pages and probes.

    Attributes
    ----------
    records
        Records taken since the start.
    rate
        Records a second, of the last seconds.
    behind
        Whether the last draught was full, so there is probably more.
    heard
        When the broker last said anything, by time.monotonic().
    trouble
        What is wrong; empty if nothing is.
    lag
        Topic -> records that are there and not in the index yet, as far as the client knows.
    """

    records: int = 0
    rate: float = 0.0
    behind: bool = True
    heard: float = 0.0
    trouble: str = ""
    lag: dict[str, int] = field(default_factory=dict)


class Follower:
    """Keeps an index up to date, in a thread of its own.

    Parameters
    ----------
    settings
        Of the deployment.
    file
        The index.
    harm
        Weighs decisions that wait.
    clock
        Seconds, rising.

    Raises
    ------
    ReadError
        From the constructor: no broker answers, or topics are missing.
    OSError, sqlite3.Error
        Likewise: the index can't be opened.
    """

    def __init__(self, settings: Settings, file: Path, harm: Harm, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._harm = harm
        self._clock = clock
        self.progress = Progress(heard=clock())
        self._stop = threading.Event()
        self._consumer = Consumer(_config(settings, self._on_error))
        try:
            topics, identity = self._find()
            self._writer = IndexWriter(
                open_index(file, identity), topics, round(settings.worker.future_tolerance_h * 3_600_000)
            )
        except BaseException:
            self._consumer.close()
            raise
        self._partitions = self._of(topics)
        self._assign()
        self._thread = threading.Thread(target=self._run, name="console-follower", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Read no more. Waits for what is being written."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._consumer.close()
        self._writer.connection.close()

    @property
    def running(self) -> bool:
        """Whether it reads."""
        return self._thread.is_alive()

    @property
    def shards(self) -> int:
        """Number of shards: partitions of the topic of feedback, which acts are sent to."""
        return len(self._metadata.topics[self._settings.topics.feedback].partitions)

    @property
    def latest(self) -> int:
        """Highest event time that was read, ms."""
        return self._writer.latest

    def place(self, topic: str, partition: int) -> int:
        """Next offset of a partition."""
        return self._writer.places.get((topic, partition), 0)

    def _find(self) -> tuple[dict[str, Followed], str]:
        wanted = {self._settings.topics.name(name): name for name in FOLLOWED}
        try:
            self._metadata = self._consumer.list_topics(timeout=_METADATA_SECONDS)
        except KafkaException as error:
            self._consumer.poll(0)  # hears what was wrong
            trouble = self.progress.trouble or "it has said nothing"
            raise ReadError(f"no broker answers at {self._settings.kafka.brokers}: {trouble}") from error
        there = {
            topic: kind
            for topic, kind in wanted.items()
            if (found := self._metadata.topics.get(topic)) is not None and found.error is None
        }
        topics = self._settings.topics
        optional = {topics.merchants, topics.creator_standing, topics.metrics}
        missing = wanted.keys() - there.keys() - optional
        if missing:
            raise ReadError(
                f"topics are missing: {', '.join(sorted(missing))}; `shopwarden topics create` makes them, and "
                "topics.prefix must be that of the worker"
            )
        names = ",".join(sorted(there))
        return there, f"{self._metadata.cluster_id} {names}"

    def _of(self, topics: Mapping[str, Followed]) -> list[Partition]:
        return [(topic, number) for topic in topics for number in sorted(self._metadata.topics[topic].partitions)]

    def _assign(self) -> None:
        places = self._writer.places
        self._consumer.assign([TopicPartition(*each, places.get(each, OFFSET_BEGINNING)) for each in self._partitions])

    def _on_error(self, error: KafkaError) -> None:
        if names_cause(error):
            self.progress.trouble = error.str()

    def _run(self) -> None:
        if sys.platform == "linux":
            # Of this thread alone: Linux schedules threads, and the pages should not have to wait as long.
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        weighed = pruned = measured = self._clock()
        counted, more = 0, False
        while not self._stop.is_set():
            began = time.thread_time()
            try:
                self._draught()
                now = self._clock()
                if now - weighed >= _WEIGH_SECONDS:
                    self._harm.weigh(self._writer.connection, self._writer.latest)
                    weighed = self._clock()
                # A full step leaves more to be done at once: events may come faster than one step in so many seconds.
                if more or now - pruned >= _PRUNE_SECONDS:
                    more = self._prune() >= STEP
                    pruned = self._clock()
                if self.progress.trouble.startswith(_INDEX):
                    self.progress.trouble = ""
            except sqlite3.Error as error:
                self.progress.trouble = f"{_INDEX} can't be written: {error}"
                logger.exception("the index can't be written")
                self._stop.wait(_PAUSE_SECONDS)
                # What was not written is read again.
                self._assign()
            self._rest(time.thread_time() - began)
            now = self._clock()
            if now - measured >= _RATE_SECONDS / 4:
                share = min(1.0, (now - measured) / _RATE_SECONDS)
                recent = (self.progress.records - counted) / (now - measured)
                self.progress.rate += share * (recent - self.progress.rate)
                counted, measured = self.progress.records, now
                self.progress.lag = self._lag()

    def _rest(self, worked: float) -> None:
        """Rest for as long as it takes to keep to the share of a core that indexing may have."""
        share = self._settings.console.index_share
        if share < 1:
            self._stop.wait(min(worked * (1 / share - 1), _LONGEST_REST_SECONDS))

    def _draught(self) -> None:
        records: list[Message] = []
        for message in self._consumer.consume(_BATCH, _GATHER_SECONDS):
            error = message.error()
            if error is None:
                records.append(message)
            else:
                self._on_error(error)  # the client tries again by itself
        if records:
            self._writer.take(records)
            self.progress.records += len(records)
            self.progress.heard = self._clock()
            self.progress.trouble = ""
        self.progress.behind = len(records) >= _BATCH // 2

    def _lag(self) -> dict[str, int]:
        lag: dict[str, int] = {}
        for topic, number in self._partitions:
            # Below 0 before the first answer.
            _, end = self._consumer.get_watermark_offsets(TopicPartition(topic, number), cached=True)
            lag[topic] = lag.get(topic, 0) + max(0, end - self.place(topic, number))
        return lag

    def _prune(self) -> int:
        console = self._settings.console
        connection = self._writer.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            deleted = prune(connection, self._writer.latest, console.index_days, console.index_events)
            connection.execute("COMMIT")
        except BaseException:
            roll_back(connection)
            raise
        return deleted


def _config(settings: Settings, on_error: Callable[[KafkaError], None]) -> dict[str, Any]:
    return kafka_config(settings) | {
        "group.id": "shopwarden-console",  # required by the client; never joined
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        # A broker is asked a few times a second, for much at once.
        "fetch.wait.max.ms": 250,
        "fetch.min.bytes": 64 * 1024,
        "fetch.queue.backoff.ms": 100,
        "queued.max.messages.kbytes": 16 * 1024,
        "error_cb": on_error,
        "logger": SILENT,
    }
