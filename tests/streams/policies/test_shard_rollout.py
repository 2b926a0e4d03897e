"""A shard in which a policy set is rolled out to a share: recorded in its journal, and the same after any crash."""

import asyncio
import contextlib

import pytest

from detectors.assignment import within
from detectors.judge import Judge
from features.outputs import PoliciesChanged, RiskAssessed
from features.policy_notices import Rollout
from streams.policies.publication import compile_files
from streams.protocol import Step
from tests.streams.policies.published import MILDER, Scheduled, files, known
from tests.streams.policies.test_shard_policies import AT, Left, started, told
from tests.streams.shard_fakes import CrashError, Fetched, Shelf, Topics, make_judge, marketplace
from tests.streams.test_protocol import striking
from tests.streams.test_shard import run_through

ROLLED_OUT = known(0, MILDER, percent=40, salt="s", act="roll_out")
WIDENED = known(1, MILDER, percent=70, salt="s", act="widen")
ENDED = known(2, MILDER, percent=0, salt="s", act="roll_back")
PROMOTED = known(2, MILDER, act="promote")


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge who publishes much."""
    return make_judge(publish_level=0, audit_rate=0.2)


@pytest.fixture(scope="module")
def market() -> dict[str, list[Fetched]]:
    """Some two thousand events."""
    return marketplace()


@pytest.fixture(scope="module")
def rolled_out(judge: Judge, market: dict[str, list[Fetched]]) -> Left:
    """A run in which a set is rolled out, without trouble."""
    shelf, topics = Shelf(), Topics()

    async def run() -> None:
        await run_through(await started(shelf, topics, Scheduled(judge, AT, ROLLED_OUT), "only"), market)

    asyncio.run(run())
    return shelf, topics


def test_a_share_is_judged_by_it_from_one_flush_on(judge: Judge, rolled_out: Left) -> None:
    """The journal says from which, the event whom; outputs carry the version of who judged."""
    shelf, topics = rolled_out
    outputs = told(topics.sent)
    milder = compile_files(MILDER).version
    (at,) = [place for place, each in enumerate(outputs) if isinstance(each, PoliciesChanged)]
    noticed = outputs[at]
    assert isinstance(noticed, PoliciesChanged)
    assert (noticed.version, noticed.previous, noticed.percent) == (milder, judge.policies.version, 40)
    for place, each in enumerate(outputs):
        if isinstance(each, RiskAssessed):
            drawn = place > at and within("s", each.merchant_id or each.creator_id or "", 40)
            assert each.versions.policy == (milder if drawn else judge.policies.version)
    rollout = Rollout(milder, 40, "s")
    assert {entry.policy for entry in topics.entries} == {judge.policies.version}
    assert {entry.rollout for entry in topics.entries if entry.sequence < AT} == {None}
    assert {entry.rollout for entry in topics.entries if entry.sequence >= AT} == {rollout}
    assert (shelf.position.policy, shelf.position.publication) == (judge.policies.version, 1)


@pytest.mark.parametrize("step", [Step.JOURNALLED, Step.PUBLISHED, Step.CHECKPOINTED])
@pytest.mark.parametrize("times", [AT - 1, AT, AT + 7])
async def test_a_crash_around_the_roll_out_changes_nothing(
    step: Step, times: int, judge: Judge, market: dict[str, list[Fetched]], rolled_out: Left
) -> None:
    """The successor judges each journalled flush as it was judged, although the roll-out was widened by then."""
    if step is Step.CHECKPOINTED:
        times //= 3
    calm_shelf, calm_topics = rolled_out
    shelf, topics = Shelf(), Topics()
    with contextlib.suppress(CrashError):
        library = Scheduled(judge, AT, ROLLED_OUT)
        await run_through(await started(shelf, topics, library, "first", passed=striking(step, times)), market)
        pytest.fail("it was to crash")
    successor = Scheduled(judge, AT, ROLLED_OUT)
    if shelf.position.sequence + len(shelf.journal) >= AT:
        successor.add([ROLLED_OUT])
    await run_through(await started(shelf, topics, successor, "second"), market)
    for name in calm_shelf.values.keys() - {"position"}:
        assert shelf.values[name] == calm_shelf.values[name], name
    assert [(each.id, each.value) for each in topics.sent] == [(each.id, each.value) for each in calm_topics.sent]


def test_a_roll_out_is_widened_promoted_or_ended(judge: Judge) -> None:
    """A shard is told of each: whom the set judges from then on, and which set judges the others."""
    base, milder = judge.policies.version, compile_files(MILDER).version
    library = Scheduled(judge, 1, ROLLED_OUT)
    assert [(n.version, n.previous, n.percent) for n in library.news(0, base)] == [(milder, base, 40)]
    assert library.judge is judge and library.rollout == Rollout(milder, 40, "s")
    library.add([WIDENED])
    assert [(n.version, n.previous, n.percent) for n in library.news(1, base)] == [(milder, base, 70)]
    ended, promoted = Scheduled(judge, 1, ROLLED_OUT, ENDED), Scheduled(judge, 1, ROLLED_OUT, PROMOTED)
    assert [(n.version, n.previous, n.percent) for n in ended.news(1, base)] == [(base, milder, 100)]
    assert ended.judge is judge and ended.rollout is None
    assert [(n.version, n.previous, n.percent) for n in promoted.news(1, base)] == [(milder, base, 100)]
    assert promoted.judge.policies.version == milder and promoted.rollout is None


def test_a_set_for_everybody_and_a_roll_out_after_it_are_both_noted(judge: Judge) -> None:
    """By a shard that was away meanwhile: the roll-out is beside the set that it finds in force."""
    library = Scheduled(judge, 1, known(0, files()), known(1, MILDER), known(2, files(), percent=5, salt="s"))
    milder = compile_files(MILDER).version
    told_of = [(n.publication, n.version, n.previous, n.percent) for n in library.news(0, "before")]
    assert told_of == [(1, milder, "before", 100), (2, judge.policies.version, milder, 5)]
