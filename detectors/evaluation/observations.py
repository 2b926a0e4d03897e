"""What the core published about whom, and when: kept for scoring.

A merchant is *named* when a published assessment or enforcement of level high or above is about it, one of its orders
or one of its listings. It is *named for a pattern* when a rule about that pattern, of such a severity, is among the
reasons.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from msgspec.json import Decoder

from detectors.flush import Emit
from features.events import InputEvent, OrderCreated
from features.outputs import LEVELS, EnforcementDecided, Output, RiskAssessed

#: From this rank on, an output names a merchant.
NAMING_RANK: Final = LEVELS.index("high")
_ENDING: Final = frozenset({"suspend_merchant", "close_merchant"})
_decode = Decoder(Output).decode


class Observations:
    """Collects events in and outputs out; times are those of the records that brought them, ms.

    Parameters
    ----------
    pattern_of
        The pattern that each grave rule (its id) is about.
    watched
        Merchants whose turnover is kept.

    Attributes
    ----------
    named, named_for
        Times at which a merchant was named: by merchant, by pattern and merchant; rising.
    levels
        A merchant's own published levels: (time, rank), rising.
    listings
        When a listing was first judged or enforced against at level high or above.
    suspended
        Merchants that were suspended or closed, and whether a person is asked first in every case.
    orders
        Orders of the watched: (time, total in minor units).
    """

    def __init__(self, pattern_of: Mapping[str, str], watched: Collection[str]) -> None:
        self._pattern_of = pattern_of
        self._watched = watched
        self._counted: set[tuple[str, str]] = set()
        self.named: defaultdict[str, list[int]] = defaultdict(list)
        self.named_for: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self.levels: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        self.listings: dict[str, int] = {}
        self.suspended: dict[str, bool] = {}
        self.orders: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        self.merchants: set[str] = set()
        self.rejected = 0
        self.last = 0

    def event(self, event: InputEvent, time: int) -> None:
        """An event that the core is about to apply."""
        self.last = max(self.last, time)
        merchant_id = event.merchant_id
        self.merchants.add(merchant_id)
        if type(event) is OrderCreated and merchant_id in self._watched:
            key = (merchant_id, event.order_id)
            if key not in self._counted:
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
            if isinstance(output, RiskAssessed):
                self._assessed(output, time)
            elif isinstance(output, EnforcementDecided):
                self._decided(output, time)

    def _assessed(self, output: RiskAssessed, time: int) -> None:
        rank = LEVELS.index(output.level)
        if output.subject.kind == "merchant":
            self.levels[output.merchant_id].append((time, rank))
        if rank < NAMING_RANK:
            return
        if output.subject.kind == "listing":
            self.listings.setdefault(output.subject.id, time)
        self._name(output.merchant_id, [reason.code for reason in output.reasons], time)

    def _decided(self, output: EnforcementDecided, time: int) -> None:
        if output.action in _ENDING:
            before = self.suspended.get(output.merchant_id, True)
            self.suspended[output.merchant_id] = before and output.requires_review
        if LEVELS.index(output.severity) < NAMING_RANK:
            return
        if output.subject.kind == "listing":
            self.listings.setdefault(output.subject.id, time)
        self._name(output.merchant_id, [output.policy.id], time)

    def _name(self, merchant_id: str, codes: Iterable[str], time: int) -> None:
        self.named[merchant_id].append(time)
        for pattern in {self._pattern_of[code] for code in codes if code in self._pattern_of}:
            self.named_for[pattern, merchant_id].append(time)

    def found_at(self, merchant_id: str, start: int) -> int | None:
        """When a merchant that is malicious from ``start`` on was first named, or stood at level high already."""
        rank = 0
        for time, level in self.levels.get(merchant_id, ()):
            if time >= start:
                break
            rank = level
        if rank >= NAMING_RANK:
            return start
        return next((time for time in self.named.get(merchant_id, ()) if time >= start), None)
