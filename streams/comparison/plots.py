"""Plots of a comparison as SVG text: drawn here, so that the page needs no library and no network.

Colours are those of the page's style (classes), so that they follow its light and dark.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from detectors.comparison.comparison import Day
from detectors.comparison.outage import Outage
from detectors.comparison.published import Level
from detectors.comparison.sums import Group
from features.outputs import LEVELS
from streams.comparison.words import moment, money
from streams.svg import circle, legend, line, rect, svg, text

_WIDTH: Final = 920
_DAY: Final = 86_400_000
_PARTS: Final = (("equal", "equal"), ("changed", "changed"), ("lost", "lost"), ("gained", "gained"))


class Mark(Struct, frozen=True):
    """Something to mark in a chart of levels: a time (ms), a style's class, and words for who points at it."""

    time: int
    style: str
    words: str


def outcome_bars(groups: Sequence[Group], most: int = 18) -> str:
    """A bar for each group: what is equal, changed, lost and gained."""
    shown = [group for group in groups if group.equal + group.changed + group.lost + group.gained][:most]
    largest = max((group.equal + group.changed + group.lost + group.gained for group in shown), default=1)
    row, left = 24, 260
    scale = (_WIDTH - left - 90) / largest
    parts = [legend([(name, style) for name, style in _PARTS], left)]
    for at, group in enumerate(shown):
        top = 30 + at * row
        parts.append(text(left - 8, top + 13, group.name, anchor="end"))
        across: float = left
        for name, style in _PARTS:
            count = getattr(group, name)
            if count:
                width = count * scale
                title = f"{group.name}: {count:,} {name}"
                parts.append(rect(across, top, max(width, 1.0), row - 7, style, title))
                across += width
        parts.append(text(across + 6, top + 13, f"{group.baseline:,} → {group.candidate:,}", style="quiet"))
    return svg(_WIDTH, 36 + len(shown) * row, parts, "Decisions by rule: equal, changed, lost and gained")


def timeline(days: Sequence[Day], outage: Outage) -> str:
    """Decisions a day in both runs, with the baseline's silences and gaps."""
    if not days:
        return ""
    height, left, bottom, top = 220, 46, 26, 26
    first, last = days[0].start, days[-1].start + _DAY
    largest = max(max(day.baseline, day.candidate) for day in days) or 1

    def across(time: float) -> float:
        return left + (time - first) / (last - first) * (_WIDTH - left - 10)

    def up(count: float) -> float:
        return height - bottom - count / largest * (height - bottom - top)

    parts = [legend([("baseline", "baseline"), ("candidate", "candidate"), ("baseline silent", "silent")], left)]
    for silence in outage.silences:
        words = f"baseline silent, {moment(silence.since)} to {moment(silence.until)}"
        begin = across(max(first, silence.since))
        width = max(across(min(last, silence.until)) - begin, 2.0)
        parts.append(rect(begin, top, width, height - top - bottom, "silent", words))
    for gap in outage.gaps:
        words = f"never seen: {gap.topic}/{gap.partition}, {gap.first_offset:,} to {gap.last_offset:,} ({gap.why})"
        at = across(min(max(gap.time, first), last))
        parts.append(rect(at - 1, top, 2, height - top - bottom, "lost", words))
    for count in (0, largest / 2, largest):
        parts.append(line(left, up(count), _WIDTH - 10, up(count), "grid"))
        parts.append(text(left - 6, up(count) + 4, f"{count:,.0f}", anchor="end", style="quiet"))
    counts = {day.start: day for day in days}
    starts = range(first, last, _DAY)
    for style in ("baseline", "candidate"):
        points = [(across(start + _DAY / 2), up(getattr(counts.get(start), style, 0))) for start in starts]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline class="{style}" points="{path}"/>')
    step = max(1, len(starts) // 6)
    parts += [
        text(across(start), height - 8, moment(start)[:10], style="quiet")
        for start in starts[::step]
        if across(start) < _WIDTH - 70
    ]
    return svg(_WIDTH, height, parts, "Decisions a day in the baseline and in the candidate")


def restricted_bars(groups: Sequence[Group], currency: str, most: int = 12) -> str:
    """Worth of the orders under restrictions, by category, in the currency with the most."""
    shown = [
        (group, group.baseline_restricted.get(currency, 0), group.candidate_restricted.get(currency, 0))
        for group in groups
    ]
    shown = sorted((each for each in shown if each[1] or each[2]), key=lambda each: -max(each[1], each[2]))[:most]
    if not shown:
        return ""
    largest = max(max(one, other) for _, one, other in shown)
    row, left = 34, 200
    scale = (_WIDTH - left - 190) / largest
    parts = [legend([("baseline", "baseline"), ("candidate", "candidate")], left)]
    for at, (group, one, other) in enumerate(shown):
        top = 30 + at * row
        parts.append(text(left - 8, top + 17, group.name, anchor="end"))
        for below, style, amount in ((0, "baseline", one), (13, "candidate", other)):
            words = money({currency: amount})
            parts.append(rect(left, top + below, max(amount * scale, 1.0), 11, style, f"{style}: {words}"))
            parts.append(text(left + amount * scale + 6, top + below + 10, words, style="quiet small"))
    return svg(_WIDTH, 36 + len(shown) * row, parts, "Worth of orders under restrictions, by category")


def level_steps(runs: tuple[Sequence[Level], Sequence[Level]], marks: Sequence[Mark], begin: int, end: int) -> str:
    """A merchant's levels in both runs over time, with its decisions marked."""
    width, height, left, top = 860, 112, 74, 8
    span = max(1, end - begin)
    step = (height - top - 22) / (len(LEVELS) - 1)

    def across(time: int) -> float:
        return left + (min(max(time, begin), end) - begin) / span * (width - left - 8)

    def up(level: str) -> float:
        return top + (len(LEVELS) - 1 - (LEVELS.index(level) if level in LEVELS else 0)) * step

    parts = []
    for level in LEVELS:
        parts.append(line(left, up(level), width - 8, up(level), "grid"))
        parts.append(text(left - 6, up(level) + 4, level, anchor="end", style="quiet small"))
    for style, levels in zip(("baseline", "candidate"), runs, strict=True):
        path = [f"M{left},{up(LEVELS[0]):.1f}"]
        path += [f"H{across(each.time):.1f}V{up(each.level):.1f}" for each in levels]
        path.append(f"H{width - 8}")
        parts.append(f'<path class="{style} step" d="{"".join(path)}"/>')
    for mark in marks:
        at = across(mark.time)
        parts.append(circle(at, height - 16, 4, mark.style, mark.words))
    parts.append(text(left, height - 1, moment(begin)[:10], style="quiet small"))
    parts.append(text(width - 8, height - 1, moment(end)[:10], anchor="end", style="quiet small"))
    return svg(width, height, parts, "Levels over time, in the baseline and in the candidate")
