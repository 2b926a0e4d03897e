"""Small charts as SVG: drawn here, coloured by the style sheet, with words for who can't see them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from markupsafe import Markup, escape

_WIDTH: Final = 640
_HEIGHT: Final = 96
_LINE: Final = 14


def bars(rows: Iterable[Mapping[str, Any] | Any], last: int, days: int, title: str) -> Markup:
    """A bar for each of the last days: its count, and the part of it that is marked.

    Parameters
    ----------
    rows
        With ``day`` (days since 1970), ``count`` and ``marked``.
    last
        The last day.
    """
    found = {row["day"]: (row["count"], row["marked"] or 0) for row in rows}
    shown = [(day, *found.get(day, (0, 0))) for day in range(last - days + 1, last + 1)]
    most = max((count for _, count, _ in shown), default=0) or 1
    step = _WIDTH / days
    parts = []
    for at, (day, count, marked) in enumerate(shown):
        name = f"{_date(day)}: {count:,}" + (f", {marked:,} waiting" if marked else "")
        height = count / most * (_HEIGHT - _LINE - 4)
        part = marked / most * (_HEIGHT - _LINE - 4)
        x, base = at * step, _HEIGHT - _LINE
        parts.append(
            f'<g><title>{name}</title><rect class="hit" x="{x:.1f}" y="0" width="{step:.1f}" height="{base}"/>'
            f'<rect class="bar" x="{x + 1:.1f}" y="{base - height:.1f}" width="{step - 2:.1f}" height="{height:.1f}"/>'
            f'<rect class="marked" x="{x + 1:.1f}" y="{base - part:.1f}" width="{step - 2:.1f}" height="{part:.1f}"/>'
            "</g>"
        )
    parts += [
        f'<text x="{at * step:.1f}" y="{_HEIGHT - 2}">{_date(last - days + 1 + at)[5:]}</text>'
        for at in range(0, days, 14)
    ]
    total = sum(count for _, count, _ in shown)
    words = escape(f"{title}: {total:,} in {days} days, at most {most:,} a day")
    return Markup(  # noqa: S704 - figures and dates, and words that are escaped
        f'<svg class="chart" role="img" aria-label="{words}" viewBox="0 0 {_WIDTH} {_HEIGHT}">{"".join(parts)}</svg>'
    )


def interval(low: float | None, value: float | None, high: float | None, ends: Sequence[float] = (0.0, 1.0)) -> Markup:
    """A value with its interval on a line from one end to the other."""
    if value is None or low is None or high is None or ends[1] <= ends[0]:
        return Markup("")

    def across(x: float) -> float:
        return 2 + min(1.0, max(0.0, (x - ends[0]) / (ends[1] - ends[0]))) * 96

    return Markup(  # noqa: S704 - figures alone
        '<svg class="interval" aria-hidden="true" viewBox="0 0 100 10">'
        '<line class="axis" x1="2" y1="5" x2="98" y2="5"/>'
        f'<line class="range" x1="{across(low):.1f}" y1="5" x2="{across(high):.1f}" y2="5"/>'
        f'<circle cx="{across(value):.1f}" cy="5" r="3"/></svg>'
    )


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%d")
