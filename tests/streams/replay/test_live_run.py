"""A live run, by two workers of which one is killed in the midst of it, against replays of what it read."""

import uuid
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from streams.archive import ArchiveRecord, read_archive
from streams.cli import main
from streams.embedded import EmbeddedServices
from streams.recording import archive_record
from streams.replay.recorded import read_journals
from streams.topics import create_topics
from tests.deployment import Deployment
from tests.fed import ends_of, feed
from tests.streams.mixed_input import MixedInput
from tests.streams.replay.replays import header, replayed
from tests.worker_process import Worker

pytestmark = pytest.mark.timeout(400)

PARTITIONS = 4


@pytest.fixture(scope="module")
def live(services: EmbeddedServices, history: MixedInput, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """What two workers and a kill have left."""
    prefix = f"t{uuid.uuid4().hex[:10]}-"
    deployment = Deployment(services.brokers, services.redis_url, prefix, "live", PARTITIONS)
    create_topics(deployment.settings)
    fed = feed(deployment, history.records)
    folder = tmp_path_factory.mktemp("workers")
    with Worker(deployment, folder, "one", max_flush_records=100) as one, Worker(deployment, folder, "two") as two:
        one.until(lambda: len(deployment.outputs()) > 50, "some outputs", pause=0.1)
        one.kill()
        two.until_checkpointed(ends_of(fed))
        assert two.stop() == 0
    return deployment


def run(deployment: Deployment, *words: str) -> Result:
    """A command of this deployment."""
    variables = {name: value for name, value in deployment.environment().items() if name.startswith("SHOPWARDEN_")}
    return CliRunner(env=variables).invoke(main, list(words))


@pytest.mark.parametrize("processes", ["1", "2"])
def test_verify(live: Deployment, tmp_path: Path, processes: str) -> None:
    """All that the workers published, before and after the kill, is what a replay as recorded comes to."""
    out = tmp_path / "verify.json"
    result = run(live, "verify", "--processes", processes, "--out", str(out))
    assert result.exit_code == 0, result.output
    found = orjson.loads(out.read_bytes())
    assert found["decisions"] == found["equal"] > 100
    assert found["outputs"] == found["outputs_equal"] > found["decisions"]
    assert found["first"] is None
    assert "(100.00%)" in result.output


def test_the_journal_is_followed(live: Deployment) -> None:
    """The run was made by more than one owner of a shard, in flushes that the journal tells apart."""
    journals = read_journals(live.settings, range(PARTITIONS))
    assert all(journal.states == 1 for journal in journals.values())
    assert any(len({entry.claim for entry in journal.entries}) > 1 for journal in journals.values())


def test_other_policies(live: Deployment, tmp_path: Path) -> None:
    """Where others judged than now, the first difference is told, with its cause."""
    from config.policies import PACKAGED

    for path in PACKAGED.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        (tmp_path / path.name).write_text(text.replace("mode: enforce", "mode: shadow"), encoding="utf-8")
    result = run(live, "verify", "--policies", str(tmp_path))
    assert result.exit_code == 1
    assert "First difference (changed)" in result.output
    assert "versions.policy: " in result.output
    assert "with --policies" in result.output


def test_other_settings(live: Deployment) -> None:
    """Where the same policies and versions come to something else, it says where to look."""
    worker = dict(live.worker) | {"features_in_output": "all"}
    result = run(replace(live, worker=worker), "verify")
    assert result.exit_code == 1
    assert "First difference (changed)" in result.output
    assert "other settings of the worker" in result.output


def test_no_run(live: Deployment) -> None:
    """Without a journal of that namespace there is nothing to verify, which is not taken for well."""
    result = run(replace(live, worker=dict(live.worker) | {"namespace": "another"}), "verify")
    assert result.exit_code == 1
    assert "no flush of namespace 'another'" in result.output


def test_kafka_and_file(live: Deployment, tmp_path: Path) -> None:
    """From the topics and from their recording, in one process and in several, the same bytes."""
    path = tmp_path / "recorded.jsonl.zst"
    assert run(live, "record", "--out", str(path)).exit_code == 0
    settings = live.settings
    alone = replayed(settings, None)
    assert len(alone) > 100
    for processes in (2, 4):
        assert replayed(settings, None, processes) == alone
    for processes in (1, 2):
        assert replayed(settings, path, processes, shards=PARTITIONS) == alone


def test_command(live: Deployment, tmp_path: Path) -> None:
    """The command writes what the replay publishes, into a file and into topics of its own, and says what it was."""
    path = tmp_path / "out.jsonl.zst"
    result = run(live, "replay", "--run-id", "mine", "--out", str(path), "--json")
    assert result.exit_code == 0, result.output
    written = list(read_archive(path))
    assert {header(record, "ce_run") for record in written} == {"mine"}
    name = f"replay-{uuid.uuid4().hex[:10]}"
    result = run(live, "replay", "--run-id", "mine", "--out", f"kafka:{name}", "--processes", "2")
    assert result.exit_code == 0, result.output
    assert "run mine: " in result.output
    topics = {record.topic for record in written}
    found = [archive_record(message) for message in live.read(*(f"{name}.{topic}" for topic in sorted(topics)))]
    assert sorted(map(_content, found), key=repr) == sorted(map(_content, written), key=repr)


def test_against_what_was_decided_live(live: Deployment, tmp_path: Path) -> None:
    """As recorded, a replay by the same policies decides what was decided; the live topic is the baseline."""
    path = tmp_path / "c.json"
    result = run(live, "replay", "--order", "as-recorded", "--against", "live", "--report", str(path))
    assert result.exit_code == 0, result.output
    found = orjson.loads(path.read_bytes())
    assert found["outcomes"]["equal"] > 100
    assert found["outcomes"]["changed"] == found["outcomes"]["lost"] == found["outcomes"]["gained"] == 0
    assert list(found["baseline"]["modes"]) == ["live"] and list(found["candidate"]["modes"]) == ["replay"]


def test_nothing_live_is_touched(live: Deployment, tmp_path: Path) -> None:
    """A replay and a verification leave Redis and every live topic as they were."""
    topics = [live.settings.topics.name(topic) for topic in live.settings.topics.NAMES if topic != "policies"]
    before = live.shards(), len(live.read(*topics))
    run(live, "replay", "--out", str(tmp_path / "out.jsonl"))
    run(live, "verify")
    assert (live.shards(), len(live.read(*topics))) == before


def test_models(live: Deployment) -> None:
    """Models begin untrained, as the live run left them, or like that without learning more: three different runs."""
    fresh, recorded, frozen = (
        replayed(live.settings, None, run="r", models=models) for models in ("fresh", "recorded", "frozen")
    )
    assert fresh != recorded != frozen != fresh
    assert replayed(live.settings, None, 2, run="r", models="frozen") == frozen


def test_models_of_another_deployment(live: Deployment) -> None:
    """Where there is no checkpoint there are no recorded models, which is said."""
    result = run(replace(live, worker={"namespace": "another"}), "replay", "--models", "recorded")
    assert result.exit_code == 1
    assert "no checkpoint of shard" in result.output


def _content(record: ArchiveRecord) -> tuple[object, ...]:
    return record.topic.rpartition(".")[2], record.key, record.value, record.headers
