"""Inputs of the models: named, with a fixed range.

Ranges are fixed by configuration and never learned: a scaler that follows the largest value seen can be blinded by
one absurd order (River's ``MinMaxScaler`` squashes everything else to nothing), and Half-Space Trees need to know
their space before the first observation.
"""

from collections.abc import Sequence
from math import expm1, inf, isfinite, log1p
from typing import Final, TypeAlias

from msgspec import Struct

from detectors.input_code import Range, compile_scaling

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

    __slots__ = ("inputs", "names", "ranges", "scale", "scale_known")

    def __init__(self, inputs: Sequence[Input]) -> None:
        self.inputs = tuple(inputs)
        self.names = tuple(item.name for item in self.inputs)
        if not self.names or len(set(self.names)) != len(self.names):
            raise ValueError("a model needs inputs with names of their own")
        ranges = []
        for item in self.inputs:
            offset, end = (log1p(item.low), log1p(item.high)) if item.log else (item.low, item.high)
            ranges.append(Range(float(item.low), float(item.high), offset, 1.0 / (end - offset), item.log))
        #: The ranges as code needs them.
        self.ranges: Final = tuple(ranges)
        scaling = compile_scaling(self.ranges, edge)
        #: ``scale(values, missing)``: values on 0..1, one per input and in its unit; ``missing`` has what stands for
        #: ``None``, on 0..1. ValueError: a value is NaN or infinite, or their number is wrong.
        self.scale: Final = scaling.filled
        #: ``scale_known(values)``: the same, with ``None`` kept.
        self.scale_known: Final = scaling.known

    def unscale(self, scaled: Sequence[float]) -> list[float]:
        """Back from 0..1 to the features' units."""
        return [
            expm1(value / each.factor + each.offset) if each.log else value / each.factor + each.offset
            for value, each in zip(scaled, self.ranges, strict=True)
        ]


def edge(value: float, low: float, high: float) -> float:
    """The rare cases of a value of a range: at an end or beyond, or not a number."""
    if value <= low and value != -inf:
        return 0.0
    if value >= high and value != inf:
        return 1.0
    raise ValueError(f"{value} is not a finite number")
