"""Creators as a merchant's shard knows them: bounded, and compared by what they drive now."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.activity import BASE_LIFE
from features.promoters import (
    LISTING_PROMOTERS_LIMIT,
    PROMOTERS_LIMIT,
    ListingPromoter,
    Promoter,
    note_listing_promoter,
    note_promoter,
)

START = 1_704_067_200_000


def test_turnover_halves_in_four_weeks() -> None:
    """As the merchant's own base does; an order that comes late counts what is left of it."""
    promoters: list[Promoter] = []
    note_promoter(promoters, "c", START, 1000)
    found, new, left = note_promoter(promoters, "c", START + BASE_LIFE, 100)
    assert (found.gmv, new, left) == (600, False, None)
    note_promoter(promoters, "c", START, 1000)
    assert found.gmv == 1100
    assert found.at == START + BASE_LIFE


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 90), st.integers(1, 10_000)), max_size=60))
def test_the_table_is_bounded(orders: list[tuple[int, int, int]]) -> None:
    """However many creators there are, so many are kept, each once."""
    promoters: list[Promoter] = []
    listing: list[ListingPromoter] = []
    for creator, day, amount in orders:
        note_promoter(promoters, f"c{creator}", START + day * 86_400_000, amount)
        note_listing_promoter(listing, f"c{creator}", START + day * 86_400_000)
    assert len(promoters) == len({each.creator for each in promoters}) <= PROMOTERS_LIMIT
    assert len(listing) == len({each.creator for each in listing}) <= LISTING_PROMOTERS_LIMIT


def test_who_drives_least_leaves() -> None:
    """By what is left of the turnover now; those under enforcement stay."""
    promoters: list[Promoter] = []
    for number in range(PROMOTERS_LIMIT):
        note_promoter(promoters, f"c{number}", START, 100 + number)
    promoters[0].flagged = True
    _, new, left = note_promoter(promoters, "new", START, 50)
    assert new
    assert left is not None
    assert left.creator == "c1"
    assert [each.creator for each in promoters] == ["c0", *(f"c{n}" for n in range(2, PROMOTERS_LIMIT)), "new"]
    assert promoters[-1].gmv == pytest.approx(50)
