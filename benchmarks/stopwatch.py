"""Times parts of a program while it runs: what each part costs itself, without the parts that it calls.

In processor time of the thread, so that other work on the machine counts as little as may be.
"""

import functools
import importlib
from collections.abc import Callable
from time import thread_time
from typing import Any

from msgspec import Struct


class Cost(Struct):
    """Seconds and calls of one part."""

    seconds: float = 0.0
    calls: int = 0


class Stopwatch:
    """Puts a clock around functions.

    What the clock itself costs is measured on a function that does nothing and taken off again, within a call and
    around it, so that parts that are called often do not look dear.
    """

    def __init__(self) -> None:
        #: Of the calls under way: seconds spent in timed calls within, and how many these were.
        self._open: list[list[float]] = [[0.0, 0.0]]
        self._replaced: list[tuple[Any, str, Any]] = []
        self.costs: dict[str, Cost] = {}
        self._inside = self._outside = 0.0
        self._inside, self._outside = self._own_cost()
        self.costs = {}

    def timed(self, function: Callable[..., Any], part: str) -> Callable[..., Any]:
        """The function with a clock around it."""
        cost = self.costs.setdefault(part, Cost())
        open_, inside, outside = self._open, self._inside, self._outside

        @functools.wraps(function)
        def timing(*args: Any, **kwargs: Any) -> Any:
            within = [0.0, 0.0]
            open_.append(within)
            start = thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                took = thread_time() - start
                open_.pop()
                around = open_[-1]
                around[0] += took
                around[1] += 1.0
                cost.seconds += took - within[0] - within[1] * outside - inside
                cost.calls += 1

        return timing

    def watch(self, target: str, part: str) -> None:
        """Time a function, named ``module:name`` or ``module:Class.method``, wherever it is called by that name.

        Raises
        ------
        AttributeError
            There is no such function.
        """
        module, _, path = target.partition(":")
        owner: Any = importlib.import_module(module)
        *owners, name = path.split(".")
        for each in owners:
            owner = getattr(owner, each)
        self.watch_attribute(owner, name, part)

    def watch_attribute(self, owner: Any, name: str, part: str) -> None:
        """Time a function that is an attribute of an object or class."""
        function = getattr(owner, name)
        self._replaced.append((owner, name, function))
        setattr(owner, name, self.timed(function, part))

    def stop(self) -> None:
        """Put everything back as it was."""
        while self._replaced:
            owner, name, function = self._replaced.pop()
            setattr(owner, name, function)

    def _own_cost(self) -> tuple[float, float]:
        """Seconds that the clock adds within a call that it times, and around it."""
        calls = 20_000
        nothing: Callable[[], None] = lambda: None  # noqa: E731
        bare = min(_loop(nothing, calls) for _ in range(5))
        timing = self.timed(nothing, "")
        cost = self.costs[""]
        inside, whole = float("inf"), float("inf")
        for _ in range(5):
            before = cost.seconds
            whole = min(whole, _loop(timing, calls))
            inside = min(inside, (cost.seconds - before) / calls)
        return inside, max(0.0, (whole - bare) / calls - inside)


def _loop(function: Callable[[], object], calls: int) -> float:
    start = thread_time()
    for _ in range(calls):
        function()
    return thread_time() - start
