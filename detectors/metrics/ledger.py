"""The fold of governance metrics: takes every event in and out, and can be asked for the estimates of any period.

It is pure: what it says depends on the events that it was given and on nothing else. So a report over an archive, the
console and the stream of daily estimates say the same, and a replay of the same topics gives the same figures.

Events are to come nearly in the order of event time, as a merge of the topics gives them: a decision is counted with
what was known when it came. Repeats do no harm.
"""

from collections.abc import Callable, Iterator
from typing import Final, Self, TypeAlias

import msgspec

from detectors.metrics.estimate import Estimate, Period
from detectors.metrics.facts import State
from detectors.metrics.rulings import RulingFold
from detectors.metrics.trade import TradeFold
from features.events import InputEvent

#: What makes estimates out of what is known.
Section: TypeAlias = Callable[[State, Period], Iterator[Estimate]]
LIVE: Final = frozenset({"live"})
STATE_VERSION: Final = 1


class LedgerError(Exception):
    """A stored ledger that cannot be used."""


class Ledger:
    """The fold.

    Parameters
    ----------
    modes
        Of the outputs to count: those of a replay or a shadow are not what happened. Without any, all.
    """

    def __init__(self, modes: frozenset[str] = LIVE, state: State | None = None) -> None:
        self.state = State() if state is None else state
        self._trade = TradeFold(self.state)
        self._rulings = RulingFold(self.state, modes)

    @property
    def now(self) -> int:
        """How far it is in event time, ms; 0 before the first event."""
        return self.state.now

    @property
    def unread(self) -> int:
        """Output events that could not be read."""
        return self._rulings.unread

    def event(self, event: InputEvent) -> None:
        """Take an input event."""
        self.advance(event.occurred_at)
        self._trade.event(event)
        self._rulings.event(event)

    def output(self, kind: str, identifier: str, time: int, value: bytes) -> None:
        """Take an output event: CloudEvents type (``ce_type``), id and time (ms), and its body."""
        self.advance(time)
        self._rulings.output(kind, identifier, time, value)

    def advance(self, time: int) -> None:
        """Event time has come to ``time`` (ms): orders that fell due by then are looked at."""
        if time > self.state.now:
            self.state.now = time
            self._trade.advance(time)

    def estimates(self, start: int, end: int, now: int | None = None) -> list[Estimate]:
        """All estimates of a period (ms, ``end`` excluded), in a fixed order.

        ``now``: the time as of which they are made; the ledger's own if it is left out.
        """
        from detectors.metrics.sections import SECTIONS

        period = Period(start, end, self.state.now if now is None else now)
        return [estimate for section in SECTIONS for estimate in section(self.state, period)]

    def dump(self) -> bytes:
        """All that it knows, for :meth:`load`."""
        return msgspec.msgpack.encode(self.state)

    @classmethod
    def load(cls, stored: bytes, modes: frozenset[str] = LIVE) -> Self:
        """A ledger that goes on where another was dumped.

        Raises
        ------
        LedgerError
            It was stored by another version, or is damaged: make it anew from the topics.
        """
        try:
            state = msgspec.msgpack.decode(stored, type=State)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise LedgerError(f"the stored ledger cannot be read: {error}") from None
        if state.version != STATE_VERSION:
            raise LedgerError(f"the ledger is stored in version {state.version}; this is version {STATE_VERSION}")
        return cls(modes, state)
