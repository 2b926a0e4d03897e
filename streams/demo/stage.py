"""Everything that has to be there before the first record is played: services, topics, worker."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from msgspec import Struct

from config.settings import Settings
from streams.demo.options import DemoOptions, demo_settings, demo_values, worker_environment
from streams.demo.store_view import StoreView
from streams.demo.worker_process import WorkerProcess
from streams.embedded import EmbeddedServices
from streams.topics import create_topics

#: For loading River and joining the group; some five seconds on an idle machine.
_READY_SECONDS: Final = 90.0
_LOOK_SECONDS: Final = 0.1


class DemoError(Exception):
    """The demo failed; the message says why, with the worker's last words where they help."""


class Stage(Struct, frozen=True):
    """Running services, a worker, and the view of its store."""

    settings: Settings
    services: EmbeddedServices
    worker: WorkerProcess
    store: StoreView
    #: Settings as they were made, nested as in a TOML file.
    values: Mapping[str, Any]

    def check(self) -> None:
        """Raise DemoError if something ended that should not have."""
        if not self.worker.running:
            code = self.worker.stop()
            raise DemoError(
                f"the worker ended by itself with exit code {code}. Its last words:\n{self.worker.log_tail()}"
            )
        if (told := self.services.dead()) is not None:
            raise DemoError(told)

    def await_worker(self) -> None:
        """Return when the worker has claimed every shard; raise DemoError if it does not."""
        shards = self.settings.topics.partitions
        until = time.monotonic() + _READY_SECONDS
        while (owned := self.store.owned()) < shards:
            self.check()
            if time.monotonic() > until:
                raise DemoError(
                    f"the worker has claimed {owned} of {shards} shards after {_READY_SECONDS:.0f} s. Its last words:\n"
                    f"{self.worker.log_tail()}"
                )
            time.sleep(_LOOK_SECONDS)


@contextmanager
def set_up(options: DemoOptions) -> Iterator[Stage]:
    """Services, topics and a worker that is about to be ready; all of them end with the block, however it ends.

    Raises
    ------
    streams.local_process.EmbeddedServicesError, streams.topics.TopicsError
        Something could not be started or made.
    """
    with EmbeddedServices() as services:
        values = demo_values(options, services.brokers, services.redis_url)
        settings = demo_settings(values)
        create_topics(settings)
        folder = services.folder
        assert folder is not None  # noqa: S101 - for the type checker: it is there while services run
        store = StoreView(settings)
        try:
            with WorkerProcess(folder, worker_environment(values)) as worker:
                yield Stage(settings, services, worker, store, values)
        finally:
            store.close()
