"""What each event of a merchant's account, and each word of feedback, changes."""

from detectors.assess import Assessor
from detectors.orders import event_digest
from detectors.redress import Redress
from features import events
from features.exchange import COMMON_KINDS
from features.merchant import CHANGES_LIMIT, OWN_DEVICES_LIMIT, SEEN_LIMIT, VERIFIED_LIMIT, Merchant, MerchantRecord
from features.merchant_rest import rested
from features.priors import begin_day, end_turnover
from features.timers import UNKNOWN
from features.windows import DAY_MS


class MerchantFlow:
    """Applies merchant and feedback events to a shard's state."""

    __slots__ = ("_assessor", "_redress", "_state")

    def __init__(self, assessor: Assessor, redress: Redress) -> None:
        self._assessor = assessor
        self._redress = redress
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
        if not record.timer:
            self._assessor.timers.start(merchant)
        rejection = self._redress.take(merchant, event)
        if rejection is not None:
            # Once it is put right, it may come again.
            record.seen = record.seen[:-1]
            self._assessor.outbox.refuse(rejection)
            state.statistics.rejected += 1
            return
        urgent = _change(record, event)
        if isinstance(event, events.MerchantInput):
            urgent = self._account(merchant, event) or urgent
        if urgent:
            self._assessor.merchant(merchant, True)

    def _account(self, merchant: Merchant, event: events.MerchantInput) -> bool:
        """What follows from an event of the account; true if the merchant should be judged at once."""
        assessor, record = self._assessor, merchant.record
        if type(event) is events.MerchantAccountChanged:
            assessor.post.account_value(merchant, event)
            if event.occurred_at == record.payout_changed:
                assessor.enforcer.credit.look(merchant)
            if event.what == "device":
                device = assessor.judge.pseudonyms.short("device", event.value_hash)
                if device not in record.own_devices:
                    record.own_devices = [*record.own_devices[1 - OWN_DEVICES_LIMIT :], device]
        elif type(event) is events.MerchantRegistered:
            assessor.enforcer.credit.registered(merchant)
        return assessor.duties is not None and assessor.duties.heard(merchant, event)

    def timer(self, merchant_id: str, time: int) -> None:
        """A merchant's timer fired at an event time: actions expired, its windows moved on, or its time is over."""
        state = self._state
        merchant = state.merchants.get(merchant_id)
        if merchant is None or merchant.record.timer not in (time, UNKNOWN):
            return
        state.statistics.timers += 1
        state.touched_merchants[merchant_id] = None
        assessor = self._assessor
        assessor.enforcer.expire(merchant, time)
        self._redress.due(merchant, time)
        record = merchant.record
        assessor.enforcer.credit.review(merchant, time)
        if assessor.timers.settled(record, time):
            merchant.advance(time)
            begin_day(state.population, merchant)
        duties = record.duties
        if duties is not None and assessor.duties is not None and 0 < duties.look_at <= time:
            if merchant.advance(time):
                begin_day(state.population, merchant)
            if assessor.duties.look(merchant, time):
                assessor.merchant(merchant, True)
        if assessor.timers.at_rest(record, time):
            self._rest(merchant, time)
        else:
            assessor.timers.start(merchant, time)

    def _rest(self, merchant: Merchant, time: int) -> None:
        """Lay an idle merchant to rest: forget it, or all but what must outlast it."""
        state = self._state
        record = merchant.record
        end_turnover(state.population, merchant)
        if not record.sequence:
            state.forget_merchant(merchant.id)
            return
        merchant.advance(time)
        if record.level:
            # A level that rested on what is gone by now is not left standing. This is nothing that the merchant did,
            # so no model learns it.
            record.anomaly = None
            record.assessed_at = time
            self._assessor.merchant(merchant, True)
        kept = rested(record)
        state.merchants[merchant.id] = merchant = Merchant(merchant.id, kept)
        waits = kept.enforcement is not None and kept.enforcement.next_expiry() is not None
        if waits or (kept.duties is not None and kept.duties.look_at):
            self._assessor.timers.start(merchant, time)
        else:
            state.timers.clear(f"m{merchant.id}")


def _change(record: MerchantRecord, event: events.MerchantInput | events.FeedbackInput) -> bool:
    """Note what an event says of the account; true if the merchant should be judged at once."""
    match event:
        case events.MerchantRegistered():
            record.registered = event.registered_at
            record.kind = event.kind
            record.country = event.country
        case events.MerchantVerified():
            if event.state != "provided" and event.what not in record.verified:
                record.verified = [*record.verified, event.what][-VERIFIED_LIMIT:]
        case events.MerchantAccountChanged():
            at = event.occurred_at
            bit = 1 << COMMON_KINDS.index(event.what)
            known, record.values = record.values & bit, record.values | bit
            if record.registered and (not known or at <= record.registered + DAY_MS):
                # The account is being set up. Where its registration is heard of later, the features see to it.
                return True
            record.changes = sorted([*record.changes, at])[-CHANGES_LIMIT:]
            if event.what in ("bank", "owner"):
                record.payout_changed = max(record.payout_changed, at)
            elif event.what == "device":
                record.device_changed = max(record.device_changed, at)
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
