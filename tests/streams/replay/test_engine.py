"""The rounds of a replay, with sources made by hand."""

import orjson
import pytest

from config.settings import Settings
from detectors.apply import Core
from detectors.bench import Trial
from features.policy_notices import Rollout
from streams.archive import ArchiveRecord
from streams.replay.archive_source import ArchiveSource
from streams.replay.engine import Engine, RoundOutputs
from streams.replay.mail import NEVER, Letter, Mailroom
from streams.replay.plan import Plan
from streams.replay.rounds import AFTER, LATENCY, ROUND_MS
from streams.replay.shard_run import make_cores, replay_judge
from streams.snapshot import take_changes
from tests.builders import DAY, START, Event, event, placed
from tests.features.example_events import topic_of
from tests.streams.mixed_input import MixedInput

SETTINGS = Settings(worker={"audit_rate": 1.0})  # type: ignore[arg-type]
HOUR = 3_600_000
#: After the START of the events, and where a round begins.
BEGIN = 100 * DAY - START % ROUND_MS


def record(one: Event, shard: int) -> ArchiveRecord:
    """An event as a record of a shard."""
    key, value = str(one["merchant_id"]).encode(), orjson.dumps(one)
    return ArchiveRecord(topic_of(one["type"]), key, value, one["occurred_at"], partition=shard)


def run(records: list[ArchiveRecord], shards: int = 2, **plan: int) -> tuple[dict[int, Core], list[RoundOutputs]]:
    """The cores afterwards, and what they published."""
    wanted = Plan(shards=shards, run="r", **plan)  # type: ignore[arg-type]
    cores = make_cores(SETTINGS, replay_judge(SETTINGS, shards), wanted, range(shards))
    ordered = sorted(records, key=lambda each: each.timestamp or 0)
    source = ArchiveSource(ordered, SETTINGS, wanted, range(shards))
    return cores, list(Engine(cores, source, wanted, "exchange").run())


def test_a_quiet_shard_goes_on() -> None:
    """An order that is never shipped is found overdue, although its shard hears nothing more."""
    lonely = record(placed("o1", BEGIN, "m1"), 0)
    others = [record(placed(f"p{n}", BEGIN + n * 6 * HOUR, "m2"), 1) for n in range(40)]
    cores, _ = run([lonely, *others])
    assert cores[0].state.merchants["m1"].record.overdue == 1
    # As far as the other, to the end of the last rounds.
    last = (others[-1].timestamp or 0) // ROUND_MS
    assert cores[0].state.clock.watermark <= (last + AFTER + 1) * ROUND_MS - HOUR
    assert cores[0].state.clock.watermark >= START + BEGIN + 9 * DAY


def test_before_its_first_order_a_shard_has_no_time() -> None:
    """Ticks begin with a shard's orders: time that it never had does not go on."""
    cores, _ = run([record(placed(f"p{n}", BEGIN + n * HOUR, "m2"), 1) for n in range(50)])
    assert cores[0].state.clock.watermark == 0


def test_a_message_takes_two_rounds() -> None:
    """What two merchants of different shards have in common is known to both only after the rounds that it takes."""
    records = [
        record(event("merchant.account_changed", BEGIN + n, f"m{n}", what="bank", value_hash="x"), n) for n in range(2)
    ]
    # Orders move the shards' time on, and make the merchants known.
    records += [record(placed(f"o{n}", BEGIN - HOUR + n, f"m{n}"), n) for n in range(2)]
    cores, _ = run(records)
    assert [bool(core.state.merchants[f"m{n}"].record.links) for n, core in cores.items()] == [True, True]
    # With an end before the answers can arrive, nobody knows.
    cores, _ = run(records, end=START + BEGIN + LATENCY * ROUND_MS)
    assert not any(core.state.merchants[f"m{n}"].record.links for n, core in cores.items())


def test_a_set_on_trial_in_several_shards(settings: Settings, history: MixedInput) -> None:
    """Where half of the merchants and creators are judged by the same set on trial, what shards publish, tell each
    other and know is that of a run without a trial.
    """
    plan = Plan(shards=2, run="r")
    judge = replay_judge(settings, 2)
    found = []
    for trial in (None, Trial(judge, Rollout(judge.policies.version, 50, "salt"))):
        cores = make_cores(settings, judge, plan, range(2))
        for core in cores.values():
            core.use(judge, trial)
        source = ArchiveSource(history.records, settings, plan, range(2))
        rounds = list(Engine(cores, source, plan, "exchange", keeper=_Never()).run())
        stored = [dict(take_changes(core).values) for core in cores.values()]
        messages = [core.state.statistics.messages for core in cores.values()]
        found.append(([each.emits for each in rounds], stored, messages))
    assert found[0] == found[1]
    assert min(found[0][2]) > 100


class _Never:
    """Keeps no checkpoint, but has the shards remember what has changed."""

    every = NEVER

    def keep(self, *_: object) -> None:
        """Never called."""
        raise AssertionError


def test_rounds_rise() -> None:
    """Rounds come in order, each once, and shards within them as well."""
    records = [record(placed(f"o{n}", BEGIN + n * HOUR // 3, f"m{n % 3}"), n % 3) for n in range(200)]
    _, rounds = run(records, shards=3)
    numbers = [each.number for each in rounds]
    assert numbers == sorted(set(numbers))
    assert all([shard for shard, _ in each.emits] == sorted({shard for shard, _ in each.emits}) for each in rounds)
    assert sum(each.records for each in rounds) == 200


def test_mailroom() -> None:
    """Letters arrive two rounds after they were sent, by sender and order, in whatever order they were put in."""
    letters = [Letter(7, sender, index, 3, b"", b"") for sender in (1, 0) for index in (2, 0, 1)]
    room = Mailroom()
    room.put([*letters, Letter(8, 0, 0, 3, b"", b"")])
    assert room.next_delivery == 7 + LATENCY
    assert room.sent_before(8) == letters
    assert room.deliver(7 + LATENCY) == {3: sorted(letters)}
    assert room.deliver(7 + LATENCY) == {}
    assert room.next_delivery == 8 + LATENCY
    assert Mailroom().next_delivery == NEVER


@pytest.mark.parametrize("shards", [1, 2])
def test_nothing(shards: int) -> None:
    """Without records there are no rounds."""
    assert run([], shards)[1] == []
