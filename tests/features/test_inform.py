"""Sales of any twelve months within twenty-four, against an oracle that keeps every order and counts all periods."""

from calendar import isleap
from datetime import date, timedelta
from functools import cache

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features.inform import SETTLED_DAYS, DayLog, Sales, Thresholds, last_met, year_after, year_before

EPOCH = date(1970, 1, 1)
SMALL = Thresholds.of([(5, 300), (5, 900)])
#: 2023-06-01: the two years after it have a 29 February.
START = (date(2023, 6, 1) - EPOCH).days


def day_of(year: int, month: int, day: int) -> int:
    """Day number of a date."""
    return (date(year, month, day) - EPOCH).days


@cache
def first_day(end: date, years: int) -> date:
    """First day of so many years that end on a day: step back until a year later would be no later than it."""
    first = end
    while True:
        earlier = first - timedelta(days=1)
        year = earlier.year + years
        if (earlier.month, earlier.day) == (2, 29) and not isleap(year):
            later = date(year, 3, 1)
        else:
            later = date(year, earlier.month, earlier.day)
        if later <= end:
            return first
        first = earlier


class Oracle:
    """Every sale that counts, one by one; periods are enumerated with the calendar's own dates."""

    def __init__(self) -> None:
        self.sales: dict[int, tuple[int, int]] = {}
        self.today = 0

    def place(self, number: int, day: int, amount: int) -> None:
        """An order is heard of."""
        self.sales[number] = day, amount
        self.today = max(self.today, day)

    def cancel(self, number: int) -> None:
        """It was cancelled before it was shipped."""
        self.sales.pop(number, None)

    def meets(self, threshold: tuple[int, int], today: int) -> bool:
        """Whether any twelve months within the last twenty-four, up to today, meet both parts of a threshold."""
        end_of_all = EPOCH + timedelta(days=today)
        earliest = first_day(end_of_all, 2)
        sold = [(EPOCH + timedelta(days=day), amount) for day, amount in self.sales.values()]
        # Only months that end on the day of a sale, or begin on one, can be the best; all are tried.
        end = end_of_all
        while (first := first_day(end, 1)) >= earliest:
            inside = [amount for day, amount in sold if first <= day <= end]
            if len(inside) >= threshold[0] and sum(inside) >= threshold[1]:
                return True
            end -= timedelta(days=1)
        return False


@pytest.mark.parametrize(
    ("day", "years", "later"),
    [
        ((2023, 6, 1), 1, (2024, 6, 1)),
        ((2023, 3, 1), 1, (2024, 3, 1)),
        ((2024, 2, 28), 1, (2025, 2, 28)),
        ((2024, 2, 29), 1, (2025, 3, 1)),
        ((2024, 2, 29), 2, (2026, 3, 1)),
        ((2020, 2, 29), 4, (2024, 2, 29)),
    ],
)
def test_a_year_later(day: tuple[int, int, int], years: int, later: tuple[int, int, int]) -> None:
    """The same date; a 29 February that there isn't is 1 March."""
    assert year_after(day_of(*day), years) == day_of(*later)


@given(st.integers(day_of(1999, 1, 1), day_of(2101, 12, 31)), st.integers(1, 2))
def test_twelve_months_that_end_on_a_day(end: int, years: int) -> None:
    """They have 365 or 366 days, begin with the first day that a year carries past the end, and never step back."""
    first = year_before(end, years)
    assert 365 * years <= end - first + 1 <= 366 * years
    assert year_after(first, years) > end >= year_after(first - 1, years)
    assert year_before(end + 1, years) >= first
    assert first == (first_day(EPOCH + timedelta(days=end), years) - EPOCH).days


def placed_in(history: list[tuple[int, int, int, bool]], thresholds: Thresholds) -> tuple[Sales, Oracle]:
    """A history, told to both: days to go on, days that the order is late, amount, whether it is cancelled later."""
    sales, oracle = Sales(), Oracle()
    today = START
    open_orders: list[tuple[int, int, int]] = []
    for number, (step, late, amount, cancelled) in enumerate(history):
        today += step
        day = today - late
        oracle.place(number, day, amount)
        oracle.today = max(oracle.today, today)
        sales.add(day, 1, amount, thresholds)
        if cancelled:
            open_orders.append((number, day, amount))
        elif open_orders and number % 3 == 0:
            of, at, paid = open_orders.pop(0)
            oracle.cancel(of)
            sales.add(at, -1, -paid, thresholds)
        sales = msgspec.json.decode(msgspec.json.encode(sales), type=Sales)
    return sales, oracle


STEPS = st.one_of(st.integers(0, 3), st.integers(0, 90), st.integers(300, 400))
HISTORY = st.lists(
    st.tuples(STEPS, st.one_of(st.just(0), st.integers(0, 400)), st.integers(0, 200), st.booleans()), max_size=45
)


@settings(max_examples=150, deadline=None)
@given(HISTORY, st.integers(0, 800))
@example([(0, 0, 60, False)] * 4 + [(365, 0, 60, False)], 0)
@example([(0, 0, 60, False)] * 4 + [(366, 0, 60, False)], 0)
@example([(0, 0, 60, False)] * 5, 730)
@example([(0, 0, 60, False)] * 5, 731)
@example([(0, 0, 100, False)] * 4 + [(0, 0, 100, True), (1, 0, 0, False), (1, 0, 0, False)], 3)
def test_it_is_exact(history: list[tuple[int, int, int, bool]], later: int) -> None:
    """After orders in any order of days, late ones and cancelled ones, and some time without any: what the oracle says
    of every day up to then.
    """
    sales, oracle = placed_in(history, SMALL)
    today = max(oracle.today, sales.day)
    for ahead in {0, later}:
        sales.advance(today + ahead, SMALL)
        for index, threshold in enumerate(SMALL.each):
            assert sales.meets(index, sales.day) == oracle.meets(threshold, sales.day), (ahead, index)


@settings(max_examples=60, deadline=None)
@given(HISTORY)
def test_until_when(history: list[tuple[int, int, int, bool]]) -> None:
    """Where nothing more is sold, a threshold is met up to the day that is foretold, and not on the next."""
    sales, oracle = placed_in(history, SMALL)
    if not history or not sales.meets(0, sales.day):
        return
    last = sales.meets_until(SMALL.each[0])
    assert oracle.meets(SMALL.each[0], last)
    assert not oracle.meets(SMALL.each[0], last + 1)


def test_a_busy_merchant_is_kept_small_and_exact() -> None:
    """Forty sales a day for 400 days, one in forty cancelled two days later: little is kept; when the merchant stops,
    what the law says of it ends on the day that the oracle says.
    """
    thresholds = Thresholds.of([(200, 5_000_00), (200, 20_000_00)])
    sales, oracle = Sales(), Oracle()
    cancelled: list[tuple[int, int, int]] = []
    for number in range(1_600):
        day = START + number // 4
        amount = 1_000 + number % 7 * 500
        sales.add(day, 10, 10 * amount, thresholds)
        for part in range(10):
            oracle.place(10 * number + part, day, amount)
        if number % 4 == 0:
            cancelled.append((10 * number, day, amount))
        if cancelled and cancelled[0][1] == day - 2:
            of, at, paid = cancelled.pop(0)
            oracle.cancel(of)
            sales.add(at, -1, -paid, thresholds)
    assert len(msgspec.json.encode(sales)) < 1_900
    assert sales.entries()[0][0] > sales.day - SETTLED_DAYS - 60
    for index, threshold in enumerate(thresholds.each):
        last = sales.meets_until(threshold)
        assert sales.meets(index, sales.day)
        assert oracle.meets(threshold, last)
        assert not oracle.meets(threshold, last + 1)


def test_a_small_merchant_is_small() -> None:
    """A sale every four days for a year: half a kilobyte, the days of it packed."""
    sales = Sales()
    for number in range(90):
        sales.add(START + 4 * number, 1, 3_000 + number, Thresholds.of([(200, 5_000_00)]))
    assert len(msgspec.json.encode(sales)) < 900
    assert (sales.count, sales.revenue) == (90, 274_005)


def test_other_thresholds_are_counted_anew() -> None:
    """What was met is found out again from the days when the policy changes."""
    sales, _ = placed_in([(1, 0, 100, False)] * 6, SMALL)
    assert [sales.meets(index, sales.day) for index in (0, 1)] == [True, False]
    sales.advance(sales.day, Thresholds.of([(7, 0), (2, 600)]))
    assert [sales.meets(index, sales.day) for index in (0, 1)] == [False, True]


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(-2, 9), st.integers(-900, 99_999)), max_size=30))
def test_a_log_of_days_holds_what_was_put_into_it(steps: list[tuple[int, int, int]]) -> None:
    """Read back as written, from the front as well, also after it was stored."""
    log = DayLog()
    day = START
    entries = []
    for step, sales, turnover in steps:
        day += step
        entries.append((day, sales, turnover))
        log.append(entries[-1])
    assert list(msgspec.json.decode(msgspec.json.encode(log), type=DayLog)) == entries
    while entries:
        assert log.first() == entries.pop(0)
        log.pop()
        assert list(log) == entries
    assert log.first() is None


def test_the_last_months_that_met_it() -> None:
    """Five sales of one day: met from that day up to the day before the date comes again."""
    entries = [(START, 5, 500)]
    assert last_met(entries, START - 1 + 366, (5, 500)) == START + 365
    assert last_met(entries, START + 10, (5, 500)) == START + 10
    assert last_met(entries, START + 10, (6, 0)) == 0
