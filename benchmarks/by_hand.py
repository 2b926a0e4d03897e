"""The job as a user of Faust or Quix Streams would write it by hand: a merchant's state is one JSON object, read and
written for every event.

Shared by competitors (e) and (f), so that these differ in the framework and the store alone. It is the same kind of
work that the worker does, and less of it, wherever there was a choice:

- twenty decayed counters a merchant (ten quantities over 7 and 30 days) for the worker's exact windows of 7, 30, 60 and
  90 days, maturity, bursts, buyers and price levels;
- twenty rules as compiled Python expressions over those for the worker's rules on merchants, orders and listings with
  evidence, weights and reasons;
- River's HalfSpaceTrees (its defaults, ten trees) on the merchant at most once an hour of event
  time, as in the worker, and a StandardScaler with LogisticRegression on each order, which learns from outcomes on the
  features at hand, not on those stored when the order was scored;
- no records of orders or listings, no timers, no validation, no duplicates, no journal, no ladder of enforcement.
"""

import math
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from river import anomaly, compose, linear_model, optim, preprocessing

#: A merchant's state, as JSON: ``counters`` by name as [value, time in ms].
State: TypeAlias = dict[str, Any]
Event: TypeAlias = dict[str, Any]
Features: TypeAlias = dict[str, float]

DAY_MS: Final = 86_400_000
ASSESS_EVERY_MS: Final = 3_600_000
#: A counter of n days decays by 1/e in n days: its value is about the count of the last n.
WINDOWS: Final = (7, 30)
QUANTITIES: Final = (
    "orders",
    "gmv",
    "shipped",
    "delivered",
    "cancels",
    "refunds",
    "not_received",
    "not_as_described",
    "low_ratings",
    "edits",
)
_COUNTERS: Final = {name: tuple((f"{name}_{days}d", days * DAY_MS) for days in WINDOWS) for name in QUANTITIES}
_ALL: Final = tuple(pair for pairs in _COUNTERS.values() for pair in pairs)

RULES: Final[dict[str, Callable[[Features], bool]]] = {
    "cancels-7d": lambda f: f["orders_7d"] >= 20 and f["cancels_7d"] / f["orders_7d"] > 0.1,
    "cancels-30d": lambda f: f["orders_30d"] >= 20 and f["cancels_30d"] / f["orders_30d"] > 0.025,
    "cancels-severe": lambda f: f["orders_30d"] >= 20 and f["cancels_30d"] / f["orders_30d"] > 0.15,
    "unshipped-7d": lambda f: f["orders_7d"] >= 20 and f["shipped_7d"] / f["orders_7d"] < 0.4,
    "unshipped-30d": lambda f: f["orders_30d"] >= 20 and f["shipped_30d"] / f["orders_30d"] < 0.6,
    "undelivered-30d": lambda f: f["shipped_30d"] >= 20 and f["delivered_30d"] / f["shipped_30d"] < 0.4,
    "refunds-7d": lambda f: f["orders_7d"] >= 20 and f["refunds_7d"] / f["orders_7d"] > 0.1,
    "refunds-30d": lambda f: f["orders_30d"] >= 30 and f["refunds_30d"] / f["orders_30d"] > 0.06,
    "not-received-7d": lambda f: f["not_received_7d"] >= 3 and f["not_received_7d"] / f["orders_7d"] > 0.05,
    "not-received-30d": lambda f: f["not_received_30d"] >= 3 and f["not_received_30d"] / f["orders_30d"] > 0.02,
    "not-as-described-7d": lambda f: f["not_as_described_7d"] >= 5 and f["not_as_described_7d"] / f["orders_7d"] > 0.05,
    "not-as-described-30d": lambda f: (
        f["not_as_described_30d"] >= 5 and f["not_as_described_30d"] / f["orders_30d"] > 0.02
    ),
    "low-ratings-7d": lambda f: f["low_ratings_7d"] >= 5 and f["low_ratings_7d"] / f["orders_7d"] > 0.2,
    "low-ratings-30d": lambda f: f["low_ratings_30d"] >= 5 and f["low_ratings_30d"] / f["orders_30d"] > 0.1,
    "burst-orders": lambda f: f["orders_7d"] >= 50 and f["orders_7d"] / f["orders_30d"] > 0.8,
    "burst-gmv": lambda f: f["orders_7d"] >= 20 and f["gmv_7d"] / f["gmv_30d"] > 0.9,
    "average-order-value": lambda f: (
        f["orders_7d"] >= 20 and f["gmv_7d"] / f["orders_7d"] > 4 * f["gmv_30d"] / f["orders_30d"]
    ),
    "listing-churn": lambda f: f["edits_7d"] >= 100,
    "unusual": lambda f: f["anomaly"] > 0.95 and f["orders_30d"] >= 20,
    "order-at-risk": lambda f: f["bad_order_probability"] > 0.7,
}


class ByHand:
    """Rules and models over merchants' states. One object a process, as models are kept in memory."""

    def __init__(self, seed: int) -> None:
        self.trees = anomaly.HalfSpaceTrees(seed=seed)
        self.regression = compose.Pipeline(
            preprocessing.StandardScaler(), linear_model.LogisticRegression(optim.SGD(0.005))
        )

    def apply(self, state: State | None, event: Event) -> tuple[State, dict[str, Any] | None]:
        """The merchant's next state, and an assessment to publish if other rules fire than the last time."""
        if state is None:
            state = {"counters": {}, "assessed_at": 0, "anomaly": 0.0, "probability": 0.0, "fired": []}
        now: int = event.get("occurred_at", 0)
        bad = _update(state, event, now)
        kind = event.get("type")
        if kind != "order.created" and bad is None:
            return state, None
        features = _features(state, now)
        inputs = {name: math.log1p(value) for name, value in features.items()}
        if kind == "order.created":
            inputs["total"] = math.log1p(event.get("total", 0))
            inputs["items"] = float(len(event.get("items", ())))
            state["probability"] = self.regression.predict_proba_one(inputs).get(True, 0.0)
        elif bad is not None:
            self.regression.learn_one(inputs, bad)
        due = now - state["assessed_at"] >= ASSESS_EVERY_MS
        if due:
            state["assessed_at"] = now
            point = {name: min(1.0, value / 16.0) for name, value in inputs.items()}
            state["anomaly"] = self.trees.score_one(point)  # type: ignore[no-untyped-call]
            self.trees.learn_one(point)  # type: ignore[no-untyped-call]
        if not (due or bad or kind == "order.created"):
            return state, None
        features["anomaly"] = state["anomaly"]
        features["bad_order_probability"] = state["probability"]
        fired = [name for name, holds in RULES.items() if holds(features)]
        if fired == state["fired"]:
            return state, None
        state["fired"] = fired
        return state, {
            "type": "risk.assessed",
            "merchant_id": event["merchant_id"],
            "caused_by": event["event_id"],
            "at": now,
            "rules": fired,
            "probability": state["probability"],
            "anomaly": state["anomaly"],
            "features": features,
        }


def _update(state: State, event: Event, now: int) -> bool | None:
    """Count an event; returns its verdict on an order: bad, good, or none."""
    match event.get("type"):
        case "order.created":
            _add(state, "orders", 1, now)
            _add(state, "gmv", event["total"], now)
        case "order.shipped":
            _add(state, "shipped", 1, now)
        case "order.delivered":
            _add(state, "delivered", 1, now)
            return False
        case "order.cancelled" if event["by"] == "seller":
            _add(state, "cancels", 1, now)
            return True
        case "order.refunded" if event["fault"] == "seller":
            _add(state, "refunds", 1, now)
            return True
        case "order.return_requested" if event["reason"] == "not_received":
            _add(state, "not_received", 1, now)
            return True
        case "order.return_requested" if event["reason"] in (
            "not_as_described",
            "counterfeit",
            "damaged",
            "wrong_item",
        ):
            _add(state, "not_as_described", 1, now)
            return True
        case "order.reviewed" if event["rating"] <= 2:
            _add(state, "low_ratings", 1, now)
            return True
        case "listing.created" | "listing.updated" | "listing.removed":
            _add(state, "edits", 1, now)
    return None


def _add(state: State, quantity: str, amount: float, now: int) -> None:
    counters = state["counters"]
    for name, span in _COUNTERS[quantity]:
        held = counters.get(name)
        if held is None:
            counters[name] = [amount, now]
        else:
            held[0] = held[0] * math.exp(min(0, held[1] - now) / span) + amount
            held[1] = max(held[1], now)


def _features(state: State, now: int) -> Features:
    counters = state["counters"]
    features = {}
    for name, span in _ALL:
        held = counters.get(name)
        features[name] = 0.0 if held is None else held[0] * math.exp(min(0, held[1] - now) / span)
    return features
