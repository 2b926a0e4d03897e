"""Inputs of the models: named, with a fixed range.

Ranges are fixed by configuration and never learned: a scaler that follows the largest value seen can be blinded by
one absurd order (River's ``MinMaxScaler`` squashes everything else to nothing), and Half-Space Trees need to know
their space before the first observation.
"""

from collections.abc import Sequence
from math import expm1, inf, isfinite, log1p
from typing import Final, TypeAlias

from msgspec import Struct

#: A model's inputs, in order; ``None`` where a feature has no value.
Values: TypeAlias = Sequence[float | None]


class Input(Struct, frozen=True, array_like=True):
    """One input of a model.

    Attributes
    ----------
    name
        Name of the feature, as shown in reasons.
    low, high
        Range in the feature's own unit; values beyond it are taken as its ends.
    log
        Whether ``log1p`` is taken first: for counts, amounts and ratios with long tails. Needs ``low`` > -1.
    """

    name: str
    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        """Refuse a range that scales nothing."""
        if not (isfinite(self.low) and isfinite(self.high) and self.low < self.high):
            raise ValueError(f"input {self.name!r}: the range {self.low} to {self.high} is empty or not finite")
        if self.log and self.low <= -1:
            raise ValueError(f"input {self.name!r}: log1p needs a range above -1, not from {self.low}")


class FixedRanges:
    """Scales values to 0..1 by their inputs' fixed ranges.

    Parameters
    ----------
    inputs
        The inputs, in the order in which values come. Names are unique.
    """

    __slots__ = ("_specs", "inputs", "names")

    def __init__(self, inputs: Sequence[Input]) -> None:
        self.inputs = tuple(inputs)
        self.names = tuple(item.name for item in self.inputs)
        if not self.names or len(set(self.names)) != len(self.names):
            raise ValueError("a model needs inputs with names of their own")
        specs = []
        for item in self.inputs:
            offset, end = (log1p(item.low), log1p(item.high)) if item.log else (item.low, item.high)
            specs.append((item.low, item.high, offset, 1.0 / (end - offset), item.log))
        self._specs: Final = tuple(specs)

    def scale(self, values: Values, missing: Sequence[float]) -> list[float]:
        """Values on 0..1.

        Parameters
        ----------
        values
            One per input, in the feature's unit.
        missing
            What stands for ``None``, on 0..1, one per input.

        Raises
        ------
        ValueError
            A value is NaN or infinite, or their number is wrong.
        """
        return [
            ((log1p(value) if log else value) - offset) * factor
            if value is not None and low < value < high
            else self._edge(value, low, high, neutral)
            for value, (low, high, offset, factor, log), neutral in zip(values, self._specs, missing, strict=True)
        ]

    def scale_known(self, values: Values) -> list[float | None]:
        """Values on 0..1 like :meth:`scale`, with ``None`` kept."""
        return [
            ((log1p(value) if log else value) - offset) * factor
            if value is not None and low < value < high
            else None
            if value is None
            else self._edge(value, low, high, 0.0)
            for value, (low, high, offset, factor, log) in zip(values, self._specs, strict=True)
        ]

    def unscale(self, scaled: Sequence[float]) -> list[float]:
        """Back from 0..1 to the features' units."""
        return [
            expm1(value / factor + offset) if log else value / factor + offset
            for value, (_, _, offset, factor, log) in zip(scaled, self._specs, strict=True)
        ]

    @staticmethod
    def _edge(value: float | None, low: float, high: float, neutral: float) -> float:
        """The rare cases: no value, at an end or beyond, or not a number."""
        if value is None:
            return neutral
        if value <= low and value != -inf:
            return 0.0
        if value >= high and value != inf:
            return 1.0
        raise ValueError(f"{value} is not a finite number")
