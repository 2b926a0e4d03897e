"""Plays a story: what happens on which day, and what the merchant's credit and the actions against it are then.

A story is a mapping with ``story`` (a sentence), ``rows`` (which rows of the policy it is about) and ``steps``. A step
names its ``day`` (or ``days: [first, last]``: the same on each) and what happens, or what is expected then:

- ``orders``: so many orders turn out well, from so many buyers (``buyers``, unless each has its own), of which ``bad``
  did not, ``late`` were shipped late and ``cancelled`` by the seller;
- ``violation``: a decision under a policy, by ``action`` (unless told: hold_payout) and ``id``, about a ``listing``, an
  ``order`` or the merchant itself; ``confirmed`` by a person;
- ``rule``: a packaged rule fires on the merchant, ``listing`` or ``order``, and the ladder decides;
- ``cases``: so many orders go wrong in some way (``{late_shipments: 8}``), from so many ``buyers``: new facts since
  earlier decisions;
- ``verdict``: a person finds a ``violation``, or that all is ``clean``, under a ``policy``; ``confirms`` carries out
  the action of that name which waits for a person, ``forgives`` takes the latest of that name back; ``leaves_alone``:
  a rule or policy does so ``until`` a day; ``reported``: by whom; ``by_hand``: the action is set under a ``policy``,
  ``until`` a day; ``puts_right``: what the merchant was acted against for under that policy is no longer so;
- ``overturned``: the decision of that id was wrong; ``corrected``: that listing was put right;
- ``score``, ``tier``, ``probation``, ``limits``: as they stand; ``actions``: those decided since the last expectation,
  as "block_new_listings 7 d" or "suspend_merchant, to be reviewed"; ``ended``: those that ended since; ``because``: why
  the last of them is to be reviewed; ``source``: what its statement of reasons says that it came from; ``overdue``:
  actions of which it was pointed out since that nobody decided on them, each with how often.

Everything below is the real thing: the book, the enforcer and their timers. Only orders are put into the day counters
directly, as if they had been followed to their end.
"""

from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from detectors.assess import Assessor
from detectors.confirmation import Confirmation
from detectors.exchange_post import Post
from detectors.finding import Finding
from detectors.judge import fresh_models
from detectors.ladder import Decision
from detectors.merchants import MerchantFlow
from detectors.outbox import Outbox
from detectors.policy import PolicySet
from detectors.redress import Redress
from detectors.reversal import exempt, forgive, note_report, note_verdict
from features.credit import SOON_MS
from features.enforcement_state import EnforcementState
from features.events import EnforcementOverridden, ReportReceived, SubjectKind
from features.events import Subject as ReportedSubject
from features.facts import FACT_FLAGS
from features.merchant import GMV, ORDERS, OUTCOME_BAD, OUTCOME_DUE, SHIP_CANCELLED, SHIP_DUE, SHIP_LATE
from features.order import OUTCOME_DAYS
from features.outputs import (
    CreditChanged,
    EnforcementDecided,
    EnforcementReversed,
    Output,
    Reason,
    ReviewOverdue,
    Source,
    Subject,
)
from features.party import Party
from features.shard import ShardState
from features.windows import DAY_MS
from tests.builders import make_judge

FOLDER: Final = Path(__file__).parent
#: Day 0 of every story.
BEGIN: Final = 20_000
_HAPPENS: Final = {
    "orders", "violation", "rule", "overturned", "corrected", "cases", "verdict", "confirms", "forgives",
    "leaves_alone", "reported", "by_hand", "puts_right",
}  # fmt: skip
_EXPECTED: Final = {"score", "tier", "limits", "actions", "ended", "entries", "because", "source", "overdue"}
_DETAILS: Final = {
    "day", "days", "bad", "late", "cancelled", "buyers", "action", "id", "listing", "order", "confirmed", "policy",
    "until",
}  # fmt: skip
_decode = msgspec.json.Decoder(Output).decode


def load_stories(name: str) -> list[dict[str, Any]]:
    """The stories of a file of this folder."""
    found: list[dict[str, Any]] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return found


class Stage:
    """One merchant of one shard, and everybody who judges it."""

    def __init__(self, policies: PolicySet, *, registered: int | None = None) -> None:
        self.judge = make_judge(policies, audit_rate=0.0, holdout_rate=0.0)
        self.outbox = Outbox()
        self.state = ShardState(0)
        # Peers are as the defaults say, whatever the one merchant does.
        self.state.population.prior_day = 10**9
        self.state.population.deliveries.since = (BEGIN - 400) * DAY_MS
        post = Post(self.state, self.outbox, self.judge.settings.shards, self.judge.pseudonyms)
        self.assessor = Assessor(self.state, fresh_models(42), self.judge, self.outbox, post)
        self.redress = Redress(self.assessor)
        self.flow = MerchantFlow(self.assessor, self.redress)
        self.enforcer = self.assessor.enforcer
        self.book = self.enforcer.credit
        self.confirmation = Confirmation(self.enforcer, self.state, self.judge, self.outbox, self.assessor.timers)
        self.merchant = self.state.merchant("m1")
        #: Whose credit the story is about.
        self.party: Party = self.merchant
        self.time = 0
        self._steps = 0
        self._seen = 0
        self.merchant.advance(BEGIN * DAY_MS)
        self.merchant.record.first_seen = (BEGIN - 390) * DAY_MS
        if registered is not None:
            self.merchant.record.registered = (BEGIN + registered) * DAY_MS
        self.outbox.start(Source("story", 0, 0), BEGIN * DAY_MS)
        self.assessor.timers.start(self.merchant)
        self.book.begin(self.merchant, BEGIN * DAY_MS)

    def move_to(self, day: float) -> None:
        """Let time pass: whatever is due on the way is done."""
        time = round((BEGIN + day) * DAY_MS)
        assert time >= self.time, f"day {day} comes after a later one"
        self.time = time
        while (due := self.state.timers.pop_due(time)) is not None:
            self._begin(due[0])
            self.fire(due[1], due[0])
        self._begin(time)
        self.party.advance(time)

    def fire(self, key: str, time: int) -> None:
        """A timer fires."""
        self.flow.timer(key[1:], time)

    def _begin(self, time: int) -> None:
        self._steps += 1
        self.outbox.start(Source("story", 0, self._steps), time)

    def orders(self, count: int, *, bad: int = 0, late: int = 0, cancelled: int = 0, buyers: int | None = None) -> None:
        """Orders whose outcome is due today."""
        merchant = self.merchant
        today = merchant.day
        merchant.outcome.add(today - OUTCOME_DAYS, OUTCOME_DUE, count)
        merchant.outcome.add(today - OUTCOME_DAYS, OUTCOME_BAD, max(bad, late, cancelled))
        merchant.ship.add(today, SHIP_DUE, count)
        merchant.ship.add(today, SHIP_LATE, late)
        merchant.ship.add(today, SHIP_CANCELLED, cancelled)
        merchant.placed.add(today, ORDERS, count)
        merchant.placed.add(today, GMV, 1_000 * count)
        for number in range(count):
            merchant.buyers.add(today, today * 1000 + number if buyers is None else number % buyers)
        credit = merchant.record.credit
        if credit is None or not 0 < credit.review < self.time + SOON_MS:
            self.book.begin(merchant, self.time)

    def violation(
        self, policy: str, action: str, identifier: str, kind: SubjectKind, subject: str, *, confirmed: bool
    ) -> None:
        """A decision is carried out."""
        decision = Decision(
            decision_id=identifier,
            rule="a-rule",
            policy=policy,
            action=action,  # type: ignore[arg-type]  # as the story says
            severity="elevated",
            subject_kind=kind,
            subject_id=subject,
            starts_at=self.time,
            expires_at=None,
            requires_review=False,
            step=0,
            strike=None,
            quiet_until=self.time,
            appeal_until=self.time,
            supersedes=None,
        )
        self.book.violation(self.party, decision, confirmed=confirmed)

    def rule(self, rule_id: str, kind: SubjectKind, subject: str) -> None:
        """A rule fires, and the ladder decides."""
        rule = self.judge.policies.rules[rule_id]
        finding = Finding(fired=[rule], reasons=[Reason(rule.id, rule.title, rule.weight)])
        self.enforcer.enforce(self.merchant, Subject(kind, subject), finding, "assessment")

    @property
    def enforcement(self) -> EnforcementState:
        """The history of enforcement against the merchant."""
        record = self.merchant.record
        if record.enforcement is None:
            record.enforcement = EnforcementState()
        return record.enforcement

    def cases(self, step: dict[str, Any]) -> None:
        """Orders go wrong, as the facts since each decision count them."""
        for kind, count in step["cases"].items():
            for number in range(count):
                buyer = number % step.get("buyers", count)
                self.enforcement.note(FACT_FLAGS[kind], 0, round(self.time / DAY_MS) * 1000 + buyer)

    def verdict(self, step: dict[str, Any]) -> None:
        """A person says what is the matter under a policy."""
        kind, _ = _subject(step)
        note_verdict(self.enforcement, step["policy"], kind, step["verdict"], self.time)

    def confirms(self, step: dict[str, Any]) -> None:
        """A person has an action carried out that waited for it."""
        waiting = [each for each in self.enforcement.active if each.action == step["confirms"]]
        note_verdict(self.enforcement, waiting[-1].policy, waiting[-1].subject_kind, "violation", self.time)
        assert self.confirmation.confirm(self.merchant, waiting[-1].decision_id)

    def forgives(self, step: dict[str, Any]) -> None:
        """An action was wrong, and is taken back with its strike."""
        wrong = [each for each in self.enforcement.active if each.action == step["forgives"]]
        assert forgive(self.enforcement, wrong[-1].decision_id) is not None

    def leaves_alone(self, step: dict[str, Any]) -> None:
        """A rule or policy is told to leave the merchant alone until a day."""
        exempt(self.enforcement, step["leaves_alone"], (BEGIN + step["until"]) * DAY_MS)

    def by_hand(self, step: dict[str, Any]) -> None:
        """A person sets an action by hand."""
        overridden = EnforcementOverridden(
            event_id=f"override-{self._steps}",
            occurred_at=self.time,
            merchant_id="m1",
            action=step["by_hand"],
            by="ops",
            why="as the story says",
            policy=step["policy"],
            until=(BEGIN + step["until"]) * DAY_MS,
        )
        assert self.redress.overridden(self.merchant, overridden) is None

    def puts_right(self, step: dict[str, Any]) -> None:
        """What the merchant was acted against for under a policy is no longer so."""
        self.enforcer.put_right(self.merchant, step["puts_right"])

    def reported(self, step: dict[str, Any]) -> None:
        """Somebody reports the subject."""
        kind, subject = _subject(step)
        report = ReportReceived(
            event_id=f"report-{self._steps}",
            occurred_at=self.time,
            merchant_id="m1",
            subject=ReportedSubject(kind, subject),
            by=step["reported"],
            policy=step.get("policy"),
        )
        note_report(self.enforcement, report)

    def since_last(self) -> list[Output]:
        """Output events since this was asked the last time."""
        emits = self.outbox.emits[self._seen :]
        self._seen = len(self.outbox.emits)
        return [_decode(emit.value or b"") for emit in emits if emit.stream == "events"]


def play(story: dict[str, Any], policies: PolicySet, of: type[Stage] = Stage) -> None:
    """Play a story; AssertionError where it comes out differently."""
    stage = of(policies, registered=story.get("registered"))
    for number, step in enumerate(story["steps"], 1):
        unknown = step.keys() - _HAPPENS - _EXPECTED - _DETAILS
        assert not unknown, f"step {number}: unknown {sorted(unknown)}"
        first, last = step["days"] if "days" in step else (step["day"], step["day"])
        day = first
        while day <= last:
            stage.move_to(day)
            _happen(stage, step, number)
            day += 1
        _expect(stage, step, f"step {number}, day {last}")


def _happen(stage: Stage, step: dict[str, Any], number: int) -> None:
    kind, subject = _subject(step)
    if kind == "merchant":
        kind, subject = stage.party.kind, stage.party.id
    if "orders" in step:
        counts = {name: step[name] for name in ("bad", "late", "cancelled", "buyers") if name in step}
        stage.orders(step["orders"], **counts)
    if "violation" in step:
        stage.violation(
            step["violation"],
            step.get("action", "hold_payout"),
            step.get("id", f"d{number}-{stage.time}"),
            kind,
            subject,
            confirmed=step.get("confirmed", False),
        )
    if "rule" in step:
        stage.rule(step["rule"], kind, subject)
    if "overturned" in step or "corrected" in step:
        _correct(stage, step)
    for name in ("cases", "verdict", "confirms", "forgives", "leaves_alone", "reported", "by_hand", "puts_right"):
        if name in step:
            getattr(stage, name)(step)


def _correct(stage: Stage, step: dict[str, Any]) -> None:
    if "overturned" in step:
        stage.book.pardoned(stage.party, step["overturned"])
    if "corrected" in step:
        stage.book.corrected(stage.party, step["corrected"], stage.time)


def _subject(step: dict[str, Any]) -> tuple[SubjectKind, str]:
    if "listing" in step:
        return "listing", step["listing"]
    if "order" in step:
        return "order", step["order"]
    return "merchant", "m1"


def _expect(stage: Stage, step: dict[str, Any], where: str) -> None:
    standing = stage.book.standing(stage.party)
    assert standing is not None
    if "score" in step:
        assert standing.score == step["score"], f"{where}: score {standing.score}, expected {step['score']}"
    if "tier" in step:
        assert standing.tier == step["tier"], f"{where}: tier {standing.tier}, expected {step['tier']}"
    for name, value in step.get("limits", {}).items():
        assert standing.limits.get(name) == value, f"{where}: {name} is {standing.limits.get(name)}, expected {value}"
    if not step.keys() & {"actions", "ended", "entries", "overdue"}:
        return
    outputs = stage.since_last()
    if "actions" in step:
        decisions = [each for each in outputs if isinstance(each, EnforcementDecided)]
        actions = [_in_words(each) for each in decisions]
        if "because" in step:
            assert decisions[-1].review_reason == step["because"], f"{where}: because {decisions[-1].review_reason}"
        if "source" in step:
            source = decisions[-1].statement_of_reasons["source_type"]
            assert source == step["source"], f"{where}: {source}, expected {step['source']}"
        assert actions == step["actions"], f"{where}: {actions}, expected {step['actions']}"
    if "ended" in step:
        ended = [each.restores[0] for each in outputs if isinstance(each, EnforcementReversed)]
        assert ended == step["ended"], f"{where}: {ended} ended, expected {step['ended']}"
    if "overdue" in step:
        said = [f"{each.action} {each.number}" for each in outputs if isinstance(each, ReviewOverdue)]
        assert said == step["overdue"], f"{where}: {said} overdue, expected {step['overdue']}"
    if "entries" in step:
        entries = _entries(outputs)
        assert entries == step["entries"], f"{where}: {entries}, expected {step['entries']}"


def _entries(outputs: list[Output]) -> dict[str, int]:
    """Points by code that the ledger was told to have won or lost."""
    entries: dict[str, int] = {}
    for each in outputs:
        if isinstance(each, CreditChanged):
            for sign, changed in ((1, each.entries), (-1, each.removed)):
                for entry in changed:
                    entries[entry.code] = entries.get(entry.code, 0) + sign * entry.points
    return {code: points for code, points in entries.items() if points}


def _in_words(decision: EnforcementDecided) -> str:
    days = "" if decision.expires_at is None else f" {(decision.expires_at - decision.starts_at) / DAY_MS:g} d"
    review = ", to be reviewed" if decision.requires_review else ""
    return f"{decision.action}{days}{review}"
