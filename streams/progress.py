"""A line on stderr that says how far a long command has come; stdout stays free for results."""

import sys
import time
from types import TracebackType
from typing import Final, Self, TextIO

#: Seconds between two updates: fast enough for an eye, rare enough for a log file.
_TERMINAL_SECONDS: Final = 0.2
_LOG_SECONDS: Final = 10.0


class Progress:
    """Counts things and shows count and speed: rewritten in place on a terminal, every ten seconds in a log.

    Use it in a ``with`` statement, which removes the line from the terminal at the end.
    """

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self._what = what
        self._stream = sys.stderr if stream is None else stream
        self._terminal = self._stream.isatty()
        self._pause = _TERMINAL_SECONDS if self._terminal else _LOG_SECONDS
        self._started = self._shown = time.monotonic()
        self._width = 0
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def advance(self, count: int = 1, *, note: str = "") -> None:
        """Add to the count; ``note`` is shown after it, if an update is due."""
        self.count += count
        if self.count & 63 and count == 1:
            return  # most calls cost no look at the clock
        now = time.monotonic()
        if now - self._shown >= self._pause:
            self._shown = now
            self._show(now, note)

    def _show(self, now: float, note: str) -> None:
        line = f"{self._what}: {self.count:,} ({self.count / (now - self._started):,.0f}/s){note and f', {note}'}"
        if self._terminal:
            self._stream.write("\r" + line.ljust(self._width))
            self._width = len(line)
        else:
            self._stream.write(line + "\n")
        self._stream.flush()
