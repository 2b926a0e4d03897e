"""What a shard of the worker would know of Olist's orders at a moment, and the models' inputs that follow from it.

Simple on purpose and apart from the product's own import and merchants' records, but with its counters of the whole
shard, their exchange between shards, and its inputs' names, so that it measures the models and the choice of inputs.
"""

from bisect import insort
from datetime import UTC, datetime
from math import cos, log, pi, sin
from typing import Final

from benchmarks.evaluation.olist_rows import Order
from features.population import Population
from features.stage_vectors import purchase_log_odds
from features.windows import DAY_MS

_MONTH_MS: Final = 30 * DAY_MS
#: Pseudo-orders and their share of late ones with which a merchant starts; the share of low ratings.
_PRIOR: Final = (50.0, 0.08)
_LOW_RATINGS: Final = 0.15

Inputs = dict[str, float | None]


class _Seller:
    """What is known of a seller: its orders, and outcomes of those old enough."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.placed: list[int] = []
        self.ship: list[tuple[int, bool]] = []
        self.delivery: list[tuple[int, bool]] = []
        self.rated: list[tuple[int, bool]] = []
        self.overdue: set[str] = set()


def _shrunk(outcomes: list[tuple[int, bool]], since: int, mean: float = _PRIOR[1]) -> float:
    strength = _PRIOR[0]
    recent = [bad for placed, bad in outcomes if placed >= since]
    return (sum(recent) + strength * mean) / (len(recent) + strength)


class Knowledge:
    """Everything known in one shard, by the product's own counters where they are pure."""

    def __init__(self, *, shared: bool) -> None:
        self.population = Population()
        if shared:
            self.population.start_tally()
        self.sellers: dict[str, _Seller] = {}
        self.prices: dict[str, list[int]] = {}
        self.listed: dict[str, int] = {}
        self.buyers: dict[tuple[str, str], list[int]] = {}

    def placing(self, order: Order) -> Inputs:
        """Inputs at purchase, by name."""
        now = order.created
        seller = self.sellers.get(order.seller) or _Seller(now)
        month = [at for at in seller.placed if at >= now - _MONTH_MS]
        day = sum(at >= now - DAY_MS for at in month)
        prices = self.prices.get(order.category, [])
        route = f"{order.ship_from}>{order.ship_to}"
        weekday = datetime.fromtimestamp(now / 1000, UTC).weekday()
        overall, region, place, category = self.population.segment_rates(order.ship_to, route, order.category)
        return {
            "promise_margin": self.population.deliveries.promise_margin(now, order.deliver_by, order.ship_to, route),
            "order_total": order.total,
            "order_quantity": order.items,
            "promised_days": (order.deliver_by - now) / DAY_MS,
            "handling_days": (order.ship_by - now) / DAY_MS,
            "slack_days": (order.deliver_by - order.ship_by) / DAY_MS,
            "weekday_sin": sin(2 * pi * weekday / 7),
            "weekday_cos": cos(2 * pi * weekday / 7),
            "overall_late_rate": overall,
            "region_late_rate": region,
            "route_late_rate": place,
            "category_late_rate": category,
            "late_ship_rate_30d_shrunk": _shrunk(seller.ship, now - _MONTH_MS),
            "late_delivery_rate_30d_shrunk": _shrunk(seller.delivery, now - _MONTH_MS),
            "bad_order_rate_90d_shrunk": _shrunk(seller.delivery, now - 3 * _MONTH_MS),
            "overdue_per_order_30d": min(1.0, len(seller.overdue) / len(month)) if month else 0.0,
            "orders_30d": len(month),
            "orders_burst_1d": (day + 1) / (len(month) / 30 + 1),
            "account_age_days": (now - seller.first) / DAY_MS,
            "unit_price_to_category": order.unit_price / max(1, prices[len(prices) // 2])
            if len(prices) >= 10
            else None,
            "buyer_orders_at_merchant_30d": sum(
                at >= now - _MONTH_MS for at in self.buyers.get((order.seller, order.buyer), ())
            ),
            "listing_age_days": (now - self.listed.get(order.product, now)) / DAY_MS,
        }

    def dispatched(self, order: Order, now: int, probability: float) -> Inputs:
        """Inputs at dispatch; ``probability`` is what was judged at purchase."""
        route = f"{order.ship_from}>{order.ship_to}"
        _, region, place, _ = self.population.segment_rates(order.ship_to, route, "")
        expected = self.population.deliveries.expected_log_days(now, order.ship_to, route)
        promised = (order.deliver_by - order.created) / DAY_MS
        return {
            "purchase_log_odds": purchase_log_odds(probability),
            "dispatch_days": (now - order.created) / DAY_MS,
            "ship_slack_days": (order.ship_by - now) / DAY_MS,
            "promised_days": promised,
            "days_left_margin": log(max(0.5, (order.deliver_by - now) / DAY_MS)) - expected,
            "promise_margin_at_dispatch": log(max(0.5, promised)) - expected,
            "region_late_rate": region,
            "route_late_rate": place,
        }

    def delivered(self, order: Order, now: int, probability: float) -> Inputs:
        """Inputs at delivery, or when the order is rated before."""
        arrived = order.delivered is not None and order.delivered <= now
        shipped = order.shipped if order.shipped is not None and order.shipped <= now else now
        late_days = max(0.0, (now - order.deliver_by) / DAY_MS)
        return {
            "purchase_log_odds": purchase_log_odds(probability),
            "late_days": late_days,
            "late": float(late_days > 0),
            "undelivered": float(not arrived),
            "delivery_days": (now - order.created) / DAY_MS,
            "ship_late_days": max(0.0, (shipped - order.ship_by) / DAY_MS),
            "order_quantity": order.items,
            "checkout_ratio": max(1.0, order.checkout_total / max(1, order.total)),
            "low_rating_rate_90d_shrunk": _shrunk(self.sellers[order.seller].rated, now - 3 * _MONTH_MS, _LOW_RATINGS),
        }

    def place(self, order: Order) -> None:
        """An order was placed."""
        self.population.order_placed(order.created)
        self.sellers.setdefault(order.seller, _Seller(order.created)).placed.append(order.created)
        insort(self.prices.setdefault(order.category, []), order.unit_price)
        self.listed.setdefault(order.product, order.created)
        self.buyers.setdefault((order.seller, order.buyer), []).append(order.created)

    def ship_known(self, order: Order) -> None:
        """Whether it shipped in time is known."""
        seller = self.sellers[order.seller]
        late = order.shipped is None or order.shipped > order.ship_by
        seller.ship.append((order.created, late))
        if late:
            seller.overdue.add(order.id)

    def outcome_known(self, order: Order, time: int) -> None:
        """Whether it was delivered in time is known."""
        seller = self.sellers[order.seller]
        seller.overdue.discard(order.id)
        seller.delivery.append((order.created, order.late))
        route = f"{order.ship_from}>{order.ship_to}"
        self.population.order_finished(time, order.ship_to, route, time - order.created)
        for segment in ("all", f"region/{order.ship_to}", f"route/{route}", f"category/{order.category}"):
            self.population.learn_segment(segment, time, order.late)

    def rated(self, order: Order, time: int) -> None:
        """A rating came."""
        low = order.rating is not None and order.rating <= 2
        self.sellers[order.seller].rated.append((time, low))


def tell(shards: list[Knowledge], time: int) -> None:
    """What each shard counted since the last time, to all others."""
    told = [(number, each.population.tally) for number, each in enumerate(shards)]
    for each in shards:
        each.population.start_tally()
    for number, tally in told:
        if tally is not None and not tally.empty:
            for other, each in enumerate(shards):
                if other != number:
                    each.population.take_in(tally, time)
