"""Arms of merchants and clusters: who is in which, and what is said of their difference, running and at the end."""

from datetime import date
from typing import Any

import pytest

from config.experiment_specs import ArmSpec, ExperimentSpec, GuardrailSpec
from detectors.assignment import within
from detectors.metrics.experiments import MISMATCH, Assignment, detectable, read_experiment
from detectors.metrics.linked import MOST_SHARING, clusters
from features.events import MerchantAccountChanged
from tests.detectors.metrics.market import END, LATER, START, Market


def spec(**more: Any) -> ExperimentSpec:
    """An experiment of January with two halves."""
    return ExperimentSpec(
        **{
            "id": "stricter", "title": "Stricter", "starts": date(2026, 1, 1), "ends": date(2026, 1, 31),
            "arms": [ArmSpec(name="strict", share=0.5), ArmSpec(name="usual", share=0.5)], "control": "usual", **more,
        }
    )  # fmt: skip


def traded(rates: dict[str, float], *, merchants: int = 200, orders: int = 10, by: ExperimentSpec) -> Market:
    """A market where each arm's merchants have a rate of bad orders."""
    market = Market()
    assignment = Assignment(by)
    for number in range(merchants):
        name = f"m{number}"
        market.register(name, -10)
        bad = rates[assignment.arm(name)]
        for order in range(orders):
            # Merchants differ a little, as they do.
            is_bad = (order + 0.5 + number % 3 - 1) / orders < bad
            market.order(name, f"{name}-{order}", 1 + order % 20, bad=is_bad)
    return market


def share(link: str, market: Market, *merchants: str, day: float = -5) -> None:
    """Merchants get the same bank account."""
    for merchant in merchants:
        market.ledger.event(
            MerchantAccountChanged(
                event_id=f"{link}-{merchant}", occurred_at=market.at(day), merchant_id=merchant, what="bank",
                value_hash=link,
            )
        )  # fmt: skip


def test_the_first_arm_is_whom_a_roll_out_with_the_same_salt_treats() -> None:
    """So an experiment can be carried out by `policies publish --percent`, and widening it keeps whom it had."""
    by = spec(salt="s", arms=[ArmSpec(name="strict", share=0.1), ArmSpec(name="usual", share=0.1)], holdout=0.05)
    assignment = Assignment(by)
    drawn = {name: assignment.arm(name) for name in (f"m{n}" for n in range(3_000))}
    assert all((arm == "strict") == within("s", name, 10) for name, arm in drawn.items())
    sizes = {arm: list(drawn.values()).count(arm) for arm in ("strict", "usual", "holdout", "outside")}
    assert sum(sizes.values()) == 3_000
    assert sizes["strict"] == pytest.approx(300, abs=70)
    assert sizes["holdout"] == pytest.approx(150, abs=50)


def test_linked_merchants_are_drawn_together() -> None:
    """By a bank account that few share; one of an agency links nobody; what is linked later does not move anybody."""
    market = Market()
    for number in range(20):
        market.register(f"m{number}", -10)
    share("b1", market, "m3", "m7")
    share("b2", market, "m7", "m5")
    share("agency", market, *(f"m{n}" for n in range(8, 8 + MOST_SHARING + 1)))
    share("late", market, "m0", "m1", day=3)
    found = clusters(market.ledger.state, START)
    assert found == {"m3": "m3", "m5": "m3", "m7": "m3"}
    assignment = Assignment(spec(unit="cluster"), found)
    assert {assignment.unit(name) for name in ("m3", "m5", "m7")} == {"m3"}
    assert len({assignment.arm(name) for name in ("m3", "m5", "m7")}) == 1
    assert assignment.unit("m0") == "m0"


def test_units_that_were_linked_across_arms_are_left_out() -> None:
    """And counted."""
    by = spec()
    market = traded({"strict": 0.1, "usual": 0.1}, by=by, merchants=60)
    assignment = Assignment(by)
    one = next(f"m{n}" for n in range(60) if assignment.arm(f"m{n}") == "strict")
    other = next(f"m{n}" for n in range(60) if assignment.arm(f"m{n}") == "usual")
    before = read_experiment(by, market.ledger.state, END)
    share("b", market, one, other, day=2)
    after = read_experiment(by, market.ledger.state, END)
    assert (before.crossed, after.crossed) == (0, 2)
    assert sum(arm.units for arm in after.arms) == 58


def test_an_effect_is_found_and_told_which_way_it_goes() -> None:
    """Fewer bad orders are better; the control and the treated arm are not mixed up."""
    by = spec()
    market = traded({"strict": 0.1, "usual": 0.4}, by=by)
    market.ledger.advance(LATER)
    (primary,) = read_experiment(by, market.ledger.state, market.ledger.now).primary
    effect = primary.comparison.effect
    assert (primary.verdict, primary.relied_on) == ("better", "planned end")
    assert effect.difference is not None and effect.difference == pytest.approx(-0.3, abs=0.05)
    market = traded({"strict": 0.4, "usual": 0.1}, by=by)
    market.ledger.advance(LATER)
    assert read_experiment(by, market.ledger.state, market.ledger.now).primary[0].verdict == "worse"


def test_while_it_runs_only_the_interval_of_all_times_ends_it() -> None:
    """A difference that the plain interval would take for sure goes on until the wider one does."""
    by = spec(ends=date(2026, 6, 30))
    market = traded({"strict": 0.2, "usual": 0.26}, by=by, merchants=60)
    market.ledger.advance(LATER)
    reading = read_experiment(by, market.ledger.state, market.ledger.now)
    (primary,) = reading.primary
    effect = primary.comparison.effect
    assert not reading.ended
    assert effect.high is not None and effect.always_high is not None
    assert effect.high < 0 < effect.always_high
    assert (primary.verdict, primary.relied_on) == ("keep running", "all times")


def test_guardrails_are_held_broken_or_open() -> None:
    """More restrictions than the limit break one; money that stays the same holds one."""
    by = spec(
        guardrails=[
            GuardrailSpec(metric="restriction_rate", worse_by=0.1),
            GuardrailSpec(metric="gmv_per_merchant", worse_by=0.5, relative=True),
            GuardrailSpec(metric="appeal_rate", worse_by=0.1),
        ]
    )
    market = traded({"strict": 0.1, "usual": 0.1}, by=by)
    assignment = Assignment(by)
    for number in range(200):
        if assignment.arm(f"m{number}") == "strict" and number % 10:
            market.decide(f"m{number}", 5)
    found = {rail.comparison.metric: rail for rail in read_experiment(by, market.ledger.state, END).guardrails}
    assert found["restriction_rate"].state == "breached"
    assert found["gmv_per_merchant"].state == "held"
    assert (found["gmv_per_merchant"].limit or 0) < 0
    # Nobody of the control was restricted, so there is nothing to compare.
    assert found["appeal_rate"].state == "too little"


def test_sizes_that_were_not_drawn_are_noticed() -> None:
    """Where half of one arm is missing, something else decides who is in it."""
    by = spec()
    market = traded({"strict": 0.1, "usual": 0.1}, by=by, merchants=400, orders=1)
    fair = read_experiment(by, market.ledger.state, END)
    assert fair.mismatch is not None and fair.mismatch > MISMATCH
    assignment = Assignment(by)
    merchants = market.ledger.state.merchants
    for number in range(0, 400, 2):
        if assignment.arm(f"m{number}") == "strict":
            del merchants[f"m{number}"]
    skewed = read_experiment(by, market.ledger.state, END)
    assert skewed.mismatch is not None and skewed.mismatch < MISMATCH


def test_what_could_be_found_is_less_with_smaller_arms() -> None:
    """And nothing is said of too few merchants."""
    market = traded({"strict": 0.2, "usual": 0.2}, by=spec())
    market.ledger.advance(LATER)
    halves = detectable(spec(), market.ledger.state, END)["strict"]
    tenths = detectable(
        spec(arms=[ArmSpec(name="strict", share=0.1), ArmSpec(name="usual", share=0.1)]), market.ledger.state, END
    )["strict"]
    assert halves[0] == tenths[0] == pytest.approx(0.2, abs=0.05)
    assert 0 < halves[1] < tenths[1]
    assert detectable(spec(), Market().ledger.state, END) == {}
