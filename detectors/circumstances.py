"""What a decision depends on beside the rule and the party's history."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from detectors.finding import Finding
from detectors.levels import LEVEL_RANK
from features.creator import Creator
from features.events import SubjectKind
from features.feature import Context, of_creator
from features.merchant import Merchant
from features.party import Party
from features.population import Population
from features.registry import FEATURES

#: Findings of this severity and above speak for each other.
GRAVE: Final = LEVEL_RANK["high"]


def _unknown(_: str) -> None:
    return None


class Circumstances(Struct, frozen=True):
    """The circumstances of a decision.

    Attributes
    ----------
    party
        Id of the merchant or creator.
    value
        Value of a feature by its name, None where it is null.
    detectors
        Families of the detectors whose rules of severity high or above fire now.
    amount
        Minor units that holding a payout would keep back, in ``currency``: the order's, or what the merchant sold in
        30 days.
    """

    party: str = ""
    value: Callable[[str], float | None] = _unknown
    detectors: frozenset[str] = frozenset()
    amount: int = 0
    currency: str = ""


#: Nothing is known.
UNKNOWN: Final = Circumstances()


def circumstances_of(party: Party, kind: SubjectKind, finding: Finding, population: Population) -> Circumstances:
    """The circumstances in which the rules of a finding fired."""
    context = finding.context
    merchant = party if isinstance(party, Merchant) else None
    if context is None and merchant is not None:
        context = Context(merchant, population)
    elif context is None and isinstance(party, Creator):
        context = of_creator(party, population)
    detectors = frozenset(
        rule.detector for rule in finding.fired if rule.detector is not None and LEVEL_RANK[rule.severity] >= GRAVE
    )
    amount = 0
    if merchant is not None:
        order = None if context is None else context.order
        amount = merchant.turnover() if kind != "order" or order is None else order.gmv
    return Circumstances(
        party.id,
        _unknown if context is None else _reader(context),
        detectors,
        amount,
        "" if merchant is None else merchant.record.currency,
    )


def _reader(context: Context) -> Callable[[str], float | None]:
    return lambda name: FEATURES[name].get(context)
