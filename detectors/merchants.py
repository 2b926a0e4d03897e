"""What each event of a merchant's account, and each word of feedback, changes."""

from detectors.assess import Assessor
from detectors.orders import event_digest
from features import events
from features.merchant import CHANGES_LIMIT, SEEN_LIMIT, MerchantRecord
from features.priors import begin_day


class MerchantFlow:
    """Applies merchant and feedback events to a shard's state."""

    __slots__ = ("_assessor", "_state")

    def __init__(self, assessor: Assessor) -> None:
        self._assessor = assessor
        self._state = assessor.state

    def apply(self, event: events.MerchantInput | events.FeedbackInput) -> None:
        """Apply one event."""
        state = self._state
        merchant = state.merchant(event.merchant_id)
        record = merchant.record
        digest = event_digest(event.event_id)
        if digest in record.seen:
            state.statistics.duplicates += 1
            return
        record.seen = [*record.seen[1 - SEEN_LIMIT :], digest]
        state.statistics.events += 1
        if merchant.advance(event.occurred_at):
            begin_day(self._state.population, merchant)
        urgent = _change(record, event)
        if type(event) is events.EnforcementOverridden:
            self._assessor.enforcer.override(merchant, event.decision_id)
        if urgent:
            self._assessor.merchant(merchant, True)


def _change(record: MerchantRecord, event: events.MerchantInput | events.FeedbackInput) -> bool:
    """Note what an event says of the account; true if the merchant should be judged at once."""
    match event:
        case events.MerchantRegistered():
            record.registered = event.registered_at
            record.kind = event.kind
            record.country = event.country
        case events.MerchantVerified():
            if event.what not in record.verified:
                record.verified = [*record.verified, event.what][-CHANGES_LIMIT:]
        case events.MerchantAccountChanged():
            record.changes = sorted([*record.changes, event.occurred_at])[-CHANGES_LIMIT:]
            return True
        case events.MerchantClosed():
            record.closed = event.occurred_at
        case events.ReportReceived():
            record.reports += 1
        case events.ReviewDecided():
            if event.verdict == "violation":
                record.violations += 1
            else:
                record.cleared += 1
        case events.AppealFiled() | events.AppealDecided():
            record.appeals += 1
        case events.EnforcementOverridden():
            pass
    return False
