"""Who is drawn by a hash: for good, by the shares, and independently under another salt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.assignment import Arm, arm_of, place, within

ARMS = (Arm("control", 0.8), Arm("strict", 0.2))
ids = st.text(min_size=1, max_size=20)


def test_merchants_are_spread_by_the_shares_for_good() -> None:
    """A fifth of ten thousand, whoever asks; another experiment draws independently."""
    drawn = [arm_of("e1", f"m{n}", ARMS) for n in range(10_000)]
    assert drawn == [arm_of("e1", f"m{n}", ARMS) for n in range(10_000)]
    strict = [name == "strict" for name in drawn]
    assert sum(strict) == pytest.approx(2_000, abs=160)
    both = sum(a and arm_of("e2", f"m{n}", ARMS) == "strict" for n, a in enumerate(strict))
    assert both == pytest.approx(400, abs=80)


@pytest.mark.parametrize("arms", [(), (Arm("a", 0.5), Arm("b", 0)), (Arm("a", float("nan")),)])
def test_arms_need_shares(arms: tuple[Arm, ...]) -> None:
    """None, or nothing of one, is a mistake."""
    with pytest.raises(ValueError, match="share over 0"):
        arm_of("e", "m", arms)


def test_the_places_are_fixed() -> None:
    """They are part of what is stored and published: another hash would move merchants between arms."""
    assert place("fast-payout", "m1") == pytest.approx(0.71277, abs=5e-6)


@given(salt=ids, party=ids, percent=st.floats(0, 100), wider=st.floats(0, 100))
def test_a_wider_percentage_keeps_whom_it_had(salt: str, party: str, percent: float, wider: float) -> None:
    """Nobody at 0 and everybody at 100, and between them nobody leaves as it grows."""
    assert 0 <= place(salt, party) < 1
    assert not within(salt, party, 0)
    assert within(salt, party, 100)
    low, high = sorted((percent, wider))
    assert within(salt, party, high) or not within(salt, party, low)
