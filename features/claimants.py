"""Buyers who claim of most of what they order, so that sellers are not blamed for them.

In the US 10.5 % of claims were fraudulent in 2023 (Appriss Retail), and a few buyers make most of those. Kept are the
buyers of the shard who have claimed at all, with the orders that they placed since; a claim is one order, whatever is
claimed about it. Counts fade with a half-life of :data:`LIFE_MS`.
"""

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
