"""The ledger of points: what cases cost, what comes back, and that a pardon leaves no trace."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.credit import ledger
from detectors.credit.policy import CreditPolicy
from detectors.policy import PolicySet
from features.credit import LEDGER_LIMIT, LedgerEntry
from features.windows import DAY_MS

START = 20_000 * DAY_MS
#: (Code, listing or order or the merchant itself, action, days since the one before, corrected or not).
HISTORIES = st.lists(
    st.tuples(
        st.sampled_from(["counterfeit", "late_dispatch", "misleading_claim", "prohibited_product", "fake_tracking"]),
        st.sampled_from(["", "l:l1", "l:l2", "o:o1"]),
        st.integers(1, 60),
        st.floats(0, 20),
        st.booleans(),
    ),
    max_size=20,
)


@pytest.fixture
def policy(packaged: PolicySet) -> CreditPolicy:
    """Merchants' credit as packaged."""
    return packaged.credit["merchant"]


def entry(code: str, day: float, decision: str = "d", base: int = 8, subject: str = "") -> LedgerEntry:
    """A violation on a day."""
    return LedgerEntry(code, 0, START + round(day * DAY_MS), decision, subject, base)


def entered(policy: CreditPolicy, *entries: LedgerEntry) -> list[int]:
    """Points of entries after all are entered, in order."""
    book: list[LedgerEntry] = []
    for each in entries:
        ledger.enter(book, policy, each)
    return [each.points for each in book]


def test_repetition_weighs_more_up_to_the_last_factor(policy: CreditPolicy) -> None:
    """First, second, third, fourth and fifth case of a code: 1, 1.5, 2, 3 and 3 times the base."""
    days = (0, 5, 10, 15, 20)
    assert entered(policy, *[entry("late_dispatch", day) for day in days]) == [-8, -12, -16, -24, -24]


def test_a_case_repeats_only_those_of_its_code_within_the_window(policy: CreditPolicy) -> None:
    """Another code, or one of more than 180 days ago, makes no repetition."""
    assert entered(policy, entry("late_dispatch", 0), entry("seller_cancellation", 5)) == [-8, -8]
    assert entered(policy, entry("late_dispatch", 0), entry("late_dispatch", 180)) == [-8, -8]
    assert entered(policy, entry("late_dispatch", 0), entry("late_dispatch", 179)) == [-8, -12]


def test_those_within_the_merge_window_cost_what_the_worst_costs(policy: CreditPolicy) -> None:
    """A warning (4) and what followed two days later (8) are one case of 8; on the third day it is another."""
    assert entered(policy, entry("late_dispatch", 0, base=4), entry("late_dispatch", 2)) == [-4, -4]
    assert entered(policy, entry("late_dispatch", 0), entry("late_dispatch", 2, base=4)) == [-8, 0]
    assert entered(policy, entry("late_dispatch", 0), entry("late_dispatch", 3)) == [-8, -12]


def test_a_class_costs_no_more_in_a_day_than_its_cap(policy: CreditPolicy) -> None:
    """25 points of listings a day, whatever is found; another class has a cap of its own."""
    found = [
        entry("prohibited_product", 0, base=20),
        entry("misleading_claim", 0.1, base=8),
        entry("category_spam", 0.2, base=8),
        entry("late_dispatch", 0.3, base=8),
        entry("category_spam", 4, base=8),
    ]
    assert entered(policy, *found) == [-20, -5, 0, -8, -12]


@given(history=HISTORIES, chosen=st.integers(0, 19))
def test_a_pardon_leaves_the_ledger_as_if_the_violation_had_never_been(
    packaged: PolicySet, history: list[tuple[str, str, int, float, bool]], chosen: int
) -> None:
    """For any history: entered and pardoned is never entered, in every field of every other entry."""
    policy = packaged.credit["merchant"]
    pardoned = f"d{chosen}"
    with_it: list[LedgerEntry] = []
    without: list[LedgerEntry] = []
    time = START
    for number, (code, subject, base, days, corrected) in enumerate(history):
        time += round(days * DAY_MS)
        for book in (with_it, without) if f"d{number}" != pardoned else (with_it,):
            ledger.enter(book, policy, LedgerEntry(code, 0, time, f"d{number}", subject, base))
            if corrected and subject.startswith("l:"):
                ledger.correct(book, policy, subject, time + 1)
    # What was put right is a fact, also where its violation cost nothing then.
    for each in (*with_it, *without):
        each.corrected = 0
        each.returned = 0
    ledger.pardon(with_it, policy, pardoned)
    assert with_it == without


@given(history=HISTORIES)
def test_the_score_stays_in_range_and_only_falls_by_violations(
    packaged: PolicySet, history: list[tuple[str, str, int, float, bool]]
) -> None:
    """From 0 to 1000, and never higher after a violation than before it at the same time."""
    policy = packaged.credit["merchant"]
    book: list[LedgerEntry] = []
    time = START
    for number, (code, subject, base, days, _) in enumerate(history):
        time += round(days * DAY_MS)
        before = ledger.score(book, policy, 10, time)
        ledger.enter(book, policy, LedgerEntry(code, 0, time, f"d{number}", subject, base))
        assert 0 <= ledger.score(book, policy, 10, time) <= before <= 1000


def test_half_comes_back_for_a_listing_put_right_in_time_and_once(policy: CreditPolicy) -> None:
    """8 of 16 points, once; nothing for another listing, another class, or after 30 days."""
    book: list[LedgerEntry] = []
    ledger.enter(book, policy, entry("off_platform_diversion", 0, "d1", 16, "l:l1"))
    ledger.enter(book, policy, entry("counterfeit", 5, "d2", 50, "l:l1"))
    ledger.enter(book, policy, entry("switched_listing", 10, "d3", 20, "l:l2"))
    assert ledger.correct(book, policy, "l:l3", START + 11 * DAY_MS) == []
    assert [each.returned for each in ledger.correct(book, policy, "l:l1", START + 11 * DAY_MS)] == [8]
    assert ledger.correct(book, policy, "l:l1", START + 12 * DAY_MS) == []
    assert ledger.correct(book, policy, "l:l2", START + 41 * DAY_MS) == []
    assert ledger.lost(book, policy, START + 41 * DAY_MS) == 16 + 50 + 20 - 8


@given(history=HISTORIES)
def test_doing_wrong_and_putting_it_right_never_gains(
    packaged: PolicySet, history: list[tuple[str, str, int, float, bool]]
) -> None:
    """However often it is done, the score is at most what it would be without."""
    policy = packaged.credit["merchant"]
    book: list[LedgerEntry] = []
    time = START
    for number, (code, _, base, days, _) in enumerate(history):
        time += round(days * DAY_MS)
        ledger.enter(book, policy, LedgerEntry(code, 0, time, f"d{number}", f"l:l{number}", base))
        ledger.correct(book, policy, f"l:l{number}", time + DAY_MS)
    assert ledger.score(book, policy, 0, time + DAY_MS) <= policy.start


def test_entries_stop_counting_after_the_window_and_leave_after_another(policy: CreditPolicy) -> None:
    """180 days count; another 180 are kept, as those after were repetitions of it. Each end is told once."""
    book = [entry("late_dispatch", 0, "d1")]
    book[0].points = -8
    end = START + 180 * DAY_MS
    assert ledger.next_expiry(book, policy, START) == end
    assert ledger.expire(book, policy, end - 1) == []
    assert ledger.lost(book, policy, end - 1) == 8
    assert [each.decision for each in ledger.expire(book, policy, end)] == ["d1"]
    assert ledger.lost(book, policy, end) == 0
    assert ledger.expire(book, policy, end + DAY_MS) == []
    assert ledger.next_expiry(book, policy, end) == end + 180 * DAY_MS
    ledger.expire(book, policy, end + 180 * DAY_MS)
    assert book == []


def test_the_ledger_makes_room_by_what_cost_nothing(policy: CreditPolicy) -> None:
    """A thousand listings of one day are one case: it stays while the others of it leave, and the score with it."""
    book: list[LedgerEntry] = []
    for number in range(1000):
        ledger.enter(book, policy, entry("prohibited_product", number / 1000, f"d{number}", 25, f"l:l{number}"))
    assert len(book) == LEDGER_LIMIT
    assert book[0].decision == "d0"
    assert ledger.lost(book, policy, START + 2 * DAY_MS) == 25


def test_a_critical_case_holds_the_score_down_only_where_it_is_certain(policy: CreditPolicy) -> None:
    """Against the merchant itself or confirmed by a person; a machine's finding on a listing only costs points."""
    listing = entry("counterfeit", 0, "d1", 50, "l:l1")
    assert entered(policy, listing) == [-50]
    now = START + DAY_MS
    assert ledger.score([listing], policy, 0, now) == 150
    confirmed = deepcopy(listing)
    confirmed.confirmed = True
    assert ledger.score([confirmed], policy, 0, now) == 100
    assert ledger.score([confirmed], policy, 400, now) == 100
    itself = deepcopy(listing)
    itself.subject = ""
    assert ledger.score([itself], policy, 0, now) == 100
    assert ledger.score([itself], policy, 0, START + 180 * DAY_MS) == 200


def test_clean_orders_earn_by_the_week_with_caps(policy: CreditPolicy) -> None:
    """4 points for each 200; a week counts 500 at most, and 200 points are all there is."""
    assert ledger.earned([100, 99], policy) == 3
    assert ledger.earned([100, 100], policy) == 4
    assert ledger.earned([100_000], policy) == 10
    assert ledger.earned([500] * 25, policy) == 200
    assert ledger.earned([], policy) == 0
