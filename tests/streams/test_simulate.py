from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.archive import read_archive
from streams.commands.simulate import command
from streams.simulator import Simulation, SimulatorConfig, read_truth


def _run(*arguments: str | float | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.zst"])
def test_an_archive_holds_the_stream_and_the_truth_stands_beside_it(tmp_path: Path, name: str) -> None:
    """Records, topics, keys and times of the file are those of the simulation."""
    result = _run("--events", 6000, "--seed", 5, "--out", tmp_path / name)
    assert result.exit_code == 0, result.output
    simulation = Simulation(SimulatorConfig.for_events(6000, seed=5))
    expected = list(simulation)
    found = [(r.topic, r.key, r.value, r.timestamp) for r in read_archive(tmp_path / name)]
    assert found == expected
    assert read_truth(tmp_path / "run.truth.json") == simulation.truth
    assert "bust_out" in result.output


def test_the_same_command_writes_the_same_bytes(tmp_path: Path) -> None:
    """Nothing of the day or the machine gets into the file."""
    for name in ("a.jsonl", "b.jsonl"):
        assert _run("--events", 5000, "--out", tmp_path / name).exit_code == 0
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_duration_times_rate_is_a_number_of_events(tmp_path: Path) -> None:
    """Ten seconds at 600 a second are the 6,000 events of --events 6000."""
    assert _run("--duration", 10, "--rate", 600, "--out", tmp_path / "a.jsonl").exit_code == 0
    assert _run("--events", 6000, "--out", tmp_path / "b.jsonl").exit_code == 0
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_size_and_scenarios_can_be_set(tmp_path: Path) -> None:
    """Merchants, orders, span, end and single scenarios are taken as given."""
    result = _run(
        "--merchants", 40, "--orders-per-day", 10, "--span-days", 30, "--end", "2025-06-30", "--no-attacks",
        "--scenario", "fake-tracking=2x1.5", "--out", tmp_path / "x.jsonl", "--truth", tmp_path / "t.json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    truth = read_truth(tmp_path / "t.json")
    assert (truth.merchants, truth.honest_merchants) == (40, 38)
    assert list(truth.attacks) == ["fake_tracking"]
    assert truth.hard_negatives == {}
    assert truth.end == 1_751_241_600_000
    assert truth.end - truth.start == 30 * 86_400_000


MISTAKES: list[tuple[list[str], str]] = [
    ([], "say where to"),
    (["--out", "x.jsonl", "--to", "kafka"], "say where to"),
    (["--out", "x.csv"], "NAME.jsonl, NAME.jsonl.zst or NAME.parquet"),
    (["--out", "none/x.jsonl"], "the folder none does not exist"),
    (["--out", "x.jsonl", "--truth", "x.jsonl"], "a file of its own"),
    (["--out", "x.jsonl", "--events", "100"], "at least 5,000 events, not 100"),
    (["--out", "x.jsonl", "--duration", "5"], "--duration needs --rate"),
    (["--out", "x.jsonl", "--events", "9000", "--merchants", "5"], "--events and --merchants each say"),
    (["--out", "x.jsonl", "--merchants", "50"], "go together"),
    (
        ["--out", "x.jsonl", "--merchants", "5", "--orders-per-day", "9", "--attack", "bust_out=4"],
        "at most half may be",
    ),
    (["--out", "x.jsonl", "--scenario", "bust_out=lots"], "is not NAME:KNOB=VALUE,... or NAME=COUNT"),
    (["--out", "x.jsonl", "--scenario", "bustout=1"], "there is no scenario 'bustout'; choose from bust_out"),
    (["--out", "x.jsonl", "--scenario", "bust_out=1x99"], "intensity must be between 0.1 and 10, not 99"),
    (["--out", "x.jsonl", "--attack", "bust_out:stealth=2"], "stealth must be between 0 and 1, not 2"),
    (["--out", "x.jsonl", "--attack", "bust_out:stealth"], "stealth of bust_out must be a number, not ''"),
    (["--out", "x.jsonl", "--attack", "bust_out:start=soon"], "a number of days such as 30d, not 'soon'"),
    (["--out", "x.jsonl", "--attack", "bust_out:start=95d"], "is to start after 95 days, but there are 90"),
    (
        ["--out", "x.jsonl", "--attack", "bust_out:force=2"],
        "no knob 'force'; there are count, intensity",
    ),
    (["--out", "x.jsonl", "--attack", "bust_out:count=1.5"], "count of bust_out must be a whole number, not '1.5'"),
    (["--out", "x.jsonl", "--attack", "bust_out:"], "is not NAME:KNOB=VALUE"),
    (["--out", "x.jsonl", "--attack", "bust_out:count=1,count=2"], "bust_out has count twice"),
    (["--out", "x.jsonl", "--attack", "bust_out", "--attack", "bust_out=2"], "named twice"),
    (["--out", "x.jsonl", "--attack", "bust_out", "--without", "bust_out"], "asked for and left out at once"),
    (["--out", "x.jsonl", "--only", "bust_out,luck"], "there is no scenario 'luck'"),
    (["--out", "x.jsonl", "--only", "bust_out", "--no-attacks"], "give one of them"),
    (["--out", "x.jsonl", "--span-days", "0"], "span_days must be between"),
    (["--out", "x.jsonl", "--end", "tomorrow"], "neither 'now' nor a time"),
    (["--out", "x.jsonl", "--end", "1999-01-01"], "end must be between"),
    (["--out", "x.jsonl", "--live", "--rate", "1"], "--live goes with --to kafka"),
    (["--to", "kafka", "--live"], "--live needs --rate"),
    (["--to", "kafka", "--live", "--rate", "1", "--events", "9000"], "--events does not go with --live"),
    (["--to", "kafka", "--live", "--rate", "1", "--span-days", "3"], "at least 21 days"),
    (["--to", "kafka", "--rate", "0"], "--rate"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=[" ".join(arguments) for arguments, _ in MISTAKES])
def test_mistakes_end_with_exit_code_2_and_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    """Wrong or contradictory options are usage errors, and no file is left behind."""
    monkeypatch.chdir(tmp_path)
    result = _run(*arguments)
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.output.split())
    assert list(tmp_path.iterdir()) == []


def test_files_are_not_overwritten_unasked(tmp_path: Path) -> None:
    """An archive or a truth file that exists is kept, unless --overwrite is given."""
    (tmp_path / "x.truth.json").write_text("mine")
    result = _run("--events", 5000, "--out", tmp_path / "x.jsonl")
    assert result.exit_code == 2
    assert "exists already" in result.output
    assert (tmp_path / "x.truth.json").read_text() == "mine"
    assert _run("--events", 5000, "--out", tmp_path / "x.jsonl", "--overwrite").exit_code == 0
    assert read_truth(tmp_path / "x.truth.json").merchants > 0
