"""Times and spans of time as people write them on the command line."""

import re
import time
from datetime import UTC, datetime
from typing import Final

import click

_UNITS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}


class Instant(click.ParamType):
    """``now`` or an ISO 8601 time, UTC unless it says otherwise; as ms since the epoch."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Turn the text into ms."""
        if isinstance(value, int):
            return value
        if value == "now":
            return int(time.time() * 1000)
        try:
            instant = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is neither 'now' nor a time such as 2026-01-31 or 2026-01-31T12:00:00Z", param, ctx)
        return int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp() * 1000)


class Span(click.ParamType):
    """A number of minutes, hours or days: ``90m``, ``12h``, ``30d``; as ms."""

    name = "SPAN"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Turn the text into ms."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)([mhd])", str(value))
        if match is None:
            self.fail(f"{value!r} is not a span such as 90m, 12h or 30d", param, ctx)
        return round(float(match[1]) * _UNITS[match[2]])
