"""A shard whose policies change while it works: at one flush, as recorded, and the same after any crash."""

import asyncio
import contextlib
import copy
from typing import Any, TypeAlias

import msgspec
import pytest

from detectors.flush import Emit
from detectors.judge import Judge
from features.outputs import EnforcementDecided, Output, PoliciesChanged, PoliciesRefused, RiskAssessed
from streams.policies.library import PolicyLibrary
from streams.protocol import Step
from streams.shard import ShardRunner
from tests.streams.policies.published import BROKEN, MILDER, Scheduled, known
from tests.streams.shard_fakes import (
    CrashError,
    Fetched,
    MemoryPublisher,
    MemoryStore,
    Shelf,
    Topics,
    make_judge,
    marketplace,
    start_shard,
)
from tests.streams.test_protocol import striking
from tests.streams.test_shard import run_through

#: What a run leaves behind.
Left: TypeAlias = tuple[Shelf, Topics]

#: The flush at which the publications are heard of, of some fifty.
AT = 20


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge who publishes much."""
    return make_judge(publish_level=0, audit_rate=0.2)


@pytest.fixture(scope="module")
def market() -> dict[str, list[Fetched]]:
    """Some two thousand events."""
    return marketplace()


@pytest.fixture(scope="module")
def change(judge: Judge, market: dict[str, list[Fetched]]) -> Left:
    """A run in which a broken and then a good set are published, without trouble."""
    shelf, topics = Shelf(), Topics()

    async def run() -> None:
        library = Scheduled(judge, AT, known(0, BROKEN), known(1, MILDER))
        await run_through(await started(shelf, topics, library, "only"), market)

    asyncio.run(run())
    return shelf, topics


async def started(shelf: Shelf, topics: Topics, library: PolicyLibrary, name: str, **more: Any) -> ShardRunner:
    """A shard that knows a library."""
    store = MemoryStore(shelf, name)
    runner = await start_shard(store, MemoryPublisher(topics), library.judge, policies=library, **more)
    if isinstance(library, Scheduled):
        library.sequence = lambda: runner.protocol.sequence
    return runner


def told(emits: list[Emit]) -> list[Output]:
    """Outputs on governance-events."""
    decode = msgspec.json.Decoder(Output).decode
    return [decode(each.value) for each in emits if each.stream == "events" and each.value is not None]


def test_a_set_takes_effect_at_one_flush(judge: Judge, change: Left) -> None:
    """Outputs before carry the old version and those after it the new one; the journal and the outputs say where."""
    shelf, topics = change
    outputs = told(topics.sent)
    (at,) = [place for place, each in enumerate(outputs) if isinstance(each, PoliciesChanged)]
    noticed = outputs[at]
    assert isinstance(noticed, PoliciesChanged)
    assert noticed.previous == judge.policies.version != noticed.version
    (refused,) = [each for each in outputs if isinstance(each, PoliciesRefused)]
    assert (refused.publication, noticed.publication) == (0, 1)
    assert "elevatd" in refused.why
    before, after = (
        {each.versions.policy for each in part if isinstance(each, RiskAssessed)}
        for part in (outputs[:at], outputs[at:])
    )
    assert (before, after) == ({judge.policies.version}, {noticed.version})
    assert [entry.sequence for entry in topics.entries if entry.policies] == [AT]
    assert {entry.policy for entry in topics.entries if entry.sequence < AT} == {judge.policies.version}
    assert {entry.policy for entry in topics.entries if entry.sequence >= AT} == {noticed.version}
    assert (shelf.position.policy, shelf.position.publication) == (noticed.version, 2)


async def test_the_new_set_judges(judge: Judge, market: dict[str, list[Fetched]], change: Left) -> None:
    """A rule that is in shadow in the new set decides nothing any more; all that came before the change is the same."""
    shelf, topics = Shelf(), Topics()
    await run_through(await started(shelf, topics, PolicyLibrary(judge), "only"), market)
    without, with_change = told(topics.sent), told(change[1].sent)
    rules = [
        {each.policy.id for each in found if isinstance(each, EnforcementDecided)} for found in (without, with_change)
    ]
    assert "bad-order-rate" in rules[0] and "bad-order-rate" not in rules[1]
    (at,) = [place for place, each in enumerate(with_change) if isinstance(each, PoliciesRefused)]
    assert without[:at] == with_change[:at]


@pytest.mark.parametrize("step", [Step.JOURNALLED, Step.APPLIED, Step.PUBLISHED, Step.DELIVERED, Step.CHECKPOINTED])
@pytest.mark.parametrize("times", [AT - 1, AT, AT + 7])
async def test_a_crash_around_the_change_changes_nothing(
    step: Step, times: int, judge: Judge, market: dict[str, list[Fetched]], change: Left
) -> None:
    """Journalled flushes are judged again by the set that judged them, whichever is in force by then: the successor
    leaves the same bytes, and each output once.
    """
    if step in (Step.DELIVERED, Step.CHECKPOINTED):
        times //= 3
    calm_shelf, calm_topics = change
    shelf, topics = Shelf(), Topics()
    publications = known(0, BROKEN), known(1, MILDER)
    with contextlib.suppress(CrashError):
        library = Scheduled(judge, AT, *publications)
        await run_through(await started(shelf, topics, library, "first", passed=striking(step, times)), market)
        pytest.fail("it was to crash")
    # A worker that takes a shard over has read the topic to its end, if there was something in it by then.
    begun = shelf.position.sequence + len(shelf.journal) >= AT
    successor = Scheduled(judge, AT, *publications)
    if begun:
        successor.add(publications)
    await run_through(await started(shelf, topics, successor, "second"), market)
    assert shelf.values.keys() == calm_shelf.values.keys()
    for name in shelf.values.keys() - {"position"}:
        assert shelf.values[name] == calm_shelf.values[name], name
    assert [(each.id, each.value) for each in topics.sent] == [(each.id, each.value) for each in calm_topics.sent]


async def test_nothing_is_said_twice_after_a_restart(
    judge: Judge, market: dict[str, list[Fetched]], change: Left
) -> None:
    """A shard that has noted a publication does not note it again, in whichever worker."""
    shelf = copy.deepcopy(change[0])
    topics = Topics(copy.deepcopy(change[1].messages), list(change[1].entries))
    library = PolicyLibrary(judge)
    library.add([known(0, BROKEN), known(1, MILDER)])
    more = {kind: list(records) for kind, records in market.items()}
    last = more["orders"][-1]
    more["orders"].append(Fetched(last.offset + 1, last.timestamp + 1, last.key, last.value))
    await run_through(await started(shelf, topics, library, "second"), more)
    assert len(topics.entries) == len(change[1].entries) + 1
    assert topics.entries[-1].policy == library.judge.policies.version
    assert not [each for each in told(topics.sent) if isinstance(each, PoliciesChanged | PoliciesRefused)]
