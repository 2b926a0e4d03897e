"""From what was asked for to a job: looks up what has to be known before a replay begins."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from config.policies import PolicyError
from config.settings import Settings
from streams.reading import Partition, ReadError
from streams.replay.failures import ReplayError
from streams.replay.kafka_source import present_extents
from streams.replay.plan import ArchiveInput, Input, Job, KafkaInput, OlistInput, Plan, name_run
from streams.replay.shard_run import replay_judge
from streams.tails import Extent
from streams.topic_names import deployed_names
from streams.topics import TopicsError, check_topics


class Bounds(Struct, frozen=True):
    """Which offsets of a partition to read: from ``start`` to the one before ``end``; ``None`` has no bound.

    ``topic`` is the contract's name or the deployment's.
    """

    topic: str
    partition: int
    start: int | None
    end: int | None


def plan_job(
    settings: Settings, given: ArchiveInput | OlistInput | None, plan: Plan, bounds: Sequence[Bounds] = ()
) -> Job:
    """A job for :func:`streams.replay.run.replay`.

    Parameters
    ----------
    settings
        Policies, limits and keys; how Kafka is reached.
    given
        What to read; ``None``: the input topics, up to where they end now.
    plan
        What is wanted; the number of shards and the id of the run are filled in where they are not given.
    bounds
        Of partitions of the topics that are not to be read whole.

    Raises
    ------
    ReplayError
        Kafka, or the policies, can't be used.
    """
    source: Input
    if given is None:
        source, shards = _topics(settings, bounds)
    else:
        source, shards = given, plan.shards or settings.topics.partitions
    job = Job(settings, replace(plan, shards=shards), source)
    return job if plan.run else renamed(job)


def renamed(job: Job) -> Job:
    """The job under an id of its own, made of all that decides its outputs.

    Raises
    ------
    ReplayError
        The policies can't be used.
    """
    try:
        judge = replay_judge(job.settings, job.plan.shards)
    except PolicyError as error:
        raise ReplayError(str(error)) from None
    return replace(job, plan=name_run(job.settings, judge, replace(job.plan, run="")))


def _topics(settings: Settings, bounds: Sequence[Bounds]) -> tuple[KafkaInput, int]:
    """The input topics, where each of their partitions ends now, and how many shards there are."""
    try:
        report = check_topics(settings)
        names = [name for name in report.inputs if name != settings.topics.exchange]
        if not report.shards:
            report.raise_problems()
            raise ReplayError("the input topics have no partitions in common")
        held = present_extents(settings, names)
    except (ReadError, TopicsError) as error:
        raise ReplayError(str(error)) from None
    return _bounded(held, bounds, settings), report.shards


def _bounded(held: Mapping[Partition, Extent], bounds: Sequence[Bounds], settings: Settings) -> KafkaInput:
    names = deployed_names(settings.topics)
    ends = {place: extent.end for place, extent in held.items()}
    starts: dict[Partition, int] = {}
    for bound in bounds:
        place = names.get(bound.topic, bound.topic), bound.partition
        if place not in ends:
            raise ReplayError(f"there is no partition {bound.partition} of an input topic {bound.topic!r}")
        if bound.start is not None and bound.start >= ends[place]:
            raise ReplayError(
                f"{bound.topic}/{bound.partition} ends before offset {ends[place]:,}: there is nothing from "
                f"{bound.start:,} on"
            )
        if bound.end is not None:
            ends[place] = min(ends[place], bound.end)
        if bound.start is not None:
            starts[place] = bound.start
    return KafkaInput(
        tuple((topic, number, end) for (topic, number), end in sorted(ends.items())),
        tuple((topic, number, start) for (topic, number), start in sorted(starts.items())),
        tuple(
            (topic, number, extent.earliest)
            for (topic, number), extent in sorted(held.items())
            if extent.earliest > starts.get((topic, number), 0)
        ),
    )
