"""Events of a small market, as the fold of metrics takes them: everything that a test does not say is harmless."""

from itertools import count
from typing import Any

import msgspec

from detectors.metrics.ledger import Ledger
from features import events
from features.windows import DAY_MS

#: 2026-01-01.
START = 1_767_225_600_000
END = START + 30 * DAY_MS
#: When every outcome of January is known.
LATER = END + 60 * DAY_MS


class Market:
    """Feeds a ledger; times are days after START."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self.ledger = Ledger() if ledger is None else ledger
        self._ids = count()

    def at(self, day: float) -> int:
        """The time of a day, ms."""
        return START + round(day * DAY_MS)

    def _event(self, kind: type[Any], merchant: str, day: float, /, **fields: Any) -> None:
        self.ledger.event(
            kind(event_id=f"e{next(self._ids)}", occurred_at=self.at(day), merchant_id=merchant, **fields)
        )

    def register(self, merchant: str, day: float = 0, *, country: str = "US", kind: Any = "business") -> None:
        """A merchant opens an account."""
        self._event(events.MerchantRegistered, merchant, day, country=country, kind=kind, registered_at=self.at(day))

    def listing(self, merchant: str, listing: str, day: float = 0, *, category: str = "toys/games") -> None:
        """A new listing."""
        self._event(
            events.ListingCreated, merchant, day, listing_id=listing, title="A thing", category=category, price=1000,
            currency="USD",
        )  # fmt: skip

    def remove(self, merchant: str, listing: str, day: float) -> None:
        """A listing is taken down."""
        self._event(events.ListingRemoved, merchant, day, listing_id=listing)

    def seen(self, merchant: str, listing: str, day: float, views: int) -> None:
        """A batch of impressions."""
        self._event(events.ListingExposed, merchant, day, listing_id=listing, views=views)

    def order(
        self, merchant: str, order: str, day: float, *, bad: bool = False, total: int = 1000, listing: str = "l1",
        creator: str | None = None, currency: str = "USD",
    ) -> None:  # fmt: skip
        """An order that arrives in time, or that its seller cancels."""
        self._event(
            events.OrderCreated, merchant, day, order_id=order, buyer_id="b1", total=total, currency=currency,
            items=[events.OrderItem(listing, 1, total)], creator_id=creator,
        )  # fmt: skip
        if bad:
            self._event(events.OrderCancelled, merchant, day + 0.1, order_id=order, by="seller")
        else:
            self._event(
                events.OrderShipped, merchant, day + 0.5, order_id=order, carrier="c", tracking_number=f"t-{order}"
            )
            self._event(events.OrderDelivered, merchant, day + 2, order_id=order)

    def review(self, merchant: str, day: float, verdict: str, **fields: Any) -> None:
        """A person's verdict; ``about=(kind, id)`` names a subject."""
        about = fields.pop("about", None)
        if about is not None:
            fields["subject"] = events.Subject(*about)
        self._event(events.ReviewDecided, merchant, day, verdict=verdict, **{"source": "human", **fields})

    def report(self, merchant: str, day: float, kind: Any, subject: str) -> None:
        """A buyer reports something."""
        self._event(events.ReportReceived, merchant, day, subject=events.Subject(kind, subject), by="buyer")

    def publish(self, kind: str, day: float, **fields: Any) -> str:
        """An output event; returns its id."""
        identifier = f"o{next(self._ids)}"
        self.ledger.output(f"shopwarden.{kind}.v1", identifier, self.at(day), msgspec.json.encode(fields))
        return identifier

    def decide(
        self, merchant: str, day: float, action: str = "limit_orders", *, about: tuple[str, str] | None = None,
        rule: str = "late-shipping", review: bool = False, creator: str | None = None, **fields: Any,
    ) -> str:  # fmt: skip
        """A decision; returns its id."""
        kind, subject = about or ("creator" if creator else "merchant", creator or merchant)
        identifier = f"d{next(self._ids)}"
        fields = {
            "decision_id": identifier, "merchant_id": "" if creator else merchant,
            "subject": {"kind": kind, "id": subject}, "action": action, "severity": "high",
            "policy": {"id": rule, "version": "1", "title": rule}, "starts_at": self.at(day),
            "requires_review": review, "mode": "live", **({"creator_id": creator} if creator else {}), **fields,
        }  # fmt: skip
        self.publish("enforcement.decided", day, **fields)
        return identifier

    def reverse(self, merchant: str, day: float, decision: str, why: str) -> None:
        """A decision ends."""
        self.publish("enforcement.reversed", day, merchant_id=merchant, reverses=decision, why=why, mode="live")

    def assess(self, merchant: str, day: float, score: int, *, about: tuple[str, str], level: str = "guarded") -> None:
        """An assessment."""
        self.publish(
            "risk.assessed", day, merchant_id=merchant, subject={"kind": about[0], "id": about[1]}, level=level,
            score=score, reasons=[], versions={"policy": "p"}, mode="live",
        )  # fmt: skip

    def draw(self, merchant: str, day: float, about: tuple[str, str], chance: float = 0.1, **fields: Any) -> None:
        """A draw for audit."""
        fields = {"stratum": "uniform", "inclusion_probability": chance, **fields}
        self.publish("audit.sampled", day, merchant_id=merchant, subject={"kind": about[0], "id": about[1]}, **fields)

    def appeal(self, merchant: str, day: float, decision: str, state: str) -> None:
        """How an appeal stands."""
        self.publish(
            "appeal.noted", day, merchant_id=merchant, decision_id=decision, state=state, number=1, mode="live"
        )
