"""From what was asked for to a job: looks up what has to be known before a replay begins."""

from msgspec.structs import replace

from config.policies import PolicyError
from config.settings import Settings
from streams.reading import ReadError
from streams.replay.failures import ReplayError
from streams.replay.kafka_source import present_ends
from streams.replay.plan import ArchiveInput, Input, Job, KafkaInput, OlistInput, Plan, name_run
from streams.replay.shard_run import replay_judge
from streams.topics import TopicsError, check_topics


def plan_job(settings: Settings, given: ArchiveInput | OlistInput | None, plan: Plan) -> Job:
    """A job for :func:`streams.replay.run.replay`.

    Parameters
    ----------
    settings
        Policies, limits and keys; how Kafka is reached.
    given
        What to read; ``None``: the input topics, up to where they end now.
    plan
        What is wanted; the number of shards and the id of the run are filled in where they are not given.

    Raises
    ------
    ReplayError
        Kafka, or the policies, can't be used.
    """
    source: Input
    if given is None:
        source, shards = _topics(settings)
    else:
        source, shards = given, plan.shards or settings.topics.partitions
    plan = replace(plan, shards=shards)
    try:
        judge = replay_judge(settings, shards)
    except PolicyError as error:
        raise ReplayError(str(error)) from None
    return Job(settings, plan if plan.run else name_run(settings, judge, plan), source)


def _topics(settings: Settings) -> tuple[KafkaInput, int]:
    """The input topics, where each of their partitions ends now, and how many shards there are."""
    try:
        report = check_topics(settings)
        names = [name for name in report.inputs if name != settings.topics.exchange]
        if not report.shards:
            report.raise_problems()
            raise ReplayError("the input topics have no partitions in common")
        ends = present_ends(settings, names)
    except (ReadError, TopicsError) as error:
        raise ReplayError(str(error)) from None
    return KafkaInput(tuple((topic, number, end) for (topic, number), end in sorted(ends.items()))), report.shards
