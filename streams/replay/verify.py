"""Verifies a live run from its topics: outputs first, then the journal, then the inputs that it names."""

from typing import Final

from config.settings import Settings
from streams.policies.publishing import published_policies
from streams.progress import Progress
from streams.reading import ReadError
from streams.replay.failures import ReplayError
from streams.replay.outputs import OUTPUT_TOPICS
from streams.replay.plan import Job, KafkaInput, Plan
from streams.replay.progress import Reached, described
from streams.replay.recorded import read_journals
from streams.replay.recorded_outputs import read_outputs
from streams.replay.run import replay
from streams.replay.shard_run import replay_judge
from streams.replay.verification import Verification, Verifier
from streams.topic_names import deployed_names
from streams.topics import TopicsError, check_topics

_RUN: Final = "verify"


def verify(settings: Settings, processes: int, progress: Progress) -> Verification:
    """Compare what a deployment published with a replay of what it read.

    Parameters
    ----------
    settings
        Those of the live workers.
    processes
        In which the replay runs.
    progress
        Shows how far it is.

    Raises
    ------
    ReplayError
        The topics can't be read, or no longer hold the whole run.
    """
    try:
        report = check_topics(settings)
        report.raise_problems()
        present = {topic.spec.name for topic in report.topics if topic.exists}
        deployed = deployed_names(settings.topics)
        names = [deployed[topic] for topic in OUTPUT_TOPICS if deployed[topic] in present]
        # In this order: whatever a worker publishes meanwhile is in a journal that is read later.
        recorded = read_outputs(settings, names)
        journals = read_journals(settings, range(report.shards))
        known = {each.policies.version for each in published_policies(settings) if each.policies is not None}
    except (ReadError, TopicsError) as error:
        raise ReplayError(str(error)) from None
    if not any(journal.entries for journal in journals.values()):
        raise ReplayError(
            f"the journal ({settings.topics.journal}) has no flush of namespace {settings.worker.namespace!r}: is it "
            "another deployment's, or has no worker run yet?"
        )
    policies = {entry.policy for journal in journals.values() for entry in journal.entries}
    judge = replay_judge(settings, report.shards)
    verifier = Verifier(recorded, judge.policies.version, policies - known)
    plan = Plan(shards=report.shards, run=_RUN, seed=settings.worker.seed, order="as-recorded", recorded_policies=True)

    def told(reached: Reached) -> None:
        progress.advance(reached.records - progress.count, note=described(reached, progress.seconds))
        verifier.found.records = reached.records

    for published in replay(Job(settings, plan, KafkaInput(())), processes, told):
        for record in published.records:
            verifier.take(record)
    return verifier.finish()
