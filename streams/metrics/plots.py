"""Plots of a report as SVG text, in the page's own colours."""

from collections.abc import Sequence
from math import log
from typing import Final

from detectors.metrics.estimate import Estimate, date_of
from detectors.metrics.fairness import FAIR_HIGH, FAIR_LOW
from detectors.metrics.scorecard import Day
from streams.metrics.words import interval, percent, slice_words, title, value
from streams.svg import circle, legend, line, rect, svg, text

_WIDTH: Final = 920
_KINDS: Final = (("restrictions", "restrictions"), ("reviews", "reviews"), ("warnings", "warnings"))
#: Ratios are shown from a tenth to ten.
_DECADES: Final = log(10.0)


def development(steps: Sequence[Estimate]) -> str:
    """A rate over time with its intervals; what is not mature is hollow."""
    shown = [each for each in steps if each.value is not None]
    if not shown:
        return ""
    height, left, top, bottom = 240, 60, 30, 30
    largest = max(each.high or each.value or 0.0 for each in shown) or 1.0
    first, last = steps[0].start, steps[-1].end

    def across(time: float) -> float:
        return left + (time - first) / (last - first) * (_WIDTH - left - 20)

    def up(share: float) -> float:
        return height - bottom - share / largest * (height - bottom - top)

    parts = [legend([("mature", "good"), ("not mature yet", "immature")], left)]
    for share in (0.0, largest / 2, largest):
        parts.append(line(left, up(share), _WIDTH - 20, up(share), "grid"))
        parts.append(text(left - 8, up(share) + 4, percent(share), anchor="end", style="quiet"))
    for each in shown:
        middle = across((each.start + each.end) / 2)
        style = "good" if each.mature else "immature"
        words = f"{date_of(each.start)}: {value(each)}, {interval(each)}"
        if each.low is not None and each.high is not None:
            parts.append(line(middle, up(each.low), middle, up(each.high), f"bar {style}"))
        parts.append(circle(middle, up(each.value or 0.0), 4.5, style, words))
    step = max(1, len(steps) // 6)
    parts += [
        text(across(each.start), height - 8, date_of(each.start), style="quiet")
        for each in steps[::step]
        if across(each.start) < _WIDTH - 70
    ]
    return svg(_WIDTH, height, parts, "Bad-order rate over time, with intervals of 95 %")


def decisions(days: Sequence[Day]) -> str:
    """Decisions a day: restrictions, requests for review, warnings."""
    if not days or not any(day.restrictions + day.reviews + day.warnings for day in days):
        return ""
    height, left, top, bottom = 220, 60, 30, 30
    largest = max(day.restrictions + day.reviews + day.warnings for day in days)
    width = (_WIDTH - left - 20) / len(days)
    scale = (height - top - bottom) / largest
    parts = [legend(list(_KINDS), left)]
    for count in (0, largest):
        at = height - bottom - count * scale
        parts.append(line(left, at, _WIDTH - 20, at, "grid"))
        parts.append(text(left - 8, at + 4, f"{count:,}", anchor="end", style="quiet"))
    for place, day in enumerate(days):
        down = height - bottom
        for name, style in _KINDS:
            count = getattr(day, name)
            if count:
                tall = count * scale
                down -= tall
                words = f"{date_of(day.start)}: {count:,} {name}"
                parts.append(rect(left + place * width, down, max(1.0, width - 1), tall, style, words))
    step = max(1, len(days) // 6)
    parts += [
        text(left + place * width, height - 8, date_of(days[place].start), style="quiet")
        for place in range(0, len(days), step)
        if left + place * width < _WIDTH - 70
    ]
    return svg(_WIDTH, height, parts, "Decisions a day: restrictions, requests for review and warnings")


def shares(estimates: Sequence[Estimate], words: str, most: int = 24) -> str:
    """Shares of several slices with their intervals, one below the other."""
    shown = [each for each in estimates if each.value is not None and each.low is not None][:most]
    if not shown:
        return ""
    row, left, right = 22, 270, 150
    parts = []
    height = 34 + row * len(shown)

    def across(share: float) -> float:
        return left + share * (_WIDTH - left - right)

    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(line(across(share), 22, across(share), height - 6, "grid"))
        parts.append(text(across(share), 14, f"{100 * share:.0f} %", anchor="middle", style="quiet small"))
    for place, each in enumerate(shown):
        middle = 34 + place * row
        style = "good" if each.mature else "immature"
        parts.append(text(left - 10, middle + 4, _label(each), anchor="end"))
        if each.low is not None and each.high is not None:
            parts.append(line(across(each.low), middle, across(each.high), middle, f"bar {style}"))
        parts.append(circle(across(each.value or 0.0), middle, 4.5, style, f"{_label(each)}: {interval(each)}"))
        counted = f"{value(each)} of {each.denominator:,.0f}"
        parts.append(text(_WIDTH - right + 12, middle + 4, counted, style="quiet"))
    return svg(_WIDTH, height, parts, words)


def ratios(estimates: Sequence[Estimate], words: str) -> str:
    """Ratios to all others on a scale of their logarithm, with what counts as fair."""
    shown = [each for each in estimates if each.mature and each.value and each.low and each.high]
    if not shown:
        return ""
    row, left, right = 22, 270, 150
    height = 34 + row * len(shown)

    def across(ratio: float) -> float:
        place = (log(min(max(ratio, 0.1), 10.0)) + _DECADES) / (2 * _DECADES)
        return left + place * (_WIDTH - left - right)

    parts = [rect(across(FAIR_LOW), 20, across(FAIR_HIGH) - across(FAIR_LOW), height - 26, "fair", "0.8 to 1.25")]
    for ratio in (0.1, 0.3, 1.0, 3.0, 10.0):
        parts.append(line(across(ratio), 22, across(ratio), height - 6, "grid"))
        parts.append(text(across(ratio), 14, f"{ratio:g}", anchor="middle", style="quiet small"))
    for place, each in enumerate(shown):
        middle = 34 + place * row
        style = "bad" if each.note else "good"
        parts.append(text(left - 10, middle + 4, slice_words(each), anchor="end"))
        parts.append(line(across(each.low or 0.1), middle, across(each.high or 10.0), middle, f"bar {style}"))
        parts.append(circle(across(each.value or 1.0), middle, 4.5, style, f"{slice_words(each)}: {interval(each)}"))
        counted = f"{value(each)} ({each.numerator:,.0f} of {each.denominator:,.0f})"
        parts.append(text(_WIDTH - right + 12, middle + 4, counted, style="quiet"))
    return svg(_WIDTH, height, parts, words)


def _label(estimate: Estimate) -> str:
    return estimate.slice.get("rule") or f"{title(estimate)}, {' '.join(estimate.slice.values()) or 'all'}"
