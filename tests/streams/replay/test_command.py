"""What people may get wrong in ``shopwarden replay`` and ``verify``, and what they are told."""

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from config.settings import load_settings
from streams.archive import read_archive
from streams.cli import main
from streams.replay.failures import ReplayError
from streams.replay.plan import Job, Plan
from streams.replay.progress import Reached
from streams.replay.summary import Summary
from streams.replay.task import Bounds, _bounded
from streams.tails import Extent

NOWHERE = {"SHOPWARDEN_KAFKA__BROKERS": "127.0.0.1:1", "SHOPWARDEN_PSEUDONYM_KEY": "only-for-tests-and-nothing-else"}


def replay(*words: object, command: str = "replay") -> Result:
    """Run the command."""
    return CliRunner(env=NOWHERE).invoke(main, [command, *map(str, words)])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["none.jsonl"], "there is no file none.jsonl"),
        (["--olist", "."], "exclude each other"),
        (["--from", "2025-05-02", "--to", "2025-05-01"], "is not after --from"),
        (["--from", "yesterday"], "neither 'now' nor a time"),
        (["--warm-up", "3d"], "--warm-up goes with --from"),
        (["--warm-up", "3 weeks", "--from", "2025-05-01"], "is not a span"),
        (["--offsets", "orders/3=1:2"], "--offsets goes with Kafka"),
        (["--offsets", "orders:3"], "is no range such as"),
        (["--offsets", "orders/3=9:9"], "ends where it begins"),
        (["--out", "kafka:replay-"], "is no name of a replay's topics"),
        (["--merchants", " , "], "names no merchant"),
        (["--merchants", "@none.txt"], "none.txt can't be read"),
        (["--order", "as-recorded"], "goes with Kafka"),
        (["--out", "out.csv"], "NAME.jsonl"),
        (["--policies", "none"], "does not exist"),
    ],
)
def test_mistakes(archive: Path, words: list[str], told: str) -> None:
    """A mistake in the words ends with exit code 2 and what was wrong, without a traceback."""
    result = replay(*words) if words == ["none.jsonl"] else replay(archive, *words)
    assert result.exit_code == 2, result.output
    assert told in result.output


def test_options_of_files(archive: Path) -> None:
    """The topics have their partitions, and a journal knows how models began."""
    assert "--shards goes with files" in replay("--shards", 3).output
    assert "models begin as they did" in replay("--order", "as-recorded", "--models", "frozen").output


@pytest.mark.parametrize("command", ["replay", "verify"])
def test_no_broker(command: str) -> None:
    """Without a broker the command fails, and says which one did not answer."""
    result = replay(command=command)
    assert result.exit_code == 1
    assert "127.0.0.1:1" in result.output


def test_broken_policies(archive: Path, tmp_path: Path) -> None:
    """Policies that can't be used are named by file and line, as `policies check` does."""
    (tmp_path / "rules.yaml").write_text("rules:\n  - id: a\n", encoding="utf-8")
    result = replay(archive, "--policies", tmp_path)
    assert result.exit_code == 1
    assert "rules.yaml:2" in result.output


def test_nothing_to_replay(tmp_path: Path) -> None:
    """An archive without a record of the input topics is no success."""
    path = tmp_path / "other.jsonl"
    path.write_text('{"topic": "other", "key": "a", "value": {}}\n', encoding="utf-8")
    result = replay(path)
    assert result.exit_code == 1
    assert "no record of the input topics" in result.output


def test_figures(archive: Path, tmp_path: Path) -> None:
    """The figures count what stands in the file that was written."""
    out = tmp_path / "out.jsonl"
    result = replay(archive, "--shards", 2, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    figures = orjson.loads(result.stdout)
    assert sum(figures["outputs"].values()) == len(list(read_archive(out)))
    assert sum(figures["actions"].values()) == figures["outputs"]["shopwarden.enforcement.decided.v1"]
    assert figures["records"] > 5000
    assert "exists already" in replay(archive, "--out", out).output


def test_what_may_not_be_meant_is_said(archive: Path) -> None:
    """A merchant of whom nothing is heard, and a window behind all records, are told as such; the run has gone well."""
    result = replay(archive, "--merchants", "nobody", "--from", "2031-01-01")
    assert result.exit_code == 0, result.output
    assert "Warning: nothing was published about 1 of 1 merchants: nobody" in result.stderr
    assert "Warning: all records are from before --from" in result.stderr


def test_a_topic_that_lost_its_beginning() -> None:
    """Where partitions begin later than they are to be read from, the state lacks what was before: that is said."""
    held = {("orders", 0): Extent(40, 90), ("orders", 1): Extent(0, 50), ("listings", 0): Extent(10, 20)}
    settings = load_settings()
    given = _bounded(held, [Bounds("listings", 0, 10, None)], settings)
    assert given.lost == (("orders", 0, 40),)
    warnings = Summary(reached=Reached(5)).warnings(Job(settings, Plan(), given))
    assert warnings == ["what was before is no longer there, and missing from the state: orders/0 begins at offset 40."]
    with pytest.raises(ReplayError, match="orders/1 ends before offset 50: there is nothing from 60 on"):
        _bounded(held, [Bounds("orders", 1, 60, None)], settings)
