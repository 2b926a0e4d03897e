"""Estimates of days that have ended: each day once, by what was known then."""

import msgspec

from detectors.metrics.daily import DailyEstimates
from features.outputs import MetricEstimated
from features.windows import DAY_MS
from tests.detectors.metrics.market import START, Market

_decode = msgspec.json.Decoder(MetricEstimated).decode


def test_each_day_is_given_once_when_it_has_ended() -> None:
    """Nothing before the first record, nothing of a day that goes on, and a quiet day as well as a busy one."""
    market = Market()
    daily = DailyEstimates(market.ledger)
    assert list(daily.until(0)) == []
    assert list(daily.until(START)) == []
    market.order("m1", "o1", 0.1)
    assert list(daily.until(START + DAY_MS - 1)) == []
    found = list(daily.until(START + 3 * DAY_MS + 5))
    assert {_decode(each.value).end for each in found} == {START + day * DAY_MS for day in (1, 2, 3)}
    assert len({each.identifier for each in found}) == len(found)
    assert list(daily.until(START + 3 * DAY_MS + 6)) == []
    orders = [_decode(each.value).value for each in found if each.name == "orders"]
    assert orders == [1, 1, 1]


def test_what_was_not_known_then_comes_with_the_settled_period() -> None:
    """Sixty days later, with its outcome."""
    market = Market()
    daily = DailyEstimates(market.ledger)
    list(daily.until(START + 1))
    market.order("m1", "o1", 0.5, bad=True)
    events = [_decode(each.value) for each in daily.until(START + 62 * DAY_MS)]
    rates = [each for each in events if each.name == "bad_order_rate" and not each.slice]
    recent = next(each for each in rates if each.period == "recent" and each.end == START + DAY_MS)
    settled = next(each for each in rates if each.period == "settled" and each.end == START + 2 * DAY_MS)
    assert (recent.value, recent.mature) == (None, False)
    assert (settled.value, settled.mature) == (1, True)
    assert settled.as_of == settled.end + 60 * DAY_MS


def test_ids_are_plain() -> None:
    """Letters, digits and hyphens, whatever a slice is called."""
    market = Market()
    daily = DailyEstimates(market.ledger)
    list(daily.until(START + 1))
    market.register("m1", country="Ö/%")
    market.listing("m1", "l1", 0.2, category="täglich/brot & käse")
    market.order("m1", "o1", 0.5)
    for each in daily.until(START + 2 * DAY_MS):
        assert each.identifier.replace("-", "").isalnum() and each.identifier.isascii()
