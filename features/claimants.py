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
#: Share of claims that are fraudulent: 10.5 % in the US, 2023 (Appriss Retail).
FRAUDULENT: Final = 0.105
#: Claims that an abusive buyer makes for one of an honest buyer. Of claims of buyers of whom nothing else is known,
#: fewer are fraudulent by as much: most frauds come from those who have claimed before. This and the two rates below
#: were fitted on simulations (seeds 1 to 6; python -m benchmarks.evaluation.remedies measures on others).
CLAIMS_FOR_ONE: Final = 6.0
FIRST_ODDS: Final = FRAUDULENT / (1.0 - FRAUDULENT) / CLAIMS_FOR_ONE
#: Share of further orders of which an honest buyer claims, and an abusive one. The latter is below the share that is
#: held against a buyer, as the latest orders can't be claimed of yet.
HONEST_RATE: Final = 0.06
ABUSIVE_RATE: Final = 0.5
#: Share of orders that are claimed where buyers claim as often as usual: at most, as far as that speaks for a buyer.
USUAL_RATE: Final = 0.1
#: No probability of abuse lies outside: a model of two rates is not worth more certainty. Of the surest claims in the
#: simulations, one in six is an unlucky buyer's.
_BOUNDS: Final = 0.01, 0.9
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
    """Probability, 0.01 to 0.9, that a claim is one of an abusive buyer.

    Bayes' rule for two kinds of buyers: an abusive one claims of :data:`ABUSIVE_RATE` of the orders, an honest one of
    :data:`HONEST_RATE`; where more is claimed at the seller than usual, that speaks for the buyer. A first claim is
    abusive at odds of :data:`FIRST_ODDS`. With c claims on n orders of several merchants (decayed, this claim
    included), the odds are

        first odds * USUAL_RATE / seller's rate * (a / h) ** (c - 1) * ((1 - a) / (1 - h)) ** (n - c)

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
    at_seller = log(USUAL_RATE / max(USUAL_RATE, seller_rate))
    log_odds = log(FIRST_ODDS) + at_seller + known
    low, high = _BOUNDS
    return min(high, max(low, 1.0 / (1.0 + exp(-log_odds))))
