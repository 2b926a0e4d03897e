"""Counts what the worker publishes. Pure: told what came and when, asked for figures."""

from array import array
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final

from msgspec import Struct, field

from features.outputs import (
    LEVELS,
    EnforcementDecided,
    EnforcementReversed,
    Level,
    Output,
    Reason,
    RiskAssessed,
    Standing,
)
from streams.demo.rulebook import FLAG_RANK, RuleInfo

#: Seconds that the page's latency looks back.
RECENT_SECONDS: Final = 10.0
_KEPT_RECENT: Final = 50_000
_RULE: Final = "rule:"


class Percentiles(Struct, frozen=True):
    """Milliseconds from produce to output."""

    p50: float
    p95: float
    p99: float


class MerchantView(Struct):
    """What is known of a merchant: its level and why, and how often its orders and listings were flagged."""

    merchant_id: str
    level: Level = "low"
    score: int = 0
    #: Of a bad outcome, 0 to 1.
    probability: float = 0.0
    reasons: list[Reason] = field(default_factory=list)
    flagged_subjects: int = 0
    #: The latest reason for which one of its orders or listings was flagged.
    subject_reason: str = ""
    actions: list[str] = field(default_factory=list)

    @property
    def rank(self) -> tuple[int, int, int]:
        """Sorts the riskiest last."""
        return LEVELS.index(self.level), self.score, self.flagged_subjects


class EnforcementView(Struct, frozen=True):
    """The latest of ``times`` like decisions, or the end of one; ``at`` is event time, ms."""

    at: int
    action: str
    merchant_id: str
    rule: str
    facts: str
    severity: Level
    requires_review: bool = False
    reversed: bool = False
    times: int = 1


class Tally:
    """Everything the demo shows and scores, from the outputs alone."""

    def __init__(self, rules: Mapping[str, RuleInfo]) -> None:
        self._rules = rules
        self.outputs: Counter[str] = Counter()
        self.dead_letters: Counter[str] = Counter()
        self.last_dead_letter = ""
        self.merchants: dict[str, MerchantView] = {}
        #: Merchants named at FLAG_LEVEL or above, and the event time (ms) when they first were.
        self.flagged: dict[str, int] = {}
        #: The same for the rules about each attack, and for decisions by them that ask a person or restrict something:
        #: (attack, merchant) -> event time, ms.
        self.flagged_for: dict[tuple[str, str], int] = {}
        #: By merchant, action, rule and whether it ended; the latest last.
        self._enforcements: dict[tuple[str, str, str, bool], EnforcementView] = {}
        self._latencies = array("d")
        self._recent: deque[tuple[float, float]] = deque(maxlen=_KEPT_RECENT)
        self._standing: dict[str, int] = {}
        self._decisions: dict[str, EnforcementDecided] = {}

    # -- what came ----------------------------------------------------------------------------------------------------

    def count(self, kind: str) -> None:
        """One more output of a kind."""
        self.outputs[kind] += 1

    def latency(self, seconds: float, now: float) -> None:
        """Time from an input record's produce to an output that it caused; ``now`` in seconds of a rising clock."""
        self._latencies.append(seconds * 1000)
        self._recent.append((now, seconds * 1000))

    def dead_letter(self, reason: str, detail: str) -> None:
        """A record was put aside."""
        self.dead_letters[reason] += 1
        self.last_dead_letter = f"{reason}: {detail}"

    def event(self, output: Output, at: int) -> None:
        """An output event of the event time ``at``, ms."""
        if isinstance(output, RiskAssessed):
            self._assessed(output, at)
        elif isinstance(output, EnforcementDecided):
            self._decided(output, at)
        elif isinstance(output, EnforcementReversed):
            self._reversed(output, at)

    def standing(self, standing: Standing) -> None:
        """A merchant's latest standing. Standings and events come through different topics, so in any order."""
        if standing.sequence >= self._standing.get(standing.merchant_id, -1):
            self._standing[standing.merchant_id] = standing.sequence
            view = self._merchant(standing.merchant_id)
            view.level = standing.level
            view.actions = [each.action for each in standing.enforcements]

    def _assessed(self, output: RiskAssessed, at: int) -> None:
        if output.creator_id is not None:
            # Of creators the demo shows what is enforced alone.
            return
        view = self._merchant(output.merchant_id)
        rank = LEVELS.index(output.level)
        if output.subject.kind == "merchant":
            if output.sequence > self._standing.get(output.merchant_id, -1):
                self._standing[output.merchant_id] = output.sequence
                view.level = output.level
            view.score = output.score
            view.probability = output.probability
            view.reasons = output.reasons
        elif rank >= FLAG_RANK:
            view.flagged_subjects += 1
            view.subject_reason = strongest(output.reasons)
        if rank >= FLAG_RANK:
            self._flag(output.merchant_id, at, [reason.code for reason in output.reasons])

    def _decided(self, output: EnforcementDecided, at: int) -> None:
        self._decisions[output.decision_id] = output
        self._show(output, at)
        if output.creator_id is not None:
            return
        self._merchant(output.merchant_id)
        if LEVELS.index(output.severity) >= FLAG_RANK:
            self.flagged.setdefault(output.merchant_id, at)
        elif output.action == "warn" and output.subject.kind != "listing":
            return  # a missed service level accuses nobody
        self._flag_for(output.merchant_id, at, output.policy.id)

    def _reversed(self, output: EnforcementReversed, at: int) -> None:
        decision = self._decisions.pop(output.reverses, None)
        # What expires was meant to; what is taken back is news.
        if decision is not None and output.why != "expiry":
            self._show(decision, at, ended=True)

    def _show(self, decision: EnforcementDecided, at: int, *, ended: bool = False) -> None:
        # One merchant's orders may bring the same decision again and again; that is one line.
        party = decision.merchant_id or decision.creator_id or ""
        key = (party, decision.action, decision.policy.id, ended)
        before = self._enforcements.pop(key, None)
        self._enforcements[key] = EnforcementView(
            at=at,
            action=decision.action,
            merchant_id=party,
            rule=decision.policy.id,
            facts=decision.facts,
            severity=decision.severity,
            requires_review=decision.requires_review,
            reversed=ended,
            times=1 if before is None else before.times + 1,
        )

    def _flag(self, merchant_id: str, at: int, codes: Sequence[str]) -> None:
        self.flagged.setdefault(merchant_id, at)
        for code in codes:
            # A mild rule that fired beside a grave one accuses nobody of an attack.
            if (rule := self._rules.get(code)) is not None and rule.rank >= FLAG_RANK:
                self._flag_for(merchant_id, at, code)

    def _flag_for(self, merchant_id: str, at: int, code: str) -> None:
        rule = self._rules.get(code)
        for attack in () if rule is None else rule.attacks:
            self.flagged_for.setdefault((attack, merchant_id), at)

    def _merchant(self, merchant_id: str) -> MerchantView:
        view = self.merchants.get(merchant_id)
        if view is None:
            view = self.merchants[merchant_id] = MerchantView(merchant_id)
        return view

    # -- figures ------------------------------------------------------------------------------------------------------

    @property
    def total(self) -> int:
        """All outputs."""
        return self.outputs.total()

    def riskiest(self, count: int) -> list[MerchantView]:
        """The merchants at the highest levels and scores, the worst first; nobody who stands at low."""
        risky = [view for view in self.merchants.values() if view.level != "low"]
        return sorted(risky, key=lambda view: view.rank, reverse=True)[:count]

    def latest_enforcements(self, count: int) -> list[EnforcementView]:
        """The latest decisions, the newest first."""
        return list(islice(reversed(self._enforcements.values()), count))

    def percentiles(self) -> Percentiles | None:
        """Of all latencies so far; None before the first."""
        return percentiles(self._latencies)

    def recent_percentiles(self, now: float) -> Percentiles | None:
        """Of the last ten seconds."""
        while self._recent and self._recent[0][0] < now - RECENT_SECONDS:
            self._recent.popleft()
        return percentiles([latency for _, latency in self._recent])


def strongest(reasons: Sequence[Reason]) -> str:
    """The text of the weightiest reason, or nothing."""
    return max(reasons, key=lambda reason: reason.weight).text if reasons else ""


def percentiles(values: Sequence[float]) -> Percentiles | None:
    """The smallest values that are not below 50, 95 and 99 % of all (nearest rank); None of nothing.

    >>> percentiles([float(n) for n in range(1, 101)])
    Percentiles(p50=50.0, p95=95.0, p99=99.0)
    """
    if not values:
        return None
    ranked = sorted(values)
    count = len(ranked)
    p50, p95, p99 = (ranked[max(0, -(-count * share // 100) - 1)] for share in (50, 95, 99))
    return Percentiles(p50, p95, p99)
