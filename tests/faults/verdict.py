"""What a run under faults left behind, compared with the undisturbed run over the same topics.

- *lost*: records of the input topics that no flush applied, and counts of merchants below the oracle's.
- *doubled*: records that were applied more than once, and counts above the oracle's.
- *state differences*: stored values and timers that are not, byte for byte, those of the undisturbed run.
- *journal differences*: flushes that the journal's topic, which replay follows, tells otherwise than the store did.
- *missing*, *extra*: ids of outputs, dead letters included, that only the undisturbed run has, or only this one.
- *repeated*: messages that were published again; *changed*: any whose key, bytes or headers are not those of the
  undisturbed run.
"""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import msgspec
import orjson
from confluent_kafka import Message
from msgspec.structs import replace

from detectors.flush import Emit
from streams.clients import kafka_config
from streams.dead_letters import DeadLetter, Selection, read_dead_letters
from streams.reading import partition_of
from streams.recording import as_bytes, headers_of
from streams.store import JournalEntry
from streams.tails import key_of, merged_journal
from tests.deployment import Deployment, Shard
from tests.faults.counts import against_the_oracle
from tests.faults.reference import Coordinates, Reference, coordinates, undisturbed

#: Stored, but about the way to the state and not about the state.
_OF_THE_WAY = frozenset({"owner", "sequence", "position", "journal", "timers"})
_EXAMPLES = 5
#: Bytes shown on either side of a difference.
_AROUND = 80


@dataclass
class InputFaults:
    """What a fault did to the input, so that it must show.

    Attributes
    ----------
    poison
        Numbers of bad records that were fed, by the reason that their dead letters must have.
    before
        Records that the topics held once and may hold no more.
    deleted
        Records that were deleted before they were read.
    """

    poison: Counter[str] = field(default_factory=Counter)
    before: list[Message] = field(default_factory=list)
    deleted: set[Coordinates] = field(default_factory=set)


@dataclass
class Verdict:
    """Figures as described above; ``examples`` are of what is wrong."""

    records: int = 0
    outputs: int = 0
    counts_compared: int = 0
    lost: int = 0
    doubled: int = 0
    state_differences: int = 0
    journal_differences: int = 0
    missing_outputs: int = 0
    extra_outputs: int = 0
    changed_outputs: int = 0
    repeated_outputs: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Nothing but repeats, which consumers drop by their ids."""
        return not (
            self.lost
            or self.doubled
            or self.state_differences
            or self.journal_differences
            or self.missing_outputs
            or self.extra_outputs
            or self.changed_outputs
        )

    def complain(self, what: str, wrong: Sequence[object]) -> int:
        """Keep examples; returns how many are wrong."""
        self.examples += [f"{what}: {each}" for each in wrong[:_EXAMPLES]]
        return len(wrong)


def judge(deployment: Deployment, journal: Mapping[int, list[JournalEntry]], input_: InputFaults) -> Verdict:
    """Compare everything; ``journal`` has the flushes of the whole run, by shard."""
    settings = deployment.settings
    verdict = Verdict()
    # Shards' messages to each other are input like any other, repeats of them included.
    held = [*input_.before, *deployment.read(*settings.topics.inputs, settings.topics.exchange)]
    by_place = {coordinates(message): message for message in held}
    records = [by_place[place] for place in sorted(by_place)]
    reference = undisturbed(settings, records, journal)
    judge_records(verdict, records, reference, input_.deleted, settings.topics.exchange)
    judge_history(verdict, deployment, journal)
    shards = deployment.shards()
    judge_state(verdict, shards, reference)
    topics = {
        "events": settings.topics.events,
        "standing": settings.topics.merchant_standing,
        "creator_standing": settings.topics.creator_standing,
        "dead_letters": settings.topics.dead_letters,
    }
    judge_outputs(verdict, deployment.read(*topics.values()), reference, topics)
    letters = list(read_dead_letters(kafka_config(settings), settings.topics.dead_letters, Selection()))
    # In the order of application: a merchant's currency, say, is that of its first listing or order.
    order = {place: index for index, place in enumerate(reference.applied)}
    places = sorted(by_place.keys() - reference.left_out, key=lambda place: (order.get(place, len(order)), place))
    fed = [by_place[place] for place in places if place[0] != settings.topics.exchange]
    judge_counts(verdict, shards, fed, letters, reference.excused)
    judge_poison(verdict, letters, input_.poison)
    return verdict


def journal_of(deployment: Deployment) -> dict[int, list[JournalEntry]]:
    """The flushes of a whole run by shard, as its journal's topic names them."""
    settings = deployment.settings
    entries: dict[int, list[JournalEntry]] = {number: [] for number in range(deployment.partitions)}
    for message in deployment.read(settings.topics.journal):
        _, number = partition_of(message)
        if message.key() == key_of(settings.worker.namespace, number):
            entries[number].append(msgspec.json.decode(message.value() or b"", type=JournalEntry))
    return {number: merged_journal([], found, 0) for number, found in entries.items()}


def judge_records(
    verdict: Verdict, records: Sequence[Message], reference: Reference, deleted: Set[Coordinates], exchange: str
) -> None:
    """Every record is in one flush, once; those that were deleted unread, and no others, are said to be missing.
    Messages of the exchange topic are held to that as well, but not counted among the records.
    """
    fed = [coordinates(message) for message in records]
    verdict.records = len([place for place in fed if place[0] != exchange])
    unapplied = [place for place in fed if not reference.applied[place] and place not in deleted]
    verdict.lost += verdict.complain("not applied", unapplied)
    verdict.lost += verdict.complain("gone, and nothing said", sorted(deleted - reference.left_out))
    verdict.lost += verdict.complain("said to be gone, and was there", sorted(reference.left_out - deleted))
    verdict.doubled += verdict.complain("applied twice", [p for p, times in reference.applied.items() if times > 1])


def judge_state(verdict: Verdict, shards: Sequence[Shard], reference: Reference) -> None:
    """What is stored is what the undisturbed run has."""
    wrong = []
    for number, shard in enumerate(shards):
        found = {key: value for key, value in shard.items() if key not in _OF_THE_WAY}
        wanted = reference.values.get(number, {})
        keys = sorted(found.keys() | wanted.keys())
        wrong += [
            f"{number}:{key}: {first_difference(found.get(key), wanted.get(key))}"
            for key in keys
            if found.get(key) != wanted.get(key)
        ]
        timers = {member.decode(): int(score) for member, score in shard.get("timers", [])}
        expected = reference.timers.get(number, {})
        wrong += [
            f"timer {number}:{key}: {timers.get(key)}, not {expected.get(key)}"
            for key in sorted(timers.keys() | expected.keys())
            if timers.get(key) != expected.get(key)
        ]
    verdict.state_differences += verdict.complain("stored otherwise", wrong)


def first_difference(found: object, wanted: object) -> str:
    """Where two stored values part, with some of what stands around it on both sides."""
    if not isinstance(found, bytes) or not isinstance(wanted, bytes):
        return f"{_clipped(found)}, not {_clipped(wanted)}"
    at = next((i for i, (one, other) in enumerate(zip(found, wanted, strict=False)) if one != other), 0)
    around = slice(max(0, at - _AROUND), at + _AROUND)
    return f"{found[around]!r}, not {wanted[around]!r} (at {at})"


def _clipped(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 2 * _AROUND else f"{text[: 2 * _AROUND]}..."


def judge_history(verdict: Verdict, deployment: Deployment, journal: Mapping[int, list[JournalEntry]]) -> None:
    """The journal's topic names the same flushes: who replays by it does what the workers did."""
    wrong = []
    told = journal_of(deployment)
    for number, wanted in journal.items():
        found = told[number]
        wrong += [
            f"shard {number}: {one}, not {other}"
            for one, other in itertools.zip_longest(found, wanted)
            if one is None or other is None or replace(one, claim=0) != replace(other, claim=0)
        ]
    verdict.journal_differences += verdict.complain("journal's topic", wrong)


def judge_outputs(
    verdict: Verdict, messages: Sequence[Message], reference: Reference, topics: Mapping[str, str]
) -> None:
    """What was published, at least once, is what the undisturbed run publishes."""
    times: Counter[str] = Counter()
    changed = []
    for message in messages:
        identifier = (dict(headers_of(message)).get("ce_id") or b"").decode()
        times[identifier] += 1
        emit = reference.outputs.get(identifier)
        if emit is not None and _content(message) != _wanted(emit, topics):
            changed.append(f"{identifier} at {coordinates(message)}")
    verdict.outputs = len(times)
    verdict.changed_outputs += verdict.complain("published otherwise", changed)
    missing = sorted(reference.outputs.keys() - times.keys())
    verdict.missing_outputs += verdict.complain("not published", missing)
    extra = sorted(times.keys() - reference.outputs.keys())
    verdict.extra_outputs += verdict.complain("published without reason", extra)
    verdict.repeated_outputs += sum(times.values()) - len(times)


def judge_counts(
    verdict: Verdict,
    shards: Sequence[Shard],
    records: Sequence[Message],
    letters: Sequence[DeadLetter],
    excused: Set[tuple[str, str]],
) -> None:
    """Every count and rate of every merchant is the oracle's, over all records but those in the dead letters."""
    refused = {letter.source for letter in letters}
    good: list[dict[str, Any]] = []
    for message in records:
        topic, partition, offset = coordinates(message)
        if f"{topic}:{partition}:{offset}" not in refused:
            good.append(orjson.loads(message.value() or b""))
    found = against_the_oracle(shards, good, excused)
    verdict.counts_compared = found.compared
    verdict.lost += found.below
    verdict.doubled += found.above
    verdict.state_differences += verdict.complain("not the oracle's", found.others)


def judge_poison(verdict: Verdict, letters: Sequence[DeadLetter], poison: Mapping[str, int]) -> None:
    """Each bad record is in the dead letters, for its reason."""
    found = Counter({letter.source: letter.reason for letter in letters}.values())
    for reason, number in poison.items():
        if found[reason] != number:
            verdict.complain("dead letters", [f"{found[reason]} for the reason {reason}, not {number}"])
            verdict.lost += max(0, number - found[reason])
            verdict.doubled += max(0, found[reason] - number)


def _content(message: Message) -> object:
    return message.topic(), as_bytes(message.key()), as_bytes(message.value()), headers_of(message)


def _wanted(emit: Emit, topics: Mapping[str, str]) -> object:
    return topics[emit.stream], emit.key, emit.value, emit.headers
