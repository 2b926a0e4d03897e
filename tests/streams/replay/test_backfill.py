"""Backfill: what a replay has and the live run has not, as acts of a person."""

from pathlib import Path

import msgspec
import orjson
import pytest
from click.testing import CliRunner, Result

from config.settings import Settings
from detectors.apply import Core
from detectors.flush import Flush
from detectors.judge import fresh_models
from features.shard import Record, ShardState
from streams.archive import ArchiveRecord, read_archive, write_archive
from streams.cli import main
from streams.embedded import EmbeddedServices
from streams.replay.backfill import BackfillError, Wish, corrections, in_force, records_of
from streams.topics import create_topics
from streams.worker import compiled_policies
from tests.deployment import Deployment
from tests.streams.mixed_input import END
from tests.streams.replay.replays import replayed
from tests.streams.shard_fakes import make_judge

DAY = 86_400_000
POLICY_OF = {rule.id: rule.policy for rule in compiled_policies(Settings()).rules.values()}
RULE = next(rule.id for rule in compiled_policies(Settings()).rules.values() if rule.subject == "merchant")


def decided(
    identifier: str, merchant: str = "m1", action: str = "limit_orders", run: str | None = "r", **fields: object
) -> ArchiveRecord:
    """A decision as it was published, by a replay or (``run`` None) live."""
    body = {
        "type": "shopwarden.enforcement.decided.v1",
        "decision_id": identifier,
        "sequence": 1,
        "merchant_id": merchant,
        "subject": {"kind": "merchant", "id": merchant},
        "action": action,
        "severity": "high",
        "starts_at": END,
        "requires_review": False,
        "policy": {"id": RULE, "version": "1", "title": "t"},
        "assessment_id": "a",
        "evidence": [],
        "facts": "f",
        "redress": {"appeal_until": END},
        "mode": "live" if run is None else "replay",
        "expires_at": END + 30 * DAY,
    } | fields
    return _event(identifier, merchant, body, run)


def reversed_(identifier: str, of: str, run: str | None = "r") -> ArchiveRecord:
    """A decision was taken back."""
    body = {
        "type": "shopwarden.enforcement.reversed.v1",
        "decision_id": identifier,
        "sequence": 2,
        "merchant_id": "m1",
        "reverses": of,
        "why": "expiry",
        "restores": [],
        "mode": "replay",
    }
    return _event(identifier, "m1", body, run)


def _event(identifier: str, merchant: str, body: dict[str, object], run: str | None) -> ArchiveRecord:
    kind = str(body["type"]).encode()
    headers = (("ce_id", identifier.encode()), ("ce_type", kind), *([] if run is None else [("ce_run", run.encode())]))
    return ArchiveRecord("governance-events", merchant.encode(), orjson.dumps(body), END, headers)


def ids(replay: list[ArchiveRecord], live: list[ArchiveRecord], **wish: object) -> list[str]:
    """Decisions that are to be corrected."""
    found = corrections(replay, live, POLICY_OF, msgspec.convert({"at": END + DAY} | wish, Wish))
    return [act.decision_id for act in found.acts]


def test_in_force() -> None:
    """What stands was decided, and not reversed, replaced, run out, done at once, or left to a person."""
    records = [
        decided("a"),
        decided("b"),
        reversed_("c", "b"),
        decided("d", action="warn"),
        decided("e", requires_review=True),
        decided("f", expires_at=END),
        decided("g", supersedes="a"),
        decided("h", action="require_review"),
        decided("i", expires_at=None),
    ]
    assert set(in_force(records, END + DAY)) == {"g", "i"}


def test_what_the_live_run_has_is_not_done_again() -> None:
    """A merchant under the same action is left alone, whatever decision it rests on."""
    assert ids([decided("a")], []) == ["a"]
    assert ids([decided("a")], [decided("x", run=None)]) == []
    assert ids([decided("a")], [decided("x", run=None), reversed_("y", "x", None)]) == ["a"]
    assert ids([decided("a")], [decided("x", "m2", run=None)]) == ["a"]


def test_one_act_for_several_decisions() -> None:
    """Of several rules that ask for one action, the one that holds longest counts."""
    assert ids([decided("a"), decided("b", expires_at=END + 60 * DAY), decided("c")], []) == ["b"]


def test_narrowed_down() -> None:
    """Merchants and actions can be chosen; severe ones need a word of their own, and listings are left to the rules."""
    run = [decided("a"), decided("b", "m2"), decided("c", "m3", "suspend_merchant")]
    assert ids(run, []) == ["a", "b"]
    assert ids(run, [], merchants=["m2"]) == ["b"]
    assert ids(run, [], actions=["suspend_merchant"], severe=True) == ["c"]
    listing = decided("d", subject={"kind": "listing", "id": "l"}, action="remove_listing")
    found = corrections([*run, listing], [], POLICY_OF, Wish(at=END))
    assert sorted(found.left.values()) == [1, 1]


def test_lifting() -> None:
    """What only the live run has is lifted when that is wanted, and only then."""
    live = [decided("x", run=None), decided("y", "m2", run=None)]
    assert ids([decided("a")], live) == []
    assert ids([decided("a")], live, lift=True) == ["y"]


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([], "no outputs"),
        ([decided("a", run=None)], "no outputs of a replay"),
        ([decided("a"), decided("b", run="s")], "more than one run"),
    ],
)
def test_no_replay(records: list[ArchiveRecord], told: str) -> None:
    """Outputs of a live run, or of several runs, are refused."""
    with pytest.raises(BackfillError, match=told):
        corrections(records, [], POLICY_OF, Wish(at=END))


def test_the_worker_carries_it_out(settings: Settings, archive: Path) -> None:
    """What a whole replay has in force, asked of a live shard that knows nothing, is decided there by hand; and once,
    however often it is asked.
    """
    at = END + DAY
    plan = corrections(replayed(settings, archive, shards=1), [], POLICY_OF, Wish(at=at, severe=True))
    assert plan.acts
    asked = records_of(plan, POLICY_OF, "ops", at)
    core = Core(ShardState(0), fresh_models(1), make_judge())
    records = [
        Record("feedback", "feedback", 0, offset, at, record.key, record.value)
        for offset, record in enumerate([*asked, *asked])
    ]
    bodies = [orjson.loads(emit.value or b"") for emit in core.apply(Flush(1, records)) if emit.stream == "events"]
    found = [body for body in bodies if body["type"] == "shopwarden.enforcement.decided.v1"]
    assert [(body["merchant_id"], body["action"], body.get("expires_at")) for body in found] == [
        (act.merchant, act.action, act.until) for act in plan.acts
    ]
    assert {body["policy"]["id"] for body in found} == {"by-hand"}


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    """A replay that has three acts to ask for."""
    path = tmp_path / "run.jsonl"
    with write_archive(path) as writer:
        for number in range(3):
            writer.write(decided(f"a{number}", f"m{number}"))
    return path


def backfill(deployment: Deployment, *words: object) -> Result:
    """The command."""
    variables = {name: value for name, value in deployment.environment().items() if name.startswith("SHOPWARDEN_")}
    at = ("--at", "2025-06-02")
    return CliRunner(env=variables).invoke(main, ["backfill", *map(str, words), *at])


def test_command(services: EmbeddedServices, topic_prefix: str, run_file: Path, tmp_path: Path) -> None:
    """It sends nothing unless the run is named, with somebody who answers for it; caps hold; what it sends it keeps."""
    deployment = Deployment(services.brokers, services.redis_url, topic_prefix, "backfill", 2)
    create_topics(deployment.settings)
    feedback, audit = deployment.settings.topics.feedback, tmp_path / "audit.jsonl"
    dry = backfill(deployment, run_file)
    assert dry.exit_code == 0, dry.output
    assert "m1: take limit_orders until 2025-07-01" in dry.output
    assert "--confirm r --by NAME" in dry.output
    assert backfill(deployment, run_file, "--confirm", "r").exit_code == 2
    answers = ("--by", "ops", "--audit", audit)
    assert "this is run 'r'" in backfill(deployment, run_file, "--confirm", "other", *answers).output
    capped = backfill(deployment, run_file, "--confirm", "r", *answers, "--max-acts", 2)
    assert capped.exit_code == 1
    assert "more than --max-acts 2" in capped.output
    assert deployment.read(feedback) == []
    assert not audit.exists()
    sent = backfill(deployment, run_file, "--confirm", "r", *answers)
    assert sent.exit_code == 0, sent.output
    found = {message.value() for message in deployment.read(feedback)}
    assert found == {record.value for record in read_archive(audit)}
    assert {orjson.loads(value or b"")["by"] for value in found} == {"ops"}
