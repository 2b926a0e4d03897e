"""The probability that a claim is one of an abusive buyer: its formula against an oracle, and the laws it keeps."""

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.claimants import (
    ABUSIVE_RATE,
    FIRST_ODDS,
    HONEST_RATE,
    USUAL_RATE,
    Claimant,
    abuse_probability,
    note_claim,
)
from features.windows import DAY_MS


def of(claims: float, orders: float, merchant: int = -1) -> Claimant:
    """A buyer with so many claims on so many orders."""
    return Claimant(1, claims, orders, merchant, 1)


@given(st.integers(1, 8), st.integers(0, 12), st.floats(0.0, 0.5))
def test_it_is_bayes_rule_for_two_kinds_of_buyers(claims: int, unclaimed: int, seller: float) -> None:
    """By enumeration: each other order was claimed or not, at the honest or the abusive rate; this claim tells nothing
    beyond the prior but how usual claims are at the seller.
    """
    rates = {True: ABUSIVE_RATE, False: HONEST_RATE}
    others = [True] * (claims - 1) + [False] * unclaimed
    weight = {kind: prod([rate if claimed else 1.0 - rate for claimed in others]) for kind, rate in rates.items()}
    abusive = FIRST_ODDS * weight[True]
    honest = weight[False] * max(seller, USUAL_RATE) / USUAL_RATE
    expected = min(0.9, max(0.01, abusive / (abusive + honest)))
    assert abuse_probability(of(claims, claims + unclaimed), seller) == pytest.approx(expected, rel=1e-9)


def test_without_history_it_is_the_share_of_fraudulent_first_claims() -> None:
    """Nothing known, a first claim, or claims at one merchant alone: about 2 %."""
    first = FIRST_ODDS / (1.0 + FIRST_ODDS)
    assert 0.01 < first < 0.03
    assert abuse_probability(None, 0.0) == pytest.approx(first)
    assert abuse_probability(of(1, 1), USUAL_RATE) == pytest.approx(first)
    assert abuse_probability(of(9, 9, merchant=77), 0.0) == pytest.approx(first)


@given(st.floats(1, 30), st.floats(0, 60), st.floats(0, 1), st.integers(0, 40))
def test_more_claims_speak_against_the_buyer_and_all_else_for_the_buyer(
    claims: float, unclaimed: float, seller: float, everywhere: int
) -> None:
    """Monotone in claims; the other way round in orders without claims and in the seller's rate; within bounds."""
    found = abuse_probability(of(claims, claims + unclaimed), seller, everywhere)
    assert 0.01 <= found <= 0.9
    assert abuse_probability(of(claims + 1, claims + 1 + unclaimed), seller, everywhere) >= found
    assert abuse_probability(of(claims, claims + unclaimed + 1), seller, everywhere) <= found
    assert abuse_probability(of(claims, claims + unclaimed), min(1.0, seller + 0.1), everywhere) <= found
    assert abuse_probability(of(claims, claims + unclaimed), seller, everywhere + 1) >= found


def test_whoever_is_held_to_be_abusive_is_so_by_the_probability_too() -> None:
    """Three claims on three orders of two merchants: held against the buyer, and more likely abuse than not."""
    claimants: dict[int, Claimant] = {}
    known = [
        note_claim(claimants, 5, (100 + number) * DAY_MS, merchant=number % 2 + 1, placed=(99 + number) * DAY_MS)
        for number in range(3)
    ][-1]
    assert known.abusive()
    assert abuse_probability(known, USUAL_RATE) > 0.5
