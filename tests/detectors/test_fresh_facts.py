import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.circumstances import Circumstances
from detectors.fresh_facts import cases, is_fresh
from detectors.ladder import SubjectRef, decide, expire
from detectors.policy import PolicySet
from features.enforcement_state import EnforcementState
from features.order import DISPUTE, LATE_SHIP, ORDERED
from features.windows import DAY_MS

START = 1_700_000_000_000
MERCHANT: SubjectRef = ("merchant", "m1")


def enforced(packaged: PolicySet, rule: str) -> EnforcementState:
    """The state of a merchant against whom a rule has just acted, when its cool-down is over."""
    standing = EnforcementState()
    assert decide(packaged.rules[rule], MERCHANT, standing, START, packaged, "d0") is not None
    expire(standing, START + 100 * DAY_MS)
    return standing


def again(packaged: PolicySet, standing: EnforcementState, rule: str, days: float = 100) -> bool:
    """Whether a rule acts, so many days after the first decision."""
    now = START + round(days * DAY_MS)
    return decide(packaged.rules[rule], MERCHANT, standing, now, packaged, "d1") is not None


def test_evidence_is_cases_and_orders_only_where_there_are_none(packaged: PolicySet) -> None:
    """What a repeat must rest on: the cases that a rule asks for, or orders where these are all it asks for."""
    assert cases(packaged.rules["late-dispatch-severe"]) == {"late_shipments": 8}
    assert cases(packaged.rules["overdue-orders"]) == {"late_shipments": 10}
    assert cases(packaged.rules["brushing"]) == {"orders": 30}


@pytest.mark.parametrize("fresh", [0, 7, 8])
def test_a_rule_acts_again_on_as_many_new_cases_as_it_needs(packaged: PolicySet, fresh: int) -> None:
    """Eight late shipments of eight buyers before, eight since: not one less."""
    standing = enforced(packaged, "late-dispatch-severe")
    for buyer in range(fresh):
        standing.note(LATE_SHIP | ORDERED, 0, buyer)
    assert again(packaged, standing, "late-dispatch-severe") == (fresh == 8)


def test_new_cases_of_one_buyer_are_not_enough(packaged: PolicySet) -> None:
    """A single buyer with many orders does not bring an action back."""
    standing = enforced(packaged, "late-dispatch-severe")
    for _ in range(20):
        standing.note(LATE_SHIP, 0, 1)
    assert not again(packaged, standing, "late-dispatch-severe")


def test_a_case_that_is_taken_back_does_not_count(packaged: PolicySet) -> None:
    """Of eight new cases one turned out to be none."""
    standing = enforced(packaged, "late-dispatch-severe")
    for buyer in range(8):
        standing.note(LATE_SHIP, 0, buyer)
    standing.note(0, LATE_SHIP, 3)
    assert not again(packaged, standing, "late-dispatch-severe")


def test_another_rule_of_the_policy_needs_new_facts_too(packaged: PolicySet) -> None:
    """Late shipments that one rule limited the orders for are not limited for once more by the next rule."""
    standing = enforced(packaged, "late-dispatch-severe")
    assert not again(packaged, standing, "poor-fulfilment")
    for buyer in range(5):
        standing.note(LATE_SHIP, 0, buyer)
    assert again(packaged, standing, "poor-fulfilment")


def test_a_warning_does_not_use_facts_up_for_a_harsher_rule(packaged: PolicySet) -> None:
    """Escalation is immediate: who was warned for some late orders is limited for many, but not warned again."""
    standing = enforced(packaged, "late-dispatch")
    assert not again(packaged, standing, "late-dispatch")
    assert again(packaged, standing, "late-dispatch-severe", 1)


def test_facts_of_another_kind_are_not_used_up(packaged: PolicySet) -> None:
    """A burst that was held for does not shield from the orders that are not shipped then."""
    standing = enforced(packaged, "bust-out-prepared")
    assert again(packaged, standing, "bust-out", 1)


def test_other_policies_are_not_bound(packaged: PolicySet) -> None:
    """Disputes are judged although late orders were enforced before."""
    standing = enforced(packaged, "late-dispatch-severe")
    standing.note(DISPUTE, 0, 1)
    assert again(packaged, standing, "disputes", 1)


def test_a_state_must_have_got_worse(packaged: PolicySet) -> None:
    """The same linked accounts are no reason to look once more; one more of them is."""
    rule = packaged.rules["linked-accounts"]
    standing = EnforcementState()

    def linked(merchants: int) -> Circumstances:
        return Circumstances("m1", {"linked_values": 2, "linked_merchants": merchants}.get)

    assert decide(rule, MERCHANT, standing, START, packaged, "d0", linked(1)) is not None
    later = START + 60 * DAY_MS
    assert not is_fresh(rule, "merchant", standing, later, linked(1))
    assert is_fresh(rule, "merchant", standing, later, linked(2))


def test_counts_that_are_no_facts_of_orders_are_new_when_their_window_has_passed(packaged: PolicySet) -> None:
    """Prices that were cut before the decision are no longer among those of 7 days, a week after it."""
    rule = packaged.rules["account-takeover"]
    standing = EnforcementState()
    assert decide(rule, MERCHANT, standing, START, packaged, "d0") is not None
    standing.note(ORDERED, 0, 1)
    assert not is_fresh(rule, "merchant", standing, START + 6 * DAY_MS, Circumstances())
    assert is_fresh(rule, "merchant", standing, START + 7 * DAY_MS, Circumstances())


@given(days=st.lists(st.tuples(st.floats(0, 5), st.integers(0, 3)), max_size=60))
def test_each_case_is_enforced_once(packaged: PolicySet, days: list[tuple[float, int]]) -> None:
    """Whatever the history: a rule never acts more often than its cases, divided by what one action needs, allow."""
    rule = packaged.rules["overdue-orders"]
    standing = EnforcementState()
    now, total, decisions = START, 10, 0
    for gap, fresh in days:
        now += round(gap * DAY_MS)
        for _ in range(fresh):
            total += 1
            standing.note(LATE_SHIP, 0, total)
        expire(standing, now)
        decisions += decide(rule, MERCHANT, standing, now, packaged, f"d{total}-{now}") is not None
    assert decisions <= total // 10


def test_what_nobody_answered_has_used_nothing(packaged: PolicySet) -> None:
    """A decision that waited for a person and ran out was never enforced: the rule may ask again on the same facts."""
    rule = packaged.rules["bust-out-prepared"]
    standing = EnforcementState()
    assert decide(rule, MERCHANT, standing, START, packaged, "d0") is not None
    assert not is_fresh(rule, "merchant", standing, START + 6 * DAY_MS, Circumstances())
    expire(standing, START + 7 * DAY_MS)
    assert is_fresh(rule, "merchant", standing, START + 7 * DAY_MS, Circumstances())
