import msgspec
import pytest

from detectors.evaluation.governance import Malicious, score
from detectors.evaluation.observations import Observations, RuleAbout
from detectors.flush import Emit
from features.events import OrderCreated, OrderItem
from features.outputs import (
    Action,
    EnforcementDecided,
    Level,
    PartyOutput,
    PolicyRef,
    Reason,
    Redress,
    RiskAssessed,
    Source,
    Subject,
    Versions,
)

HOUR = 3_600_000
DAY = 24 * HOUR
RULES = {
    "burst": RuleAbout(frozenset({"bust_out"})),
    "fakes": RuleAbout(frozenset({"counterfeit"})),
    "overdue": RuleAbout(frozenset({"bust_out"}), grave=False, fits=frozenset({"takeover"})),
    "claims": RuleAbout(frozenset({"refund_abuse"}), of_buyers=True),
    "rings": RuleAbout(frozenset({"brushing", "self_dealing"}), grave=False),
}


class Stream:
    """Feeds observations, in the units of the tests."""

    def __init__(self, *watched: str) -> None:
        self.seen = Observations(RULES, watched, buyers=True)
        self.orders = 0

    def order(self, merchant: str, hour: int, total: int = 100, buyer: str = "b") -> None:
        """A merchant sells."""
        self.orders += 1
        self.seen.event(
            OrderCreated(
                event_id=f"e{self.orders}",
                occurred_at=DAY * 20_000 + hour * HOUR,
                merchant_id=merchant,
                order_id=f"o{self.orders}",
                buyer_id=buyer,
                items=[OrderItem("l", 1, total)],
                total=total,
                currency="EUR",
            ),
            DAY * 20_000 + hour * HOUR,
        )

    def assess(self, merchant: str, hour: int, level: Level, *codes: str, kind: str = "merchant", of: str = "") -> None:
        """An assessment comes out."""
        self._out(
            RiskAssessed(
                assessment_id="a",
                sequence=1,
                merchant_id=merchant,
                subject=Subject(kind, of or merchant),  # type: ignore[arg-type]
                level=level,
                score=700,
                probability=0.5,
                detectors=[],
                reasons=[Reason(code, "", 0.5) for code in codes],
                features={},
                versions=Versions("p", "f", "m"),
                mode="live",
                source=Source("orders", 0, 0),
            ),
            hour,
        )

    def decide(
        self,
        merchant: str,
        hour: int,
        action: Action,
        rule: str,
        *,
        review: bool = False,
        severity: Level = "high",
        listing: str = "",
        order: str = "",
    ) -> None:
        """An enforcement comes out."""
        subject = Subject("merchant", merchant)
        if order or listing:
            subject = Subject("order", order) if order else Subject("listing", listing)
        self._out(
            EnforcementDecided(
                decision_id="d",
                sequence=1,
                merchant_id=merchant,
                subject=subject,
                action=action,
                severity=severity,
                starts_at=0,
                requires_review=review,
                policy=PolicyRef(rule, "1", ""),
                assessment_id="a",
                evidence=[],
                facts="",
                redress=Redress(0),
                mode="live",
            ),
            hour,
        )

    def _out(self, output: PartyOutput, hour: int) -> None:
        emit = Emit("events", None, msgspec.json.encode(output), (), "i")
        self.seen.outputs([emit], DAY * 20_000 + hour * HOUR)


def at(hour: int) -> int:
    """The time of an hour of the tests."""
    return DAY * 20_000 + hour * HOUR


def test_recall_precision_delay_and_loss_by_hand() -> None:
    """One of two bust-outs is found after ten hours, and an honest merchant is accused of one."""
    stream = Stream("bad", "missed")
    stream.order("bad", 1, 500)
    stream.order("bad", 5, 100)
    stream.order("bad", 12, 300)
    stream.order("missed", 6, 1_000)
    stream.assess("bad", 12, "high", "burst")
    stream.assess("good", 13, "critical", "burst")
    stream.order("good", 50)
    malicious = {
        "bad": Malicious("bust_out", at(2)),
        "missed": Malicious("bust_out", at(2)),
        "later": Malicious("bust_out", at(60)),
    }
    found = score(stream.seen, malicious, ["good", "better"], {}, {"sale": ["good"]})
    pattern = found.patterns["bust_out"]
    assert (pattern.recall.hits, pattern.recall.total) == (1, 2)
    assert (pattern.precision.hits, pattern.precision.total) == (1, 2)
    assert pattern.median_hours_to_detection == 10
    assert pattern.gmv_share_lost == pytest.approx(1_100 / 1_400)
    assert (found.precision.value, found.honest.high_or_above.value) == (0.5, 0.5)
    assert found.honest.traps["sale"].value == 1


def test_a_false_alarm_before_the_start_is_no_detection() -> None:
    """Who was named before turning bad, and stands at low since, is not found by that."""
    stream = Stream("m")
    stream.assess("m", 1, "high", "burst")
    stream.assess("m", 3, "low")
    stream.order("m", 50)
    pattern = score(stream.seen, {"m": Malicious("bust_out", at(10))}, [], {}, {}).patterns["bust_out"]
    assert (pattern.recall.value, pattern.precision.value, pattern.median_hours_to_detection) == (0, 0, None)


def test_who_stands_at_high_already_is_found_at_once() -> None:
    """A level that stands is not published again, so it counts from the start."""
    stream = Stream("m")
    stream.assess("m", 1, "high", "burst")
    stream.order("m", 50)
    pattern = score(stream.seen, {"m": Malicious("bust_out", at(10))}, [], {}, {}).patterns["bust_out"]
    assert (pattern.recall.value, pattern.median_hours_to_detection, pattern.gmv_share_lost) == (1, 0, 0)


def test_being_found_for_something_else_is_recall_without_attribution() -> None:
    """A bust-out found by its fakes is found, though no rule about bust-outs says so; mild levels name nobody."""
    stream = Stream("m", "n")
    stream.assess("m", 11, "high", "fakes", kind="listing", of="l1")
    stream.assess("n", 11, "elevated", "burst")
    stream.order("m", 50)
    malicious = {"m": Malicious("bust_out", at(10)), "n": Malicious("bust_out", at(10))}
    found = score(stream.seen, malicious, [], {"l1": "counterfeit", "l2": "counterfeit"}, {})
    pattern = found.patterns["bust_out"]
    assert (pattern.recall.hits, pattern.attributed_recall.hits, pattern.precision.value) == (1, 0, None)
    assert found.listings["counterfeit"].recall.value == 0.5
    assert found.listing_precision.value == 1


def test_suspensions_of_honest_merchants_are_counted() -> None:
    """Those that a person is asked about, and those that are not."""
    stream = Stream()
    stream.decide("asked", 1, "suspend_merchant", "burst", review=True)
    stream.decide("gone", 1, "suspend_merchant", "burst", review=False)
    stream.decide("gone", 2, "suspend_merchant", "burst", review=True)
    stream.decide("held", 1, "hold_payout", "burst", review=False)
    stream.order("held", 5)
    honest = score(stream.seen, {}, ["asked", "gone", "held", "well"], {}, {}).honest
    assert (honest.suspended, honest.suspended_at_once) == (2, 1)
    assert (honest.high_or_above.hits, honest.own_level_high.hits) == (3, 0)


def test_an_order_told_twice_counts_once() -> None:
    """The same order again adds nothing to the turnover."""
    stream = Stream("m")
    for _ in range(2):
        stream.orders = 0
        stream.order("m", 11)
    assert stream.seen.orders["m"] == [(at(11), 100)]


def test_asking_a_person_about_the_pattern_is_finding_it() -> None:
    """A mild rule's review finds and attributes, though nothing names the merchant at high; a warning does neither."""
    stream = Stream("asked", "warned")
    stream.decide("asked", 14, "require_review", "overdue", review=True, severity="elevated")
    stream.decide("warned", 14, "warn", "overdue", severity="guarded")
    stream.order("asked", 12)
    stream.order("asked", 20)
    malicious = {name: Malicious("bust_out", at(10)) for name in ("asked", "warned")}
    found = score(stream.seen, malicious, ["good"], {}, {})
    pattern = found.patterns["bust_out"]
    assert (pattern.recall.hits, pattern.attributed_recall.hits, pattern.recall_high.hits) == (1, 1, 0)
    assert (pattern.precision.value, pattern.gmv_share_lost) == (1, 0.5)
    assert found.recall.hits == 1


def test_a_warning_about_a_listing_says_that_it_breaks_the_rule() -> None:
    """It accuses listing and merchant, and an honest merchant's listing costs precision."""
    stream = Stream("m")
    stream.decide("m", 12, "warn", "fakes", severity="guarded", listing="l1")
    stream.decide("good", 12, "warn", "fakes", severity="guarded", listing="l9")
    stream.order("m", 20)
    found = score(
        stream.seen, {"m": Malicious("counterfeit", at(10))}, ["good"], {"l1": "counterfeit", "l2": "counterfeit"}, {}
    )
    pattern, listings = found.patterns["counterfeit"], found.listings["counterfeit"]
    assert (pattern.attributed_recall.hits, pattern.precision.value, pattern.honest_accused.value) == (1, 0.5, 1)
    assert (listings.recall.value, listings.precision.value) == (0.5, 0.5)
    assert (found.honest.acted_on.hits, found.honest.high_or_above.hits) == (0, 0)


def test_a_rule_that_is_right_about_an_attacker_is_no_mistake_of_its_other_pattern() -> None:
    """A rule about two patterns, a rule that fits another one, and what else is true of a merchant."""
    stream = Stream("dealer", "taken", "both", "ring")
    for merchant, rule in (("dealer", "rings"), ("taken", "overdue"), ("both", "fakes"), ("ring", "fakes")):
        stream.decide(merchant, 12, "require_review", rule, review=True, severity="elevated")
    stream.order("dealer", 20)
    malicious = {
        "dealer": Malicious("self_dealing", at(10)),
        "taken": Malicious("takeover", at(10)),
        "both": Malicious("bust_out", at(10), frozenset({"counterfeit"})),
        "ring": Malicious("brushing", at(10)),
        "fake": Malicious("counterfeit", at(10)),
    }
    patterns = score(stream.seen, malicious, [], {}, {}).patterns
    assert patterns["brushing"].precision.value is None
    assert patterns["bust_out"].precision.value is None
    assert patterns["takeover"].attributed_recall.value == 0
    assert (patterns["counterfeit"].precision.hits, patterns["counterfeit"].precision.total) == (0, 1)
    assert patterns["self_dealing"].precision.value == 1


def test_rules_about_buyers_are_held_against_them_and_not_against_the_merchant() -> None:
    """One of two abusive buyers is found, and one who is not; the merchants of the orders were not acted against."""
    stream = Stream()
    stream.order("shop", 1, buyer="abuser")
    stream.order("shop", 2, buyer="abuser")
    stream.order("shop", 3, buyer="customer")
    for order in ("o1", "o2", "o3"):
        stream.decide("shop", 9, "require_review", "claims", review=True, severity="guarded", order=order)
    found = score(stream.seen, {}, ["shop"], {}, {}, {"abuser": "refund_abuse", "other": "refund_abuse"})
    buyers = found.buyers["refund_abuse"]
    assert (buyers.recall.value, buyers.precision.value) == (0.5, 0.5)
    assert (found.honest.acted_on.hits, found.honest.high_or_above.hits) == (0, 0)
