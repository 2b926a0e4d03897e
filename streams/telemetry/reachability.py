"""Looks, every few seconds and from a thread of its own, whether Kafka and Redis can be reached.

A worker that has nothing to do asks neither of them for anything, so it would not notice that one has gone.
"""

import contextlib
import threading
from collections.abc import Callable, Mapping
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from redis.exceptions import RedisClusterException, RedisError

from config.settings import Settings
from streams.clients import kafka_config, redis_client

_ANSWER_S: Final = 5.0

Look = Callable[[], bool]


class Reachability:
    """Looks from :meth:`start` to :meth:`stop`.

    Parameters
    ----------
    looks
        Service -> whether it answers; may block for some seconds.
    every
        Seconds between two looks.
    """

    def __init__(self, looks: Mapping[str, Look], every: float) -> None:
        self._looks = dict(looks)
        self._every = every
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reachability", daemon=True)
        #: Service -> whether it answered; empty before the first look.
        self._answered: dict[str, bool] = {}

    def away(self) -> list[str]:
        """Services that did not answer when they were asked last."""
        return [name for name, answered in self._answered.copy().items() if not answered]

    def look(self) -> None:
        """Ask each service."""
        for name, answers in self._looks.items():
            self._answered[name] = answers()

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; a look under way ends by itself."""
        self._stopped.set()

    def _run(self) -> None:
        while True:
            self.look()
            if self._stopped.wait(self._every):
                return


def looks_of(settings: Settings) -> dict[str, Look]:
    """How the services of a deployment are asked."""
    kafka: list[AdminClient] = []
    topic = settings.topics.name("orders")

    def kafka_answers() -> bool:
        if not kafka:
            # Without a log: what goes wrong here goes wrong for the others too, and they tell.
            config = {name: value for name, value in kafka_config(settings).items() if name != "logger"}
            kafka.append(AdminClient({**config, "log_level": 0}))
        try:
            kafka[0].list_topics(topic, timeout=_ANSWER_S)
        except KafkaException:
            return False
        return True

    key = f"{{{settings.worker.namespace}:0}}:owner"

    def redis_answers() -> bool:
        # A client for each look: a cluster's remembers nodes, and would go on asking one that is no more.
        try:
            client = redis_client(settings)
            with contextlib.closing(client):
                client.get(key)
        except (RedisError, RedisClusterException, OSError):
            return False
        return True

    return {"Kafka": kafka_answers, "Redis": redis_answers}
