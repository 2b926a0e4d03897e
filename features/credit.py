"""What is kept of a party's credit: the entries of its ledger, clean orders week by week, and its tier.

Stored in the record of the merchant or creator as JSON, so field names are short and entries are arrays. Times are
event time in ms, weeks are counted from the epoch (a week begins on a Thursday, UTC). A party without any violation
takes a few dozen bytes: its clean orders are sums of weeks.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from msgspec import Struct, field

from features.windows import DAY_MS

WEEK_MS: Final = 7 * DAY_MS
#: A review of credit that is further away than this is none that waits for an order's outcome.
SOON_MS: Final = 8 * WEEK_MS
#: Entries kept of a party. A merchant may have thousands of listings removed, but those of a few days count once.
LEDGER_LIMIT: Final = 64
#: Ways in which the orders that a creator drives go bad.
CREATOR_COMPONENTS: Final = ("harm",)


class LedgerEntry(Struct, array_like=True, gc=False):
    """A violation in the ledger: points lost (0 where others of its code counted for it), and what they follow from.

    ``base`` is the loss before repetition, merging and caps; ``counts`` says whether it is a case of its own and not
    one more within the merge window of another. ``subject`` is the order or listing that it was about (``o:`` or
    ``l:`` and its id), or empty where that is the party itself; ``confirmed`` says that a person found so.
    ``corrected`` is when it was put right, ms, or 0.
    """

    code: str
    points: int
    at: int
    decision: str
    subject: str = ""
    base: int = 0
    counts: bool = True
    confirmed: bool = False
    corrected: int = 0
    #: Points given back when it was put right.
    returned: int = 0
    #: Whether its window is over, and that was told.
    ended: bool = False


class Look(Struct, array_like=True, gc=False):
    """What was seen when a party with violations was looked at, and where it was placed before it.

    ``causes`` are ids of decisions without which there would have been no look; none of a look at the party's own time
    of the week. ``entered``: the first of them came into the ledger then.
    """

    at: int
    causes: list[str]
    entered: bool
    earned: int
    scored: bool
    proven: bool
    recalled: bool
    lower: float
    upper: float
    tier: str
    since: int
    graduated: int


class CreditState(
    Struct,
    omit_defaults=True,
    rename={
        "ledger": "l",
        "clean": "c",
        "past": "h",
        "week": "w",
        "score": "s",
        "earned": "e",
        "tier": "t",
        "since": "ts",
        "graduated": "g",
        "reached": "m",
        "due": "d",
        "probability": "p",
        "pooled": "n",
        "trail": "k",
        "review": "r",
    },
):
    """A party's credit: score, tier and probability as last published."""

    ledger: list[LedgerEntry] = field(default_factory=list)
    #: Clean orders counted of each week up to ``week``, the oldest first, by the day on which their outcome was due.
    clean: list[int] = []
    week: int = 0
    #: Of each component of harm, orders and bad ones of the weeks that were put away, decayed to the end of the last of
    #: them, in hundredths.
    past: list[int] = []
    #: Score 0 to 1000; None while there are too few orders.
    score: int | None = None
    #: Points that clean orders earn.
    earned: int = 0
    #: Name of the tier, since when, and when probation ended (0: not yet).
    tier: str = ""
    since: int = 0
    graduated: int = 0
    #: Lowest milestone that the score has come down to and not risen well above since.
    reached: int | None = None
    #: When the credit must be looked at next, ms; 0 where nothing will change by itself.
    due: int = 0
    #: Probability that an order goes bad; 0 before it was published.
    probability: float = 0.0
    #: Day before which its orders are contained in the rates of all (features/way_rates.py).
    pooled: int = 0
    #: Looks since the first violation that counts, the oldest first.
    trail: list[Look] = field(default_factory=list)
    #: When its own time of the week is that it is looked at next, ms; 0 for none.
    review: int = 0


#: (Day, orders due, bad ones of them).
Day: TypeAlias = tuple[int, int, int]


class Component(Struct, gc=False):
    """One way in which orders go bad: its days, up to now, and the rate to be expected of all parties."""

    days: list[Day]
    mean: float


class Conduct(Struct, gc=False):
    """How a party's orders turned out, as far as credit asks.

    Attributes
    ----------
    day
        The current day.
    outcomes
        Orders by the day on which their outcome was due, of the last 90 days, in any order of days; bad in any way.
    components
        Ways in which orders go bad, by name: the same names for all parties of a kind. Or what gives them, as mostly
        nobody asks.
    pending
        Whether there are orders whose outcome is yet to come.
    orders, buyers
        Orders placed in 30 days, and the distinct buyers of them.
    since
        Since when the party has been there, ms; 0 where it was there before anything was known.
    rates
        Credible lower bounds of rates by name, for the recall into probation.
    signs
        What else tells of harm to come, by name, 0 (nothing of it) to 1: the same names for all parties of a kind.
    """

    day: int
    outcomes: list[Day]
    components: dict[str, Component] | Callable[[], dict[str, Component]]
    pending: bool
    orders: int
    buyers: float
    since: int
    rates: dict[str, float] = field(default_factory=dict)
    signs: dict[str, float] = field(default_factory=dict)

    @property
    def matured(self) -> int:
        """Orders of the last 90 days whose outcome is due."""
        return sum([due for _, due, _ in self.outcomes])

    @property
    def spread(self) -> float:
        """Share of orders that a buyer counted once would leave, 0 to 1: orders from the same few buyers prove
        little.
        """
        return min(1.0, self.buyers / self.orders) if self.orders > 0 else 1.0

    def ways(self) -> dict[str, Component]:
        """Ways in which orders go bad."""
        if callable(self.components):
            self.components = self.components()
        return self.components

    def clean_by_week(self) -> dict[int, int]:
        """Clean orders by the week of their outcome."""
        found: dict[int, int] = {}
        for day, due, bad in self.outcomes:
            week = day // 7
            found[week] = found.get(week, 0) + max(0, due - bad)
        return found
