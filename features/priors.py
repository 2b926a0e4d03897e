"""Rates that a merchant is taken to have before its shard has seen any orders."""

from typing import Final

from features.shrinkage import BetaPrior

#: Rates that a merchant is taken to have before the shard has seen any orders: (mean, strength in pseudo-orders).
#: Means are the usual standing limits of marketplaces (late dispatch 4 %, cancellation 2.5 %, not received 2 %;
#: GOVERNANCE sections 1.3 and 1.7), the rest its order of magnitude.
DEFAULT_PRIORS: Final[dict[str, BetaPrior]] = {
    "cancel": BetaPrior(1.25, 48.75),
    "late_ship": BetaPrior(2.0, 48.0),
    "late_delivery": BetaPrior(4.0, 46.0),
    "refund": BetaPrior(1.5, 48.5),
    "not_as_described": BetaPrior(1.0, 49.0),
    "not_received": BetaPrior(1.0, 49.0),
    "counterfeit": BetaPrior(0.1, 49.9),
    "dispute": BetaPrior(0.5, 49.5),
    "low_rating": BetaPrior(4.0, 46.0),
    "bad_order": BetaPrior(7.5, 42.5),
}
