"""Listings and merchants leave the state by event time, exactly, and what must outlast them stays."""

from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.policies import PACKAGED
from detectors.judge import Judge
from detectors.merchant_timers import EMPTY_DAYS, SETTLE_DAYS
from features.merchant import Merchant
from features.outputs import EnforcementDecided, RiskAssessed, ShardOutput
from features.population import PRIOR_FAMILIES, Population
from tests.builders import DAY, START, Event, Shard, event, listed, make_judge, of_order, placed, policies_of, unlisted

REST = 300
RULES = """
rules:
  - id: low-ratings
    version: 1
    title: Low ratings
    policy: not_as_described
    subject: merchant
    when: low_ratings_30d >= 1
    evidence: {low_ratings_30d: 1}
    severity: high
    weight: 0.6
    reason: "{low_ratings_30d:d} low ratings"
    mode: enforce
    action: ACTION
"""


@pytest.fixture(scope="module")
def judge() -> Judge:
    """Short retention of listings; merchants rest after 300 days; little is published."""
    return make_judge(
        publish_level=4, audit_rate=0.0, removed_listing_days=20, idle_listing_days=50, idle_merchant_days=REST
    )


@pytest.fixture
def shard(judge: Judge) -> Shard:
    """A shard that has seen nothing."""
    return Shard(judge)


def strict(tmp_path: Any, action: str = "order_limit") -> Shard:
    """A shard whose only rule acts on the first low rating."""
    ladders = (PACKAGED / "enforcement.yaml").read_text(encoding="utf-8")
    ladders = ladders.replace(", evidence: {orders_30d: 20, distinct_buyers_30d: 8}", "")
    ladders = ladders.replace(", evidence: {distinct_buyers_30d: 5}", "")
    policies = policies_of(tmp_path, RULES.replace("ACTION", action), enforcement=ladders)
    return Shard(make_judge(policies, audit_rate=0.0, idle_merchant_days=REST))


def rated(order: str = "o1", at: int = 0) -> list[Event]:
    """An order and its low rating."""
    return [placed(order, at), of_order("reviewed", order, at + DAY, rating=1)]


# -- listings ---------------------------------------------------------------------------------------------------------


def test_a_removed_listing_leaves_after_its_time(shard: Shard) -> None:
    """To the millisecond, counted from its removal, with its timer."""
    shard.apply(listed(), unlisted(at=3 * DAY), tick=23 * DAY - 1)
    assert shard.listing().removed
    shard.apply(tick=23 * DAY)
    assert shard.state.listings == {}
    assert shard.state.timers.changed["lm1:l1"] == 0


@pytest.mark.parametrize("last", ["order", "views", "edit"])
def test_a_live_listing_is_kept_by_what_happens_to_it(shard: Shard, last: str) -> None:
    """Orders, impressions and edits keep it; it leaves so many days after the last of them, and is live no more."""
    shard.apply(*(listed(f"s{number}", at=40 * DAY, merchant="other") for number in range(10)))
    signs: dict[str, Event] = {
        "order": placed(at=45 * DAY),
        "views": event("listing.exposed", 45 * DAY, listing_id="l1", views=5),
        "edit": listed(kind="updated", at=45 * DAY, price=900),
    }
    shard.apply(listed(), signs[last], tick=95 * DAY - 1)
    assert shard.listing().active_at == START + 45 * DAY
    assert shard.feature("live_listings") == 1
    shard.apply(tick=95 * DAY)
    assert shard.state.listings == {}
    assert shard.feature("live_listings") == 0
    assert shard.feature("price_level") is None
    assert shard.state.population.prices == {}


def test_a_listing_put_up_again_is_kept_as_a_live_one(shard: Shard) -> None:
    """The timer of its removal finds it live."""
    shard.apply(listed(), unlisted(at=DAY), listed(kind="updated", at=15 * DAY), tick=64 * DAY)
    assert not shard.listing().removed
    shard.apply(tick=65 * DAY)
    assert shard.state.listings == {}


def test_what_comes_after_its_time_starts_a_new_listing(shard: Shard) -> None:
    """The same removal again is no repeat by then, and finds nothing to remove; a version is a first one."""
    shard.apply(listed(), unlisted(at=DAY), tick=30 * DAY)
    shard.apply(listed(kind="updated", at=31 * DAY))
    assert (shard.listing().edits, shard.listing().created) == (0, START + 31 * DAY)
    assert shard.feature("live_listings") == 1


# -- merchants --------------------------------------------------------------------------------------------------------


def test_an_idle_merchant_without_outputs_is_forgotten(shard: Shard) -> None:
    """When its windows have run out and its time after that is over; what it gave to the priors left before."""
    shard.apply(placed(), of_order("shipped", carrier="dhl", tracking_number="1"), tick=DAY)
    shard.apply(of_order("delivered", at=4 * DAY), of_order("reviewed", at=10 * DAY, rating=5), tick=100 * DAY)
    settled = 10 + SETTLE_DAYS
    shard.apply(tick=settled * DAY - 1)
    assert shard.state.population.moments["late_delivery"].orders == 1
    shard.apply(tick=settled * DAY)
    assert shard.state.population.moments["late_delivery"].orders == 0
    assert shard.merchant().record.as_of == START + settled * DAY
    shard.apply(tick=(settled + REST) * DAY - 1)
    assert "m1" in shard.state.merchants
    shard.apply(tick=(settled + REST) * DAY)
    assert "m1" not in shard.state.merchants
    assert shard.state.removed_merchants == {"m1": None}
    assert shard.state.timers.changed["mm1"] == 0


def test_output_numbers_go_on_after_a_rest(tmp_path: Any) -> None:
    """A merchant with outputs leaves a stub: consumers that keep the latest number must not ignore what comes later."""
    shard = strict(tmp_path)
    shard.apply(event("merchant.registered", 0, kind="business", country="DE", registered_at=START - DAY))
    shard.apply(*rated(at=DAY))
    before = shard.merchant().record.sequence
    assert before >= 2
    shard.apply(tick=800 * DAY)
    record = shard.merchant().record
    assert record.level == 0
    assert (record.placed, record.outcome, record.seen, record.timer) == ("", "", [], 0)
    assert not [key for key in shard.state.timers.due(START + 5_000 * DAY) if key == "mm1"]
    resting = record.sequence
    assert shard.standings()[-1].level == "low"
    shard.apply(*rated("o2", 900 * DAY))
    assert shard.outputs(EnforcementDecided)[-1].sequence > resting >= before
    numbers = [each.sequence for each in shard.all_outputs() if not isinstance(each, ShardOutput)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert (record.kind, record.registered) == ("business", START - DAY)
    assert shard.feature("dormant_days") == pytest.approx(899)


def test_a_level_does_not_outlast_what_it_rested_on(tmp_path: Any) -> None:
    """A merchant that rests is judged a last time: its level ends, and says so; no model learns from that."""
    shard = strict(tmp_path)
    shard.apply(*rated(), tick=100 * DAY)
    learned = shard.core.models.anomaly.snapshot()
    assert shard.merchant().record.level == 3
    shard.apply(tick=800 * DAY)
    assert [one.level for one in shard.outputs(RiskAssessed)][-2:] == ["high", "low"]
    assert shard.core.models.anomaly.snapshot() == learned


def test_an_action_in_force_and_strikes_outlast_a_rest(tmp_path: Any) -> None:
    """A suspension until further notice is kept with its merchant, and counts when it comes back."""
    shard = strict(tmp_path, "fraud")
    for number in range(3):
        at = number * 182 * DAY
        found = event("review.decided", at, verdict="violation", source="human", policy="not_as_described")
        shard.apply(found, *rated(f"o{number}", at))
    standing = shard.merchant().record.enforcement
    assert standing is not None
    strikes = dict(standing.strikes)
    permanent = [one.decision_id for one in standing.active if one.expires_at is None]
    assert len(permanent) == 1
    shard.apply(tick=914 * DAY)
    rested = shard.merchant().record.enforcement
    assert shard.merchant().record.placed == ""
    assert rested is not None
    # The first of the three is two years old by then.
    assert rested.strikes == {key: kept[1:] for key, kept in strikes.items()}
    assert [one.decision_id for one in rested.active if one.expires_at is None] == permanent


def test_no_merchant_rests_before_its_windows_are_empty() -> None:
    """Whatever the settings: an order may be promised for half a year later, and counts for 104 days from then."""
    settings = make_judge(idle_merchant_days=1).settings
    assert settings.rest_days > EMPTY_DAYS >= 180 + 90 + 14
    assert make_judge(idle_merchant_days=1, idle_listing_days=500).settings.rest_days == 501
    assert make_judge(idle_merchant_days=1, retention_days=300).settings.rest_days == 496
    assert make_judge(idle_merchant_days=700).settings.rest_days == 700


# -- laws -------------------------------------------------------------------------------------------------------------

_steps = st.lists(
    st.tuples(
        st.sampled_from(["placed", "delivered", "listed", "removed", "edited", "registered", "refund", "tick"]),
        st.integers(0, 2),
        st.integers(0, 3),
        st.sampled_from([0, 1, 3, 20, 60, 130, 250, 420]),
        st.sampled_from([0, 0, 0, -30, 170]),
    ),
    min_size=5,
    max_size=40,
)


@given(_steps)
@settings(max_examples=60, deadline=None)
def test_only_what_is_live_is_kept(judge: Judge, steps: list[tuple[str, int, int, int, int]]) -> None:
    """After any stream: nothing is kept past its time, every order and listing has its merchant, every record its
    timer, priors and prices are the sums over the merchants and listings that are there.
    """
    shard = Shard(judge)
    now = 0
    for number, (kind, who, which, gap, shift) in enumerate(steps):
        now += gap * DAY + 1
        shard.apply(*_event(kind, f"m{who}", f"x{which}", now, shift, number), tick=now)
        _check(shard, START + now)
    shard.apply(tick=now + 1_200 * DAY)
    state = shard.state
    assert (state.orders, state.listings) == ({}, {})
    assert {merchant.record.sequence > 0 for merchant in state.merchants.values()} <= {True}
    assert not list(state.timers.due(START + now + 5_000 * DAY))
    assert state.population.prices == {}
    assert all(moments.orders == 0 for moments in state.population.moments.values())


def _event(kind: str, merchant: str, name: str, now: int, shift: int, number: int) -> list[Event]:
    at = max(0, now + shift * DAY) if shift < 0 else now
    match kind:
        case "placed":
            return [placed(f"{name}-{number}", at, merchant, deliver_by=START + at + max(5, shift) * DAY)]
        case "delivered":
            return [of_order("delivered", name, at, merchant)]
        case "listed":
            return [listed(name, at, merchant)]
        case "edited":
            return [listed(name, at, merchant, "updated", price=1000 + number)]
        case "removed":
            return [unlisted(name, at, merchant)]
        case "registered":
            return [event("merchant.registered", at, merchant, kind="business", country="DE", registered_at=START)]
        case "refund":
            return [
                placed(f"{name}-{number}", at, merchant),
                of_order("refunded", f"{name}-{number}", at + 1, merchant, amount=5, fault="seller"),
            ]
        case _:
            return []


def _check(shard: Shard, now: int) -> None:
    state = shard.state
    watermark = state.clock.watermark
    set_for: dict[str, list[int]] = {}
    waiting = [*state.timers._open[state.timers._next :], *chain(*state.timers._later.values())]
    for time, key in waiting:
        set_for.setdefault(key, []).append(time)
    for key, listing in state.listings.items():
        assert key.partition(":")[0] in state.merchants
        assert listing.timer in set_for[f"l{key}"]
        assert listing.timer > watermark or listing.active_at <= now
    for key, order in state.orders.items():
        assert key.partition(":")[0] in state.merchants
        assert order.timer in set_for[f"o{key}"]
    total = Population()
    for merchant in state.merchants.values():
        record = merchant.record
        total.exchange([], record.contributed)
        if record.timer:
            assert record.timer in set_for[f"m{merchant.id}"]
        else:
            assert _is_stub(merchant)
    for rate in PRIOR_FAMILIES:
        if rate in state.population.moments or rate in total.moments:
            assert state.population.moments[rate].orders == (total.moments[rate].orders if rate in total.moments else 0)
    live = [one for one in state.listings.values() if one.version_at and not one.removed and one.price]
    assert sum(level.total for level in state.population.prices.values()) == len(live)
    for merchant_id, merchant in state.merchants.items():
        own = [one for key, one in state.listings.items() if key.startswith(f"{merchant_id}:") and one.version_at]
        assert merchant.record.live_listings == sum(not one.removed for one in own)


def _is_stub(merchant: Merchant) -> bool:
    counters = (merchant.placed, merchant.ship, merchant.outcome, merchant.churn)
    return merchant.record.sequence > 0 and not any(counter.buckets for counter in counters)


@pytest.mark.parametrize("known", [False, True])
def test_turnover_of_a_merchant_at_rest_leaves_the_shard(known: bool) -> None:
    """Also where no order of it ever fell due: the breaker's shares are of those who sell."""
    shard = Shard(make_judge(audit_rate=0.0))
    shard.apply(
        *([event("merchant.registered", 0, registered_at=START, kind="business", country="DE")] if known else []),
        placed(),
        of_order("cancelled", at=DAY // 24, by="buyer"),
        event("merchant.verified", 2 * DAY, what="email"),
    )
    assert shard.state.population.sellers == 1
    shard.apply(tick=900 * DAY)
    assert (shard.state.population.sellers, shard.state.population.turnovers) == (0, {})
