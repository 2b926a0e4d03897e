"""Policies published while workers run, on a real broker and store: taken up everywhere, kept on error, rolled back."""

from pathlib import Path

import msgspec
import orjson
import pytest
from click.testing import CliRunner, Result

from config.policies import PACKAGED
from detectors.assignment import within
from features.outputs import Output, PoliciesChanged, PoliciesRefused, RiskAssessed
from streams.archive import ArchiveRecord
from streams.cli import main
from streams.policies.publication import compile_files
from streams.policies.publishing import publish, read_history
from streams.reading import partition_of
from streams.simulator import Simulation, SimulatorConfig
from streams.store import Position
from streams.topics import create_topics
from tests.deployment import Deployment
from tests.fed import ends_of, feed
from tests.streams.policies.published import BROKEN, MILDER, files, publication
from tests.worker_process import Worker

pytestmark = pytest.mark.timeout(400)

PARTITIONS = 2


@pytest.fixture
def deployment(any_broker: str, redis_db: str, topic_prefix: str) -> Deployment:
    """Two shards."""
    made = Deployment(any_broker, redis_db, topic_prefix, "live", PARTITIONS, {"publish_level": "low"})
    create_topics(made.settings)
    return made


def run(deployment: Deployment, *arguments: object) -> Result:
    """Run ``shopwarden policies`` for a deployment."""
    return CliRunner().invoke(main, ["policies", *map(str, arguments)], env=deployment.environment())


def folder_of(path: Path, texts: dict[str, str]) -> Path:
    """A folder with these files."""
    path.mkdir()
    for name, text in texts.items():
        (path / name).write_text(text, encoding="utf-8")
    return path


def written_by_version(deployment: Deployment, version: int) -> None:
    """Have the stored shards look as if an older worker had left them."""
    with deployment.store() as client:
        for shard in range(PARTITIONS):
            key = f"{deployment.tag(shard)}position"
            stored = client.get(key)
            assert isinstance(stored, bytes)
            position = msgspec.json.decode(stored, type=Position)
            client.set(key, msgspec.json.encode(msgspec.structs.replace(position, version=version)))


def thirds() -> list[list[ArchiveRecord]]:
    """A simulation in three parts."""
    records = [
        ArchiveRecord(each.topic, each.key, each.value, each.timestamp)
        for each in Simulation(SimulatorConfig.for_events(5_000, seed=5, span_days=40))
    ]
    size = -(-len(records) // 3)
    return [records[start : start + size] for start in range(0, len(records), size)]


def test_published_policies_take_effect_in_every_shard(deployment: Deployment, tmp_path: Path) -> None:
    """During traffic a broken set is forced into the topic and a good one published; the worker is killed, and the set
    before is rolled out to half of the merchants. Each shard judges part by part by the sets in force, says so once,
    and keeps its set on error; a replay as recorded comes to the same, byte for byte. The killed worker was of an older
    version of the store.
    """
    first, second, third = thirds()
    milder = folder_of(tmp_path / "milder", MILDER)
    with Worker(deployment, tmp_path) as worker:
        worker.until_checkpointed(ends_of(feed(deployment, first)))
        publish(deployment.settings, publication(1, BROKEN))
        result = run(deployment, "publish", milder, "--by", "ann", "--why", "too strict", "--yes", "--without-tests")
        assert result.exit_code == 0, result.output
        assert "rule bad-order-rate: mode enforce → shadow" in result.output
        assert "published as number 2" in result.output
        worker.until(lambda: worker.log().count("policies published") == 1, "hearing of the policies", 60)
        worker.until_checkpointed(ends_of(feed(deployment, second)))
        worker.kill()
    written_by_version(deployment, 2)
    by = ("--by", "bob", "--why", "strict again", "--yes", "--without-tests")
    result = run(deployment, "publish", PACKAGED, *by, "--percent", 50, "--salt", "s")
    assert result.exit_code == 0, result.output
    with Worker(deployment, tmp_path, "successor") as worker:
        worker.until_checkpointed(ends_of(feed(deployment, third)))
        assert worker.stop() == 0

    packaged, other = compile_files(files()).version, compile_files(MILDER).version
    decode = msgspec.json.Decoder(Output).decode
    for shard in range(PARTITIONS):
        outputs = [
            decode(message.value() or b"")
            for message in deployment.read(deployment.settings.topics.events)
            if partition_of(message)[1] == shard
        ]
        noted = [each for each in outputs if isinstance(each, PoliciesChanged | PoliciesRefused)]
        assert [(type(each), each.publication) for each in noted] == [
            (PoliciesRefused, 0),
            (PoliciesChanged, 1),
            (PoliciesChanged, 2),
        ]
        assert [(each.version, each.previous, each.percent) for each in noted if isinstance(each, PoliciesChanged)] == [
            (other, packaged, 100),
            (packaged, other, 50),
        ]
        changes, seen = 0, set[tuple[int, str]]()
        for each in outputs:
            changes += isinstance(each, PoliciesChanged)
            if isinstance(each, RiskAssessed):
                drawn = within("s", each.merchant_id or each.creator_id or "", 50)
                assert each.versions.policy == (packaged, other, packaged if drawn else other)[changes]
                seen.add((changes, each.versions.policy))
        assert seen == {(0, packaged), (1, other), (2, packaged), (2, other)}

    verified = CliRunner().invoke(main, ["verify"], env=deployment.environment())
    assert verified.exit_code == 0, verified.output
    assert "(100.00%)" in verified.output

    found = run(deployment, "history")
    assert found.exit_code == 0, found.output
    assert "ann: too strict  [in force]" in found.output
    assert "bob: strict again (rolled out to 50 %)  [in force for 50 %]" in found.output
    assert "[cannot be used]" in found.output and 'unknown level "elevatd"' in found.output


def test_the_way_back(deployment: Deployment, tmp_path: Path) -> None:
    """A rollback publishes an earlier set again; where there is none it says so, and a broken set can't be chosen."""
    settings = deployment.settings
    nothing = run(deployment, "rollback", "--by", "ann", "--why", "no", "--yes")
    assert nothing.exit_code == 2 and "no earlier publication" in nothing.output
    publish(settings, publication(1, files()))
    publish(settings, publication(2, MILDER))
    publish(settings, publication(3, BROKEN))
    result = run(deployment, "rollback", "--by", "ann", "--why", "too mild", "--yes")
    assert result.exit_code == 0, result.output
    assert "rule bad-order-rate: mode shadow → enforce" in result.output
    rows = [orjson.loads(line) for line in run(deployment, "history", "--json").output.splitlines()]
    assert [(row["number"], row["state"], row["rolls_back_to"]) for row in rows] == [
        (1, "", None),
        (2, "", None),
        (3, "cannot be used", None),
        (4, "in force", 1),
    ]
    assert [each.publication and each.publication.files for each in read_history(settings)][3] == files()
    broken = run(deployment, "rollback", 3, "--by", "ann", "--why", "x", "--yes")
    assert broken.exit_code == 1 and "can't be used" in broken.output
    unknown = run(deployment, "rollback", 9, "--by", "ann", "--why", "x", "--yes")
    assert unknown.exit_code == 2 and "no publication 9" in unknown.output


def test_what_does_not_pass_is_not_published(deployment: Deployment, tmp_path: Path) -> None:
    """Mistakes, failing tests, a dry run and a no leave the topic as it is."""
    by = ("--by", "ann", "--why", "x")
    broken = run(deployment, "publish", folder_of(tmp_path / "broken", BROKEN), *by, "--yes")
    assert broken.exit_code == 1 and 'unknown level "elevatd"' in broken.output
    failing = folder_of(tmp_path / "failing", MILDER)
    folder_of(
        failing / "tests",
        {"a.yaml": "tests: [{name: One, given: [{type: merchant.closed}], expect: [{action: warn}]}]"},
    )
    result = run(deployment, "publish", failing, *by, "--yes")
    assert result.exit_code == 1 and "1 of 1 tests fail, nothing was published:\n  One" in result.output
    dry = run(deployment, "publish", failing, *by, "--without-tests", "--dry-run")
    assert dry.exit_code == 0 and "nothing was published" in dry.output
    refused = CliRunner().invoke(
        main,
        ["policies", "publish", str(failing), *by, "--without-tests"],
        env=deployment.environment(),
        input="n\n",
    )
    assert refused.exit_code == 1 and "nothing was published" in refused.output
    assert read_history(deployment.settings) == []
    assert "nothing was published" in run(deployment, "history").output


def test_a_roll_out_from_a_share_to_everybody(deployment: Deployment, tmp_path: Path) -> None:
    """It is widened, promoted or ended, each a publication that the history tells of; one at a time and upwards."""
    by = ("--by", "ann", "--why", "a trial", "--yes")
    folder = folder_of(tmp_path / "milder", MILDER)
    for begin in (("widen", "20"), ("promote",)):
        nothing = run(deployment, *begin, *by)
        assert nothing.exit_code == 2 and "no roll-out is under way" in nothing.output
    salted = run(deployment, "publish", folder, *by, "--without-tests", "--salt", "x")
    assert salted.exit_code == 2 and "--percent" in salted.output

    def ok(*arguments: object) -> None:
        result = run(deployment, *arguments, *by)
        assert result.exit_code == 0, result.output

    ok("publish", folder, "--without-tests", "--percent", 10)
    ok("rollback")
    ok("publish", folder, "--without-tests", "--percent", 10)
    second = run(deployment, "publish", PACKAGED, *by, "--without-tests", "--percent", 5)
    assert second.exit_code == 2 and "is being rolled out (10 %)" in second.output
    narrower = run(deployment, "widen", 10, *by)
    assert narrower.exit_code == 2 and "has 10 % already" in narrower.output
    ok("widen", 50)
    ok("promote")
    again = run(deployment, "publish", folder, *by, "--without-tests", "--percent", 5)
    assert again.exit_code == 2 and "in force for everybody already" in again.output
    rows = [orjson.loads(line) for line in run(deployment, "history", "--json").output.splitlines()]
    version = compile_files(MILDER).version
    assert [(row["act"], row["percent"], row["salt"], row["state"]) for row in rows] == [
        ("roll_out", 10, version, ""),
        ("roll_back", 0, version, ""),
        ("roll_out", 10, version, ""),
        ("widen", 50, version, ""),
        ("promote", 100, None, "in force"),
    ]
    words = run(deployment, "history").output
    for act in ("rolled out to 10 %", "roll-out ended", "widened to 50 %", "promoted to everybody"):
        assert f"ann: a trial ({act})" in words
