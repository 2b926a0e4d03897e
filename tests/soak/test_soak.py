"""The verdict of a soak, and a short one as a process."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from streams.archive import ArchiveRecord
from tests.soak.gauge import Sample
from tests.soak.live_orders import DAY_MS, LiveOrders
from tests.soak.verdict import complaints, growth

CALM = Sample(
    at_s=0,
    rss=100,
    store=5_000,
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
    twice = replace(CALM, store=10_000, keys={"merchants": 20, "orders": 200, "listings": 80, "other": 9})
    assert complaints([CALM] * 6, 100) == []
    assert complaints([CALM, CALM, CALM, twice, twice, twice], 200) == []


@pytest.mark.parametrize(
    ("later", "alive", "complaint"),
    [
        (replace(CALM, rss=106), 100, "the worker's memory grew by 6.0%"),
        (replace(CALM, store=5_300), 100, "Redis's memory grew by 6.0% for each"),
        (CALM, 90, "100 orders are stored, but 90 are alive"),
        (replace(CALM, keys={**CALM.keys, "other": 10}), 100, "keys of the shards themselves grew from 9 to 10"),
    ],
)
def test_what_is_not_bounded_is_told(later: Sample, alive: int, complaint: str) -> None:
    """Each kind of growth is found, and named."""
    (found,) = complaints([CALM] * 3 + [later] * 3, alive)
    assert found.startswith(complaint)


def test_orders_live_until_their_retention_is_over() -> None:
    """74 days after the promised delivery, ten days after the order where none was promised."""

    def records() -> Iterator[ArchiveRecord]:
        for number, more in enumerate(({"deliver_by": 3 * DAY_MS}, {})):
            event = {"type": "order.created", "occurred_at": DAY_MS, "order_id": str(number), **more}
            yield ArchiveRecord("orders", b"m", orjson.dumps(event), DAY_MS)
        yield ArchiveRecord("orders", b"m", orjson.dumps({"type": "order.shipped"}), DAY_MS)

    live = LiveOrders(records())
    assert len(list(live)) == 3
    days = [76, 77, 84, 85]
    assert [live.number(day * DAY_MS) for day in days] == [2, 1, 1, 0]


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
    assert latest["keys"]["orders"] == result["orders_stored"] > 100
    assert abs(result["orders_stored"] - result["orders_alive"]) < 0.05 * result["orders_alive"]
    assert (done.returncode == 1) == bool(result["complaints"])
