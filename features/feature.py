"""What a feature is: a named function of a merchant at its as-of time, its peers, and the order or listing at hand."""

from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

from features.listing import ListingRecord
from features.merchant import Merchant
from features.order import OrderRecord
from features.population import Population


class Context:
    """What a feature is computed from."""

    __slots__ = ("listing", "merchant", "order", "population")

    def __init__(
        self,
        merchant: Merchant,
        population: Population,
        order: OrderRecord | None = None,
        listing: ListingRecord | None = None,
    ) -> None:
        self.merchant = merchant
        self.population = population
        self.order = order
        self.listing = listing


Entity: TypeAlias = Literal["merchant", "order", "listing"]
Getter: TypeAlias = Callable[[Context], float | None]


class Feature(Struct, frozen=True):
    """A named figure: whose it is, over which window, in what unit, how it is defined and when it is null."""

    name: str
    entity: Entity
    unit: str
    window: str
    definition: str
    null: str
    get: Getter
