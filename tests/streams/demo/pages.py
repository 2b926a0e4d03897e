"""A moment of a demo, made up, for pages that can be compared letter by letter."""

from typing import Any

from features.outputs import Reason
from streams.demo.score import Ratio, Score
from streams.demo.tally import EnforcementView, MerchantView, Percentiles
from streams.demo.view import PageView

DAY = 86_400_000
#: 2025-10-03.
START = 1_759_449_600_000
NOON = START + 33 * DAY + DAY // 2

SCORE = Score(
    attacks={
        "bust_out": Ratio(2, 1, 1, 5.0),
        "counterfeit": Ratio(2, 2, 2, 0.5),
        "fake_tracking": Ratio(1, 2, 1, 3.25),
        "brushing": Ratio(0, 0, 0, None),
    },
    overall=Ratio(5, 6, 4, 2.0),
    honest=158,
    honest_flagged=2,
)

MERCHANTS = [
    MerchantView(
        "6a69d0b9fd28afff",
        "critical",
        978,
        0.62,
        [
            Reason(
                "overdue-orders", "80 orders are past their ship-by date and not shipped, of 84 placed in 30 days", 0.7
            ),
            Reason(
                "bust-out",
                "18 of 40 orders are overdue and not shipped, while sales run at 9.3 times the usual",
                0.9,
            ),
        ],
        3,
        "the probability that this order goes wrong is 91%",
        ["hold_payout", "require_review"],
    ),
    MerchantView(
        "c4bfddee6689db7c",
        "high",
        759,
        0.3,
        [
            Reason(
                "fake-tracking",
                "5 of 20 orders in 30 days carry a number that was used before or scanned before the order",
                0.8,
            )
        ],
    ),
    MerchantView("225df1eab016243f", "guarded", 280, 0.34),
    MerchantView("0a2e8e837910d5b5", "guarded", 240, 0.1, [], 2, "the tracking number was used for another order"),
]

ENFORCEMENTS = [
    EnforcementView(
        NOON,
        "hold_payout",
        "c4bfddee6689db7c",
        "scan-before-order",
        "the carrier scanned the parcel 54.0 hours before the order was placed",
        "high",
        times=12,
    ),
    EnforcementView(
        NOON - DAY,
        "suspend_merchant",
        "6a69d0b9fd28afff",
        "bust-out",
        "18 of 40 orders are overdue",
        "critical",
        requires_review=True,
    ),
    EnforcementView(
        NOON - 2 * DAY,
        "limit_orders",
        "0a2e8e837910d5b5",
        "late-dispatch",
        "5.1% of 175 orders due in 30 days were shipped late; at most 4% are accepted",
        "guarded",
        reversed=True,
    ),
    EnforcementView(
        NOON - 3 * DAY,
        "require_review",
        "225df1eab016243f",
        "not-received",
        "a claim",
        "elevated",
        requires_review=True,
    ),
]


def moment(**changes: Any) -> PageView:
    """The middle of a demo, with changes."""
    values: dict[str, Any] = {
        "seed": 7,
        "merchants": 166,
        "phase": "playing",
        "start": START,
        "end": START + 90 * DAY,
        "event_time": NOON,
        "elapsed": 67.0,
        "duration": 180.0,
        "events_in": 134_209,
        "outputs": 1_203,
        "lag": 1_022,
        "in_rates": [0.0, 1900.0, 2000.0, 2003.4],
        "out_rates": [float(n % 7) for n in range(60)],
        "latency": Percentiles(8.44, 17.6, 1204.0),
        "latencies": [20.0, 30.0, 25.0],
        "score": SCORE,
        "riskiest": MERCHANTS,
        "enforcements": ENFORCEMENTS,
        "labels": {
            "6a69d0b9fd28afff": "bust_out",
            "c4bfddee6689db7c": "fake_tracking",
            "0a2e8e837910d5b5": "carrier_strike",
        },
        "attackers": frozenset({"6a69d0b9fd28afff", "c4bfddee6689db7c"}),
        "dead_letters": 0,
        "last_dead_letter": "",
        "brokers": "127.0.0.1:44323",
        "redis_url": "redis://127.0.0.1:50059/0",
    }
    return PageView(**(values | changes))


def beginning() -> PageView:
    """Before the first record."""
    return moment(
        event_time=0,
        elapsed=0.0,
        events_in=0,
        outputs=0,
        lag=0,
        in_rates=[],
        out_rates=[],
        latency=None,
        latencies=[],
        score=Score(
            {name: Ratio(0, 0, 0, None) for name in SCORE.attacks}, Ratio(0, 0, 0, None), honest=158, honest_flagged=0
        ),
        riskiest=[],
        enforcements=[],
    )
