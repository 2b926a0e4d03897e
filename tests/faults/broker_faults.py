"""A broker that restarts."""

import time
from collections.abc import Iterator
from typing import ClassVar

from tests.faults.fault import Fault
from tests.faults.stage import Hit, Stage


class RestartKafka(Fault):
    """Stopped or killed, and started on its data. (The embedded broker keeps none.)"""

    name: ClassVar[str] = "kafka-restart"
    what: ClassVar[str] = "Kafka stopped or killed, and restarted with its data"
    share: ClassVar[float] = 0.1
    brokers: ClassVar[tuple[str, ...]] = ("kafka",)

    def strike(self, stage: Stage) -> Iterator[Hit]:
        """Away for the some seconds that it needs to start."""
        assert stage.kafka is not None
        stage.settle()
        time.sleep(stage.random.uniform(0, 1.5))
        before = stage.progress.fresh()
        began = time.monotonic()
        stage.random.choice([stage.kafka.kill, stage.kafka.stop])()
        stage.kafka.start()
        yield stage.hit_all(began, before)
