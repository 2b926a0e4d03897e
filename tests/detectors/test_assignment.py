"""Draws for experiments and roll-outs."""

from hypothesis import given
from hypothesis import strategies as st

from detectors.assignment import draw


@given(st.text(), st.text())
def test_a_draw_is_a_share_and_the_same_again(name: str, unit: str) -> None:
    """From 0 to below 1, whatever the names."""
    drawn = draw(name, unit)
    assert 0 <= drawn < 1
    assert drawn == draw(name, unit)


def test_draws_are_evenly_spread() -> None:
    """Of 10,000 merchants each tenth of the range gets a tenth, give or take four standard errors (30 each)."""
    tenths = [0] * 10
    for number in range(10_000):
        tenths[int(draw("salt", f"m{number}") * 10)] += 1
    assert all(880 <= each <= 1_120 for each in tenths), tenths


def test_names_draw_independently() -> None:
    """Who is drawn under one name is drawn under another as often as anybody."""
    both = sum(draw("one", f"m{n}") < 0.5 and draw("two", f"m{n}") < 0.5 for n in range(10_000))
    assert 2_320 <= both <= 2_680
