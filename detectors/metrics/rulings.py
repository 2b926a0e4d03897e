"""Folds what was published and what people say of it: decisions, reversals, appeals, draws, verdicts, reports."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from detectors.comparison import events as seen
from detectors.metrics.facts import AppealFacts, Draw, Judged, Ruling, State
from detectors.metrics.published import DECODERS, AppealNoted, Decided, Sampled
from detectors.statement import NOTICE_MS
from features import events
from features.events import InputEvent
from features.outputs import LEVELS
from features.windows import DAY_MS

#: From this level on an assessment names its subject.
_NAMING: Final = frozenset(LEVELS[LEVELS.index("high") :])
#: Days of a merchant's turnover that say what it would have sold (:mod:`detectors.metrics.exposure`).
BASELINE_DAYS: Final = 28


class RulingFold:
    """Takes output and feedback events into a state.

    ``modes``: of the outputs to take; all without any. ``unread`` counts records of a known type that cannot be read.
    """

    def __init__(self, state: State, modes: frozenset[str]) -> None:
        self._state = state
        self._modes = modes
        self._inputs: dict[type[Any], Callable[[Any], None]] = {
            events.ReviewDecided: self._reviewed,
            events.ReportReceived: self._reported,
        }
        self._outputs: Mapping[type[Any], Callable[[Any, str, int], None]] = {
            seen.Assessed: self._assessed,
            Decided: self._decided,
            seen.Reversed: self._reversed,
            Sampled: self._sampled,
            seen.CreditChanged: self._credit,
            AppealNoted: self._appeal,
        }
        self.unread = 0

    # -- outputs ------------------------------------------------------------------------------------------------------

    def output(self, kind: str, identifier: str, time: int, value: bytes) -> None:
        """Take an output event by its CloudEvents type, id and time (ms); other types are passed over."""
        decode = DECODERS.get(kind)
        if decode is None:
            return
        try:
            event = decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.unread += 1
            return
        if self._modes and event.mode and event.mode not in self._modes:
            return
        self._outputs[type(event)](event, identifier, time)

    def _assessed(self, event: seen.Assessed, identifier: str, time: int) -> None:
        subject = event.creator_id or event.merchant_id, event.subject.kind, event.subject.id
        self._state.scores[subject] = event.score
        if event.level in _NAMING:
            self._state.flagged.setdefault(subject, time)

    def _decided(self, event: Decided, identifier: str, time: int) -> None:
        state = self._state
        if event.decision_id in state.rulings:
            return
        party = event.creator_id or event.merchant_id
        subject = party, event.subject.kind, event.subject.id
        ruling = Ruling(
            merchant="" if event.creator_id else event.merchant_id,
            creator=event.creator_id or "",
            kind=event.subject.kind,
            subject=event.subject.id,
            action=event.action,
            severity=event.severity,
            rule=event.policy.id,
            title=event.policy.title,
            at=event.starts_at,
            expires=event.expires_at or 0,
            waiting=event.requires_review or event.action == "require_review",
            why_waiting=event.review_reason or "",
            supersedes=event.supersedes or "",
            score=state.scores.get(subject, 0),
            notified=self._notified(subject, event.starts_at),
            statement=event.statement_of_reasons,
        )
        if subject[1] == "listing":
            self._expose(ruling)
        state.rulings[event.decision_id] = ruling
        state.about.setdefault(subject, []).append(event.decision_id)
        if ruling.accuses:
            state.flagged.setdefault(subject, event.starts_at)

    def _expose(self, ruling: Ruling) -> None:
        """Note what a listing had sold since its latest version until it was decided upon."""
        listing = self._state.listings.get((ruling.merchant, ruling.subject))
        if listing is None:
            return
        since = max((at for at in listing.versions if at <= ruling.at), default=ruling.at)
        ruling.exposed_since = since
        for day, sums in listing.days.items():
            if since // DAY_MS <= day <= ruling.at // DAY_MS:
                ruling.exposed_orders += sums.orders
                ruling.exposed_gmv += sums.gmv
                ruling.exposed_views += sums.views

    def _notified(self, subject: tuple[str, str, str], at: int) -> bool:
        """Whether somebody had reported the subject in the half year before."""
        reports = self._state.reports.get(subject, [])
        place = bisect_left(reports, at + 1)
        return place > 0 and at - reports[place - 1] <= NOTICE_MS

    def _reversed(self, event: seen.Reversed, identifier: str, time: int) -> None:
        ruling = self._state.rulings.get(event.reverses)
        if ruling is not None and not ruling.reversed_at:
            ruling.reversed_at = time
            ruling.why_reversed = event.why

    def _sampled(self, event: Sampled, identifier: str, time: int) -> None:
        party = event.creator_id or event.merchant_id
        left = event.withheld
        if left is not None:
            self._state.withheld[identifier] = Ruling(
                merchant="" if event.creator_id else event.merchant_id,
                creator=event.creator_id or "",
                kind=event.subject.kind,
                subject=event.subject.id,
                action=left.action,
                severity="",
                rule=left.policy.id,
                title=left.policy.title,
                at=left.starts_at,
                expires=left.until or 0,
            )
            return
        probability = event.inclusion_probability if event.sample_probability is None else event.sample_probability
        if not 0 < probability <= 1:
            self.unread += 1
            return
        self._state.draws[identifier] = Draw(
            merchant=party,
            kind=event.subject.kind,
            subject=event.subject.id,
            stratum=event.stratum,
            probability=probability,
            at=time,
            creator=event.creator_id or "",
            score=self._state.scores.get((party, event.subject.kind, event.subject.id), -1),
        )

    def _credit(self, event: seen.CreditChanged, identifier: str, time: int) -> None:
        merchant = self._state.merchants.get(event.subject.id)
        if event.subject.kind == "merchant" and merchant is not None:
            merchant.tier = event.tier or ""

    def _appeal(self, event: AppealNoted, identifier: str, time: int) -> None:
        appeals = self._state.appeals
        known = appeals.get(event.decision_id)
        if event.state == "refused":
            return
        if known is None:
            known = appeals[event.decision_id] = AppealFacts(time, number=event.number)
        known.number = max(known.number, event.number)
        if event.state == "overdue":
            known.overdue = True
            return
        known.state = event.state
        known.decided = 0 if event.state == "open" else time

    # -- feedback -----------------------------------------------------------------------------------------------------

    def event(self, event: InputEvent) -> None:
        """Take what a person says; other input events are passed over."""
        handler = self._inputs.get(type(event))
        if handler is not None:
            handler(event)

    def _reviewed(self, event: events.ReviewDecided) -> None:
        state = self._state
        ruling = None if event.decision_id is None else state.rulings.get(event.decision_id)
        audit = event.sample is not None or event.source == "audit"
        subject: tuple[str, str, str]
        if event.subject is not None:
            subject = event.merchant_id, event.subject.kind, event.subject.id
        elif ruling is not None:
            subject = event.merchant_id, ruling.kind, ruling.subject
        else:
            return
        self._note(subject, Judged(event.verdict == "violation", event.occurred_at, event.policy or "", audit))
        about = [ruling] if ruling is not None else [state.rulings[each] for each in state.about.get(subject, ())]
        for each in about:
            # The last word on a decision counts; a verdict before it was about something else.
            if each.at <= event.occurred_at and each.verdict_at <= event.occurred_at:
                each.verdict = event.verdict
                each.verdict_at = event.occurred_at

    def _note(self, subject: tuple[str, str, str], judged: Judged) -> None:
        """Keep the latest verdict on a subject; one that answers a draw is not displaced by one that does not."""
        known = self._state.verdicts.get(subject)
        if known is None or (judged.audit, judged.at) >= (known.audit, known.at):
            self._state.verdicts[subject] = judged

    def _reported(self, event: events.ReportReceived) -> None:
        subject = event.merchant_id, event.subject.kind, event.subject.id
        times = self._state.reports.setdefault(subject, [])
        if event.occurred_at not in times:
            times.append(event.occurred_at)
            times.sort()
