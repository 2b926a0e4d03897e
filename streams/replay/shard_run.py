"""One process of a replay: its cores, its source, and the rounds that they go through."""

import gc
from collections.abc import Collection, Iterator, Mapping
from typing import Final

import msgspec

from config.settings import Settings
from detectors.apply import Core
from detectors.frozen import freeze
from detectors.judge import Judge, fresh_models
from detectors.signing import Signer
from features.pseudonyms import Pseudonyms
from features.shard import ShardState
from streams.policies.library import PolicyLibrary
from streams.policies.publishing import published_policies
from streams.replay.applying import apply_and_forget
from streams.replay.checkpoints import Checkpointer
from streams.replay.engine import Begun, Engine, Peers
from streams.replay.job_source import open_source
from streams.replay.outputs import replay_records
from streams.replay.plan import Job, Plan
from streams.replay.progress import Reached
from streams.replay.recorded import RecordedFlushes, read_journals
from streams.replay.recorded_models import load_recorded
from streams.replay.rounds import ROUND_MS, Source
from streams.replay.run_folder import Published
from streams.store import JournalEntry
from streams.worker import compiled_policies, judge_settings

#: Pseudonyms that never leave this process need no secret; a fixed key makes every run the same.
_KEY: Final = b"replay without a key of its own"
#: As in the worker: the state is large, lives long and has no cycles.
_GC_THRESHOLDS: Final = (50_000, 20, 1_000)


def replay_judge(settings: Settings, shards: int) -> Judge:
    """A judge whose outputs say ``mode: replay``, whatever the settings say.

    Raises
    ------
    config.policies.PolicyError
        With all that is wrong in the policies.
    """
    key = settings.pseudonym_key
    pseudonyms = Pseudonyms(_KEY if key is None else key.get_secret_value().encode())
    model_key = settings.model_key
    signer = None if model_key is None else Signer(model_key.get_secret_value().encode())
    judging = msgspec.structs.replace(judge_settings(settings), mode="replay", shards=shards)
    return Judge(judging, compiled_policies(settings), pseudonyms, signer)


def make_cores(settings: Settings, judge: Judge, plan: Plan, shards: Collection[int]) -> dict[int, Core]:
    """Shards that know nothing yet, with models as the plan has them begin.

    Raises
    ------
    streams.reading.ReadError
        The recorded models can't be read.
    """
    cores = {}
    for shard in sorted(shards):
        models = fresh_models(plan.seed, challenger=settings.worker.challenger)
        if plan.models != "fresh":
            load_recorded(models, settings, judge.signer, shard)
        if plan.models == "frozen":
            freeze(models)
        cores[shard] = Core(ShardState(shard), models, judge)
    return cores


class ShardRun:
    """The shards of one process, from the beginning of a job to its end.

    Attributes
    ----------
    records
        Applied so far.
    moment
        How far event time has come, ms: the end of the last round.
    """

    def __init__(self, job: Job, shards: Collection[int], peers: Peers | None = None) -> None:
        self._job = job
        self._shards = shards
        self._peers = peers
        self._source: Source | None = None
        #: As recorded: flushes applied, and how many there are.
        self._applied = self._flushes = 0
        self.records = 0
        self.moment = 0

    @property
    def reached(self) -> Reached:
        """How far it has come."""
        source = self._source
        if source is None:
            part = self._applied / self._flushes if self._flushes else 0.0
            return Reached(self.records, self.moment, part=part)
        return Reached(self.records, self.moment, source.late, source.part)

    def rounds(self) -> Iterator[tuple[int, list[Published]]]:
        """Apply everything; yields each round's number and outputs, by shard in ascending order.

        Raises
        ------
        detectors.apply.ApplyError
            A record made the core fail, which is a fault of ours.
        streams.reading.ReadError, streams.archive.ArchiveError, streams.olist_tables.OlistError
            The records can't be read.
        config.policies.PolicyError
            The policies can't be used.
        """
        settings, plan = self._job.settings, self._job.plan
        judge = replay_judge(settings, plan.shards)
        cores, keeper, begun = self._begin(judge)
        _tune_collector()
        if plan.order == "as-recorded":
            yield from self._as_recorded(cores)
            return
        self._source = source = open_source(self._job, self._shards)
        try:
            exchange = settings.topics.exchange
            self.records = sum(core.state.statistics.records for core in cores.values())
            for outputs in Engine(cores, source, plan, exchange, self._peers, keeper, begun).run():
                self.records += outputs.records
                self.moment = (outputs.number + 1) * ROUND_MS
                published = [
                    Published(outputs.number, shard, list(replay_records(emits, plan, shard)))
                    for shard, emits in outputs.emits
                ]
                yield outputs.number, [each for each in published if each.records]
        finally:
            source.close()

    def _begin(self, judge: Judge) -> tuple[dict[int, Core], Checkpointer | None, Begun | None]:
        """The cores, from nothing or from where the run was interrupted, and what keeps checkpoints of them."""
        settings, plan, keep = self._job.settings, self._job.plan, self._job.keep
        keeper = None if keep is None else Checkpointer(keep.folder, keep.every, self._shards)
        if keep is None or keeper is None or not keep.begin:
            return make_cores(settings, judge, plan, self._shards), keeper, None
        cores, letters = keeper.load(keep.begin, judge, plan, challenger=settings.worker.challenger)
        return cores, keeper, Begun(keep.begin, keeper.received, letters, keeper.last_record)

    def _as_recorded(self, cores: Mapping[int, Core]) -> Iterator[tuple[int, list[Published]]]:
        """One shard after the other; their numbers stand for rounds."""
        settings, plan = self._job.settings, self._job.plan
        library = _library(self._job, next(iter(cores.values())).judge) if cores else None
        journals = read_journals(settings, cores)
        self._flushes = sum(len(journal.entries) for journal in journals.values())
        for shard, core in cores.items():
            for entry, flush in RecordedFlushes(settings, shard, journals[shard].entries):
                if library is not None:
                    _judge_as(entry, core, library)
                emits = [emit for emit in apply_and_forget(core, flush) if emit.stream != "exchange"]
                self.records += sum(record.kind != "exchange" for record in flush.records)
                self.moment = core.state.clock.highest
                self._applied += 1
                found = [each for each in replay_records(emits, plan, shard) if plan.covers(each.timestamp or 0)]
                yield shard, [Published(shard, shard, found)] if found else []


def _judge_as(entry: JournalEntry, core: Core, library: PolicyLibrary) -> None:
    """Judge by the policies that judged a journalled flush, as far as they are known."""
    judge, trial = library.judge_of(entry.policy) or core.judge, library.trial_of(entry.rollout)
    if judge is not core.judge or (None if trial is None else trial.rollout) != core.rollout:
        core.use(judge, trial)


def _library(job: Job, judge: Judge) -> PolicyLibrary | None:
    """The published policies, where flushes are to be judged as they were."""
    if not job.plan.recorded_policies:
        return None
    library = PolicyLibrary(judge)
    library.add(published_policies(job.settings))
    return library


def _tune_collector() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
