"""A replay as a whole: in this process or in several, the outputs are the same."""

from collections.abc import Callable, Iterator

from streams.replay.failures import FAILURES, ReplayError
from streams.replay.plan import Job
from streams.replay.processes import replay_in_processes
from streams.replay.progress import Reached
from streams.replay.shard_run import Published, ShardRun


def replay(job: Job, processes: int = 1, told: Callable[[Reached], None] = lambda _: None) -> Iterator[Published]:
    """Carry out a job; yields outputs in the order of rounds and shards, as records of an archive.

    ``told`` is called now and then with how far it has come, and at the end.

    Raises
    ------
    ReplayError
        The records or the policies can't be used; the message says why.
    """
    if processes > 1:
        yield from replay_in_processes(job, min(processes, job.plan.shards), told)
        return
    run = ShardRun(job, range(job.plan.shards))
    try:
        for _, published in run.rounds():
            told(run.reached)
            yield from published
    except FAILURES as error:
        raise ReplayError(str(error)) from error
    told(run.reached)
