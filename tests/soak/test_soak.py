"""The verdict of a soak, and a short one as a process."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from config.retention import RetentionSettings
from streams.archive import ArchiveRecord
from tests.soak.alive import DAY_MS, Alive
from tests.soak.gauge import Sample
from tests.soak.verdict import complaints, growth

CALM = Sample(
    at_s=0,
    rss=100,
    store=5_000,
    shards=1_000,
    keys={"merchants": 10, "orders": 100, "listings": 40, "other": 9},
    lag=0,
    events_per_s=1,
    checkpoints_per_s=1,
    watermark=0,
)


def test_growth_is_of_medians() -> None:
    """One figure that jumps is no growth; a rise from the first third to the last is."""
    assert growth([10, 10, 99, 10, 10, 10]) == 0
    assert growth([10, 10, 11, 12, 12, 12]) == pytest.approx(0.2)
    assert growth([10]) == 0


def test_what_is_bounded_passes() -> None:
    """More memory in Redis for more entities is as it should be."""
    twice = replace(CALM, store=9_000, keys={"merchants": 20, "orders": 200, "listings": 80, "other": 9})
    assert complaints([CALM] * 6, {"orders": 100}) == []
    assert complaints([CALM, CALM, CALM, twice, twice, twice], {"orders": 200}) == []


@pytest.mark.parametrize(
    ("later", "alive", "complaint"),
    [
        (replace(CALM, rss=106), 100, "the worker's memory grew by 6.0%"),
        (replace(CALM, store=5_240), 100, "Redis's memory grew by 6.0% for each"),
        (CALM, 90, "100 orders are stored, but 90 are alive"),
        (replace(CALM, store=5_060, shards=1_060), 100, "what the shards themselves keep in Redis grew by 6.0%"),
    ],
)
def test_what_is_not_bounded_is_told(later: Sample, alive: int, complaint: str) -> None:
    """Each kind of growth is found, and named."""
    (found,) = complaints([CALM] * 3 + [later] * 3, {"orders": alive})
    assert found.startswith(complaint)


def passing(*events: dict[str, object]) -> Alive:
    """What is alive after some events of merchant m."""
    records = [ArchiveRecord("any", b"m", orjson.dumps({"merchant_id": "m", **event}), 0) for event in events]
    alive = Alive(iter(records), RetentionSettings(removed_listing_days=30, idle_listing_days=60))
    assert len(list(alive)) == len(events)
    return alive


def test_orders_live_until_their_retention_is_over() -> None:
    """74 days after the promised delivery, ten days after the order where none was promised."""
    order = {"type": "order.created", "occurred_at": DAY_MS, "items": []}
    alive = passing(
        order | {"order_id": "1", "deliver_by": 3 * DAY_MS},
        order | {"order_id": "2"},
        {"type": "order.shipped", "occurred_at": 5 * DAY_MS, "order_id": "2"},
    )
    assert [alive.orders(day * DAY_MS) for day in (76, 77, 84, 85)] == [2, 1, 1, 0]


def test_listings_live_until_nobody_wants_them() -> None:
    """So long after the last event or order, or after the removal, whatever comes then."""
    item = [{"listing_id": "a"}]
    created = {"type": "listing.created", "listing_id": "a", "occurred_at": 0}
    ordered = {"type": "order.created", "order_id": "1", "items": item, "occurred_at": 10 * DAY_MS}
    removed = {"type": "listing.removed", "listing_id": "a", "occurred_at": 12 * DAY_MS}
    assert [passing(created).listings(day * DAY_MS) for day in (59, 60)] == [1, 0]
    assert [passing(created, ordered).listings(day * DAY_MS) for day in (69, 70)] == [1, 0]
    assert [passing(created, removed, ordered).listings(day * DAY_MS) for day in (41, 42)] == [1, 0]


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_short_soak_prints_its_table(tmp_path: Path) -> None:
    """Half a minute: rows with figures, and a result in a file. What it concludes takes longer to mean something."""
    file = tmp_path / "soak.json"
    words = [sys.executable, "-m", "tests.soak", "--minutes", "0.5", "--rate", "300", "--out", str(file)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert "After the warm-up: worker " in done.stdout
    result = orjson.loads(file.read_bytes())
    latest = result["samples"][-1]
    assert latest["lag"] == 0
    assert latest["rss"] > 50 * 2**20
    for kind, number in result["alive"].items():
        assert abs(latest["keys"][kind] - number) < 0.1 * number, kind
        assert number > 100
    assert (done.returncode == 1) == bool(result["complaints"])
