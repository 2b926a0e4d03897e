"""Priors of the rates: what a merchant is taken to be like before it has orders of its own."""

from typing import Final

from features.merchant import Merchant, MerchantRecord
from features.population import Population
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


def begin_day(population: Population, merchant: Merchant) -> None:
    """A merchant entered a new day: bring what it contributes to the priors and to the shard's turnover up to date, and
    fit the priors once a day.
    """
    record = merchant.record
    new = merchant.contributions()
    old = record.contributed
    if new != old:
        population.exchange(old, new)
        record.contributed = new
    _count_turnover(population, record, merchant.turnover())
    if merchant.day > population.prior_day:
        population.prior_day = merchant.day
        for rate, moments in population.moments.items():
            population.priors[rate] = moments.prior(DEFAULT_PRIORS[rate])


def end_turnover(population: Population, merchant: Merchant) -> None:
    """A merchant sells no more: where no order of it ever fell due, no day began since that could tell."""
    _count_turnover(population, merchant.record, 0)


def _count_turnover(population: Population, record: MerchantRecord, turnover: int) -> None:
    """Have the shard's turnover contain so much of a merchant's, minor units."""
    if turnover != record.turnover:
        population.sellers += (turnover > 0) - (record.turnover > 0)
        turnovers = population.turnovers
        left = turnovers.get(record.currency, 0) + turnover - record.turnover
        if left:
            turnovers[record.currency] = left
        else:
            turnovers.pop(record.currency, None)
        record.turnover = turnover
