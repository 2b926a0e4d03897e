"""Any sequence of valid events leaves what the oracle says, however it is cut, stopped and taken up again."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.flush import Emit, Flush
from detectors.judge import Judge
from tests.builders import make_judge
from tests.fuzz.comparing import PATIENT, check_consistency, check_state, records_of
from tests.fuzz.harsh_streams import harsh_streams
from tests.fuzz.live_path import check_finite, check_stored
from tests.fuzz.stored_shard import StoredShard
from tests.oracle_histories import Arrival, Histories

#: A failure is made small before it is shown, which takes minutes.
pytestmark = pytest.mark.timeout(600)
SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge who publishes much."""
    return make_judge(publish_level=1, audit_rate=0.2)


@pytest.fixture(scope="module")
def patient_judge() -> Judge:
    """One who publishes much and forgets no listing and no merchant."""
    return make_judge(publish_level=1, audit_rate=0.2, **PATIENT)


@given(arrivals=harsh_streams(), tick=st.sampled_from((1, 3 * 86_400_000, 50 * 86_400_000, 200 * 86_400_000)))
@settings(SETTINGS, max_examples=120)
def test_everything_known_is_what_the_oracle_knows(patient_judge: Judge, arrivals: list[Arrival], tick: int) -> None:
    """Counts, rates, orders, listings and accounts, in the middle of a stream too, and when time has moved on."""
    shard = StoredShard(patient_judge)
    histories = Histories(patient_judge.settings.retention_days, patient_judge.settings.allowed_lateness)
    third = len(arrivals) // 3
    records = records_of(arrivals)
    for number, part in enumerate((slice(0, third), slice(third, 2 * third), slice(2 * third, None))):
        shard.apply(Flush(number + 1, records[part], None))
        histories.arrive(arrivals[part])
        # Timers that are set behind the watermark fire when it moves next.
        end = max(shard.state.clock.highest, shard.state.clock.watermark) + tick
        shard.apply(Flush(number + 1, [], end))
        histories.arrive([Arrival(end, None)])
        check_state(shard.state, histories)
        check_consistency(shard.state)


@given(arrivals=harsh_streams(), data=st.data())
@settings(SETTINGS, max_examples=100)
def test_cuts_and_restarts_change_nothing(judge: Judge, arrivals: list[Arrival], data: st.DataObject) -> None:
    """One flush, or any flushes with checkpoints, evictions and kills between them: the same bytes stored and
    published.
    """
    records = records_of(arrivals)
    calm = StoredShard(judge)
    wanted = calm.apply(Flush(1, records))
    calm.checkpoint()
    restless = StoredShard(judge)
    published: list[Emit] = []
    since_checkpoint: list[Emit] = []
    start = sequence = 0
    while start < len(records):
        end = data.draw(st.integers(start + 1, len(records)))
        sequence += 1
        since_checkpoint += restless.apply(Flush(sequence, records[start:end]))
        start = end
        match data.draw(st.sampled_from(("go on", "encode ahead", "checkpoint", "evict", "kill"))):
            case "encode ahead":
                restless.encode_ahead()
            case "checkpoint":
                restless.checkpoint()
                published += since_checkpoint
                since_checkpoint = []
            case "evict":
                restless.evict(data.draw(st.integers(0, 3)))
            case "kill":
                assert restless.kill() == since_checkpoint
    restless.checkpoint()
    assert published + since_checkpoint == wanted
    assert restless.values == calm.values
    assert restless.timers == calm.timers
    check_stored(calm.values)
    for emit in wanted:
        check_finite(emit.value or b"")
