"""What a report is made of, and how figures are written."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field


class Table(Struct, frozen=True):
    """Cells as text."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class Section(Struct, frozen=True):
    """A part of the report; plots are SVG text."""

    title: str
    paragraphs: Sequence[str] = ()
    tables: Sequence[Table] = ()
    plots: Sequence[str] = field(default_factory=tuple)


def paragraph(text: str) -> str:
    """A text over several lines as one."""
    return " ".join(text.split())


def number(value: float | None, digits: int = 3) -> str:
    """A figure, or a dash."""
    return "–" if value is None else f"{value:.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share, or a dash."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def spread(figures: Mapping[str, Any], name: str, *, share: bool = True) -> str:
    """Mean and standard deviation over seeds."""
    value, deviation = figures.get(name), figures.get(f"{name}_sd")
    written = percent(value) if share else number(value, 1)
    if value is None or deviation is None:
        return written
    return f"{written} ± {100 * deviation:.1f}" if share else f"{written} ± {deviation:.1f}"


def interval(figures: Mapping[str, Any], name: str) -> str:
    """Wilson's interval of all seeds together."""
    found = figures.get(f"{name}_interval")
    return "–" if found is None else f"{100 * found[0]:.1f} to {100 * found[1]:.1f} %"
