from hypothesis import given
from hypothesis import strategies as st

from detectors.breaker import Breaker, open_until, take, take_back, would_trip
from features.governance import BreakerState

HOUR = 3_600_000
BREAKER = Breaker(24 * HOUR, frozenset({"hold_payout"}), 5, 0.1, 0.2, 2)


def carried_out(parties: int, gmv: int = 10) -> BreakerState:
    """The state after as many actions, an hour apart, each against another merchant."""
    state = BreakerState()
    for number in range(parties):
        take(state, f"d{number}", f"m{number}", gmv, number * HOUR)
    return state


def test_the_number_of_actions_is_capped() -> None:
    """The sixth of five allowed actions trips, whomever it is against and however large the shard."""
    state = carried_out(5)
    tripped = would_trip(BREAKER, state, "m0", 10, 1_000_000, 10**9, 5 * HOUR)
    assert tripped is not None
    assert (tripped.cap, tripped.observed, tripped.limit) == ("actions", 6, 5)


def test_the_share_of_merchants_is_capped_beyond_a_few() -> None:
    """A third merchant of twenty is above a tenth; a second action against one of two is not a third merchant."""
    state = carried_out(2)
    assert would_trip(BREAKER, state, "m1", 10, 20, 10**9, 3 * HOUR) is None
    tripped = would_trip(BREAKER, state, "m2", 10, 20, 10**9, 3 * HOUR)
    assert tripped is not None
    assert (tripped.cap, tripped.observed) == ("merchants", 3 / 20)


def test_turnover_is_capped() -> None:
    """Few merchants that sell much are as bad as many that sell little."""
    state = carried_out(2, gmv=90)
    assert would_trip(BREAKER, state, "m2", 20, 1_000, 1_000, 3 * HOUR) is None
    tripped = would_trip(BREAKER, state, "m2", 21, 1_000, 1_000, 3 * HOUR)
    assert tripped is not None
    assert (tripped.cap, tripped.observed) == ("gmv", 0.201)


def test_actions_leave_with_the_interval_and_when_they_were_wrong() -> None:
    """A day later there is room again, and so there is when an action was taken back."""
    state = carried_out(5)
    assert open_until(BREAKER, state, 5 * HOUR) == 24 * HOUR
    assert would_trip(BREAKER, state, "m9", 10, 1_000, 10**9, 24 * HOUR - 1) is not None
    assert would_trip(BREAKER, state, "m9", 10, 1_000, 10**9, 24 * HOUR) is None
    again = carried_out(5)
    take_back(again, "d3")
    assert would_trip(BREAKER, again, "m9", 10, 1_000, 10**9, 5 * HOUR) is None


@given(actions=st.lists(st.tuples(st.integers(0, 6 * HOUR), st.integers(0, 8), st.integers(0, 300)), max_size=60))
def test_no_interval_ever_holds_more_than_the_caps(actions: list[tuple[int, int, int]]) -> None:
    """Whatever comes, what was carried out within any interval stays within all three caps."""
    state, now, taken = BreakerState(), 0, []
    for number, (gap, merchant, gmv) in enumerate(actions):
        now += gap
        party = f"m{merchant}"
        if would_trip(BREAKER, state, party, gmv, 30, 1_000, now) is None:
            take(state, f"d{number}", party, gmv, now)
            taken.append((now, party, gmv))
        window = [each for each in taken if each[0] > now - BREAKER.interval]
        assert len(window) <= BREAKER.actions
        latest = {party: gmv for _, party, gmv in window}
        if len(latest) > BREAKER.least_merchants:
            assert len(latest) <= 3
    assert len(state.taken) <= BREAKER.actions
