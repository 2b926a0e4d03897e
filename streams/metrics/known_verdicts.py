"""Reviewers who know the truth of a simulation: they answer what is drawn for audit, and what asks for a person.

For a simulated marketplace nobody reviews anything, and without verdicts there is no prevalence, precision or recall.
These verdicts reach the metrics alone: what was judged stays as it is.
"""

from heapq import heappop, heappush
from typing import Any, Final

import msgspec
from msgspec import Struct
from xxhash import xxh3_64_intdigest

from features.events import ReviewDecided, Sample, Subject
from features.windows import DAY_MS
from streams.archive_lines import Headers
from streams.comparison.reading import event_time
from streams.evaluation.truth import Labels

#: Verdicts come one to four days later.
_SOONEST, _SPREAD = DAY_MS, 3 * DAY_MS
_SAMPLED: Final = b"shopwarden.audit.sampled.v1"
_DECIDED: Final = b"shopwarden.enforcement.decided.v1"


class _Asked(Struct):
    """What a draw and a decision say that a reviewer needs."""

    merchant_id: str
    subject: Subject
    decision_id: str | None = None
    requires_review: bool = False
    action: str = ""
    withheld: Any = None
    stratum: str = ""
    inclusion_probability: float = 0.0
    creator_id: str | None = None


_decode: Final = msgspec.json.Decoder(_Asked).decode


class KnownVerdicts:
    """Verdicts by the truth, to be taken when their time has come."""

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._waiting: list[tuple[int, str, ReviewDecided]] = []

    def asked(self, headers: Headers, value: bytes) -> None:
        """An output event was published: answer it if it asks."""
        named = dict(headers)
        kind, identifier, time = named.get("ce_type"), named.get("ce_id"), event_time(named.get("ce_time"))
        if kind not in (_SAMPLED, _DECIDED) or identifier is None or time is None:
            return
        said = _decode(value)
        if said.creator_id is not None or said.withheld is not None:
            return
        if kind == _DECIDED and not (said.requires_review or said.action == "require_review"):
            return
        name = identifier.decode()
        at = time + _SOONEST + xxh3_64_intdigest(identifier) % _SPREAD
        sample = Sample(said.stratum, said.inclusion_probability) if kind == _SAMPLED else None
        verdict = ReviewDecided(
            event_id=f"verdict-{name}",
            occurred_at=at,
            merchant_id=said.merchant_id,
            verdict="violation" if self._violates(said, time) else "clean",
            source="human" if sample is None else "audit",
            decision_id=said.decision_id,
            subject=said.subject,
            sample=sample,
        )
        heappush(self._waiting, (at, name, verdict))

    def due(self, time: int) -> list[ReviewDecided]:
        """Verdicts of before a time, ms, in order; each is handed out once."""
        found = []
        while self._waiting and self._waiting[0][0] < time:
            found.append(heappop(self._waiting)[2])
        return found

    def _violates(self, said: _Asked, time: int) -> bool:
        if said.subject.kind == "listing":
            return said.subject.id in self._labels.listings
        label = self._labels.merchants.get(said.merchant_id)
        return label is not None and label.start_ms <= time
