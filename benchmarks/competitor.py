"""What every competitor process shares: the job it is given and the meter that times it.

Imports the standard library alone, as the Quix Streams competitor runs in an environment of its own.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import NoReturn

#: Looking at the clock for every record would be measured too.
_CLOCK_EVERY = 128


@dataclass(frozen=True)
class Job:
    """What a competitor is to do.

    ``records`` is how many there are in all ``topics``; after ``seconds`` the competitor stops where it is and reports
    the rate up to there. ``folder`` is its own and empty; ``group`` is fresh. ``simulated`` and ``seed`` name the
    simulation that the records were taken from.
    """

    brokers: str
    topics: tuple[str, ...]
    output_topic: str
    group: str
    records: int
    seconds: float
    redis_url: str
    folder: str
    simulated: int
    seed: int
    flush_records: int

    def encode(self) -> str:
        """The job as one command line argument."""
        return json.dumps(asdict(self))


def decode_job(text: str) -> Job:
    """The job of a command line argument."""
    fields = json.loads(text)
    return Job(**{**fields, "topics": tuple(fields["topics"])})


class Meter:
    """Times a competitor: :meth:`begin` at its first record, :meth:`count` after each is done with."""

    def __init__(self, job: Job, clock: Callable[[], float] = time.perf_counter) -> None:
        self._target = job.records
        self._seconds = job.seconds
        self._clock = clock
        self._started = 0.0
        self._until = 0.0
        self._cpu = 0.0
        self._next_look = _CLOCK_EVERY
        self.done = 0

    def begin(self) -> None:
        """Note the time of the first record; later calls do nothing."""
        if not self._started:
            self._started = self._clock()
            self._until = self._started + self._seconds
            self._cpu = time.process_time()

    def count(self, records: int = 1) -> bool:
        """Count records that are done with; true when it is time to :meth:`finish`."""
        self.done += records
        if self.done >= self._target:
            return True
        if self.done >= self._next_look:
            self._next_look = self.done + _CLOCK_EVERY
            return self._clock() >= self._until
        return False

    def result(self) -> str:
        """Records, seconds, and seconds of processor time (all threads) so far, as a line of JSON."""
        seconds = self._clock() - self._started
        return json.dumps({"records": self.done, "seconds": seconds, "cpu_seconds": time.process_time() - self._cpu})

    def finish(self) -> NoReturn:
        """Report and leave at once: what stopping costs is not compared."""
        sys.stdout.write(self.result() + "\n")
        sys.stdout.flush()
        os._exit(0)


def run(compete: Callable[[Job, Meter], object]) -> None:
    """Run a competitor on the job of the command line."""
    job = decode_job(sys.argv[1])
    compete(job, Meter(job))
    sys.exit("the competitor ended before it was done")
