"""Records that no good producer sends."""

import time
from collections.abc import Iterator
from itertools import count
from typing import ClassVar

import orjson
from msgspec.structs import replace

from tests.faults.fault import Fault
from tests.faults.stage import Hit, Stage
from tests.streams.mixed_input import special_records


class Poison(Fault):
    """Every kind of bad record, one after the other, for one merchant in the midst of the others' events."""

    name: ClassVar[str] = "poison-and-oversize"
    what: ClassVar[str] = "bad and oversize records of every kind in the midst of the stream"

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
                stage.poison[special.reason] = stage.poison.get(special.reason, 0) + 1
        before = stage.progress.fresh()
        began = time.monotonic()
        stage.feeder.insert([special.record for special in specials])
        yield stage.hit_all(began, before)
