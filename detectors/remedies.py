"""Remedies: when an order goes wrong, what makes its buyer whole and at whose expense is recommended.

What is recommended stands in the table of the policy files (:mod:`detectors.remedy_table`); here the evidence is
gathered, and the sums are kept: an order has at most one remedy for each cause, and what was refunded and what is
recommended never come to more than the buyer paid. When facts change, the cases of the order are looked at again; a
recommendation that another row now decides is superseded.
"""

from typing import Final

from config.remedy_specs import RemedyKind
from detectors.enforcer import Enforcer
from detectors.judge import Judge
from detectors.outbox import Outbox
from detectors.remedy_table import EVIDENCE, Cause, RemedyRow, RemedyTable
from features import events
from features import order as flags
from features.claimants import USUAL_RATE, abuse_probability
from features.events import OrderEvent
from features.merchant import COUNTERFEITS, NOT_AS_DESCRIBED, NOT_RECEIVED, ORDERS, Merchant
from features.order import RETURN_FLAGS, OrderRecord
from features.outputs import LEVELS, RemedyRecommended, RemedyWithdrawn
from features.remedy import Remedy, pay, unpaid
from features.rounding import nearest
from features.shard import ShardState
from features.windows import WINDOWS

#: Returns for other reasons are no fault of anybody's, and follow the marketplace's own terms.
_CLAIMED: Final[tuple[Cause, ...]] = ("not_received", "not_as_described", "counterfeit", "damaged", "wrong_item")
#: Causes that fall away when the order does arrive.
_UNTIL_DELIVERED: Final = frozenset({"not_shipped", "lost"})
#: Events that can put an order right or wrong beyond its dates.
REMEDIAL: Final = frozenset(
    (
        events.OrderReturnRequested,
        events.OrderCancelled,
        events.OrderRefunded,
        events.OrderDisputeResolved,
    )
)
_CLAIM_FLAGS: Final = flags.NOT_RECEIVED | flags.NOT_AS_DESCRIBED | flags.COUNTERFEIT
_ELEVATED: Final = LEVELS.index("elevated")
_FAR: Final = len(WINDOWS) - 1
#: Orders at the usual rate of claims that a seller's own rate is shrunk by.
_WORTH: Final = 50


class Remedies:
    """Recommends remedies for the orders of one shard."""

    __slots__ = ("_enforcer", "_judge", "_outbox", "_state", "_table")

    def __init__(self, table: RemedyTable, state: ShardState, judge: Judge, outbox: Outbox, enforcer: Enforcer) -> None:
        self._table = table
        self._state = state
        self._judge = judge
        self._outbox = outbox
        self._enforcer = enforcer

    # -- what may have gone wrong -------------------------------------------------------------------------------------

    def after(self, event: OrderEvent, order: OrderRecord, merchant: Merchant) -> None:
        """Look at an order after an event that changed its facts."""
        cause: Cause | None = None
        match event:
            case events.OrderReturnRequested():
                cause = next((each for each in _CLAIMED if each == event.reason), None)
            case events.OrderCancelled():
                cause = _cancelled(order)
            case events.OrderRefunded():
                pay(order.remedies, event.amount)
            case events.OrderDisputeResolved():
                cause = "dispute_lost" if order.dispute_lost else None
            case _:
                if self._is_late(order):
                    cause = "late"
        self._consider(event.order_id, order, merchant, event.occurred_at, cause)

    def placed(self, event: events.OrderCreated, order: OrderRecord, merchant: Merchant) -> None:
        """Look at an order about which events had come before itself; of a claim only its kind is still known."""
        causes = [cause for cause in _CLAIMED[:3] if order.claims & RETURN_FLAGS[cause]]
        if (cancelled := _cancelled(order)) is not None:
            causes.append(cancelled)
        if order.dispute_lost:
            causes.append("dispute_lost")
        if self._is_late(order):
            causes.append("late")
        for cause in causes:
            self._consider(event.order_id, order, merchant, event.occurred_at, cause)

    def overdue(self, order_id: str, order: OrderRecord, merchant: Merchant, time: int) -> None:
        """Look at an order whose promised delivery has passed without one."""
        never_sent = order.shipped is None and order.first_scan is None
        self._consider(order_id, order, merchant, time, "not_shipped" if never_sent else None)

    def lost(self, order_id: str, order: OrderRecord, merchant: Merchant, time: int) -> None:
        """An order has not arrived by the time at which its outcome is taken as known."""
        sent = order.shipped is not None or order.first_scan is not None
        self._consider(order_id, order, merchant, time, "lost" if sent else None)

    def again(self, order_id: str, order: OrderRecord, merchant: Merchant) -> None:
        """Look at an order again, as something was heard of its buyer."""
        self._consider(order_id, order, merchant, merchant.record.as_of, None)

    def _is_late(self, order: OrderRecord) -> bool:
        return order.delivered is not None and order.delivered - order.deliver_by >= self._table.late

    # -- what follows -------------------------------------------------------------------------------------------------

    def _consider(self, order_id: str, order: OrderRecord, merchant: Merchant, at: int, cause: Cause | None) -> None:
        """Decide on the causes known of an order, and on a new one."""
        causes: list[str] = [remedy.cause for remedy in order.remedies]
        if cause is not None and cause not in causes:
            causes.append(cause)
        if not causes:
            return
        # What comes late does not turn time back: an order that is overdue stays so.
        evidence, abuse = self._evidence(order, merchant, max(at, merchant.record.as_of))
        for each in causes:
            if order.delivered is not None and each in _UNTIL_DELIVERED:
                continue
            self._decide(order_id, order, merchant, each, evidence, abuse)  # type: ignore[arg-type]

    def _decide(
        self, order_id: str, order: OrderRecord, merchant: Merchant, cause: Cause, evidence: int, abuse: float
    ) -> None:
        row = self._table.row(cause, evidence)
        previous = next((remedy for remedy in order.remedies if remedy.cause == cause), None)
        if previous is not None and previous.row == row.id:
            return
        replaced = [remedy for remedy in order.remedies if self._gives_way(remedy, cause)]
        kept = [remedy for remedy in order.remedies if remedy not in replaced]
        open_before = [each for each in replaced if each.id and each.unpaid]
        remedy = Remedy(cause, row.id)
        if row.kind is None:
            order.remedies = [*kept, remedy]
            for each in open_before:
                self._withdraw(order_id, merchant, each, row)
            return
        amount = min(round(order.total * row.share), order.total - order.refunded - unpaid(kept))
        if amount <= 0:
            # The buyer has, or is to have, everything back.
            return
        remedy.id = self._outbox.next_id()
        remedy.unpaid = amount
        order.remedies = [*kept, remedy]
        supersedes = next((each.id for each in reversed(replaced) if each.id), None)
        self._publish(order_id, order, merchant, row, row.kind, remedy, abuse, supersedes)
        for each in open_before:
            if each.id != supersedes:
                self._withdraw(order_id, merchant, each, row)

    def _withdraw(self, order_id: str, merchant: Merchant, remedy: Remedy, row: RemedyRow) -> None:
        """Tell that a recommendation that was not paid yet no longer stands, as another row decides now."""
        identifier = self._outbox.next_id()
        self._outbox.publish(
            identifier,
            RemedyWithdrawn(
                remedy_id=identifier,
                sequence=self._enforcer.next_sequence(merchant),
                merchant_id=merchant.id,
                order_id=order_id,
                withdraws=remedy.id,
                cause=remedy.cause,
                why=row.why,
                mode=self._judge.settings.mode,
            ),
            order_id,
        )

    @staticmethod
    def _gives_way(remedy: Remedy, cause: Cause) -> bool:
        """Whether a remedy ends with one for a cause: of two for the same, and of one for a loss that was none."""
        return remedy.cause == cause or (cause == "late" and remedy.cause in _UNTIL_DELIVERED)

    def _evidence(self, order: OrderRecord, merchant: Merchant, at: int) -> tuple[int, float]:
        """What is known of a case, as the table names it, and the probability that its buyer abuses claims."""
        table = self._table
        record = merchant.record
        tier = record.credit.tier if record.credit is not None else ""
        doubted = record.level >= _ELEVATED or tier in table.doubted_tiers
        abuse = self._abuse(order, merchant)
        worth = table.dollars(order.total, order.currency or record.currency)
        known = {
            "shipped": order.shipped is not None or order.first_scan is not None or order.delivered is not None,
            "shipped_late": order.shipped is not None and order.flags & flags.LATE_SHIP != 0,
            "scanned": order.first_scan is not None,
            "delivered": order.delivered is not None,
            "overdue": at > order.deliver_by,
            "light": order.light,
            "doubtful_tracking": order.flags & flags.IMPLAUSIBLE_SCAN != 0,
            "cheap": worth is not None and worth <= table.cheap_up_to,
            "trusted_seller": tier in table.trusted_tiers and not doubted,
            "doubted_seller": doubted,
            "doubtful_buyer": abuse >= table.doubtful_buyer,
            "abusive_buyer": abuse >= table.abusive_buyer,
        }
        return sum(EVIDENCE[name] for name, there in known.items() if there), abuse

    def _abuse(self, order: OrderRecord, merchant: Merchant) -> float:
        """Probability that the buyer of an order is one who abuses claims."""
        placed = merchant.placed
        claims = sum(placed.sum(counter, _FAR) for counter in (NOT_RECEIVED, NOT_AS_DESCRIBED, COUNTERFEITS))
        # What other buyers claim says whether this one may be right.
        others = max(0, claims - (order.flags & _CLAIM_FLAGS).bit_count())
        seller_rate = (others + USUAL_RATE * _WORTH) / (placed.sum(ORDERS, _FAR) + _WORTH)
        everywhere = order.buyer_claims if order.buyer_claim_merchants > 1 else 0
        return abuse_probability(self._state.population.claimants.get(order.buyer), seller_rate, everywhere)

    def _publish(
        self,
        order_id: str,
        order: OrderRecord,
        merchant: Merchant,
        row: RemedyRow,
        kind: RemedyKind,
        remedy: Remedy,
        abuse: float,
        supersedes: str | None,
    ) -> None:
        currency = order.currency or merchant.record.currency
        worth = self._table.dollars(remedy.unpaid, currency)
        above = worth is None or worth > self._table.review_above.get(kind, 0.0)
        self._outbox.publish(
            remedy.id,
            RemedyRecommended(
                remedy_id=remedy.id,
                sequence=self._enforcer.next_sequence(merchant),
                merchant_id=merchant.id,
                order_id=order_id,
                kind=kind,
                amount=remedy.unpaid,
                currency=currency,
                why=row.why,
                cause=remedy.cause,
                fault=row.fault,
                buyer_abuse_probability=nearest(abuse, 1e4),
                charge_to=row.charge_to,
                requires_review=row.review or above,
                mode=self._judge.settings.mode,
                supersedes=supersedes,
            ),
            order_id,
        )


def _cancelled(order: OrderRecord) -> Cause | None:
    """Who cancelled an order before it was shipped, if it wasn't the buyer."""
    cancelled = order.cancelled
    if cancelled is None or (order.shipped is not None and order.shipped <= cancelled):
        return None
    if order.cancelled_by == "seller":
        return "cancelled_by_seller"
    return "cancelled_by_platform" if order.cancelled_by == "platform" else None
