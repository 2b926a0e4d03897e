"""How competitors are timed."""

import json
from itertools import count

from benchmarks.competitor import Job, Meter, decode_job


def job(records: int = 1_000, seconds: float = 10.0) -> Job:
    """A job of so many records, or seconds at most."""
    return Job(
        brokers="broker:9092",
        topics=("listings", "orders"),
        output_topic="out",
        group="g",
        records=records,
        seconds=seconds,
        redis_url="redis://store:6379/0",
        folder="/nowhere",
        simulated=records,
        seed=7,
        flush_records=4_000,
    )


def test_a_job_reaches_the_competitor_as_it_was() -> None:
    """The command line argument of a job decodes to an equal job."""
    assert decode_job(job().encode()) == job()


def test_a_competitor_is_done_at_its_last_record() -> None:
    """The meter says so at exactly the number of records wanted, and reports them."""
    meter = Meter(job(records=300), clock=count().__next__)
    meter.begin()
    assert [meter.count() for _ in range(300)].index(True) == 299
    assert json.loads(meter.result())["records"] == 300


def test_a_slow_competitor_stops_when_its_time_is_up() -> None:
    """Past its seconds the competitor ends early, and its rate is that of the records it got to."""
    now = [0.0]
    meter = Meter(job(records=1_000_000, seconds=10), clock=lambda: now[0])
    now[0] = 5.0
    meter.begin()
    while not meter.count():
        now[0] += 0.01
    result = json.loads(meter.result())
    assert 1_000 <= result["records"] <= 1_200
    assert result["seconds"] == now[0] - 5.0


def test_the_time_before_the_first_record_does_not_count() -> None:
    """Only the first call of begin starts the clock."""
    now = [100.0]
    meter = Meter(job(), clock=lambda: now[0])
    meter.begin()
    now[0] = 103.0
    meter.begin()
    meter.count(1)
    assert json.loads(meter.result())["seconds"] == 3.0
