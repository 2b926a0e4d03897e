"""A replay against a baseline: what was decided live, another run's archive, or other policies over the same records.

The baseline's policies judge in a replay of their own after the candidate's, over the records that were read for the
first: one shard's state is in memory at a time, and neither hears of the other.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from config.settings import Settings
from detectors.comparison.causes import Policies
from detectors.comparison.comparison import Comparison
from detectors.comparison.published import Published
from detectors.comparison.quality import Known
from streams.archive import ArchiveError, ArchiveRecord
from streams.comparison.reading import OUTPUTS, event_time, read_trade, take
from streams.comparison.request import (
    CompareError,
    RunSource,
    compare_published,
    known_policies,
    merchants_of,
    read_recorded,
)
from streams.reading import ReadError
from streams.replay.failures import ReplayError
from streams.replay.job_source import open_source
from streams.replay.plan import Job, Plan
from streams.replay.progress import Reached
from streams.replay.run import replay
from streams.replay.task import renamed

#: What the command says for the decisions on the live topic.
LIVE: Final = "live"


class Baseline(Struct, frozen=True):
    """What a replay is compared with: ``policies`` that judge the same records, or a run that is on record."""

    name: str
    policies: Path | None = None
    recorded: RunSource | None = None


def parse_baseline(text: str, settings: Settings) -> Baseline:
    """What ``--against`` says: ``live``, a folder of policies, or an archive of governance events.

    Raises
    ------
    CompareError
        It is none of these, or its policies can't be used.
    """
    path = Path(text)
    if text == LIVE:
        return Baseline(LIVE, recorded=RunSource(Path(LIVE), mode="live", topic=settings.topics.events))
    if path.is_dir():
        known_policies(path)
        return Baseline(path.name, policies=path)
    if path.is_file():
        return Baseline(path.name, recorded=RunSource(path))
    raise CompareError(f"{text!r} is neither {LIVE!r} nor a folder of policies nor an archive of governance events")


def keep(published: Published, record: ArchiveRecord) -> None:
    """Note an output of a replay for its comparison."""
    if record.topic == OUTPUTS and record.value is not None:
        take(published, record.value, record.headers, record.timestamp)


def recorded_baseline(baseline: Baseline, job: Job) -> Published | None:
    """What the baseline's run published, as far as the replay publishes about it; ``None`` for policies.

    Raises
    ------
    CompareError, ReadError, ArchiveError
        There is none, or it can't be read.
    """
    if baseline.recorded is None:
        return None
    return read_recorded(job.settings, baseline.recorded, wanted=_wanted(job.plan))


def compare_with(
    baseline: Baseline,
    job: Job,
    candidate: Published,
    recorded: Published | None,
    *,
    processes: int,
    known: Known | None,
    told: Callable[[Reached], None] = lambda _: None,
) -> Comparison:
    """Compare what a job published with its baseline, which is given where it is on record.

    Raises
    ------
    ReplayError, CompareError
        The baseline can't be had.
    """
    settings, plan = job.settings, job.plan
    policies: tuple[Policies | None, Policies | None] = (None, None)
    try:
        if baseline.policies is not None:
            judged = replace(
                job,
                settings=settings.model_copy(update={"policy_dir": baseline.policies}),
                plan=replace(plan, recorded_policies=False),
            )
            found = _replayed(renamed(judged), processes, told)
            # As recorded, the candidate may have been judged by several sets.
            own = None if plan.recorded_policies else known_policies(settings.policies_path)
            policies = known_policies(baseline.policies), own
        elif recorded is not None:
            found = recorded
        else:
            raise CompareError("there is no baseline")
        trade = read_trade(_records(job), merchants_of((found, candidate)))
    except (ReadError, ArchiveError) as error:
        raise ReplayError(str(error)) from error
    names = baseline.name, settings.policies_path.name
    return compare_published(settings, names, (found, candidate), policies, trade=trade, known=known)


def _replayed(job: Job, processes: int, told: Callable[[Reached], None]) -> Published:
    published = Published(frozenset())
    for each in replay(job, processes, told):
        for record in each.records:
            keep(published, record)
    return published


def _wanted(plan: Plan) -> Callable[[ArchiveRecord], bool]:
    """Which recorded outputs are about what the replay publishes about."""
    merchants = None if plan.merchants is None else frozenset(name.encode() for name in plan.merchants)

    def wanted(record: ArchiveRecord) -> bool:
        time = event_time(dict(record.headers).get("ce_time"))
        return (merchants is None or record.key in merchants) and (time is None or plan.covers(time))

    return wanted


def _records(job: Job) -> Iterator[ArchiveRecord]:
    """The records of a job, all shards together, under the contract's names of their topics."""
    source = open_source(job, range(job.plan.shards))
    try:
        while source.peek() is not None:
            for entries in source.take().values():
                for *_, record in entries:
                    yield ArchiveRecord(record.kind, record.key, record.value, record.timestamp)
    finally:
        source.close()
