import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.policies import PACKAGED
from streams.cli import main
from streams.simulator import Simulation, SimulatorConfig, write_truth
from streams.simulator.truth import truth_path
from tests.detectors.comparison.made import decision, restriction
from tests.streams.commands.archives import write_simulation
from tests.streams.comparison.recorded import decided, write


def run(*arguments: object) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["compare", *map(str, arguments)])


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulation with its truth beside it."""
    path = tmp_path_factory.mktemp("compare") / "history.jsonl.zst"
    simulation = Simulation(SimulatorConfig.for_events(8_000, seed=3, span_days=60))
    write_simulation(simulation, path)
    write_truth(truth_path(path), simulation.truth)
    return path


@pytest.fixture
def archives(tmp_path: Path) -> tuple[Path, Path]:
    """Two recorded runs that differ in one decision each way."""
    one = write(tmp_path / "one.jsonl", [decided(decision(0)), decided(restriction(3, merchant_id="m2"))])
    other = write(tmp_path / "other.jsonl.zst", [decided(decision(0)), decided(decision(5, merchant_id="m3"))])
    return one, other


def test_two_recorded_runs(archives: tuple[Path, Path], tmp_path: Path) -> None:
    """Table, JSON and page say the same of two archives of governance events."""
    result = run(*archives, "--json", tmp_path / "c.json", "--html", tmp_path / "c.html")
    assert result.exit_code == 0, result.output
    assert "1 equal, 0 changed, 1 lost, 1 gained" in result.stdout
    assert "lost: limit orders by late-dispatch-severe" in result.stdout
    found = json.loads((tmp_path / "c.json").read_text())
    assert found["outcomes"] == {"equal": 1, "changed": 0, "lost": 1, "gained": 1}
    page = (tmp_path / "c.html").read_text()
    assert 'id="merchant:m2"' in page and 'id="merchant:m3"' in page


def test_two_policy_sets_judge_the_same_history(history: Path, tmp_path: Path) -> None:
    """A folder with a rule in shadow loses that rule's decisions, says why, and touches less money."""
    folder = tmp_path / "mine"
    shutil.copytree(PACKAGED, folder)
    text = (folder / "orders.yaml").read_text()
    begin = text.index("- id: scan-before-order")
    (folder / "orders.yaml").write_text(text[:begin] + text[begin:].replace("mode: enforce", "mode: shadow", 1))
    result = run(
        PACKAGED,
        folder,
        "--events",
        history,
        "--truth",
        truth_path(history),
        "--json",
        tmp_path / "c.json",
        "--shards",
        2,
    )
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "c.json").read_text())
    rules = {group["name"]: group for group in found["rules"]}
    assert rules["scan-before-order"]["lost"] == found["outcomes"]["lost"] > 0
    assert rules["scan-before-order"]["baseline_restricted"]["USD"] > 0
    assert found["candidate"]["restricted"]["USD"] < found["baseline"]["restricted"]["USD"]
    assert found["policy"]["changes"] == [
        {
            "section": "rules",
            "kind": "changed",
            "name": "scan-before-order",
            "key": "mode",
            "before": "enforce",
            "after": "shadow",
        }
    ]
    causes = {
        line["cause"] for each in found["touched"] for line in each["lines"] if line["match"]["outcome"] == "lost"
    }
    assert causes == {"in the candidate the rule scan-before-order is in shadow"}
    assert found["truth"]["baseline"]["recall"]["value"] > 0.5
    assert set(found["baseline"]["modes"]) == {"replay"}


def test_the_same_folder_twice_is_equal(history: Path) -> None:
    """Nothing differs, and the table says so."""
    result = run(PACKAGED, PACKAGED, "--events", history)
    assert result.exit_code == 0, result.output
    assert "0 changed, 0 lost, 0 gained" in result.stdout
    assert "Merchants decided upon differently: 0 of" in result.stdout


def test_shadow_and_live_out_of_one_topic(tmp_path: Path) -> None:
    """Both runs from the same archive, told apart by mode."""
    records = [decided(decision(0)), decided(decision(9, rule="disputes", id="s"), mode="shadow")]
    both = write(tmp_path / "both.jsonl", records)
    result = run(both, both, "--baseline-mode", "live", "--candidate-mode", "shadow")
    assert result.exit_code == 0, result.output
    assert "0 equal, 0 changed, 1 lost, 1 gained" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ONE", PACKAGED], "--events names the archive"),
        (["nowhere.jsonl", "ONE"], "nowhere.jsonl"),
        (["ONE", "OTHER", "--truth", "nowhere.json"], "nowhere.json cannot be read"),
        (["ONE", "OTHER", "--candidate-mode", "replay"], "no output event of mode replay"),
        (["ONE", PACKAGED, "--events", "ONE", "--candidate-mode", "live"], "no other policies, and no mode"),
        (["ONE", "OTHER", "--baseline-policies", "EMPTY"], "holds no *.yaml file"),
    ],
)
def test_mistakes_are_usage_errors(
    archives: tuple[Path, Path], tmp_path: Path, arguments: list[object], words: str
) -> None:
    """What was wrong, where, exit code 2, and no traceback."""
    (tmp_path / "empty").mkdir()
    names = {"ONE": archives[0], "OTHER": archives[1], "EMPTY": tmp_path / "empty"}
    result = run(*(names.get(str(each), each) for each in arguments))
    assert result.exit_code == 2, result.output
    assert words in result.output.replace("\n", " ")
    assert "Traceback" not in result.output


def test_a_broken_archive_fails(archives: tuple[Path, Path], tmp_path: Path) -> None:
    """The file and the line are named, with exit code 1."""
    (tmp_path / "broken.jsonl").write_text("{\n")
    result = run(archives[0], tmp_path / "broken.jsonl")
    assert result.exit_code == 1
    assert "broken.jsonl, line 1" in result.output
