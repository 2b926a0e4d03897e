"""Words and figures for people: the examples in the docstrings hold."""

import doctest
from types import ModuleType

import pytest

from streams.demo import tally, words


@pytest.mark.parametrize("module", [words, tally])
def test_examples_hold(module: ModuleType) -> None:
    """Each example in the docstrings gives what it says, and there are some."""
    outcome = doctest.testmod(module)
    assert outcome.attempted
    assert not outcome.failed


@pytest.mark.parametrize(
    ("values", "width", "line"),
    [([], 5, ""), ([0, 0], 5, "▁▁"), ([1, 2, 3, 4], 2, "▇█"), ([5], 0, ""), ([1e9, 0], 9, "█▁")],
)
def test_sparkline(values: list[float], width: int, line: str) -> None:
    """A line shows the last values that fit, from zero up to the largest of them."""
    assert words.sparkline(values, width) == line
