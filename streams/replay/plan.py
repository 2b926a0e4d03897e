"""What a replay is asked to do: everything that decides its outputs, beside the records themselves."""

from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct
from xxhash import xxh3_64_hexdigest

from config.settings import Settings
from detectors.judge import Judge
from streams.replay.rounds import LATENCY, ROUND_MS

#: In which order records are applied: merged by their times, or as a live run's journal tells.
Order: TypeAlias = Literal["event-time", "as-recorded"]
#: How models begin: untrained; as the live deployment's last checkpoint has them; or like that and for good.
ModelStart: TypeAlias = Literal["fresh", "recorded", "frozen"]
#: Raised when replays of the same plan would come out otherwise than before.
ENGINE_VERSION: Final = 1


class Plan(Struct, frozen=True, kw_only=True):
    """A replay.

    Attributes
    ----------
    shards
        How many there are: the number of partitions of the topics, or what an archive is spread over. 0: as many as the
        topics have, or would have by the settings (:func:`streams.replay.task.plan_job`).
    run
        The run's id, in each of its outputs. Empty: one made of all that decides the outputs.
    start, end
        The window (ms): outputs are of records from ``start`` and before ``end``; ``None`` has no bound.
    warm_from
        Records before this moment (ms) are not applied at all. Those from here to ``start`` build the state.
    merchants
        Publish about these alone; ``None`` about all. Everything is judged all the same, as merchants are compared
        with each other and models learn from all of them.
    seed
        Of the models.
    models
        How they begin.
    order
        Of the records. As recorded, the window is one of the outputs' own times, and the state is always built from the
        beginning.
    recorded_policies
        As recorded, judge each flush by the published policies that judged it then, where the topic of policies has
        them; otherwise by those of the settings throughout.
    """

    shards: int = 0
    run: str = ""
    start: int | None = None
    end: int | None = None
    warm_from: int | None = None
    merchants: frozenset[str] | None = None
    seed: int = 0
    models: ModelStart = "fresh"
    order: Order = "event-time"
    recorded_policies: bool = False

    def in_window(self, moment: int) -> bool:
        """Whether outputs at a moment are wanted (the end has no need to be looked at: nothing is read after it)."""
        return self.start is None or moment >= self.start

    def covers(self, time: int) -> bool:
        """Whether a time is within the window."""
        return self.in_window(time) and (self.end is None or time < self.end)


class ArchiveInput(Struct, frozen=True):
    """Archive files, one after the other in time."""

    files: tuple[Path, ...]


class OlistInput(Struct, frozen=True):
    """A folder with the Olist data set."""

    folder: Path


class KafkaInput(Struct, frozen=True):
    """Topics of the settings.

    ``ends`` are the offsets after the last record to read, by topic and partition, as they were when the run was
    planned; what is written meanwhile is not read. ``starts`` are those of the first records, where they are not the
    beginnings. ``lost`` are the first offsets of partitions that no longer hold their beginnings, although they were to
    be read from there.
    """

    ends: tuple[tuple[str, int, int], ...]
    starts: tuple[tuple[str, int, int], ...] = ()
    lost: tuple[tuple[str, int, int], ...] = ()


Input: TypeAlias = ArchiveInput | OlistInput | KafkaInput


class Keep(Struct, frozen=True):
    """Where checkpoints go, how many rounds lie between two, and before which round the run goes on (0: it begins)."""

    folder: Path
    every: int
    begin: int


class Job(Struct, frozen=True):
    """A plan with what it is carried out on; it can be sent to another process."""

    settings: Settings
    plan: Plan
    input: Input
    keep: Keep | None = None


def name_run(settings: Settings, judge: Judge, plan: Plan) -> Plan:
    """The plan under an id made of all that decides its outputs, beside the records: the same for a repeat, another as
    soon as anything differs.
    """
    names = [settings.topics.name(topic) for topic in settings.topics.NAMES]
    key = settings.pseudonym_key_id if settings.pseudonym_key is not None else None
    decides = [ENGINE_VERSION, ROUND_MS, LATENCY, judge.policies.version, judge.settings, names, key, plan]
    run = xxh3_64_hexdigest(msgspec.json.encode(decides, order="deterministic"))
    return msgspec.structs.replace(plan, run=run)
