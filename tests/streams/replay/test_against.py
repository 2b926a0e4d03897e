"""``shopwarden replay --against``: the candidate and its baseline in one command."""

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from config.policies import PACKAGED
from streams.archive import ArchiveRecord, read_archive, write_archive
from streams.cli import main
from streams.simulator import Simulation, SimulatorConfig, write_truth
from streams.simulator.truth import truth_path
from tests.streams.commands.archives import write_simulation
from tests.streams.policies.published import in_shadow
from tests.streams.policies.test_live_policies import folder_of

RULE = "scan-before-order"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulation with its truth beside it."""
    path = tmp_path_factory.mktemp("against") / "history.jsonl.zst"
    simulation = Simulation(SimulatorConfig.for_events(5_000, seed=3, span_days=60))
    write_simulation(simulation, path)
    write_truth(truth_path(path), simulation.truth)
    return path


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packaged policies without one rule."""
    return folder_of(tmp_path_factory.mktemp("policies") / "mine", in_shadow(RULE))


def replay(*words: object) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["replay", *map(str, words)])


def test_policies_against_others(history: Path, without: Path, tmp_path: Path) -> None:
    """Both judge the same records; what the candidate lost is told with its cause, in the table and the reports."""
    result = replay(
        *(history, "--shards", 2, "--policies", without, "--against", PACKAGED, "--truth", truth_path(history)),
        *("--report", tmp_path / "c.html", "--report", tmp_path / "c.json"),
    )
    assert result.exit_code == 0, result.output
    found = orjson.loads((tmp_path / "c.json").read_bytes())
    rules = {group["name"]: group for group in found["rules"]}
    assert rules[RULE]["lost"] == found["outcomes"]["lost"] > 0
    assert rules[RULE]["baseline_restricted"]["USD"] > 0
    assert found["baseline"]["name"] == PACKAGED.name and found["candidate"]["name"] == "mine"
    causes = {line["cause"] for each in found["touched"] for line in each["lines"]}
    assert f"in the candidate the rule {RULE} is in shadow" in causes
    assert f"{found['outcomes']['equal']} equal" in result.stdout
    assert 'id="merchant:' in (tmp_path / "c.html").read_text()


def test_against_itself(history: Path, tmp_path: Path) -> None:
    """The same policies over the same records come to the same, and so does the archive of such a run, also for one
    merchant alone.
    """
    out, found = tmp_path / "out.jsonl.zst", tmp_path / "c.json"
    alone = replay(history, "--out", out, "--against", PACKAGED, "--report", found)
    assert alone.exit_code == 0, alone.output
    outcomes = orjson.loads(found.read_bytes())["outcomes"]
    assert outcomes["equal"] > 10 and outcomes == {"equal": outcomes["equal"], "changed": 0, "lost": 0, "gained": 0}
    decided = (b"ce_type", b"shopwarden.enforcement.decided.v1")
    keys = [each.key for each in read_archive(out) if decided in [(n.encode(), v) for n, v in each.headers]]
    part = replay(history, "--merchants", (keys[0] or b"").decode(), "--against", out, "--report", found)
    assert part.exit_code == 0, part.output
    of_one = orjson.loads(found.read_bytes())["outcomes"]
    assert 0 < of_one["equal"] < outcomes["equal"]
    assert of_one["changed"] == of_one["lost"] == of_one["gained"] == 0


def test_mistakes(history: Path, tmp_path: Path) -> None:
    """What can't be a baseline or a report is told before anything is replayed."""
    with write_archive(tmp_path / "inputs.jsonl") as archive:
        archive.write(ArchiveRecord("orders", b"m", b"{}", 1))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.yaml").write_text("rules: 3\n", encoding="utf-8")
    for words, told in (
        (("--report", "c.html"), "go with --against"),
        (("--truth", truth_path(history)), "go with --against"),
        (("--against", "nowhere"), "neither 'live' nor a folder of policies nor an archive"),
        (("--against", tmp_path / "broken"), "a.yaml"),
        (("--against", PACKAGED, "--report", "c.pdf"), "neither NAME.html nor NAME.json"),
        (("--against", PACKAGED, "--report", "nowhere/c.html"), "there is no folder nowhere"),
    ):
        result = replay(history, *words)
        assert result.exit_code == 2 and told in result.output, (words, result.output)
    empty = replay(history, "--against", tmp_path / "inputs.jsonl")
    assert empty.exit_code == 1 and "holds no output event" in empty.output
