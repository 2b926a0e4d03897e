"""The circuit breaker at work: severe decisions beyond a cap are turned into requests for a person's decision."""

from msgspec.structs import replace

from detectors.breaker import Tripped, open_until, take, take_back, would_trip
from detectors.judge import Judge
from detectors.ladder import Decision
from detectors.outbox import Outbox
from detectors.unanswered import begin, clock_of
from features.merchant import Merchant
from features.outputs import EnforcementCapped
from features.party import Party
from features.shard import ShardState


class SevereCap:
    """Caps the severe actions of one shard; without a ``breaker`` in the policy files it lets all of them pass."""

    __slots__ = ("_judge", "_outbox", "_state")

    def __init__(self, state: ShardState, judge: Judge, outbox: Outbox) -> None:
        self._state = state
        self._judge = judge
        self._outbox = outbox

    def passed(self, party: Party, decision: Decision) -> Decision:
        """The decision as it may be carried out: the same, or one that waits for a person."""
        breaker = self._judge.breaker
        if (
            breaker is None
            or decision.requires_review
            or decision.action not in breaker.severe
            or decision.subject_kind not in ("merchant", "creator")
        ):
            return decision
        state = self._state.governance.breaker
        population = self._state.population
        turnover = breaker.weight(party.turnover(), party.record.currency) if isinstance(party, Merchant) else 0
        # Marketplaces trade in a few currencies.
        everybody = sum(breaker.weight(amount, currency) for currency, amount in population.turnovers.items())
        now = decision.starts_at
        tripped = would_trip(breaker, state, f"{party.kind} {party.id}", turnover, population.sellers, everybody, now)
        if tripped is None:
            take(state, decision.decision_id, f"{party.kind} {party.id}", turnover, now)
            return decision
        if now >= state.until:
            state.opened_at = now
            state.until = open_until(breaker, state, now)
            self._announce(tripped)
        # Like all that waits, it is no strike and ends nothing that is in force.
        policies = self._judge.policies
        rule = policies.rule(decision.rule)
        ladder = None if rule is None or rule.action is None else policies.ladders[rule.action]
        return replace(
            decision,
            requires_review=True,
            review_reason="cap",
            strike=None,
            relief_at=None,
            supersedes=None,
            waiting=begin(clock_of(ladder, policies.limits), now, decision.expires_at),
        )

    def take_back(self, decision_id: str) -> None:
        """An action was wrong: it does not count any more."""
        take_back(self._state.governance.breaker, decision_id)

    def _announce(self, tripped: Tripped) -> None:
        state = self._state.governance.breaker
        self._outbox.capped(
            EnforcementCapped(
                partition=self._state.partition,
                cap=tripped.cap,
                observed=tripped.observed,
                limit=tripped.limit,
                opened_at=state.opened_at,
                until=state.until,
                mode=self._judge.settings.mode,
            )
        )
