"""A replay as a whole: in this process or in several, at once or after an interruption, the outputs are the same."""

from collections.abc import Callable, Iterator
from pathlib import Path

from streams.replay.failures import FAILURES, ReplayError
from streams.replay.plan import Job
from streams.replay.processes import replay_in_processes
from streams.replay.progress import Reached
from streams.replay.run_folder import Published, RunFolder
from streams.replay.shard_run import ShardRun


def replay(
    job: Job, processes: int = 1, told: Callable[[Reached], None] = lambda _: None, folder: Path | None = None
) -> Iterator[Published]:
    """Carry out a job; yields outputs in the order of rounds and shards, as records of an archive.

    Parameters
    ----------
    job
        What to do.
    processes
        In how many processes; not more than there are shards.
    told
        Called now and then with how far it has come, and at the end.
    folder
        Where the run is kept, so that it can be gone on with when it was interrupted: then the outputs from before come
        first. It is removed at the end.

    Raises
    ------
    ReplayError
        The records, the policies or the folder can't be used; the message says why.
    """
    try:
        if folder is None:
            for _, published in _rounds(job, processes, told):
                yield from published
            return
        kept = RunFolder(folder, job)
        yield from kept.before()
        for number, published in _rounds(kept.job, processes, told):
            kept.add(number, published)
            yield from published
        kept.finish()
    except FAILURES as error:
        raise ReplayError(str(error)) from error


def _rounds(job: Job, processes: int, told: Callable[[Reached], None]) -> Iterator[tuple[int, list[Published]]]:
    """Outputs, and each time the round before which no others follow."""
    if processes > 1:
        yield from replay_in_processes(job, min(processes, job.plan.shards), told)
        return
    run = ShardRun(job, range(job.plan.shards))
    for number, published in run.rounds():
        told(run.reached)
        yield number, published
    told(run.reached)
