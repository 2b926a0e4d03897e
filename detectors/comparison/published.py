"""What one run published, as far as a comparison looks at it."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from detectors.comparison.events import (
    DECODERS,
    Assessed,
    CreditChanged,
    Decided,
    GapTold,
    PolicyNamed,
    Reversed,
    Sampled,
)
from features.outputs import Reason

#: A merchant or creator: kind and id.
PartyRef: TypeAlias = tuple[str, str]

#: Actions that restrict nothing: someone is told, or asked to look.
UNRESTRICTING: Final = frozenset({"warn", "require_review"})


class Decision(Struct, frozen=True, kw_only=True):
    """One enforcement decision; times are event times in ms, ``expires_at`` None means until it is reversed.

    It is against a merchant or, where ``creator_id`` says whom, a creator; then ``merchant_id`` may be empty. ``rule``
    is the id of the rule it rests on. ``withheld``: drawn for the hold-out, and not carried out. ``reasons``
    are those of the assessment before it.
    """

    id: str
    merchant_id: str
    kind: str
    subject_id: str
    action: str
    severity: str
    rule: str
    rule_version: str
    title: str
    starts_at: int
    expires_at: int | None
    requires_review: bool
    facts: str
    creator_id: str = ""
    #: The merchant's or creator's credit tier then; empty where none was published.
    tier: str = ""
    withheld: bool = False
    reasons: tuple[Reason, ...] = ()

    @property
    def party(self) -> PartyRef:
        """Whom it is against: merchant or creator, and the id."""
        return party_of(self.merchant_id, self.creator_id)

    @property
    def restricts(self) -> bool:
        """Whether it takes something away, rather than tell or ask someone."""
        return not self.withheld and self.action not in UNRESTRICTING

    @property
    def accuses(self) -> bool:
        """Whether it restricts something or asks a person to look."""
        return not self.withheld and self.action != "warn"


def party_of(merchant_id: str, creator_id: str | None) -> PartyRef:
    """Whom an output is about: the creator where one is named, else the merchant."""
    return ("creator", creator_id) if creator_id else ("merchant", merchant_id)


class Gap(Struct, frozen=True):
    """Input records that a run never saw; ``time`` is how far its shard was in event time, ms."""

    topic: str
    partition: int
    first_offset: int
    last_offset: int
    why: str
    time: int


class End(Struct, frozen=True):
    """When (ms) and why a decision ended."""

    time: int
    why: str


class Level(Struct, frozen=True):
    """A merchant's or creator's own published level from a time (ms) on, and why."""

    time: int
    level: str
    score: int
    reasons: tuple[Reason, ...]


class Tier(Struct, frozen=True):
    """A subject's credit from a time (ms) on."""

    time: int
    tier: str
    score: float | None


class Published:
    """Collects the output events of a run.

    Parameters
    ----------
    modes
        Modes to take; without any, all are.

    Attributes
    ----------
    decisions
        In the order in which they were published, each once.
    ended
        How a decision ended, by its id.
    levels
        The own levels of merchants and creators, in order.
    tiers
        Their credit tiers, in order.
    gaps
        Input that the run never saw.
    times
        Event time of every output, ms.
    delays
        Of the decisions: their id, and how long (ms) after their event time they were written, where that is known.
    fired
        Rules among the reasons of published assessments, with the parties they were said of.
    policies
        Versions of the policy sets that judged, with the number of assessments.
    counts
        Outputs by type.
    unread
        Records that are no output event, or of a form that cannot be read.
    repeats
        Outputs that had come before.
    """

    def __init__(self, modes: frozenset[str] = frozenset()) -> None:
        self._modes = modes
        self._ids: set[str] = set()
        self._latest: dict[tuple[PartyRef, str, str], tuple[Reason, ...]] = {}
        self._handlers: Mapping[type[Struct], Callable[[Any, str, int, int | None], None]] = {
            Assessed: self._assessed,
            Decided: self._decided,
            Reversed: self._reversed,
            Sampled: self._sampled,
            CreditChanged: self._credit,
            GapTold: self._gap,
        }
        self.decisions: list[Decision] = []
        self.ended: dict[str, End] = {}
        self.levels: dict[PartyRef, list[Level]] = {}
        self.tiers: dict[PartyRef, list[Tier]] = {}
        self.gaps: list[Gap] = []
        self.times: list[int] = []
        self.delays: dict[str, int] = {}
        self.fired: dict[str, set[PartyRef]] = {}
        self.policies: Counter[str] = Counter()
        self.modes: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.unread = 0
        self.repeats = 0

    def take(self, kind: str, identifier: str, time: int, value: bytes, written: int | None = None) -> None:
        """Take one output event: CloudEvents type, id and time (ms), its body, and when the record was written (ms)."""
        if identifier in self._ids:
            self.repeats += 1
            return
        decode = DECODERS.get(kind)
        try:
            event = None if decode is None else decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.unread += 1
            return
        if event is not None:
            if self._modes and event.mode and event.mode not in self._modes:
                return
            if event.mode:
                self.modes[event.mode] += 1
            self._handlers[type(event)](event, identifier, time, written)
        self._ids.add(identifier)
        self.counts[kind] += 1
        self.times.append(time)

    def _assessed(self, event: Assessed, identifier: str, time: int, written: int | None) -> None:
        reasons = tuple(event.reasons)
        subject = event.subject
        party = party_of(event.merchant_id, event.creator_id)
        self._latest[party, subject.kind, subject.id] = reasons
        self.policies[event.versions.policy] += 1
        for reason in reasons:
            self.fired.setdefault(reason.code, set()).add(party)
        if (subject.kind, subject.id) == party:
            self.levels.setdefault(party, []).append(Level(time, event.level, event.score, reasons))

    def _decided(self, event: Decided, identifier: str, time: int, written: int | None) -> None:
        if written is not None:
            self.delays[event.decision_id] = written - time
        self._decide(
            event,
            id=event.decision_id,
            action=event.action,
            starts_at=event.starts_at,
            expires_at=event.expires_at,
            severity=event.severity,
            requires_review=event.requires_review,
            facts=event.facts,
            policy=event.policy,
        )

    def _sampled(self, event: Sampled, identifier: str, time: int, written: int | None) -> None:
        left = event.withheld
        if left is not None:
            self._decide(
                event,
                id=identifier,
                action=left.action,
                starts_at=left.starts_at,
                expires_at=left.until,
                severity="",
                requires_review=False,
                facts="",
                policy=left.policy,
                withheld=True,
            )

    def _decide(self, event: Decided | Sampled, *, policy: PolicyNamed, **said: Any) -> None:
        party = party_of(event.merchant_id, event.creator_id)
        subject = event.subject
        tiers = self.tiers.get(party)
        decision = Decision(
            merchant_id=event.merchant_id,
            creator_id=event.creator_id or "",
            kind=subject.kind,
            subject_id=subject.id,
            rule=policy.id,
            rule_version=policy.version,
            title=policy.title,
            tier=tiers[-1].tier if tiers else "",
            reasons=self._latest.get((party, subject.kind, subject.id), ()),
            **said,
        )
        self.decisions.append(decision)

    def _reversed(self, event: Reversed, identifier: str, time: int, written: int | None) -> None:
        self.ended.setdefault(event.reverses, End(time, event.why))

    def _credit(self, event: CreditChanged, identifier: str, time: int, written: int | None) -> None:
        key = event.subject.kind, event.subject.id
        self.tiers.setdefault(key, []).append(Tier(time, event.tier or "", event.score))

    def _gap(self, event: GapTold, identifier: str, time: int, written: int | None) -> None:
        gap = Gap(event.topic, event.partition, event.first_offset, event.last_offset, event.why, time)
        self.gaps.append(gap)
