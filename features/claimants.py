"""Buyers who claim of most of what they order, so that sellers are not blamed for them.

In the US 10.5 % of claims were fraudulent in 2023 (Appriss Retail), and a few buyers make most of those. Kept are the
buyers of the shard who have claimed at all, with the orders that they placed since; a claim is one order, whatever is
claimed about it. Counts fade with a half-life of :data:`LIFE_MS`.
"""

from math import exp, log
from typing import Final

from msgspec import Struct

from features.room import make_room
from features.rounding import nearest
from features.windows import DAY_MS

#: Half-life of claims and orders.
LIFE_MS: Final = 60 * DAY_MS
#: A buyer's claim is held against the buyer from so many claims on, this one included, of at least two merchants...
LEAST_CLAIMS: Final = 3
#: ...if at least this share of the buyer's orders was claimed. Sellers of the worst kind have a third of theirs
#: claimed, and a buyer has many sellers.
LEAST_SHARE: Final = 0.6
#: Share of claims that are fraudulent before anything is known of the buyer: 10.5 % in the US, 2023 (Appriss Retail).
FRAUDULENT: Final = 0.105
#: Share of orders that are claimed, by an honest buyer at a usual seller, and by an abusive one: the least share above.
#: The former (our own figure) is higher than over all orders: who has claimed once has bought where claims are made.
HONEST_RATE: Final = 0.1
ABUSIVE_RATE: Final = LEAST_SHARE
#: No probability of abuse lies outside: a model of two rates is not worth more certainty.
_BOUNDS: Final = 0.01, 0.99
#: Buyers kept; the stalest leave.
LIMIT: Final = 2_048


class Claimant(Struct, array_like=True, gc=False):
    """Decayed claims and orders of a buyer, as of ``at`` (ms), and whether they were of several merchants."""

    at: int = 0
    claims: float = 0.0
    orders: float = 0.0
    #: Digest of the first merchant; -1 once there was another.
    merchant: int = 0
    #: Time of the first claim: from then on orders are counted as they are placed.
    since: int = 0

    def _advance(self, time: int) -> float:
        """Decay to ``time``; gives the weight of an event of that time."""
        elapsed = time - self.at
        if elapsed <= 0:
            return float(0.5 ** (-elapsed / LIFE_MS))
        if self.at:
            factor = 0.5 ** (elapsed / LIFE_MS)
            self.claims *= factor
            self.orders *= factor
        self.at = time
        return 1.0

    def order(self, time: int) -> None:
        """Count an order."""
        weight = self._advance(time)
        self.orders = nearest(self.orders + weight, 1e3)

    def claim(self, time: int, merchant: int, placed: int) -> None:
        """Count an order that was claimed about; one that was placed before orders were counted joins them."""
        weight = self._advance(time)
        self.claims = nearest(self.claims + weight, 1e3)
        if not self.since:
            self.since = time
        if placed <= self.since:
            self.orders = nearest(self.orders + weight, 1e3)
        if not self.merchant:
            self.merchant = merchant
        elif self.merchant != merchant:
            self.merchant = -1

    def abusive(self) -> bool:
        """Whether this buyer's claims are held against the buyer."""
        # Decay alone must not make three claims of a few weeks two.
        return (
            self.claims > LEAST_CLAIMS - 0.5
            and self.merchant == -1
            and self.claims >= LEAST_SHARE * max(self.orders, 1.0)
        )


def note_order(claimants: dict[int, Claimant], buyer: int, time: int) -> None:
    """An order of a buyer; only those who have claimed are counted."""
    known = claimants.get(buyer)
    if known is not None:
        known.order(time)


def note_claim(claimants: dict[int, Claimant], buyer: int, time: int, merchant: int, placed: int) -> Claimant:
    """A claim at ``time`` about an order of ``placed``, both ms, of the merchant with that digest."""
    known = claimants.get(buyer)
    if known is None:
        make_room(claimants, LIMIT, lambda each: each.at)
        claimants[buyer] = known = Claimant()
    known.claim(time, merchant, placed)
    return known


def abuse_probability(claimant: Claimant | None, seller_rate: float, everywhere: int = 0) -> float:
    """Probability, 0.01 to 0.99, that a claim is one of an abusive buyer.

    Bayes' rule for two kinds of buyers: an abusive one claims of :data:`ABUSIVE_RATE` of the orders, an honest one of
    :data:`HONEST_RATE`, or at a seller with more claims of as many as are claimed there. Before anything else is known
    :data:`FRAUDULENT` of the claims are abusive. With c claims on n orders of several merchants (decayed, this claim
    included), the odds are

        prior odds * HONEST_RATE / seller's rate * (a / h) ** (c - 1) * ((1 - a) / (1 - h)) ** (n - c)

    Claims that were all made at one merchant say more about that merchant than about the buyer, and are left out.
    Where only the number of claims at all shards is known and not the number of orders, each counts by half.

    Parameters
    ----------
    claimant
        What the shard knows of the buyer; None if nothing.
    seller_rate
        Share of the seller's orders that are claimed, shrunk.
    everywhere
        Claims of the buyer at all merchants of all shards, where they are many and of several merchants; else 0.
    """
    more, fewer = log(ABUSIVE_RATE / HONEST_RATE), log((1.0 - ABUSIVE_RATE) / (1.0 - HONEST_RATE))
    known = 0.0
    if claimant is not None and claimant.merchant == -1:
        unclaimed = max(0.0, claimant.orders - claimant.claims)
        known = max(0.0, claimant.claims - 1.0) * more + unclaimed * fewer
    if everywhere > 1:
        known = max(known, (everywhere - 1) / 2 * more)
    at_seller = log(HONEST_RATE / max(HONEST_RATE, seller_rate))
    log_odds = log(FRAUDULENT / (1.0 - FRAUDULENT)) + at_seller + known
    low, high = _BOUNDS
    return min(high, max(low, 1.0 / (1.0 + exp(-log_odds))))
