"""The credit of a merchant as `shopwarden explain` shows it."""

from config.policies import load_policies
from detectors.policy import PolicySet, compile_policies
from features.credit import CreditState, LedgerEntry
from features.registry import FEATURES
from features.windows import DAY_MS
from streams.explain.credit import credit_state

AT = 1_704_067_200_000


def policies() -> PolicySet:
    """The packaged ones."""
    return compile_policies(load_policies(), FEATURES)


def test_a_score_is_taken_apart() -> None:
    """Start, earned and lost, the entries that count, and the probability as points."""
    entries = [
        LedgerEntry("late_dispatch", -8, AT - 200 * DAY_MS, "d0", ended=True),
        LedgerEntry("misleading_claim", -4, AT - DAY_MS, "d1", "l:l1", returned=2, corrected=AT),
        LedgerEntry("misleading_claim", 0, AT - DAY_MS, "d2", "l:l2", counts=False),
    ]
    credit = CreditState(ledger=entries, score=201, earned=3, tier="plus", since=AT, graduated=1, probability=0.02)
    shown = credit_state(credit, policies().credit["merchant"], AT)
    assert (shown["score"], shown["start"], shown["earned"], shown["lost"]) == (201, 200, 3, 2)
    assert [entry["decision"] for entry in shown["entries"]] == ["d1"]
    assert shown["entries"][0]["about"] == "l:l1"
    assert shown["risk_points"] == 599
    assert not shown["in_probation"]


def test_where_no_credit_is_kept_nothing_is_shown() -> None:
    """Neither without a policy nor without a state."""
    assert credit_state(None, policies().credit["merchant"], AT) == {}
    assert credit_state(CreditState(), None, AT) == {}
