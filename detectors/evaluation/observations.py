"""What the core published about whom, and when: kept for scoring.

A merchant is *named* when a published assessment or enforcement of level high or above is about it, one of its orders
or one of its listings. A rule *accuses* a merchant when it is among the reasons of such an assessment and is itself of
such a severity, or when a decision rests on it that restricts something or asks a person to look, at any severity. A
warning accuses only where it is about a listing: it says that the listing breaks a rule, while a warning of a merchant
says that a service level is missed, which honest ones do too.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from msgspec import Struct
from msgspec.json import Decoder

from detectors.flush import Emit
from features.events import InputEvent, OrderCreated
from features.outputs import LEVELS, EnforcementDecided, Output, RiskAssessed

#: From this rank on, an output names a merchant.
NAMING_RANK: Final = LEVELS.index("high")
_ENDING: Final = frozenset({"suspend_merchant", "close_merchant"})
_decode = Decoder(Output).decode


class RuleAbout(Struct, frozen=True):
    """Which patterns a rule is about, and whether its severity is high or above.

    ``fits``: patterns that do what the rule says as well, though it is not made to find them. ``of_buyers``: it is
    about who ordered, and accuses no merchant.
    """

    patterns: frozenset[str]
    grave: bool = True
    fits: frozenset[str] = frozenset()
    of_buyers: bool = False


class Observations:
    """Collects events in and outputs out; times are those of the records that brought them, ms.

    Parameters
    ----------
    rules
        What each rule is about, by its id.
    watched
        Merchants whose turnover is kept.
    buyers
        Whether to remember who placed which order, so that rules on orders can be held against buyers.

    Attributes
    ----------
    named
        Times at which a merchant was named, rising.
    accused
        Times at which a rule accused a merchant, by rule and merchant; rising.
    levels
        A merchant's own published levels: (time, rank), rising.
    listings
        When a listing was first judged or enforced against at level high or above.
    accused_listings
        Rules that accused a listing, by its id.
    accused_buyers
        Rules by which an order of a buyer was decided upon, by the buyer's id.
    acted_on
        Merchants with a decision that restricts something or asks a person to look, about whatever is theirs.
    suspended
        Merchants that were suspended or closed, and whether a person is asked first in every case.
    creators
        Decisions about creators, by their ids. They accuse no merchant.
    orders
        Orders of the watched: (time, total in minor units).
    """

    def __init__(self, rules: Mapping[str, RuleAbout], watched: Collection[str], *, buyers: bool = False) -> None:
        self.rules = rules
        self._buyers: dict[tuple[str, str], str] | None = {} if buyers else None
        self._watched = watched
        self._counted: set[tuple[str, str]] = set()
        self.named: defaultdict[str, list[int]] = defaultdict(list)
        self.accused: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self.levels: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        self.listings: dict[str, int] = {}
        self.accused_listings: defaultdict[str, set[str]] = defaultdict(set)
        self.accused_buyers: defaultdict[str, set[str]] = defaultdict(set)
        self.acted_on: set[str] = set()
        self.suspended: dict[str, bool] = {}
        self.creators: defaultdict[str, list[EnforcementDecided]] = defaultdict(list)
        self.orders: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        self.merchants: set[str] = set()
        self.rejected = 0
        self.last = 0

    def event(self, event: InputEvent, time: int) -> None:
        """An event that the core is about to apply."""
        self.last = max(self.last, time)
        merchant_id = event.merchant_id
        self.merchants.add(merchant_id)
        if type(event) is not OrderCreated:
            return
        key = (merchant_id, event.order_id)
        if self._buyers is not None:
            self._buyers.setdefault(key, event.buyer_id)
        if merchant_id in self._watched and key not in self._counted:
            self._counted.add(key)
            self.orders[merchant_id].append((event.occurred_at, event.total))

    def outputs(self, emits: Iterable[Emit], time: int) -> None:
        """What the core published when it applied the record of that time."""
        for emit in emits:
            if emit.stream == "dead_letters":
                self.rejected += 1
            if emit.stream != "events" or emit.value is None:
                continue
            output = _decode(emit.value)
            if isinstance(output, RiskAssessed | EnforcementDecided) and output.creator_id is not None:
                if isinstance(output, EnforcementDecided):
                    self.creators[output.creator_id].append(output)
            elif isinstance(output, RiskAssessed):
                self._assessed(output, time)
            elif isinstance(output, EnforcementDecided):
                self._decided(output, time)

    def _assessed(self, output: RiskAssessed, time: int) -> None:
        rank = LEVELS.index(output.level)
        if output.subject.kind == "merchant":
            self.levels[output.merchant_id].append((time, rank))
        if rank < NAMING_RANK:
            return
        self.named[output.merchant_id].append(time)
        of_listing = output.subject.kind == "listing"
        if of_listing:
            self.listings.setdefault(output.subject.id, time)
        for reason in output.reasons:
            rule = self.rules.get(reason.code)
            # A mild rule that fired beside a grave one accuses nobody.
            if rule is not None and rule.grave:
                self._accuse(reason.code, output.merchant_id, output.subject.id if of_listing else None, time)

    def _decided(self, output: EnforcementDecided, time: int) -> None:
        merchant_id, rule = output.merchant_id, output.policy.id
        listing = output.subject.id if output.subject.kind == "listing" else None
        about = self.rules.get(rule)
        if about is not None and about.of_buyers:
            if self._buyers is not None and output.subject.kind == "order":
                self.accused_buyers[self._buyers.get((merchant_id, output.subject.id), "")].add(rule)
            return
        if output.action in _ENDING:
            before = self.suspended.get(merchant_id, True)
            self.suspended[merchant_id] = before and output.requires_review
        if output.action != "warn":
            self.acted_on.add(merchant_id)
        grave = LEVELS.index(output.severity) >= NAMING_RANK
        if grave:
            self.named[merchant_id].append(time)
            if listing is not None:
                self.listings.setdefault(listing, time)
        if grave or output.action != "warn" or listing is not None:
            self._accuse(rule, merchant_id, listing, time)

    def _accuse(self, rule: str, merchant_id: str, listing: str | None, time: int) -> None:
        self.accused[rule, merchant_id].append(time)
        if listing is not None:
            self.accused_listings[listing].add(rule)

    # -- what it says of one merchant ---------------------------------------------------------------------------------

    def named_at(self, merchant_id: str, start: int) -> int | None:
        """When a merchant that is malicious from ``start`` on was first named, or stood at level high already."""
        rank = 0
        for time, level in self.levels.get(merchant_id, ()):
            if time >= start:
                break
            rank = level
        if rank >= NAMING_RANK:
            return start
        return next((time for time in self.named.get(merchant_id, ()) if time >= start), None)

    def accused_at(self, merchant_id: str, pattern: str, start: int) -> int | None:
        """When a rule about the pattern first accused the merchant, from ``start`` on."""
        found = [
            next((time for time in times if time >= start), None)
            for rule, times in self._accusations(merchant_id)
            if pattern in self.rules[rule].patterns
        ]
        return min((time for time in found if time is not None), default=None)

    def patterns_of(self, merchant_id: str, excused: Collection[str] = ()) -> set[str]:
        """Patterns that rules accused the merchant of; rules about one in ``excused``, or fitting it, do not count."""
        return {
            pattern
            for rule, _ in self._accusations(merchant_id)
            if (self.rules[rule].patterns | self.rules[rule].fits).isdisjoint(excused)
            for pattern in self.rules[rule].patterns
        }

    def listing_patterns(self, listing_id: str, excused: Collection[str] = ()) -> set[str]:
        """The same of a listing."""
        about = [self.rules[rule] for rule in self.accused_listings.get(listing_id, ()) if rule in self.rules]
        return {
            pattern for rule in about if (rule.patterns | rule.fits).isdisjoint(excused) for pattern in rule.patterns
        }

    def _accusations(self, merchant_id: str) -> Iterable[tuple[str, list[int]]]:
        for rule in self.rules:
            times = self.accused.get((rule, merchant_id))
            if times:
                yield rule, times
