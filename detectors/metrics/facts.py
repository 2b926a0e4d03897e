"""What the fold keeps: daily sums of orders, and the few facts of listings, decisions, draws and verdicts.

All times are event times in ms, money is minor units of the merchant's currency. Everything here is data that
:meth:`detectors.metrics.ledger.Ledger.dump` can store.
"""

from typing import Final

from msgspec import Struct, field

from features.order import OrderRecord

#: How long after its outcome is due an order may still change what it is counted as; claims and ratings later than that
#: are rare (docs/features.md: outcomes are taken as known after 14 days).
SETTLE_DAYS: Final = 30
#: Facts older than this are dropped: a year to compare with, and the month around it.
KEEP_DAYS: Final = 400


class MerchantFacts(Struct, omit_defaults=True, gc=False):
    """A merchant; ``first_day`` is when it registered or was first heard of, in days since the epoch."""

    first_day: int
    registered: int = 0
    country: str = ""
    kind: str = ""
    currency: str = ""
    tier: str = ""
    category: str = ""
    orders: int = 0


class Cell(Struct, omit_defaults=True, gc=False):
    """Orders that one merchant got on one day in one category and tier.

    ``due``: those whose outcome is known by now; ``bad``: those of them that turned out bad. Money of foreign
    currencies is left out.
    """

    orders: int = 0
    due: int = 0
    bad: int = 0
    gmv: int = 0
    due_gmv: int = 0
    bad_gmv: int = 0


class ListingDay(Struct, omit_defaults=True, gc=False):
    """What one listing was seen and sold on one day."""

    orders: int = 0
    gmv: int = 0
    views: int = 0


class ListingFacts(Struct, omit_defaults=True):
    """A listing: times of its versions, its category, what it sold by day, and until when it was there (0: it is)."""

    versions: list[int] = []
    category: str = ""
    removed: int = 0
    days: dict[int, ListingDay] = {}


class Ruling(Struct, omit_defaults=True):
    """A decision, and what became of it.

    ``waiting``: it asks for a person before it is carried out (or is a request to look). ``score``: of the assessment
    before it, 0 to 1000. ``reversed_at`` 0: not reversed. ``wrong``: it was reversed because it was wrong. ``verdict``:
    of a person about it or about its subject afterwards. ``notified``: someone had reported its subject before.
    """

    merchant: str
    kind: str
    subject: str
    action: str
    severity: str
    rule: str
    title: str
    at: int
    creator: str = ""
    expires: int = 0
    waiting: bool = False
    why_waiting: str = ""
    supersedes: str = ""
    score: int = 0
    reversed_at: int = 0
    why_reversed: str = ""
    verdict: str = ""
    verdict_at: int = 0
    notified: bool = False
    statement: dict[str, object] = {}
    #: What the subject had sold and how often it was seen before the decision, since its latest version.
    exposed_orders: int = 0
    exposed_gmv: int = 0
    exposed_views: int = 0
    exposed_since: int = 0

    @property
    def party(self) -> str:
        """Whom it is against."""
        return f"creator:{self.creator}" if self.creator else self.merchant

    @property
    def restricts(self) -> bool:
        """Whether it takes something away, rather than tell or ask someone."""
        return self.action not in UNRESTRICTING

    @property
    def accuses(self) -> bool:
        """Whether it restricts something or asks a person to look."""
        return self.action != "warn"

    @property
    def wrong(self) -> bool:
        """Whether it was taken back as wrong, or a person said that there is no violation."""
        return self.why_reversed in WRONG or self.verdict == "clean"


#: Actions that restrict nothing.
UNRESTRICTING: Final = frozenset({"warn", "require_review"})
#: Reasons of a reversal that say that the decision was wrong.
WRONG: Final = frozenset({"appeal", "correction"})


class Draw(Struct, omit_defaults=True, gc=False):
    """A subject drawn for audit. ``probability``: of being drawn by any stratum. ``score``: of its assessment."""

    merchant: str
    kind: str
    subject: str
    stratum: str
    probability: float
    at: int
    creator: str = ""
    score: int = -1


class Judged(Struct, omit_defaults=True, gc=False):
    """A person's verdict on a subject; ``audit``: it answers a draw."""

    violation: bool
    at: int
    policy: str = ""
    audit: bool = False


class AppealFacts(Struct, omit_defaults=True, gc=False):
    """Appeals against one decision: when the first was filed, how the last stands and since when."""

    filed: int
    state: str = "open"
    decided: int = 0
    number: int = 1
    overdue: bool = False


class OpenOrder(Struct, omit_defaults=True):
    """An order that may still change what it is counted as, and its merchant's tier when it was placed."""

    record: OrderRecord = field(default_factory=OrderRecord)
    tier: str = ""


class CreatorDay(Struct, omit_defaults=True, gc=False):
    """Orders that one creator drove on one day."""

    orders: int = 0
    gmv: int = 0


class State(Struct):
    """All of it. ``day``: up to which (exclusive) what fell due was looked at; ``now``: the latest event time."""

    version: int = 1
    now: int = 0
    day: int = 0
    merchants: dict[str, MerchantFacts] = field(default_factory=dict)
    #: By day, merchant, category and tier.
    cells: dict[tuple[int, str, str, str], Cell] = field(default_factory=dict)
    #: Orders that are not settled, by merchant and id; and those to be looked at on a day.
    orders: dict[tuple[str, str], OpenOrder] = field(default_factory=dict)
    agenda: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    listings: dict[tuple[str, str], ListingFacts] = field(default_factory=dict)
    creators: dict[tuple[int, str], CreatorDay] = field(default_factory=dict)
    rulings: dict[str, Ruling] = field(default_factory=dict)
    #: Ids of the rulings about a subject: merchant, kind and id.
    about: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    withheld: dict[str, Ruling] = field(default_factory=dict)
    draws: dict[str, Draw] = field(default_factory=dict)
    verdicts: dict[tuple[str, str, str], Judged] = field(default_factory=dict)
    reports: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    appeals: dict[str, AppealFacts] = field(default_factory=dict)
    #: Latest published score of a subject, and when it was first named or accused since its latest version.
    scores: dict[tuple[str, str, str], int] = field(default_factory=dict)
    flagged: dict[tuple[str, str, str], int] = field(default_factory=dict)
    #: Merchants by a digest of what they share (bank account, owner, device), with when each was first seen with it.
    links: dict[int, dict[str, int]] = field(default_factory=dict)
    #: Currencies of what was ordered, in minor units.
    gmv: dict[str, int] = field(default_factory=dict)
    #: Exposures counted of late, by a digest of their event's id, with their day: repeats count once.
    exposures: dict[int, int] = field(default_factory=dict)
