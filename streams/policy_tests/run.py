"""Runs one policy test: a shard of its own, untrained models, nothing drawn by lot."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct, field
from msgspec.json import Decoder

from config.policies import Problem
from config.policy_tests import PolicyTest
from detectors.comparison.published import Published
from detectors.flush import Emit
from detectors.judge import Judge
from detectors.nearness import Nearness, nearness
from detectors.rules import Rule
from features.events import InputEvent
from features.feature import Context
from features.keys import entity_key
from features.outputs import Standing
from features.registry import FEATURES
from features.windows import DAY_MS
from streams.archive import ArchiveRecord
from streams.comparison.reading import take
from streams.evaluation.archive_run import ArchiveRun
from streams.policy_tests.events import START, TestEvent, expand

_read_standing: Final = Decoder(Standing).decode
#: So long time goes on after the last event, unless the test says otherwise.
_AFTER: Final = DAY_MS


class Near(Struct, frozen=True):
    """How near a rule came at best: when (ms), to firing upon what, and what was missing."""

    time: int
    subject: str
    nearness: Nearness


class Outcome(Struct, kw_only=True):
    """What came of a test's events: everything published, the last standings, and how near rules came."""

    published: Published
    standings: dict[str, Standing] = field(default_factory=dict)
    nearest: dict[str, Near] = field(default_factory=dict)
    events: int = 0


def run_test(test: PolicyTest, judge: Judge, problems: list[Problem]) -> Outcome:
    """Run a test; events that cannot be used, and decisions that it speaks of and that were not taken, go to
    ``problems``.
    """
    judge = _undrawn(judge)
    seen = _Witness(test, judge)
    run = ArchiveRun(judge, seen)
    seen.run = run
    for event in expand(test, problems):
        body = _settled(test, event, seen.outcome.published, problems)
        if body is None:
            continue
        seen.current = event
        merchant = str(body["merchant_id"])
        record = ArchiveRecord(event.topic, merchant.encode(), msgspec.json.encode(body), event.time)
        run.take(record)
        if seen.rejected is not None:
            problems.append(event.given.place.problem(f'test "{test.name}": {seen.rejected}'))
            seen.rejected = None
    last = seen.current.time if seen.current else START
    seen.current = None
    run.move_on(last + _AFTER if test.until is None else START + test.until)
    seen.outcome.events = run.count
    return seen.outcome


def _undrawn(judge: Judge) -> Judge:
    """The same judge without hold-out and audit sample: a test's merchant is never among the few that are drawn."""
    settings = msgspec.structs.replace(
        judge.settings, holdout_rate=0.0, audit_rate=0.0, audit_score_rate=0.0, mode="replay"
    )
    return Judge(settings, judge.policies, judge.pseudonyms, judge.signer)


def _settled(
    test: PolicyTest, event: TestEvent, published: Published, problems: list[Problem]
) -> dict[str, Any] | None:
    """The event's body with the id of the decision that it is about."""
    if event.decision is None:
        return event.body
    merchant = event.body["merchant_id"]
    for decision in reversed(published.decisions):
        if decision.rule == event.decision and decision.merchant_id == merchant:
            return event.body | {"decision_id": decision.id}
    message = f'test "{test.name}": no decision by rule {event.decision} was taken against {merchant} until then'
    problems.append(event.given.place.problem(message, "decision"))
    return None


class _Witness:
    """Collects what the core publishes, and how near the expected rules come."""

    def __init__(self, test: PolicyTest, judge: Judge) -> None:
        rules = judge.policies.rules
        self._watched = [rules[each.rule] for each in test.expect if each.rule is not None and each.rule in rules]
        self.outcome = Outcome(published=Published())
        self.run: ArchiveRun | None = None
        self.current: TestEvent | None = None
        self.rejected: str | None = None

    def event(self, event: InputEvent, time: int) -> None:
        """An event that is about to be applied."""

    def outputs(self, emits: Sequence[Emit], time: int) -> None:
        """What applying it published."""
        for emit in emits:
            if emit.stream == "events" and emit.value is not None:
                take(self.outcome.published, emit.value, emit.headers)
            elif emit.stream == "standing" and emit.value is not None:
                standing = _read_standing(emit.value)
                self.outcome.standings[standing.merchant_id] = standing
            elif emit.stream == "dead_letters":
                said = dict(emit.headers)
                self.rejected = f"{said['dlq_reason'].decode()}: {said['dlq_detail'].decode()}"
        if self.current is not None:
            for rule in self._watched:
                self._measure(rule, self.current, time)

    def _measure(self, rule: Rule, event: TestEvent, time: int) -> None:
        context = self._context(rule, event)
        if context is None:
            return
        found = nearness(rule, {name: FEATURES[name].get(context) for name in rule.features})
        best = self.outcome.nearest.get(rule.id)
        if best is None or _rank(found) > _rank(best.nearness):
            about = event.body.get(f"{rule.subject}_id", event.body["merchant_id"])
            self.outcome.nearest[rule.id] = Near(time, f"{rule.subject} {about}", found)

    def _context(self, rule: Rule, event: TestEvent) -> Context | None:
        """What a rule is evaluated on after an event; None if the event is about nothing of the kind."""
        if self.run is None:
            return None
        state = self.run.cores[0].core.state
        merchant_id = str(event.body["merchant_id"])
        merchant = state.merchants.get(merchant_id)
        if merchant is None:
            return None
        if rule.subject == "merchant":
            return Context(merchant, state.population)
        name = event.body.get(f"{rule.subject}_id")
        key = entity_key(merchant_id, str(name))
        order = state.orders.get(key) if rule.subject == "order" else None
        listing = state.listings.get(key) if rule.subject == "listing" else None
        if order is None and listing is None:
            return None
        return Context(merchant, state.population, order, listing)


def _rank(found: Nearness) -> float:
    return -1.0 if found.value is None else found.value
