"""Which claims are held against the buyer, worked out anew: who claimed of most orders, to several merchants.

Third part of the oracle. It hears the events of one shard in the order of their arrival, as this is what decides: a
claim is judged by what was known when it came, and is not judged again.

Definitions. An order is *claimed* once: when a return is requested because it was not received, not as described,
damaged, wrong or counterfeit, or when it is disputed; at the time of its creation, if it was claimed before that
arrived. At that moment it is excused if its buyer has made at least three claims (this one included, each counting half
after 60 days, half a claim of decay allowed), of at least two merchants, about at least 60 % of the orders since the
first claim. Those are the buyer's orders that arrived after the first claim, and claimed orders that were placed before
it; they decay alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.oracle import CLAIM_OF_RETURN, DAY, Order

HALF_LIFE = 60 * DAY


@dataclass
class Buyer:
    """Times at which a buyer claimed and ordered, in the order of arrival, and of whom."""

    claims: list[int] = field(default_factory=list)
    orders: list[int] = field(default_factory=list)
    merchants: set[str] = field(default_factory=set)


class Claims:
    """Hears the events of a shard."""

    def __init__(self) -> None:
        self._buyers: dict[str, Buyer] = {}

    def arrive(self, event: Mapping[str, Any], order: Order, is_first_creation: bool) -> None:
        """Take note of an event that is new to its order, after its facts are."""
        if order.created is None:
            return
        name, at = order.created["buyer_id"], event["occurred_at"]
        if is_first_creation and name in self._buyers:
            self._buyers[name].orders.append(at)
        claims = event["type"] == "order.disputed" or (
            event["type"] == "order.return_requested" and event["reason"] in CLAIM_OF_RETURN
        )
        caught_up = is_first_creation and (order.claims or order.disputed)
        # A return for another reason looks at the order too, in case it is claimed already.
        if not (claims or caught_up) or order.claim_heard:
            return
        order.claim_heard = True
        buyer = self._buyers.setdefault(name, Buyer())
        buyer.claims.append(at)
        if order.created["occurred_at"] <= buyer.claims[0]:
            buyer.orders.append(at)
        buyer.merchants.add(event["merchant_id"])
        now = max(buyer.claims + buyer.orders)
        claimed, ordered = (
            sum(0.5 ** ((now - time) / HALF_LIFE) for time in times) for times in (buyer.claims, buyer.orders)
        )
        order.excused = claimed > 2.5 and len(buyer.merchants) > 1 and claimed >= 0.6 * max(1.0, ordered)
