"""Records that no good producer sends, and records that are gone before they are read."""

import time
from collections.abc import Iterator
from itertools import count
from typing import ClassVar

import orjson
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from msgspec.structs import replace

from streams.clients import kafka_config
from tests.faults.fault import Fault
from tests.faults.stage import Hit, Stage, StuckError
from tests.streams.mixed_input import special_records


class Poison(Fault):
    """Every kind of bad record, one after the other, for one merchant in the midst of the others' events."""

    name: ClassVar[str] = "poison-and-oversize"
    what: ClassVar[str] = "bad and oversize records of every kind in the midst of the stream"
    share: ClassVar[float] = 0.4

    def __init__(self) -> None:
        self._tries = count()

    def strike(self, stage: Stage) -> Iterator[Hit]:
        """Made from the order that was sent last."""
        time.sleep(stage.random.uniform(0, 1.5))
        while True:
            example = stage.feeder.latest
            if example is not None and example.value is not None and b'"type":"order.created"' in example.value:
                break
            time.sleep(0.002)
        unique = f"poison-{next(self._tries)}"
        event = orjson.loads(example.value) | {"event_id": unique, "order_id": unique}
        specials = special_records(replace(example, value=orjson.dumps(event)))
        for special in specials:
            if special.reason is not None:
                stage.input_faults.poison[special.reason] += 1
        before = stage.progress.fresh()
        began = time.monotonic()
        stage.feeder.insert([special.record for special in specials])
        yield stage.hit_all(began, before)


class ExpiredOffset(Fault):
    """The topic's retention takes records while no worker is there."""

    name: ClassVar[str] = "expired-offset"
    what: ClassVar[str] = "records deleted before they were read: workers stop; told to skip, they tell which"
    share: ClassVar[float] = 0.06
    brokers: ClassVar[tuple[str, ...]] = ("kafka",)

    def strike(self, stage: Stage) -> Iterator[Hit]:
        """By default workers refuse and name the offsets; told to skip, they go on. The verdict asks which they left
        out: the deleted ones and no others.
        """
        crew = stage.crew
        settings = stage.deployment.settings
        crew.environment["SHOPWARDEN_WORKER__ON_GAP"] = "stop"
        crew.dismiss(crew.names)
        positions = stage.deployment.positions()
        time.sleep(stage.random.uniform(1, 3))
        stage.input_faults.before += stage.deployment.read(*settings.topics.inputs, settings.topics.exchange)
        orders, shard = settings.topics.orders, stage.random.choice(sorted(stage.shards))
        first = positions[orders, shard]
        last = stage.random.randint(first, stage.feeder.ends[orders, shard] - 2)
        admin = AdminClient(kafka_config(settings))
        for future in admin.delete_records([TopicPartition(orders, shard, last + 1)]).values():
            future.result(30)
        stage.input_faults.deleted |= {(orders, shard, offset) for offset in range(first, last + 1)}
        told = f"{orders}/{shard} no longer holds offsets {first} to {last}:"
        names = [crew.add() for _ in range(self.workers)]
        if not stage.until(lambda: crew.exits[1] > 0 and told in crew.log_tails(), 60):
            raise StuckError(f"no worker said: {told}\n{crew.log_tails()}")
        crew.dismiss(names)
        crew.environment["SHOPWARDEN_WORKER__ON_GAP"] = "skip"
        before = stage.progress.fresh()
        began = time.monotonic()
        for _ in names:
            crew.add()
        yield stage.hit_all(began, before)
