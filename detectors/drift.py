"""Watches the models and their world for drift: ADWIN over what they get wrong, what comes, and how unusual it is."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.msgpack import Decoder

from detectors.adwin import AdaptiveWindow, AdwinState, Shift
from detectors.model import SnapshotMismatch, schema_of, seal, unseal


class Figure(Struct, frozen=True):
    """A figure on 0..1 that is watched.

    Attributes
    ----------
    name
        As published.
    least
        The smallest change that is worth a person's time: with many values, ADWIN finds smaller ones.
    block
        Values whose mean is one value of the window. Those of a busy merchant come one after the other and resemble
        each other, which ADWIN would take for change; means of blocks vary as much as they really do.
    """

    name: str
    least: float
    block: int = 1


#: Squared error of the probability of a bad order when it was placed (Brier): the model has become worse, or better.
BRIER: Final = Figure("bad-order:brier", 0.02)
#: Whether an order went wrong: the world has.
BAD_SHARE: Final = Figure("bad-order:share", 0.03)
#: Percentile of a merchant's behaviour: merchants behave otherwise than lately.
UNUSUAL: Final = Figure("behaviour-anomaly:percentile", 0.1, 50)
WATCHED: Final = (BRIER, BAD_SHARE, UNUSUAL)

#: Below River's 0.002: a shard lives for years, and an alarm costs a person's time.
_DELTA: Final = 1e-4
#: Means of blocks are looked at one by one, values once in 32.
_CLOCK: Final = 32
#: A change is found again and again while it goes on; it is news once in as many values, unless it turns round.
_NEWS_AFTER: Final = 1_000


class _WatchState(Struct, frozen=True, array_like=True):
    window: AdwinState
    total: float
    count: int
    quiet: int
    upward: bool


class _State(Struct, frozen=True):
    figures: dict[str, _WatchState]


_STATES: Final = Decoder(_State)


class _Watch:
    """One figure: its window, the block that is filling, and the last alarm."""

    __slots__ = ("_count", "_figure", "_quiet", "_total", "_upward", "_window")

    def __init__(self, figure: Figure) -> None:
        self._figure = figure
        self._window = AdaptiveWindow(delta=_DELTA, clock=_CLOCK if figure.block == 1 else 1)
        self._total = 0.0
        self._count = 0
        #: Values since the last alarm, and whether it was one of a rise.
        self._quiet = _NEWS_AFTER
        self._upward = False

    def update(self, value: float) -> Shift | None:
        """Take a value in; the change, where there is one worth telling."""
        figure = self._figure
        self._quiet += 1
        if figure.block > 1:
            self._total += value
            self._count += 1
            if self._count < figure.block:
                return None
            value = min(1.0, self._total / figure.block)
            self._total, self._count = 0.0, 0
        shift = self._window.update(value)
        if shift is None or abs(shift.after - shift.before) < figure.least:
            return None
        upward = shift.after > shift.before
        if self._quiet < _NEWS_AFTER and upward == self._upward:
            return None
        self._quiet, self._upward = 0, upward
        return Shift(shift.before, shift.after, shift.window * figure.block)

    def state(self) -> _WatchState:
        return _WatchState(self._window.state(), self._total, self._count, self._quiet, self._upward)

    def restore(self, state: _WatchState) -> None:
        if not 0 <= state.count < self._figure.block or not 0.0 <= state.total <= state.count or state.quiet < 0:
            raise SnapshotMismatch("the snapshot's block of a watched figure can't be")
        self._window.restore(state.window)
        self._total, self._count, self._quiet, self._upward = state.total, state.count, state.quiet, state.upward


class DriftWatch:
    """An adaptive window over each figure that is watched of a shard.

    Its state is kept and continued as a model's is, although it predicts nothing: alarms must come again exactly as
    they came. What it has found is told once for about 1,000 values, or when it turns round.

    Failure mode: a change so slow that the window never holds both ends is not found; and where each shard sees few
    labels, changes are found late.
    """

    name: str = "drift-watch"
    version: str = "1"

    def __init__(self) -> None:
        self._brier, self._share, self._unusual = self._watches = [_Watch(figure) for figure in WATCHED]
        parameters: dict[str, bool | int | float | str] = {"delta": _DELTA, "clock": _CLOCK, "news": _NEWS_AFTER}
        parameters |= {figure.name: f"{figure.least} {figure.block}" for figure in WATCHED}
        self._schema = schema_of(self.name, self.version, (), parameters)

    def outcome(self, predicted: float, bad: bool) -> Sequence[tuple[str, Shift]]:
        """Take in how an order went whose probability was ``predicted`` (0 to 1) before; the alarms this gives.

        Raises
        ------
        ValueError
            ``predicted`` is no probability.
        """
        _check(predicted)
        label = 1.0 if bad else 0.0
        error = predicted - label
        worse, other = self._brier.update(error * error), self._share.update(label)
        if worse is None and other is None:
            return ()
        found = ((BRIER.name, worse), (BAD_SHARE.name, other))
        return [(name, shift) for name, shift in found if shift is not None]

    def behaviour(self, percentile: float) -> Sequence[tuple[str, Shift]]:
        """Take in how unusual a behaviour is, a percentile from 0 to 1; the alarms this gives. Errors likewise."""
        _check(percentile)
        shift = self._unusual.update(percentile)
        return () if shift is None else [(UNUSUAL.name, shift)]

    def snapshot(self) -> bytes:
        """Everything remembered, as bytes."""
        states = {figure.name: watch.state() for figure, watch in zip(WATCHED, self._watches, strict=True)}
        return seal(self._schema, _State(states))

    def restore(self, data: bytes) -> None:
        """Continue from a snapshot; :class:`~detectors.model.SnapshotMismatch` leaves the watch as it was."""
        state = unseal(data, self._schema, _STATES)
        if state.figures.keys() != {figure.name for figure in WATCHED}:
            raise SnapshotMismatch("the snapshot watches other figures")
        watches = [_Watch(figure) for figure in WATCHED]
        for figure, watch in zip(WATCHED, watches, strict=True):
            watch.restore(state.figures[figure.name])
        self._brier, self._share, self._unusual = self._watches = watches


def _check(value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{value} is not between 0 and 1")
