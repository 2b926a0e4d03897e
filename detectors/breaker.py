"""The circuit breaker of a shard: when many severe actions follow each other, the next ones wait for a person.

A policy that is set wrong, or data that arrive broken, hit many merchants at once, and each hit looks right for itself.
So the severe actions that a shard carries out without a person are capped within an interval: by their number, by the
share of the shard's merchants, and by the share of its turnover that they are of. Beyond a cap nothing is dropped: the
decision is published as one that requires a review.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from features.governance import BreakerState, SevereAction
from features.outputs import Action

Cap: TypeAlias = Literal["actions", "merchants", "gmv"]


class Breaker(Struct, frozen=True):
    """The caps: ``interval`` in ms, ``actions`` which count, and how many, and how large a share, of all there may be.

    Shares do not count up to ``least_merchants``: in a small shard one merchant is a large share.
    """

    interval: int
    severe: frozenset[Action]
    actions: int
    merchant_share: float
    gmv_share: float
    least_merchants: int
    #: Minor units by currency that are worth the same; without any, all minor units are alike.
    units: dict[str, float] = {}

    def weight(self, turnover: int, currency: str) -> int:
        """Turnover in minor units of a currency as it counts here: in hundredths of what ``units`` are worth. What is
        in a currency that is not named counts nothing.
        """
        if not self.units:
            return turnover
        units = self.units.get(currency)
        return 0 if units is None else round(100 * turnover / units)


class Tripped(Struct, frozen=True):
    """A cap that one more action would pass: what would be observed, and the limit."""

    cap: Cap
    observed: float
    limit: float


def would_trip(
    breaker: Breaker, state: BreakerState, party: str, turnover: int, merchants: int, gmv: int, now: int
) -> Tripped | None:
    """The cap that a severe action at ``now`` would pass, or None.

    Parameters
    ----------
    party, turnover
        Whom it is against, and the GMV of the party's last 30 days, as it counts (:meth:`Breaker.weight`).
    merchants, gmv
        How many merchants the shard has that sold in the last 30 days, and their GMV of that time, likewise.
    """
    forget_old(breaker, state, now)
    count = len(state.taken) + 1
    if count > breaker.actions:
        return Tripped("actions", count, breaker.actions)
    hit = {each.party: each.gmv for each in state.taken}
    hit[party] = turnover
    if len(hit) <= breaker.least_merchants:
        return None
    most = breaker.merchant_share * merchants
    if len(hit) > most:
        return Tripped("merchants", len(hit) / max(1, merchants), breaker.merchant_share)
    lost = sum(hit.values())
    if lost > breaker.gmv_share * gmv:
        return Tripped("gmv", lost / max(1, gmv), breaker.gmv_share)
    return None


def take(state: BreakerState, decision_id: str, party: str, turnover: int, now: int) -> None:
    """Count a severe action that was carried out."""
    state.taken = [*state.taken, SevereAction(now, decision_id, party, turnover)]


def take_back(state: BreakerState, decision_id: str) -> None:
    """Count an action out again: it was wrong."""
    state.taken = [each for each in state.taken if each.decision_id != decision_id]


def open_until(breaker: Breaker, state: BreakerState, now: int) -> int:
    """When the first of the actions counted leaves the interval, ms: until then the breaker stays open."""
    return min((each.at for each in state.taken), default=now) + breaker.interval


def forget_old(breaker: Breaker, state: BreakerState, now: int) -> None:
    """Forget actions that are no longer within the interval."""
    if state.taken:
        state.taken = [each for each in state.taken if each.at + breaker.interval > now]
