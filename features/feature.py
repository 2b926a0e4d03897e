"""What a feature is: a named function of a merchant at its as-of time, its peers, and the order or listing at hand."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct

from features.creator import Creator
from features.listing import ListingRecord
from features.merchant import Merchant, MerchantRecord
from features.order import OrderRecord
from features.population import Population


class Context(Struct, gc=False):
    """What a feature is computed from."""

    merchant: Merchant
    population: Population
    order: OrderRecord | None = None
    listing: ListingRecord | None = None
    creator: Creator | None = None


#: Stands where a merchant's figures are asked of a creator: a merchant of which nothing is known.
_NOBODY: Final = Merchant("", MerchantRecord())


def of_creator(creator: Creator, population: Population) -> Context:
    """What a creator's features are computed from."""
    return Context(_NOBODY, population, creator=creator)


Entity: TypeAlias = Literal["merchant", "order", "listing", "creator"]
Getter: TypeAlias = Callable[[Context], float | None]


class Element(Struct, frozen=True):
    """A getter for a figure that stands in a list: what gets it need not be called, if who asks knows the list.

    ``path`` are the attributes that lead from the context to the list, ``index`` is where the figure stands in it.
    """

    path: tuple[str, ...]
    index: int

    def __call__(self, context: Context) -> float | None:
        """The figure."""
        value: float = attrgetter(".".join(self.path))(context)[self.index]
        return value


class _Unknown:
    """Stands where an order or a listing is not known: every attribute is ``None``."""

    __slots__ = ()

    def __getattr__(self, name: str) -> None:
        return None


#: What the attributes of an order or listing are read from where there is none.
UNKNOWN: Final = _Unknown()


class Attribute(Struct, frozen=True):
    """A getter for a figure that is an attribute: what gets it need not be called, if who asks reads the attribute.

    ``path`` are the attributes that lead from the context to the figure. One of an order is null as long as the order's
    creation is not known, and one of a listing where there is none; nothing else in a path is ever absent.
    """

    path: tuple[str, ...]

    def __call__(self, context: Context) -> float | None:
        """The figure; a truth value as 0 or 1."""
        found: Any = context
        for at, name in enumerate(self.path):
            found = getattr(found, name)
            if not at and (found is None or (name == "order" and found.created is None)):
                return None
        return float(found) if found is True or found is False else found


class Feature(Struct, frozen=True):
    """A named figure: whose it is, over which window, in what unit, how it is defined and when it is null."""

    name: str
    entity: Entity
    unit: str
    window: str
    definition: str
    null: str
    get: Getter
