"""What a fault is. Each is a small class; :mod:`tests.faults.catalogue` lists them."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from tests.faults.stage import Hit, Stage


class Fault(ABC):
    """Something that goes wrong, time after time, in one run.

    Attributes
    ----------
    name, what
        For the table.
    share
        Tries for each kill asked for: faults that take long are tried less often.
    workers
        Workers at the beginning.
    brokers
        Where it can happen.
    fsync
        How the store keeps its append-only file.
    proxied
        Whether the workers reach Redis, and real Kafka, through proxies.
    """

    name: ClassVar[str]
    what: ClassVar[str]
    share: ClassVar[float] = 1.0
    workers: ClassVar[int] = 2
    brokers: ClassVar[tuple[str, ...]] = ("kafka", "embedded")
    fsync: ClassVar[str] = "everysec"
    proxied: ClassVar[bool] = False

    @abstractmethod
    def strike(self, stage: Stage) -> Iterator[Hit]:
        """Do it once. Each hit is yielded when it has struck; the caller goes on when the shards have recovered."""
