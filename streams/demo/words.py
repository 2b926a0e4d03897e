"""Codes, ids and figures as a person reads them; shared by page and summary."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
#: What an action does, in two words at most.
_ACTIONS: Final = {"require_review": "review", "limit_orders": "limit orders", "hold_payout": "hold payout"}


def spoken(code: str) -> str:
    """A code without its underscores.

    >>> spoken("bust_out")
    'bust out'
    """
    return code.replace("_", " ")


def action_words(action: str) -> str:
    """An action in a few words.

    >>> action_words("require_review"), action_words("remove_listing")
    ('review', 'remove listing')
    """
    return _ACTIONS.get(action, spoken(action))


def day(time: int) -> str:
    """A date, from ms since the epoch.

    >>> day(1767225599999)
    '31 Dec 2025'
    """
    return f"{datetime.fromtimestamp(time / 1000, UTC):%d %b %Y}"


def day_and_hour(time: int) -> str:
    """Day and time of day, from ms since the epoch.

    >>> day_and_hour(1767225599999)
    '31 Dec 23:59'
    """
    return f"{datetime.fromtimestamp(time / 1000, UTC):%d %b %H:%M}"


def clock(seconds: float) -> str:
    """A duration.

    >>> clock(95.2)
    '1:35'
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def percent(share: float | None) -> str:
    """A share of 0 to 1 in whole per cent; a dash for a share of nothing.

    >>> percent(2 / 3), percent(None)
    ('67 %', '–')
    """
    return "–" if share is None else f"{share:.0%}".replace("%", " %")


def milliseconds(value: float) -> str:
    """A latency with as many digits as mean something.

    >>> milliseconds(8.123), milliseconds(123.4), milliseconds(4567.8)
    ('8.1 ms', '123 ms', '4.6 s')
    """
    if value < 10:
        return f"{value:.1f} ms"
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def sparkline(values: Sequence[float], width: int) -> str:
    """The last ``width`` values as blocks, from zero to the largest.

    >>> sparkline([0, 5, 10], 10)
    '▁▅█'
    """
    shown = values[-width:] if width > 0 else []
    top = max(shown, default=0.0)
    if top <= 0:
        return _BLOCKS[0] * len(shown)
    return "".join(_BLOCKS[min(7, max(0, int(value / top * 8)))] for value in shown)
