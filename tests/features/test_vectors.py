from math import exp

import pytest

from features import merchant as m
from features.listing import ListingRecord
from features.merchant import Merchant, MerchantRecord
from features.order import OrderRecord
from features.population import Population
from features.registry import FEATURES, Context
from features.vectors import BEHAVIOUR_INPUTS, ORDER_INPUTS, behaviour_vector, order_vector
from features.windows import DAY_MS

START = 1_704_067_200_000


def order(index: int) -> OrderRecord:
    """One of many orders, some of them bad."""
    created = START + index * DAY_MS // 4
    return OrderRecord(
        created=created,
        buyer=index % 7,
        total=2000,
        gmv=2000,
        items=1,
        quantity=2,
        ship_by=created + 2 * DAY_MS,
        deliver_by=created + 6 * DAY_MS,
        category="home",
        rating=1 if index % 5 == 0 else 0,
        ship_overdue=index % 6 == 0,
    )


@pytest.fixture
def context() -> Context:
    """A merchant with forty days of orders, in a shard with prices, and its last order."""
    merchant = Merchant("m", MerchantRecord(currency="EUR", levelled=4, level_sum=1.0))
    population = Population()
    for _ in range(30):
        population.price_level("EUR", "home").add(1500)
    record = OrderRecord()
    for index in range(160):
        record = order(index)
        assert record.created is not None
        merchant.advance(record.created)
        merchant.placed.add(record.created // DAY_MS, m.GMV, record.gmv)
        merchant.record.activity.add_order(record.created, record.gmv)
        merchant.buyers.add(record.created // DAY_MS, record.buyer)
        merchant.churn.add(record.created // DAY_MS, m.LISTINGS_CREATED, 1)
        merchant.reflag(record)
    return Context(merchant, population, record, ListingRecord(created=START, version_at=START, price=1500))


def test_behaviour_inputs_are_the_features_of_the_same_name(context: Context) -> None:
    """One pass gives what the registry gives, so that reasons name what was seen."""
    values = behaviour_vector(context.merchant, context.population)
    assert len(values) == len(BEHAVIOUR_INPUTS)
    for (name, low, high, _), value in zip(BEHAVIOUR_INPUTS, values, strict=True):
        assert value is not None
        assert low <= value <= high, name
        if name in FEATURES:
            assert value == pytest.approx(FEATURES[name].get(context)), name
    named = dict(zip((name for name, *_ in BEHAVIOUR_INPUTS), values, strict=True))
    assert exp(named["log_price_level"] or 0) == pytest.approx(FEATURES["price_level"].get(context))


def test_order_inputs_are_the_features_of_the_same_name(context: Context) -> None:
    """But for rounding to what is stored with the order."""
    assert context.order is not None
    values = order_vector(context.order, context.merchant, context.listing, context.population)
    assert len(values) == len(ORDER_INPUTS)
    for (name, low, high, _), value in zip(ORDER_INPUTS, values, strict=True):
        assert value is not None
        assert low <= value <= high, name
        assert type(value) is float, name
        if name in FEATURES and name != "listing_age_days":
            assert value == pytest.approx(FEATURES[name].get(context), abs=0.05, rel=1e-3), name


def test_what_is_not_known_is_null() -> None:
    """A merchant's first order of an unknown listing still has its inputs, some of them null."""
    merchant = Merchant("m", MerchantRecord())
    merchant.advance(START)
    behaviour = behaviour_vector(merchant, Population())
    assert len(behaviour) == len(BEHAVIOUR_INPUTS)
    first = OrderRecord(created=START, total=100, quantity=1, ship_by=START, deliver_by=START)
    values = order_vector(first, merchant, None, Population())
    named = dict(zip((name for name, *_ in ORDER_INPUTS), values, strict=True))
    assert named["unit_price_to_category"] is None
    assert named["listing_age_days"] is None


def test_weekdays_turn_once_a_week() -> None:
    """Each day has a point of its own on the circle, the same a week later."""
    merchant = Merchant("m", MerchantRecord())
    at = [name for name, *_ in ORDER_INPUTS].index("weekday_sin")
    points = []
    for day in range(14):
        created = START + day * DAY_MS
        record = OrderRecord(created=created, total=1, quantity=1, ship_by=created, deliver_by=created)
        sine, cosine = order_vector(record, merchant, None, Population())[at : at + 2]
        assert sine is not None and cosine is not None
        assert sine**2 + cosine**2 == pytest.approx(1, abs=0.02)
        points.append((sine, cosine))
    assert len(set(points[:7])) == 7
    assert points[:7] == points[7:]
    # 2024-01-01 is a Monday, where the circle begins.
    assert points[0] == (0.0, 1.0)
