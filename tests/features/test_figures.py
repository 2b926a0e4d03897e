"""Counts that shards share: told in parts, they come to the same as counted at home."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.figures import Tally
from features.population import Population
from features.windows import DAY_MS

START = 1_704_067_200_000
HOUR = DAY_MS // 24

outcomes = st.lists(
    st.tuples(st.sampled_from(["north", "south"]), st.booleans(), st.integers(DAY_MS, 9 * DAY_MS)), max_size=30
)


def test_an_empty_tally_is_known() -> None:
    """Nothing to tell is told to nobody."""
    tally = Tally()
    assert tally.empty
    tally.outcome("all", False)
    assert not tally.empty


@given(st.lists(outcomes, max_size=5))
def test_what_is_told_is_what_was_counted(hours: list[list[tuple[str, bool, int]]]) -> None:
    """A shard that is told every hour knows what the other knows, to within that hour's decay."""
    own, other = Population(), Population()
    own.start_tally()
    for hour, found in enumerate(hours):
        at = START + hour * HOUR
        for region, late, duration in found:
            own.order_placed(at)
            own.order_finished(at, region, "", duration)
            own.learn_segment("all", at, late)
            own.learn_segment(f"region/{region}", at, late)
        assert own.tally is not None
        other.take_in(own.tally, at)
        own.start_tally()
    assert own.segments.keys() == other.segments.keys()
    for name, segment in own.segments.items():
        assert other.segments[name].orders == pytest.approx(segment.orders)
        assert other.segments[name].bad == pytest.approx(segment.bad)
    assert other.deliveries.under_way == own.deliveries.under_way
    assert other.deliveries.routes.keys() == own.deliveries.routes.keys()
    for name, known in own.deliveries.routes.items():
        assert other.deliveries.routes[name].log_days == pytest.approx(known.log_days)


def test_priors_are_shared_as_sums() -> None:
    """Moments of the rates add up over shards, so the priors fitted on them are those of all merchants."""
    whole, own, other = Population(), Population(), Population()
    own.start_tally()
    for shard, contributed in ((own, [50, 40, 40, 2, 3]), (other, [20, 20, 20, 1, 0]), (own, [9, 9, 9, 0, 4])):
        shard.exchange([], contributed)
        whole.exchange([], contributed)
    assert own.tally is not None
    other.take_in(own.tally, START)
    assert other.moments == whole.moments


def test_what_is_taken_in_is_not_told_on() -> None:
    """A third shard hears it from the one that counted it, once."""
    population = Population()
    population.start_tally()
    population.take_in(Tally(segments={"all": [3, 1]}, placed=2), START)
    assert population.tally is not None
    assert population.tally.empty
