"""A policy set that judges a share of the merchants and creators beside the one in force."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.apply import Core
from detectors.assignment import within
from detectors.bench import Trial
from detectors.flush import Emit, Flush
from detectors.judge import Judge, fresh_models
from features.outputs import EnforcementDecided, Output, RiskAssessed
from features.policy_notices import Rollout
from features.shard import Record, ShardState
from streams.policies.publication import compile_files
from streams.snapshot import take_changes
from tests.streams.policies.published import MILDER, files
from tests.streams.shard_fakes import make_judge, marketplace

SALT = "a salt"


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge who publishes much."""
    return make_judge(publish_level=0, audit_rate=0.2)


@pytest.fixture(scope="module")
def milder(judge: Judge) -> Judge:
    """One by policies with a rule less."""
    return Judge(judge.settings, compile_files(MILDER), judge.pseudonyms, judge.signer)


@pytest.fixture(scope="module")
def flushes() -> list[Flush]:
    """A small marketplace in flushes, merged by time."""
    records = [
        Record(kind, kind, 0, each.offset, each.timestamp, each.key, each.value)  # type: ignore[arg-type]
        for kind, fetched in marketplace().items()
        for each in fetched
    ]
    records.sort(key=lambda record: (record.timestamp, record.kind, record.offset))
    return [Flush(number, records[start : start + 50]) for number, start in enumerate(range(0, len(records), 50), 1)]


def run(flushes: list[Flush], judge: Judge, trial: Trial | None) -> tuple[list[Emit], dict[str, bytes]]:
    """What a shard publishes and stores."""
    core = Core(ShardState(0), fresh_models(42), judge)
    core.use(judge, trial)
    emits = [emit for flush in flushes for emit in core.apply(flush)]
    return emits, dict(take_changes(core).values)


def told(emits: list[Emit], kind: Any) -> list[Any]:
    """Outputs of a kind on governance-events."""
    decode = msgspec.json.Decoder(Output).decode
    found = [decode(each.value) for each in emits if each.stream == "events" and each.value is not None]
    return [each for each in found if isinstance(each, kind)]


@settings(max_examples=4, deadline=None)
@given(percent=st.floats(0.5, 99.5))
def test_the_same_set_on_trial_changes_nothing(percent: float, judge: Judge, flushes: list[Flush]) -> None:
    """Whoever is drawn: messages and state are those of a shard without a roll-out, byte for byte."""
    part = flushes[:20]
    trial = Trial(judge, Rollout(judge.policies.version, percent, SALT))
    assert run(part, judge, trial) == run(part, judge, None)


def test_each_party_is_judged_by_its_own_set(judge: Judge, milder: Judge, flushes: list[Flush]) -> None:
    """Assessments and decisions name it; a rule that the set on trial only watches decides nothing for those drawn, and
    nothing changes for the others.
    """
    base = run(flushes, judge, None)[0]
    found = {(each.policy.id == "bad-order-rate", each.merchant_id) for each in told(base, EnforcementDecided)}
    hit, others = ({name for rule, name in found if rule == wanted and name} for wanted in (True, False))
    # One under which both halves have something to say.
    salt = next(
        salt
        for salt in map(str, range(1_000))
        if any(within(salt, name, 50) for name in hit) and not all(within(salt, name, 50) for name in others)
    )
    split = run(flushes, judge, Trial(milder, Rollout(milder.policies.version, 50, salt)))[0]
    versions = {True: milder.policies.version, False: judge.policies.version}
    seen = set()
    for each in told(split, RiskAssessed):
        drawn = within(salt, each.merchant_id or each.creator_id, 50)
        assert each.versions.policy == versions[drawn]
        seen.add(drawn)
    assert seen == {True, False}
    decided = [
        {
            (each.merchant_id, each.policy.id, each.action, each.starts_at)
            for each in told(emits, EnforcementDecided)
            if each.merchant_id and within(salt, each.merchant_id, 50) == drawn
        }
        for emits, drawn in ((split, False), (base, False), (split, True), (base, True))
    ]
    assert decided[0] == decided[1] != set()
    rules = [{policy for _, policy, _, _ in found} for found in decided[2:]]
    assert "bad-order-rate" not in rules[0] and "bad-order-rate" in rules[1]
    for each in told(split, EnforcementDecided):
        assert each.policy_version == versions[within(salt, each.merchant_id or each.creator_id, 50)]


def test_a_set_on_trial_is_under_the_brake_of_the_one_in_force(judge: Judge) -> None:
    """Also where its own files have none."""
    texts = files()
    (name,) = [name for name, text in texts.items() if "\nbreaker:\n" in f"\n{text}"]
    before, _, rest = texts[name].partition("breaker:\n")
    after = "\n".join(rest.splitlines()[[line[:1] in (" ", "") for line in rest.splitlines()].index(False) :])
    loose = Judge(judge.settings, compile_files(texts | {name: before + after}), judge.pseudonyms, judge.signer)
    assert loose.breaker is None and judge.breaker is not None
    core = Core(ShardState(0), fresh_models(42), judge)
    core.use(judge, Trial(loose, Rollout(loose.policies.version, 99.9, SALT)))
    bench: Any = core._orders
    drawn = next(name for name in map(str, range(100)) if within(SALT, name, 99.9))
    assert bench._flow_of(drawn)._assessor.enforcer._cap._judge.breaker is judge.breaker
