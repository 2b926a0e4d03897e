"""What an order remembers of the remedies that were recommended for it."""

from msgspec import Struct


class Remedy(Struct, array_like=True, gc=False):
    """The latest recommendation for one cause.

    ``row`` is the row of the table that decided, ``id`` the recommendation's own, empty where that row gives nothing;
    ``unpaid`` is the part of its amount, in minor units, that no refund has paid since.
    """

    cause: str
    row: str
    id: str = ""
    unpaid: int = 0


def pay(remedies: list[Remedy], amount: int) -> None:
    """A refund pays what was recommended, the earliest first; what is left over was not recommended."""
    for remedy in remedies:
        paid = min(amount, remedy.unpaid)
        remedy.unpaid -= paid
        amount -= paid


def unpaid(remedies: list[Remedy]) -> int:
    """What is recommended and not paid, minor units."""
    return sum(remedy.unpaid for remedy in remedies)
