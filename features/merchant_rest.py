"""What stays of a merchant that was laid to rest.

Its windows are empty, its orders and listings forgotten. What an output consumer or a later judgement may rely on
stays, a few hundred bytes: the number of its latest output, as numbers must not begin anew; who it is and since when;
when it sold last, so that an account that wakes up is seen as one; feedback; actions in force, and strikes.
"""

from msgspec import structs

from features.credit import CreditState
from features.enforcement_state import EnforcementState
from features.merchant import STATE_VERSION, MerchantRecord


def rested(record: MerchantRecord) -> MerchantRecord:
    """The record that stays of a merchant at rest; it has no timer."""
    enforcement: EnforcementState | None = record.enforcement
    if enforcement is not None and not enforcement.outlasts_rest:
        enforcement = None
    credit: CreditState | None = record.credit
    if credit is not None:
        # Its entries have left the ledger, and nothing more changes by itself.
        credit = structs.replace(credit, clean=[], past=[], trail=[], due=0, review=0)
    return MerchantRecord(
        version=STATE_VERSION,
        first_seen=record.first_seen,
        as_of=record.as_of,
        registered=record.registered,
        kind=record.kind,
        country=record.country,
        verified=record.verified,
        closed=record.closed,
        currency=record.currency,
        last_order=record.last_order,
        sequence=record.sequence,
        level=record.level,
        fired=record.fired,
        enforcement=enforcement,
        reports=record.reports,
        violations=record.violations,
        cleared=record.cleared,
        appeals=record.appeals,
        links=record.links,
        promoters=record.promoters,
        shop_told=record.shop_told,
        promoters_left=record.promoters_left,
        flagged=record.flagged,
        linked_told=record.linked_told,
        first_order_day=record.first_order_day,
        own_devices=record.own_devices,
        categories=record.categories,
        credit=credit,
        sales=record.sales if record.duties is not None and record.duties.laws else None,
        duties=record.duties,
    )
