"""A report of a demo, made up."""

from typing import Any

from streams.demo.summary import Report
from streams.demo.tally import Percentiles
from tests.streams.demo.pages import SCORE


def report(**changes: Any) -> Report:
    """A report, with changes."""
    values: dict[str, Any] = {
        "seed": 7,
        "partitions": 2,
        "days": 90.0,
        "events_in": 60_912,
        "played": 30.1,
        "seconds": 31.0,
        "outputs": {
            "shopwarden.risk.assessed.v1": 617,
            "merchant-standing": 608,
            "shopwarden.enforcement.decided.v1": 557,
            "governance-dead-letters": 2,
        },
        "dead_letters": {"invalid": 2},
        "latency": Percentiles(8.44, 17.6, 31.2),
        "score": SCORE,
        "state_bytes": 1977.0,
    }
    return Report(**(values | changes))
