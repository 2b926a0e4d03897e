"""The law's duties about merchants, on clocks of event time: collect, verify, certify anew, disclose, suspend.

A law is about a merchant from the sale on with which its threshold is met (:mod:`features.inform`), or from its
registration. Each step is published as it falls due, is met or overdue, and the merchant's timer wakes it. A merchant
that is to be suspended is judged by the rules, which see :mod:`features.duty_features`; so a person decides, and what
was missing lifts the suspension when it comes.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from detectors.duty_laws import Counting, DutyLaws, Law
from detectors.enforcer import Enforcer
from detectors.judge import Judge
from detectors.merchant_timers import MerchantTimers
from detectors.outbox import Outbox
from features import events
from features.duty_state import DUE, MET, OVERDUE, Clock, DutyState, LawState
from features.inform import Sales
from features.merchant import Merchant
from features.order import OUTCOME_DUE, UNDELIVERABLE, OrderRecord
from features.outputs import DutyDue, DutyName, DutyStanding
from features.windows import DAY_MS

#: Flags on which it depends whether an order is a sale: it counts unless it was cancelled before it was shipped.
SALE_FLAGS: Final = OUTCOME_DUE | UNDELIVERABLE
_STATES: Final[dict[int, DutyStanding]] = {DUE: "due", OVERDUE: "overdue", MET: "met"}


class Duties:
    """Keeps the duties about the merchants of one shard."""

    __slots__ = ("_counting", "_enforcer", "_judge", "_laws", "_outbox", "_policy", "_registered", "_timers", "_words")

    def __init__(
        self, laws: DutyLaws, judge: Judge, outbox: Outbox, enforcer: Enforcer, timers: MerchantTimers
    ) -> None:
        self._laws = laws.laws
        self._counting = laws.counting
        self._words = laws.words
        self._policy = laws.policy
        self._registered = [law for law in laws.laws.values() if law.sales is None]
        self._judge = judge
        self._outbox = outbox
        self._enforcer = enforcer
        self._timers = timers

    # -- what happens -------------------------------------------------------------------------------------------------

    def sold(self, order: OrderRecord, merchant: Merchant, changed: int) -> None:
        """An order became a sale, or is none any more, given which of its flags changed."""
        record = merchant.record
        counting = self._counting.get(record.currency)
        now, before = order.flags & SALE_FLAGS, (order.flags ^ changed) & SALE_FLAGS
        if counting is None or (now == OUTCOME_DUE) == (before == OUTCOME_DUE) or order.created is None:
            return
        if record.sales is None:
            record.sales = Sales()
        sign = 1 if now == OUTCOME_DUE else -1
        day = order.created // DAY_MS
        if record.sales.add(day, sign, sign * order.gmv, counting.thresholds):
            self._met(merchant, record.sales, counting)

    def heard(self, merchant: Merchant, event: events.MerchantInput) -> bool:
        """An event of a merchant's account: it gave something, or something was verified, or changed. True if it is to
        be suspended since.
        """
        match event:
            case events.MerchantRegistered():
                for law in self._registered:
                    if event.kind in law.kinds and event.country in law.countries:
                        self._begin(merchant, law, event.occurred_at)
            case events.MerchantVerified():
                if event.what in self._words:
                    self._given(merchant, event)
            case events.MerchantAccountChanged():
                self._doubt(merchant, event)
            case events.MerchantClosed():
                self._close(merchant)
        return self.look(merchant, event.occurred_at)

    def _given(self, merchant: Merchant, event: events.MerchantVerified) -> None:
        record = merchant.record
        if event.state != "provided":
            if record.duties is not None and event.what in record.duties.unverified:
                record.duties.unverified.remove(event.what)
        elif event.what not in record.verified:
            _note(self._of(merchant), [event.what])
        if record.duties is None:
            return
        for name, state in record.duties.laws.items():
            law = self._laws.get(name)
            if law is None:
                continue
            if event.what in law.recertify_words:
                state.certified = event.occurred_at
            if event.what in law.notice_words and not state.notice and _overdue(law, state):
                state.notice = event.occurred_at + law.notice

    def _doubt(self, merchant: Merchant, event: events.MerchantAccountChanged) -> None:
        """A new value is known, and nobody has looked at it; what an account is set up with is no change."""
        record = merchant.record
        if event.occurred_at not in record.changes:
            return
        for law in self._laws.values():
            words = [word for word in record.verified if word in law.changes.get(event.what, ())]
            if words:
                _note(self._of(merchant), words)

    def _close(self, merchant: Merchant) -> None:
        duties = merchant.record.duties
        if duties is not None:
            for name in list(duties.laws):
                self._end(merchant, duties, name, "the merchant closed its account")

    def look(self, merchant: Merchant, now: int) -> bool:
        """Look at all clocks of a merchant, at an event time; true if it is to be suspended since."""
        record = merchant.record
        duties = record.duties
        if duties is None or not duties.laws:
            return False
        unmet, published = duties.unmet, record.sequence
        for name, state in list(duties.laws.items()):
            law = self._laws.get(name)
            if law is None:
                # The policies don't know it any more.
                del duties.laws[name]
            elif not self._applies(merchant, law, now):
                self._end(merchant, duties, name, "the law is not about the merchant any more")
            else:
                self._step(merchant, duties, law, state, now)
        if duties.unmet < unmet and not duties.unmet:
            self._enforcer.put_right(merchant, self._policy)
        self._wait(merchant, duties)
        if record.sequence != published:
            self._enforcer.stand(merchant)
        return duties.unmet > unmet

    # -- whom a law is about ------------------------------------------------------------------------------------------

    def _met(self, merchant: Merchant, sales: Sales, counting: Counting) -> None:
        """A threshold is met that was not: the law is about the merchant now, or asks more of it."""
        began = False
        for name, (own, shown) in counting.of_law.items():
            known = merchant.record.duties
            state = None if known is None else known.laws.get(name)
            if state is None and sales.meets(own, sales.day):
                self._begin(merchant, self._laws[name], merchant.record.as_of)
                began = True
            elif state is not None and shown >= 0 and "disclose" not in state.clocks and sales.meets(shown, sales.day):
                began = True
        if began:
            self.look(merchant, merchant.record.as_of)

    def _begin(self, merchant: Merchant, law: Law, at: int) -> None:
        duties = self._of(merchant)
        if law.id in duties.laws:
            return
        duties.laws[law.id] = LawState(since=at)

    def _of(self, merchant: Merchant) -> DutyState:
        record = merchant.record
        if record.duties is None:
            record.duties = DutyState()
        return record.duties

    def _applies(self, merchant: Merchant, law: Law, now: int) -> bool:
        if law.sales is None:
            return merchant.record.closed == 0
        counting, sales = self._counting.get(merchant.record.currency), merchant.record.sales
        if counting is None or sales is None or law.id not in counting.of_law:
            return False
        sales.advance(now // DAY_MS, counting.thresholds)
        return sales.meets(counting.of_law[law.id][0], sales.day)

    def _discloses(self, merchant: Merchant, law: Law) -> bool:
        counting, sales = self._counting.get(merchant.record.currency), merchant.record.sales
        if counting is None or sales is None:
            return False
        shown = counting.of_law.get(law.id, (-1, -1))[1]
        return shown >= 0 and sales.meets(shown, sales.day)

    def _end(self, merchant: Merchant, duties: DutyState, name: str, facts: str) -> None:
        """A law is not about a merchant any more: what is open falls away."""
        state = duties.laws.pop(name)
        for duty, clock in state.clocks.items():
            if clock.open:
                self._publish(merchant, name, duty, "ended", None, facts)
        if "suspend" in state.clocks and not duties.unmet:
            self._enforcer.put_right(merchant, self._policy)
        self._wait(merchant, duties)

    # -- the clocks ---------------------------------------------------------------------------------------------------

    def _step(self, merchant: Merchant, duties: DutyState, law: Law, state: LawState, now: int) -> None:
        """Move the clocks of one law on to an event time."""
        verified = {word for word in merchant.record.verified if word not in duties.unverified}
        given = verified.union(duties.unverified)
        missing = law.missing(given)
        self._run(merchant, law, state, "collect", now, law.collect, missing)
        if not state.clocks["collect"].open:
            unverified = law.missing(verified)
            self._run(merchant, law, state, "verify", now, law.verify, unverified)
            if not unverified and not state.certified:
                state.certified = now
        if self._discloses(merchant, law):
            hidden = [] if given & law.disclose_words else ["disclosure"]
            self._run(merchant, law, state, "disclose", now, law.disclose_within, hidden)
        self._recertify(merchant, law, state, now)
        self._suspend(merchant, law, state, now)

    def _run(
        self, merchant: Merchant, law: Law, state: LawState, duty: DutyName, now: int, within: int, missing: list[str]
    ) -> None:
        """Begin a duty that there was not, end one that is met, note one that is overdue."""
        clock = state.clocks.get(duty)
        if not missing:
            if clock is None or clock.open:
                state.clocks[duty] = Clock(now, MET)
                self._publish(merchant, law.id, duty, "met", None, self._why(merchant, law, state))
            return
        if clock is None or not clock.open:
            state.clocks[duty] = clock = Clock(now + within, DUE)
            facts = f"{self._why(merchant, law, state)}; missing: {', '.join(missing)}"
            self._publish(merchant, law.id, duty, "due", clock.at, facts)
        if clock.state == DUE and now >= clock.at:
            clock.state = OVERDUE
            self._publish(merchant, law.id, duty, "overdue", clock.at, f"missing: {', '.join(missing)}")

    def _recertify(self, merchant: Merchant, law: Law, state: LawState, now: int) -> None:
        every = law.recertify_every
        if every is None or not state.certified:
            return
        falls_due = state.certified + every
        clock = state.clocks.get("recertify")
        if now < falls_due:
            if clock is not None:
                # It was certified since.
                del state.clocks["recertify"]
                self._publish(merchant, law.id, "recertify", "met", None, "the merchant certified what it gave")
            return
        if clock is None:
            state.clocks["recertify"] = clock = Clock(falls_due + law.recertify_within, DUE)
            facts = "what the merchant gave was last certified or verified a year ago"
            self._publish(merchant, law.id, "recertify", "due", clock.at, facts)
        if clock.state == DUE and now >= clock.at:
            clock.state = OVERDUE
            self._publish(merchant, law.id, "recertify", "overdue", clock.at, "missing: certification")

    def _suspend(self, merchant: Merchant, law: Law, state: LawState, now: int) -> None:
        """Have the merchant suspended when a notice has ended and something is still overdue."""
        if not _overdue(law, state):
            state.notice = 0
            if "suspend" in state.clocks:
                del state.clocks["suspend"]
                self._publish(merchant, law.id, "suspend", "ended", None, "what was missing was given")
            return
        if state.notice and "suspend" not in state.clocks and now >= state.notice:
            state.clocks["suspend"] = Clock(state.notice, DUE)
            facts = "what was missing was not given within the time of the notice"
            self._publish(merchant, law.id, "suspend", "due", state.notice, facts)

    def _wait(self, merchant: Merchant, duties: DutyState) -> None:
        duties.look_at = min(
            (time for name, state in duties.laws.items() for time in self._times(name, state)), default=0
        )
        if duties.look_at:
            self._timers.expect(merchant, duties.look_at)

    def _times(self, name: str, state: LawState) -> Iterator[int]:
        """When clocks of a law run out."""
        for duty, clock in state.clocks.items():
            if clock.state == DUE and duty != "suspend":
                yield clock.at
        if state.notice and "suspend" not in state.clocks:
            yield state.notice
        every = self._laws[name].recertify_every
        if every is not None and state.certified and "recertify" not in state.clocks:
            yield state.certified + every

    # -- outputs ------------------------------------------------------------------------------------------------------

    def _why(self, merchant: Merchant, law: Law, state: LawState) -> str:
        """Why a law is about a merchant, in words."""
        sales = merchant.record.sales
        if law.sales is None or sales is None:
            return f"{law.title}: registered as a business in {merchant.record.country}"
        unit = law.units.get(merchant.record.currency, 100.0)
        return (
            f"{law.title}: at least {law.sales[0]:,} sales and {law.sales[1]:,.0f} dollars within twelve months "
            f"({sales.count:,} and {sales.revenue / unit:,.2f} in the latest)"
        )

    def _publish(
        self, merchant: Merchant, law: str, duty: DutyName, state: DutyStanding, due_at: int | None, facts: str
    ) -> None:
        self._outbox.publish(
            self._outbox.next_id(),
            DutyDue(
                sequence=self._enforcer.next_sequence(merchant),
                merchant_id=merchant.id,
                law=law,
                duty=duty,
                state=state,
                due_at=due_at,
                facts=facts,
                mode=self._judge.settings.mode,
            ),
            merchant.id,
        )


def _overdue(law: Law, state: LawState) -> bool:
    """Whether something is overdue for which merchants are suspended."""
    return any(clock.state == OVERDUE and duty in law.suspend_for for duty, clock in state.clocks.items())


def _note(duties: DutyState, words: Sequence[str]) -> None:
    duties.unverified += [word for word in words if word not in duties.unverified]
