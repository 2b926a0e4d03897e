"""Which points may enter the reference."""

from random import Random

import pytest

from detectors.bounded_share import BoundedShare, ShareState
from detectors.model import SnapshotMismatch

MEMORY = 5_000


def settled(seed: int = 1, count: int = 5_000) -> BoundedShare:
    """A share that has seen ordinary points: percentiles uniform on 0 to 1."""
    share, random = BoundedShare(MEMORY), Random(seed)
    for _ in range(count):
        share.admits(random.random())
    return share


@pytest.mark.parametrize("seed", range(5))
def test_where_all_is_ordinary_nearly_all_is_learned(seed: int) -> None:
    """Extremes that are as rare as they must be belong to the reference, or it would narrow itself down."""
    share, random = BoundedShare(MEMORY), Random(seed)
    refused = sum(not share.admits(random.random()) for _ in range(50_000))
    assert refused < 50_000 * 0.001


def test_a_burst_is_mostly_left_out() -> None:
    """Of 2,000 anomalies on end only as many are learned as fit into the share."""
    share = settled()
    assert sum(share.admits(0.99) for _ in range(2_000)) < 60


def test_what_is_ordinary_is_learned_beside_a_burst() -> None:
    """The reference goes on through an attack; of the attack it gets a bounded share."""
    share, random = settled(), Random(2)
    learned = [rank for at in range(4_000) if share.admits(rank := 0.99 if at % 3 == 0 else random.random() * 0.95)]
    assert len(learned) > 2_600
    assert sum(rank > 0.95 for rank in learned) / len(learned) < 0.1


def test_what_goes_on_becomes_the_new_normal() -> None:
    """When everything has changed, it is learned again after 0.7 times the memory, all of it."""
    share = settled()
    admitted = [share.admits(0.999) for _ in range(6_000)]
    first = next(at for at in range(200, 6_000) if admitted[at])
    assert 0.6 * MEMORY < first < 0.8 * MEMORY
    assert all(admitted[first:])


def test_without_a_percentile_all_is_learned() -> None:
    """During warm-up there is nothing to judge by, and nothing is noted."""
    share = BoundedShare(MEMORY)
    assert all(share.admits(None) for _ in range(1_000))
    assert share.state() == ShareState(0.0, 0.0)


@pytest.mark.parametrize("state", [ShareState(-0.1, 0.0), ShareState(0.0, 1.1), ShareState(float("nan"), 0.0)])
def test_a_state_that_cannot_be_is_refused(state: ShareState) -> None:
    """Shares lie between 0 and 1."""
    with pytest.raises(SnapshotMismatch):
        BoundedShare(MEMORY).restore(state)
