"""Where a running demo is shown: a page on a terminal, or a line now and then where there is none."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.live import Live

from streams.demo.page import draw
from streams.demo.view import PageView
from streams.demo.words import day, milliseconds

_LINE_SECONDS: Final = 5.0


class Shown(Protocol):
    """What a screen asks for its figures."""

    def view(self, phase: str) -> PageView:
        """The figures of this moment."""


class Screen(Protocol):
    """Shows a demo while it runs."""

    def shown(self) -> AbstractContextManager[None]:
        """A ``with`` block inside which :meth:`show` may be called."""

    def show(self, source: Shown, phase: str) -> None:
        """Show the present moment, or not, if it is too soon after the last."""


class PageScreen:
    """A page that fills the terminal and is gone at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Take over the terminal."""
        with Live(console=self._console, screen=True, auto_refresh=False) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def show(self, source: Shown, phase: str) -> None:
        """Draw the page anew."""
        if self._live is not None:
            # The size is asked for each time: people resize terminals.
            width, height = self._console.size
            self._live.update(draw(source.view(phase), width, height), refresh=True)


class LineScreen:
    """A line every five seconds, for logs and pipes."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._next = clock()
        self._phase = ""

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Nothing to take over."""
        self._next = self._clock() + _LINE_SECONDS
        yield

    def show(self, source: Shown, phase: str) -> None:
        """Say a line, if one is due."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + _LINE_SECONDS
        self._say(progress_line(source.view(phase)))


def progress_line(view: PageView) -> str:
    """A moment in one line."""
    latency = "" if view.latency is None else f"  p99 {milliseconds(view.latency.p99)}"
    found = view.score.overall
    return (
        f"{view.elapsed:5.0f} s  {day(view.event_time or view.start)}  in {view.events_in:9,}  out {view.outputs:7,}  "
        f"lag {view.lag:6,}{latency}  attackers found {found.right} of {found.there}"
        + (f"  dead letters {view.dead_letters:,}" if view.dead_letters else "")
        + ("" if view.phase == "playing" else f"  ({view.phase})")
    )
