import json
from pathlib import Path

import pytest

from streams.evaluation.truth import Labels, LabelsError, Malice, read_labels
from streams.simulator import Simulation, SimulatorConfig, write_truth


def read(tmp_path: Path, content: object) -> Labels:
    """Labels of a file with that content."""
    path = tmp_path / "t.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return read_labels(path)


def test_the_form_that_anybody_can_write(tmp_path: Path) -> None:
    """Merchants with pattern and start are enough; unknown fields do no harm."""
    labels = read(tmp_path, {"merchants": {"m": {"pattern": "ato", "start_ms": 5, "by": "x"}}, "more": 1})
    assert labels == Labels(merchants={"m": Malice("ato", 5)})
    assert labels.honest is None


def test_the_simulators_files_are_read(tmp_path: Path) -> None:
    """Those of today name attackers, honest merchants, traps and listings."""
    simulation = Simulation(SimulatorConfig.for_events(5_000))
    for _ in simulation:
        pass
    write_truth(tmp_path / "s.json", simulation.truth)
    labels = read_labels(tmp_path / "s.json")
    assert {merchant: each.pattern for merchant, each in labels.merchants.items()} == simulation.truth.attackers()
    assert labels.honest == simulation.truth.honest
    assert labels.listings == simulation.truth.listings
    assert labels.traps.keys() == simulation.truth.hard_negatives.keys()


def test_older_files_of_the_simulator_are_read(tmp_path: Path) -> None:
    """Those with episodes alone."""
    episode = {"merchants": ["m"], "orders": 1, "from": 7, "until": 9, "onsets": {"m": 7}}
    old = {"seed": 1, "start": 1, "end": 9, "attacks": {"brushing": episode}, "hard_negatives": {"bad_luck": episode}}
    labels = read(tmp_path, old | {"merchants": 4, "honest_merchants": 3})
    assert labels.merchants == {"m": Malice("brushing", 7)}
    assert labels.traps == {"bad_luck": ["m"]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "is not JSON"),
        ([], "no JSON object"),
        ({}, "names no malicious merchant"),
        ({"merchants": {}}, "names no malicious merchant"),
        ({"merchants": 5, "attacks": {}}, "names no malicious merchant|not a truth file"),
        ({"merchants": {"m": {"pattern": "x"}}}, "start_ms"),
        ({"merchants": {"m": {"pattern": "x", "start_ms": "soon"}}}, "start_ms"),
        ({"merchants": {"m": {"pattern": "x", "start_ms": 1}}, "honest": ["m"]}, "as malicious and as honest"),
        ({"merchants": {"m": {"pattern": "x", "start_ms": 1}}, "honest": "m"}, "honest"),
    ],
)
def test_a_wrong_form_is_named(tmp_path: Path, content: object, words: str) -> None:
    """The message has the file and what is wrong."""
    with pytest.raises(LabelsError, match=words) as caught:
        read(tmp_path, content)
    assert "t.json" in str(caught.value)
