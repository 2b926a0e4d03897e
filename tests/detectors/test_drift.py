"""Drift of a shard's figures: when it is told, and that it is told again after a crash."""

from random import Random

import msgspec
import orjson
import pytest

from detectors.adwin import Shift
from detectors.drift import BAD_SHARE, BRIER, UNUSUAL, DriftWatch
from detectors.model import SnapshotMismatch
from features.outputs import DriftDetected
from tests.builders import DAY, HOUR, Shard, listed, make_judge, of_order, outputs, placed, shipped


def outcomes(watch: DriftWatch, seed: int, count: int, bad: float, predicted: float) -> list[tuple[str, Shift]]:
    """Alarms while a share of orders goes bad of which all were given one probability."""
    random = Random(seed)
    return [alarm for _ in range(count) for alarm in watch.outcome(predicted, random.random() < bad)]


def test_a_strike_is_told_once_and_its_end_once() -> None:
    """Orders go wrong four times as often for a while: the share rises and falls, and so does the error."""
    watch = DriftWatch()
    assert outcomes(watch, 1, 5_000, 0.1, 0.1) == []
    begun = outcomes(watch, 2, 900, 0.4, 0.1)
    assert sorted(name for name, _ in begun) == [BRIER.name, BAD_SHARE.name]
    assert all(shift.after > shift.before for _, shift in begun)
    over = outcomes(watch, 3, 900, 0.1, 0.1)
    assert sorted(name for name, _ in over) == [BRIER.name, BAD_SHARE.name]
    assert all(shift.after < shift.before for _, shift in over)


def test_a_model_that_becomes_worse_is_told_although_the_world_stays() -> None:
    """The share of bad orders is the same, the probabilities are off."""
    watch = DriftWatch()
    outcomes(watch, 4, 5_000, 0.1, 0.1)
    assert [name for name, _ in outcomes(watch, 5, 2_000, 0.1, 0.6)] == [BRIER.name]


def test_changes_too_small_to_matter_are_not_told() -> None:
    """A bad share of 0.10 that becomes 0.115: found with enough values, and nobody's business."""
    watch = DriftWatch()
    assert outcomes(watch, 6, 30_000, 0.1, 0.1) == []
    assert outcomes(watch, 7, 30_000, 0.115, 0.1) == []


def test_behaviours_that_resemble_their_neighbours_are_no_drift() -> None:
    """A busy merchant repeats its percentile ten times; only when all have moved there is an alarm, in values."""
    random, watch = Random(8), DriftWatch()
    for _ in range(3_000):
        percentile = random.random()
        for _ in range(10):
            assert watch.behaviour(percentile) == ()
    alarms = [alarm for _ in range(5_000) for alarm in watch.behaviour(random.uniform(0.5, 1.0))]
    ((name, shift),) = alarms[:1]
    assert name == UNUSUAL.name
    assert shift.before == pytest.approx(0.5, abs=0.05)
    assert shift.after > shift.before + UNUSUAL.least
    assert shift.window % UNUSUAL.block == 0


@pytest.mark.parametrize("count", [0, 1, 31, 32, 49, 50, 777])
def test_a_restored_watch_tells_the_same(count: int) -> None:
    """Snapshot and restore at any moment, also within a block, change no later alarm."""
    random = Random(9)
    watch = DriftWatch()
    for _ in range(count):
        watch.outcome(random.random(), random.random() < 0.2)
        watch.behaviour(random.random())
    restored = DriftWatch()
    restored.restore(watch.snapshot())
    assert restored.snapshot() == watch.snapshot()
    for _ in range(3_000):
        values = random.uniform(0.5, 1.0), random.random() < 0.6
        assert restored.outcome(*values) == watch.outcome(*values)
        assert restored.behaviour(values[0]) == watch.behaviour(values[0])
    assert restored.snapshot() == watch.snapshot()


def test_what_is_no_probability_is_refused() -> None:
    """It would never leave the window."""
    watch = DriftWatch()
    before = watch.snapshot()
    for value in (float("nan"), 2.5, -1.5):
        with pytest.raises(ValueError, match="between 0 and 1"):
            watch.outcome(value, False)
        with pytest.raises(ValueError, match="between 0 and 1"):
            watch.behaviour(value)
    assert watch.snapshot() == before


def test_a_damaged_snapshot_is_refused_and_leaves_the_watch_as_it_was() -> None:
    """No flipped byte goes unnoticed."""
    watch = DriftWatch()
    outcomes(watch, 10, 500, 0.2, 0.2)
    data = watch.snapshot()
    for at in range(0, len(data), 17):
        with pytest.raises(SnapshotMismatch):
            watch.restore(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    assert watch.snapshot() == data


def test_a_snapshot_is_small() -> None:
    """It is written about once a second, after a hundred thousand values too."""
    watch = DriftWatch()
    outcomes(watch, 11, 100_000, 0.1, 0.1)
    assert len(watch.snapshot()) < 5_000
    assert msgspec.msgpack.decode(watch.snapshot())["format"] == 1


def _life(number: int, bad: bool) -> list[tuple[int, dict[str, object]]]:
    """An order's events with their times, ms: delivered in good time, or cancelled by the seller."""
    order, at = f"o{number}", number * 2 * HOUR
    if bad:
        return [(at, placed(order, at)), (at + DAY, of_order("cancelled", order, at + DAY, by="seller"))]
    return [
        (at, placed(order, at)),
        (at + DAY, shipped(order, at + DAY)),
        (at + 3 * DAY, of_order("delivered", order, at + 3 * DAY)),
    ]


def test_a_shop_that_goes_bad_is_told_to_whoever_reads_the_outputs() -> None:
    """Events in, alarm out: keyed by the shard, once, and counted."""
    random = Random(12)
    lives = [each for number in range(1_500) for each in _life(number, random.random() < (0.05, 0.6)[number > 900])]
    events = [one for _, one in sorted(lives, key=lambda each: each[0])]
    shard = Shard(make_judge(publish_level=4, audit_rate=0.0))
    shard.apply(listed())
    for start in range(0, len(events), 100):
        shard.apply(*events[start : start + 100])
    shard.apply(tick=200 * DAY)
    told = [each for each in outputs(shard.emits) if isinstance(each, DriftDetected)]
    shares = [each for each in told if each.what == BAD_SHARE.name]
    assert len(shares) == 1
    assert shares[0].before == pytest.approx(0.05, abs=0.03)
    assert shares[0].after > 0.1
    assert shard.state.statistics.drifts[BAD_SHARE.name] == 1
    emit = next(emit for emit in shard.emits if orjson.loads(emit.value or b"{}").get("what") == BAD_SHARE.name)
    assert (emit.stream, emit.key) == ("events", b"shard-0")
    assert dict(emit.headers)["ce_type"] == b"shopwarden.drift.detected.v1"
    assert dict(emit.headers)["ce_subject"] == b"bad-order:share"
