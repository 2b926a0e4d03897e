"""What is kept of a party's credit: the ledger of points, and what its score and tier rest on.

Stored within the party's state as JSON, so field names are short and the entries are arrays. Times are event time in
ms.
"""

from msgspec import Struct, field


class LedgerEntry(Struct, frozen=True, array_like=True, gc=False):
    """Points that were won or lost.

    ``code`` is a row of credit.yaml; ``at`` is when it occurred and ``expires`` when it stops counting; ``decision`` is
    the decision it follows from and ``subject`` the order or listing (``o:`` or ``l:`` and its id), each empty where
    there is none.
    """

    code: str
    points: int
    at: int
    expires: int
    decision: str = ""
    subject: str = ""


class CreditState(Struct, omit_defaults=True, rename={"ledger": "l", "tier": "t", "since": "s", "score": "p"}):
    """A party's credit as of the last time that it was settled."""

    ledger: list[LedgerEntry] = field(default_factory=list)
    tier: str = ""
    #: When it came into the tier.
    since: int = 0
    #: Points as last published; null below the minimum volume.
    score: int | None = None
