"""A marketplace whose truth is known, as events for the fold of metrics: what the coverage of intervals is measured on.

Merchants differ, and their listings and orders stand or fall together; a score knows something of the violations; the
audit sample has a random stratum and one by score; some listings are edited and so can be drawn more than once.
"""

from itertools import count
from typing import Any, Final

import msgspec
import numpy as np

from detectors.metrics.decisions import decisions
from detectors.metrics.delays import delays
from detectors.metrics.estimate import Estimate, Period
from detectors.metrics.ledger import Ledger, Section
from detectors.metrics.outcomes import outcomes
from detectors.metrics.prevalence import accuracy, prevalence
from features import events
from features.windows import DAY_MS

#: 2026-01-01, and thirty days of it.
START: Final = 1_767_225_600_000
DAYS: Final = 30
END: Final = START + DAYS * DAY_MS
#: When every outcome is known.
LATER: Final = END + 60 * DAY_MS
#: Merchants with listings; about 7 % of their 10,000 listings are judged.
MERCHANTS: Final = 2_500
#: Merchants that take orders: fewer, as each order is several events.
SELLERS: Final = 400
#: Chance of an audit at random, and what a score of 1 adds.
UNIFORM, BY_SCORE = 0.04, 0.6
#: Above this score a listing is decided against.
FLAGGED: Final = 0.5
#: Reviews take a mean of three days, and people stop watching at the end of the period.
REVIEW_DAYS: Final = 3.0
OVERTURNED: Final = 0.3
#: Share of new merchants that are acted against within the month.
BAD_NEWCOMERS: Final = 0.08


class Marketplace:
    """Listings of merchants with views, whether they violate, and a score; the truth is that of the process."""

    def __init__(self, rng: np.random.Generator, merchants: int = MERCHANTS) -> None:
        listings = rng.integers(1, 8, merchants)
        self.merchant = np.repeat(np.arange(merchants), listings)
        count_ = len(self.merchant)
        # One merchant in twenty has many violations, the others next to none.
        bad = rng.random(merchants) < 0.05
        rate = np.where(bad, rng.beta(6, 4, merchants), rng.beta(0.5, 60, merchants))
        self.violates = rng.random(count_) < rate[self.merchant]
        self.views = np.maximum(1, rng.lognormal(3.0, 1.0, count_).astype(int))
        # A quarter is edited once or twice.
        self.versions = 1 + rng.binomial(2, 0.15, count_)
        noise = rng.normal(0, 0.18, count_)
        self.score = np.clip(np.where(self.violates, 0.62, 0.2) + noise, 0, 1)
        self.flagged = self.score > FLAGGED
        # When each version comes, and whether it is drawn: all chances at once, as single ones cost most of the time.
        self.times = np.sort(rng.uniform(0, DAYS - 8, (count_, 3)), axis=1).tolist()
        self.draws = rng.random((count_, 3)).tolist()
        self.probability = UNIFORM + BY_SCORE * self.score**2 * (1 - UNIFORM)


def truths(rng: np.random.Generator, markets: int = 200) -> dict[str, float]:
    """Shares of the process, from very many merchants."""
    sums = np.zeros(6)
    for _ in range(markets):
        market = Marketplace(rng)
        sums += (
            market.violates.sum(), len(market.violates), market.views[market.violates].sum(), market.views.sum(),
            (market.violates & market.flagged).sum(), market.flagged.sum(),
        )  # fmt: skip
    violating, listings, bad_views, views, found, flagged = sums
    return {
        "listing_violation_rate": violating / listings,
        "violating_view_rate": bad_views / views,
        "precision_by_audit": found / flagged,
        "recall_by_audit": found / violating,
        "bad_order_rate": 2 / 20,
        "time_to_review": REVIEW_DAYS * 24 * float(np.log(2)),
        "overturn_rate": OVERTURNED,
        "bad_seller_onboarding_rate": BAD_NEWCOMERS,
    }


class Feeder:
    """Turns a marketplace into events and outputs of a ledger."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.ledger = Ledger()
        self._rng = rng
        self._ids = count()

    def listings(self, market: Marketplace) -> None:
        """All listings with their versions, views, decisions, draws and verdicts, in the order of time."""
        for row, merchant in enumerate(market.merchant.tolist()):
            name, listing = f"m{merchant}", f"l{row}"
            times = market.times[row][: market.versions[row]]
            drawn = False
            for version, at in enumerate(times):
                self._event(
                    events.ListingCreated, name, at, listing_id=listing, title="x", category="toys/games", price=1,
                    currency="USD",
                )  # fmt: skip
                if market.draws[row][version] < market.probability[row]:
                    drawn = True
                    self._publish(
                        "audit.sampled", name, at, listing, stratum="uniform", inclusion_probability=UNIFORM,
                        sample_probability=float(market.probability[row]),
                    )  # fmt: skip
            last = times[-1]
            if market.flagged[row]:
                self._decide(name, last, listing, "demote_listing")
            self._event(events.ListingExposed, name, last + 0.01, listing_id=listing, views=int(market.views[row]))
            if drawn:
                self._event(
                    events.ReviewDecided, name, last + 7, verdict="violation" if market.violates[row] else "clean",
                    source="audit", subject=events.Subject("listing", listing),
                )  # fmt: skip

    def orders(self) -> None:
        """Orders of which each seller has a share of its own that its seller cancels."""
        rng = self._rng
        rates, numbers = rng.beta(2, 18, SELLERS), rng.geometric(0.1, SELLERS)
        for seller, (rate, number) in enumerate(zip(rates.tolist(), numbers.tolist(), strict=True)):
            for _ in range(number):
                order, at = f"o{next(self._ids)}", float(rng.uniform(0, DAYS))
                self._event(
                    events.OrderCreated, f"s{seller}", at, order_id=order, buyer_id="b", total=100, currency="USD",
                    items=[events.OrderItem("none", 1, 100)],
                )  # fmt: skip
                if rng.random() < rate:
                    self._event(events.OrderCancelled, f"s{seller}", at + 0.1, order_id=order, by="seller")
                else:
                    self._event(events.OrderDelivered, f"s{seller}", at + 1, order_id=order)

    def people(self) -> None:
        """Requests for review with answers that come or are still awaited, appeals, and merchants that came."""
        rng = self._rng
        for number in range(150):
            at = float(rng.uniform(0, DAYS))
            decision = self._decide(f"r{number}", at, f"q{number}", "require_review")
            wait = float(rng.exponential(REVIEW_DAYS))
            if at + wait < DAYS:
                self._event(
                    events.ReviewDecided, f"r{number}", at + wait, verdict="violation", source="human",
                    decision_id=decision,
                )  # fmt: skip
        for number in range(120):
            decision = self._decide(f"a{number}", 1.0, f"x{number}", "limit_orders")
            for at, state in ((2.0, "open"), (3.0, "overturned" if rng.random() < OVERTURNED else "upheld")):
                self._publish("appeal.noted", f"a{number}", at, "", decision_id=decision, state=state, number=1)
        for number in range(300):
            self._event(
                events.MerchantRegistered, f"n{number}", 1.0, kind="business", country="US",
                registered_at=START + DAY_MS,
            )  # fmt: skip
            if rng.random() < BAD_NEWCOMERS:
                self._decide(f"n{number}", 20.0, f"n{number}", "suspend_merchant")

    def estimates(self, now: int, *sections: Section) -> dict[str, Estimate]:
        """What some sections say of everything together as of a time, by name."""
        period = Period(START, END, now)
        wanted: tuple[dict[str, str], ...] = ({}, {"subject": "listing"}, {"within": "30 d"})
        found = [each for section in sections for each in section(self.ledger.state, period)]
        return {each.name: each for each in found if each.slice in wanted}

    def _event(self, kind: type[Any], merchant: str, day: float, /, **fields: Any) -> None:
        at = START + round(day * DAY_MS)
        self.ledger.event(kind(event_id=f"e{next(self._ids)}", occurred_at=at, merchant_id=merchant, **fields))

    def _publish(self, kind: str, merchant: str, day: float, listing: str, **fields: Any) -> None:
        at = START + round(day * DAY_MS)
        body = {"merchant_id": merchant, "subject": {"kind": "listing", "id": listing}, **fields}
        self.ledger.output(f"shopwarden.{kind}.v1", f"c{next(self._ids)}", at, msgspec.json.encode(body))

    def _decide(self, merchant: str, day: float, subject: str, action: str) -> str:
        decision = f"d{next(self._ids)}"
        self._publish(
            "enforcement.decided", merchant, day, subject, decision_id=decision, action=action, severity="high",
            policy={"id": "rule", "version": "1", "title": "Rule"}, starts_at=START + round(day * DAY_MS),
        )  # fmt: skip
        return decision


def one_run(rng: np.random.Generator, merchants: int = MERCHANTS) -> dict[str, Estimate]:
    """The estimates of one marketplace with so many merchants that list something.

    Reviews are looked at as of the end of the period, when some are still awaited; everything else when it is known.
    """
    feeder = Feeder(rng)
    feeder.listings(Marketplace(rng, merchants))
    feeder.orders()
    feeder.people()
    feeder.ledger.advance(LATER)
    found = feeder.estimates(LATER, outcomes, prevalence, accuracy, decisions)
    found["time_to_review"] = feeder.estimates(END, delays)["time_to_review"]
    return found
