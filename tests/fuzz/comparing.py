"""A shard's state against the oracle's, and against itself: every figure of every merchant, order and listing."""

from collections.abc import Sequence
from typing import Any

from features.feature import Context
from features.inform import Sales, year_before
from features.keys import entity_key
from features.merchant import RATES
from features.order import OVERDUE
from features.registry import FEATURES
from features.shard import Record, ShardState
from features.windows import DAY_MS
from tests.builders import as_record
from tests.oracle import COUNTS, DENOMINATORS, WINDOWS, Order, figures
from tests.oracle import RATES as ORACLE_RATES
from tests.oracle_histories import Arrival, Histories, churned, distinct_buyers

#: Settings under which orders alone are forgotten, as the oracle has it.
PATIENT: dict[str, Any] = {"retention_days": 60} | dict.fromkeys(
    ("removed_listing_days", "idle_listing_days", "idle_merchant_days"), 50_000
)
#: Every windowed feature that the oracle works out.
WINDOWED = [
    f"{name}_{days}d"
    for days in WINDOWS
    for name in (
        "orders",
        "gmv",
        *COUNTS.values(),
        *DENOMINATORS.values(),
        *(rate for rate, _ in ORACLE_RATES.values()),
    )
] + ["late_buyer_cancels_30d", "failed_value_share_30d"]


def records_of(arrivals: Sequence[Arrival], first_offset: int = 0) -> list[Record]:
    """The records of events; ticks have none."""
    return [
        as_record(event, first_offset + index, time)
        for index, (time, event) in enumerate(arrivals)
        if event is not None
    ]


def check_state(state: ShardState, histories: Histories) -> None:
    """Everything that the oracle knows is in a state that is all in memory, and nothing else is."""
    assert state.clock.highest == histories.highest
    assert state.clock.watermark == histories.watermark
    check_merchants(state, histories)
    check_orders(state, histories)
    check_listings(state, histories)


def check_merchants(state: ShardState, histories: Histories) -> None:
    """Counts, rates and account facts of every merchant."""
    assert state.merchants.keys() == histories.accounts.keys()
    for name, account in histories.accounts.items():
        merchant = state.merchants[name]
        record = merchant.record
        today = record.as_of // DAY_MS
        orders = histories.of(name)
        expected = figures(orders, account.currency, today, histories.watermark).features
        context = Context(merchant, state.population)
        assert {feature: FEATURES[feature].get(context) for feature in WINDOWED} == expected, name
        assert record.currency == account.currency
        assert (record.registered, record.kind, record.country) == account.registered
        assert (record.verified, record.changes, record.closed) == (account.verified, account.changes, account.closed)
        assert (record.reports, record.violations, record.cleared) == (
            account.reports,
            account.violations,
            account.cleared,
        )
        assert (record.appeals, record.foreign_orders) == (account.appeals, account.foreign_orders)
        check_sales(record.sales, account.currency, orders)
        churn = churned(account, today, 7)
        for feature, what in (("created", "created"), ("edits", "edited"), ("removed", "removed")):
            found = "listing_edits_7d" if feature == "edits" else f"listings_{feature}_7d"
            assert FEATURES[found].get(context) == churn.get(what, 0), found
        assert FEATURES["distinct_buyers_30d"].get(context) == distinct_buyers(orders, today, 30)


def check_sales(sales: Sales | None, currency: str, orders: Sequence[Order]) -> None:
    """Sales of two years by day, for those who sell in the currency of the law: orders that were not called off."""
    if currency != "USD":
        assert sales is None
        return
    sold: dict[int, tuple[int, int]] = {}
    for order in orders:
        if order.created is not None and not order.called_off:
            day = order.created["occurred_at"] // DAY_MS
            count, revenue = sold.get(day, (0, 0))
            paid = order.created["total"] if order.created["currency"] == currency else 0
            sold[day] = count + 1, revenue + paid
    if sales is None:
        assert sold == {}
        return
    first = year_before(sales.day, 2)
    kept = {day: (count, revenue) for day, count, revenue in sales.entries() if day >= first and (count or revenue)}
    assert kept == {day: sums for day, sums in sold.items() if day >= first}
    year = [sums for day, sums in kept.items() if day >= year_before(sales.day)]
    assert (sales.count, sales.revenue) == (sum(count for count, _ in year), sum(revenue for _, revenue in year))


def check_orders(state: ShardState, histories: Histories) -> None:
    """Facts of every order that is still known."""
    keys = {entity_key(*key): order for key, order in histories.orders.items()}
    assert state.orders.keys() == keys.keys()
    for key, expected in keys.items():
        order = state.orders[key]
        created = expected.created
        assert (order.created, order.total) == ((created["occurred_at"], created["total"]) if created else (None, 0))
        if created:
            assert (order.ship_by, order.deliver_by) == (expected.ship_by, expected.deliver_by)
            assert order.items == len(created["items"])
            assert order.quantity == sum(item["quantity"] for item in created["items"])
        assert (order.shipped, order.first_scan, order.delivered) == (
            expected.shipped,
            expected.scanned,
            expected.delivered,
        )
        assert (order.cancelled, order.cancelled_by) == (expected.cancelled, expected.cancelled_by)
        assert (order.refunded, order.seller_refund) == (expected.refunded, expected.seller_refund)
        assert order.disputed == expected.disputed
        assert order.excused == expected.excused
        assert (order.rated_at, order.rating) == (expected.rating or (0, 0))
        assert len(order.seen) == len(expected.seen)


def check_listings(state: ShardState, histories: Histories) -> None:
    """The latest version of every listing, and how many are up."""
    keys = {entity_key(*key): listing for key, listing in histories.listings.items()}
    assert state.listings.keys() == keys.keys()
    for key, expected in keys.items():
        listing = state.listings[key]
        assert (listing.version_at, listing.created) == (expected.version_at, expected.created)
        assert (listing.removed, listing.edits) == (expected.removed, expected.edits)
        assert (listing.views, listing.orders) == (expected.views, expected.orders)
        if expected.version:
            assert (listing.price, listing.currency) == (expected.version["price"], expected.version["currency"])
            assert listing.category == expected.version["category"]
    for name in histories.accounts:
        live = sum(listing.live for (owner, _), listing in histories.listings.items() if owner == name)
        assert state.merchants[name].record.live_listings == live


def check_consistency(state: ShardState) -> None:
    """What is kept twice agrees: sums of the shard with the records that they were made from."""
    population = state.population
    waiting = [order for order in state.orders.values() if order.created is not None and not order.segment_known]
    assert population.deliveries.under_way == len(waiting)
    live = [listing for listing in state.listings.values() if listing.version_at and not listing.removed]
    assert sum(level.total for level in population.prices.values()) == sum(listing.price > 0 for listing in live)
    for name, merchant in state.merchants.items():
        prefix = entity_key(name, "")
        orders = [order for key, order in state.orders.items() if key.startswith(prefix)]
        assert merchant.record.overdue == sum(order.flags & OVERDUE != 0 for order in orders)
        levels = [
            each.level for key, each in state.listings.items() if key.startswith(prefix) and each.level is not None
        ]
        assert merchant.record.levelled == len(levels)
        assert abs(merchant.record.level_sum - sum(levels)) < 1e-3
    for index, (rate, (family, _, _)) in enumerate(RATES.items(), 3):
        rows = [[*merchant.record.contributed, *[0] * 20] for merchant in state.merchants.values()]
        moments = population.moments.get(rate)
        found = (0, 0) if moments is None else (moments.orders, moments.defects)
        assert found == (sum(row[family] for row in rows), sum(row[index] for row in rows)), rate
