"""What a person says about scenarios, and what becomes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.events import ListingUpdated
from streams.simulator import (
    ATTACK_NAMES,
    CREATOR_NAMES,
    GAMING_NAMES,
    SCENARIO_NAMES,
    Plan,
    Simulation,
    SimulatorConfig,
)
from streams.simulator.knobs import Knobs, parse_knobs
from streams.simulator.plans import attackers_of, default_counts
from streams.simulator.sizing import Sizing
from tests.streams.simulator.market import DAY_MS, DECODERS


@pytest.mark.parametrize(
    ("text", "name", "knobs"),
    [
        ("bust_out", "bust_out", Knobs()),
        ("bust-out=3", "bust_out", Knobs(count=3)),
        ("bust_out=3x1.5", "bust_out", Knobs(count=3, intensity=1.5)),
        (
            "account_takeover:intensity=0.5,stealth=0.8,start=30d",
            "account_takeover",
            Knobs(None, 0.5, 0.8, 30.0),
        ),
        ("bad_luck:start=2.5,count=0", "bad_luck", Knobs(count=0, start=2.5)),
    ],
)
def test_ways_to_say_it(text: str, name: str, knobs: Knobs) -> None:
    """A name alone, with a count, and with any knobs."""
    assert parse_knobs(text) == (name, knobs)


def test_what_is_not_said_stays_and_a_named_one_happens() -> None:
    """Knobs change a plan where they say something; a count of none becomes one unless it was asked for."""
    usual = Plan(4, 0.7, 0.2, 9)
    assert Knobs(stealth=1.0).applied_to(usual) == Plan(4, 0.7, 1.0, 9)
    assert Knobs(intensity=2.0).applied_to(Plan(0)) == Plan(1, 2.0)
    assert Knobs(count=0).applied_to(usual).count == 0


def _counts(**said: object) -> dict[str, int]:
    config = Sizing(merchants=900, orders_per_day=100, **said).config()  # type: ignore[arg-type]
    return {name: plan.count for name, plan in config.plans().items() if plan.count}


def test_only_without_and_attacks() -> None:
    """Each leaves out what it says, and what is asked for happens all the same."""
    assert _counts().keys() == set(SCENARIO_NAMES) - set(GAMING_NAMES + CREATOR_NAMES)
    assert _counts(only=["bust_out", "bad_luck"]).keys() == {"bust_out", "bad_luck"}
    assert _counts().keys() - _counts(without=["bust_out"]).keys() == {"bust_out"}
    asked = {"brushing": Knobs(count=2)}
    assert _counts(attacks=False, scenarios=asked) == {"brushing": 2}
    assert _counts(only=["bust_out"], scenarios=asked).keys() == {"bust_out", "brushing"}


@given(st.integers(1, 20_000))
def test_attackers_and_trouble_are_a_quarter_at_most(merchants: int) -> None:
    """However small a marketplace is; and a larger one has every scenario but those that must be asked for."""
    counts = default_counts(merchants)
    assert sum(attackers_of(name, count) for name, count in counts.items()) <= merchants / 4
    assert all(count for name, count in counts.items() if name not in GAMING_NAMES + CREATOR_NAMES) == (merchants >= 92)


@pytest.mark.parametrize("name", ATTACK_NAMES)
def test_it_starts_when_it_is_told_to(name: str) -> None:
    """Onsets are at the start that was asked for, or within the days of preparation round it."""
    config = SimulatorConfig(merchants=40, orders_per_day=5, **{name: Plan(2, start=35.0)})  # type: ignore[arg-type]
    onsets = Simulation(config).truth.attacks[name].onsets.values()
    late = 35 + 25 if name == "linked_accounts" else 35 + 2.6
    assert all(31 < (onset - config.start) / DAY_MS < late for onset in onsets)


def _edits(simulation: Simulation) -> list[ListingUpdated]:
    decoded = (DECODERS[record.topic].decode(record.value) for record in simulation if record.topic == "listings")
    return [event for event in decoded if isinstance(event, ListingUpdated)]


def test_stealth_hides() -> None:
    """A careful takeover waits longer before it cuts prices, and cuts them less."""

    def cut(stealth: float) -> tuple[float, float]:
        plan = Plan(8, stealth=stealth, start=40.0)
        simulation = Simulation(SimulatorConfig(merchants=60, orders_per_day=10, account_takeover=plan))
        onsets = simulation.truth.attacks["account_takeover"].onsets
        first: dict[str, tuple[int, float]] = {}
        for version in _edits(simulation):
            merchant = version.merchant_id
            if merchant in onsets and version.occurred_at >= onsets[merchant] and version.ship_from in ("CN", "VN"):
                share = version.price / (version.list_price or version.price)
                first.setdefault(merchant, (version.occurred_at - onsets[merchant], share))
        return tuple(sum(each) / len(first) for each in zip(*first.values(), strict=True))

    (soon, deep), (late, shallow) = cut(0.0), cut(1.0)
    assert late > 10 * soon
    assert shallow > deep * 1.2
