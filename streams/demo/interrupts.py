"""Ctrl-C and SIGTERM: the first one ends the demo with a summary, the next one at once."""

import signal
from types import FrameType, TracebackType
from typing import Any, Final, Self

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Inside the ``with`` block both signals raise KeyboardInterrupt, but for the first one after :meth:`soften`, which
    sets ``asked`` instead. Only for the main thread.
    """

    def __init__(self) -> None:
        #: Whether the demo was asked to end.
        self.asked = False
        self._soft = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def soften(self) -> None:
        """From now on there is something to sum up."""
        self._soft = True

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self._soft and not self.asked:
            self.asked = True
        else:
            raise KeyboardInterrupt
