"""Whether a live run's outputs are those of its inputs: a replay in the recorded order, compared byte for byte.

Equal means: the same id, key, value and headers, apart from ``mode`` and the header of the run. Of the compacted topics
only what is still there can be compared.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, Literal, TypeAlias

import msgspec
import orjson
from msgspec import Struct, field

from streams.archive import ArchiveRecord
from streams.replay.outputs import RUN_HEADER
from streams.replay.recorded_outputs import Name, RecordedOutput, RecordedOutputs

#: In the bytes of an output: as text within a string its quotation marks would be escaped.
_REPLAY: Final = b'"mode":"replay"'
_LIVE_MODES: Final = (b'"mode":"live"', b'"mode":"shadow"')
_EVENTS: Final = "governance-events"
#: Topics that keep only the last output of a key.
COMPACTED: Final = frozenset({"merchant-standing", "creator-standing"})
_FIELDS_SHOWN: Final = 6

Kind: TypeAlias = Literal["changed", "missing", "extra"]


class FieldDifference(Struct, frozen=True):
    """A part of an output: where it is, what was recorded, and what the replay has."""

    path: str
    recorded: Any
    replayed: Any


class Difference(Struct, frozen=True):
    """An output that is not as it was recorded.

    Attributes
    ----------
    kind
        ``changed``; ``missing``: the replay has it, the topic has not; ``extra``: the other way round.
    topic, id, key
        Which one.
    place
        Partition and offset of the recorded one.
    fields
        Where the two differ.
    cause
        What most probably is behind it, as a sentence.
    """

    kind: Kind
    topic: str
    id: str
    key: str
    place: tuple[int, int] | None
    fields: list[FieldDifference]
    cause: str


class Verification(Struct):
    """Figures: ``decisions`` are the events on governance-events, ``outputs`` all that was compared."""

    records: int = 0
    decisions: int = 0
    equal: int = 0
    outputs: int = 0
    outputs_equal: int = 0
    changed: int = 0
    missing: int = 0
    extra: int = 0
    repeated: int = 0
    #: Standings that were replaced by later ones of the same key, so that there is nothing to compare them with.
    compacted: int = 0
    first: Difference | None = None
    by_type: Counter[str] = field(default_factory=Counter)

    @property
    def sound(self) -> bool:
        """Whether everything that can be compared is equal, and there is something."""
        return self.outputs > 0 and not (self.changed or self.missing or self.extra)


class Verifier:
    """Compares a replay's outputs with the recorded ones, as they come.

    Parameters
    ----------
    recorded
        What the topics hold.
    policy
        Version of the policies that the replay judges by.
    policies
        Versions that the journal names.
    """

    def __init__(self, recorded: RecordedOutputs, policy: str, policies: Iterable[str]) -> None:
        self._recorded = recorded
        self._open = dict(recorded.by_name)
        self._others = sorted(set(policies) - {policy})
        self._policy = policy
        self.found = Verification(repeated=recorded.repeated)

    def take(self, record: ArchiveRecord) -> None:
        """Compare one output of the replay."""
        found = self.found
        name = record.topic, _header(record, "ce_id")
        recorded = self._open.pop(name, None)
        if recorded is None and record.topic in COMPACTED:
            found.compacted += 1
            return
        decision = record.topic == _EVENTS
        found.outputs += 1
        found.decisions += decision
        if decision:
            found.by_type[_header(record, "ce_type")] += 1
        if recorded is None:
            found.missing += 1
            self._note("missing", name, record, None)
        elif _content(record) != _recorded_content(recorded) or name in self._recorded.unlike:
            found.changed += 1
            self._note("changed", name, record, recorded)
        else:
            found.outputs_equal += 1
            found.equal += decision

    def finish(self) -> Verification:
        """What came of it, when the replay is through."""
        found = self.found
        for name, recorded in sorted(self._open.items(), key=lambda item: (item[1].partition, item[1].offset)):
            found.extra += 1
            found.outputs += 1
            found.decisions += name[0] == _EVENTS
            self._note("extra", name, None, recorded)
        return found

    def _note(self, kind: Kind, name: Name, replayed: ArchiveRecord | None, recorded: RecordedOutput | None) -> None:
        if self.found.first is not None:
            return
        fields = [] if replayed is None or recorded is None else differences(recorded, replayed)
        key = (recorded.key if recorded is not None else replayed.key if replayed is not None else None) or b""
        self.found.first = Difference(
            kind,
            *name,
            key.decode("utf-8", "replace"),
            None if recorded is None else (recorded.partition, recorded.offset),
            fields[:_FIELDS_SHOWN],
            self._cause(kind, name, fields),
        )

    def _cause(self, kind: Kind, name: Name, fields: list[FieldDifference]) -> str:
        paths = {each.path: each for each in fields}
        if self._others:
            return (
                f"the run was judged by policies {', '.join(self._others)}, the replay by {self._policy}: "
                "give the folder of that version with --policies"
            )
        if name in self._recorded.unlike:
            return "the topic holds it more than once, with different contents: two deployments write to one topic"
        for path, what in (("features", "features"), ("models", "models")):
            changed = paths.get(f"versions.{path}")
            if changed is not None:
                return f"other {what}: version {changed.recorded} judged then, {changed.replayed} now"
        if kind == "extra":
            return (
                "no flush of the journal causes it: it comes from an earlier state of this deployment, or from another "
                "one that writes to the topic"
            )
        if kind == "missing":
            return (
                "the topic no longer holds it (topics.retention_events_days), the worker has not published it yet, or "
                "other settings decide what is published (worker.publish_level, worker.audit_rate)"
            )
        if all(path.startswith("header ") for path in paths):
            return "only headers differ: another version published it"
        return (
            "the same policies and versions came to another judgement: other settings of the worker (seed, lateness, "
            "retention, pseudonym key) or another version of the code"
        )


def differences(recorded: RecordedOutput, replayed: ArchiveRecord) -> list[FieldDifference]:
    """Where two outputs differ: header by header, and field by field where both are JSON."""
    found = []
    if recorded.key != replayed.key:
        found.append(FieldDifference("key", _text(recorded.key), _text(replayed.key)))
    then, now = dict(recorded.headers), {name: value for name, value in replayed.headers if name != RUN_HEADER}
    found += [
        FieldDifference(f"header {name}", _text(then.get(name)), _text(now.get(name)))
        for name in sorted(then.keys() | now.keys())
        if then.get(name) != now.get(name)
    ]
    try:
        one, other = orjson.loads(_neutral(recorded.value)), orjson.loads(_neutral(replayed.value))
    except orjson.JSONDecodeError:
        if recorded.value != replayed.value:
            found.append(FieldDifference("value", _text(recorded.value), _text(replayed.value)))
        return found
    _compare("", one, other, found)
    return found


def _compare(path: str, one: Any, other: Any, found: list[FieldDifference]) -> None:
    if one == other and type(one) is type(other):
        return
    if isinstance(one, dict) and isinstance(other, dict):
        for name in [*one, *(name for name in other if name not in one)]:
            _compare(f"{path}.{name}" if path else name, one.get(name), other.get(name), found)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (each, its) in enumerate(zip(one, other, strict=True)):
            _compare(f"{path}[{index}]", each, its, found)
    else:
        found.append(FieldDifference(path, one, other))


def _content(record: ArchiveRecord) -> object:
    headers = tuple(each for each in record.headers if each[0] != RUN_HEADER)
    return record.key, record.value is None, _neutral(record.value), headers


def _recorded_content(output: RecordedOutput) -> object:
    return output.key, output.value is None, _neutral(output.value), output.headers


def _neutral(value: bytes | None) -> bytes:
    """A value whatever its mode. (Of dead letters the bytes are somebody else's, and alike on both sides.)"""
    value = value or b""
    for mode in _LIVE_MODES:
        value = value.replace(mode, _REPLAY)
    return value


def _header(record: ArchiveRecord, name: str) -> str:
    return next((value or b"" for each, value in record.headers if each == name), b"").decode("utf-8", "replace")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")


def as_json(found: Verification) -> bytes:
    """For programs and build/verify.json."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"
