import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.archive import ArchiveRecord, read_archive, write_archive
from streams.cli import main
from streams.evaluation.partitioner import shard_of
from streams.simulator import Simulation, SimulatorConfig, write_truth
from streams.simulator.truth import truth_path
from tests.streams.commands.archives import write_simulation


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulation with its truth beside it."""
    path = tmp_path_factory.mktemp("evaluate") / "run.jsonl.zst"
    simulation = Simulation(SimulatorConfig.for_events(12_000, seed=3, span_days=60))
    write_simulation(simulation, path)
    write_truth(truth_path(path), simulation.truth)
    return path


def run(*arguments: object) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])


def test_attackers_of_a_simulation_are_found(archive: Path, tmp_path: Path) -> None:
    """Every pattern has figures, most attackers are found, and file and table say the same."""
    result = run(archive, "--out", tmp_path / "f.json")
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "f.json").read_text())
    assert found["patterns"].keys() >= {"brushing", "bust_out", "counterfeit", "fake_tracking"}
    assert found["overall"]["recall"] > 0.5
    assert found["honest"]["high_or_above_share"] < 0.1
    assert found["events"] == sum(1 for _ in read_archive(archive))
    assert "bust_out" in result.output and "GMV lost" in result.output


def test_the_same_archive_gives_the_same_figures(archive: Path) -> None:
    """Twice with two shards, by bytes."""
    first, second = run(archive, "--shards", 2, "--json"), run(archive, "--shards", 2, "--json")
    assert first.stdout == second.stdout
    assert json.loads(first.stdout)["shards"] == 2


def test_records_without_a_timestamp_have_the_time_of_their_event(archive: Path, tmp_path: Path) -> None:
    """Where all events are told at once, the figures are those of the archive with timestamps."""
    bare = tmp_path / "bare.jsonl"
    with write_archive(bare) as copy:
        for record in read_archive(archive):
            copy.write(ArchiveRecord(record.topic, record.key, record.value))
    told, untold = run(archive, "--json"), run(bare, "--truth", truth_path(archive), "--json")
    assert json.loads(untold.stdout) == json.loads(told.stdout)


def test_what_is_not_in_the_archive_makes_nothing_look_better(archive: Path, tmp_path: Path) -> None:
    """An absent attacker is missed, an absent honest merchant does not count, and unusable records are told."""
    truth = json.loads(truth_path(archive).read_text())
    truth["merchants"]["absent"] = {"pattern": "bust_out", "start_ms": truth["start"]}
    truth["honest"].append("absent too")
    (tmp_path / "t.json").write_text(json.dumps(truth))
    longer = tmp_path / "longer.jsonl"
    with write_archive(longer) as copy:
        for record in read_archive(archive):
            copy.write(record)
        copy.write(ArchiveRecord("orders", b"m", b"no event", 1))
        copy.write(ArchiveRecord("other-topic", b"m", b"{}", 1))
    before, result = run(archive, "--json"), run(longer, "--truth", tmp_path / "t.json", "--json")
    first, found = json.loads(before.stdout), json.loads(result.stdout)
    assert found["patterns"]["bust_out"]["recall_of"] == [
        first["patterns"]["bust_out"]["recall_of"][0],
        first["patterns"]["bust_out"]["merchants"] + 1,
    ]
    assert found["honest"]["merchants"] == first["honest"]["merchants"]
    assert (found["rejected"], found["events"]) == (1, first["events"] + 1)
    assert "1 malicious merchants of the truth are not in the archive" in result.stderr


def test_keys_go_to_kafkas_partitions() -> None:
    """As the Java client's murmur2 puts them (its own test vectors, masked)."""
    assert shard_of(b"21", 2**31) == -973932308 & 0x7FFFFFFF
    assert shard_of(b"foobar", 1_000) == (-790332482 & 0x7FFFFFFF) % 1_000
    assert shard_of(None, 7) == 0


def test_mistakes_end_with_code_two(archive: Path, tmp_path: Path) -> None:
    """A missing archive, a missing, wrong or empty truth and a foreign one are said without a traceback."""
    alone = tmp_path / "alone.jsonl"
    alone.write_text("")
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"merchants": {}}')
    foreign = tmp_path / "foreign.json"
    foreign.write_text('{"merchants": {"nobody": {"pattern": "x", "start_ms": 1}}}')
    broken = tmp_path / "broken.jsonl"
    broken.write_text("no record\n")
    for arguments, words in (
        ((tmp_path / "no.jsonl",), "there is no file"),
        ((alone,), "alone.truth.json"),
        ((archive, "--truth", wrong), "names no malicious merchant"),
        ((archive, "--truth", foreign), "another archive's truth"),
        ((alone, "--truth", foreign), "no event of the input topics"),
        ((broken, "--truth", foreign), "line 1"),
        ((archive, "--out", tmp_path / "no" / "f.json"), "does not exist"),
        ((archive, "--shards", 0), "--shards"),
    ):
        result = run(*arguments)
        assert result.exit_code == 2, result.output
        assert words in result.output.replace("\n", " ")
        assert isinstance(result.exception, SystemExit)
