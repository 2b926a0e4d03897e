"""A shard that is fed, checkpointed, evicted and killed in any order equals one that was only fed."""

from functools import cache

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from detectors.flush import Emit, Flush
from detectors.judge import Judge
from features.shard import Record
from tests.builders import make_judge
from tests.fuzz.comparing import PATIENT, check_consistency, check_state, records_of
from tests.fuzz.harsh_streams import DAY, START, Scene, harsh_streams, scenes
from tests.fuzz.stored_shard import StoredShard
from tests.oracle_histories import Arrival, Histories

#: A failure is made small before it is shown, which takes minutes.
pytestmark = pytest.mark.timeout(600)


@cache
def judge() -> Judge:
    """A judge who publishes much and forgets no listing and no merchant."""
    return make_judge(publish_level=1, audit_rate=0.2, **PATIENT)


class ShardMachine(RuleBasedStateMachine):
    """One shard in calm, one in trouble, and the oracle."""

    def __init__(self) -> None:
        super().__init__()
        self.calm = StoredShard(judge())
        self.troubled = StoredShard(judge())
        self.histories = Histories(judge().settings.retention_days, judge().settings.allowed_lateness)
        self.offset = 0
        self.sequence = 0
        self.emitted: list[Emit] = []
        #: What the troubled shard emitted since its last checkpoint: a kill must bring it again.
        self.unconfirmed: list[Emit] = []

    def _flush(self, records: list[Record], tick: int | None) -> None:
        self.sequence += 1
        flush = Flush(self.sequence, records, tick)
        wanted = self.calm.apply(flush)
        assert self.troubled.apply(flush) == wanted
        self.unconfirmed += wanted

    @initialize(scene=scenes(anywhere=False))
    def begin(self, scene: Scene) -> None:
        """All flushes are about the same few entities."""
        self.scene = scene

    @rule(data=st.data())
    def feed(self, data: st.DataObject) -> None:
        """A flush of events."""
        arrivals = data.draw(harsh_streams(5, self.scene))
        records = records_of(arrivals, self.offset)
        self.offset += len(records)
        self._flush(records, None)
        self.histories.arrive(arrivals)

    @rule(after=st.sampled_from((1, DAY, 15 * DAY, 100 * DAY)))
    def tick(self, after: int) -> None:
        """Time moves on in a quiet shard."""
        clock = self.calm.state.clock
        end = max(clock.highest, clock.watermark, START) + after
        self._flush([], end)
        self.histories.arrive([Arrival(end, None)])

    @rule()
    def encode_ahead(self) -> None:
        """Light load."""
        self.troubled.encode_ahead()

    @rule()
    def checkpoint(self) -> None:
        """What changed is stored."""
        self.troubled.checkpoint()
        self.unconfirmed = []

    @rule(limit=st.integers(0, 4))
    def evict(self, limit: int) -> None:
        """The cache is full."""
        self.troubled.evict(limit)

    @precondition(lambda self: self.sequence > 0)
    @rule()
    def kill(self) -> None:
        """The memory is lost; the journal brings the same outputs again."""
        assert self.troubled.kill() == self.unconfirmed

    @invariant()
    def the_calm_shard_is_consistent(self) -> None:
        """What is kept twice agrees at any time."""
        check_consistency(self.calm.state)

    def teardown(self) -> None:
        """In the end both have stored the same bytes, and they say what the oracle says."""
        if not self.sequence:
            return
        # Timers that are set behind the watermark fire when it moves next.
        self.tick(1)
        check_state(self.calm.state, self.histories)
        self.calm.checkpoint()
        self.troubled.checkpoint()
        assert self.troubled.values == self.calm.values
        assert self.troubled.timers == self.calm.timers
        assert self.troubled.lists == self.calm.lists


TestShardMachine = ShardMachine.TestCase
TestShardMachine.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
