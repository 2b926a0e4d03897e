from pathlib import Path

import msgspec
import pytest

from streams.simulator import (
    Episode,
    GroundTruth,
    Simulation,
    SimulatorConfig,
    TruthError,
    read_truth,
    truth_path,
    write_truth,
)


def test_a_truth_file_comes_back_as_it_was(tmp_path: Path) -> None:
    """What was written is read."""
    simulation = Simulation(SimulatorConfig.for_events(5_000))
    for _ in simulation:
        pass
    write_truth(tmp_path / "a.truth.json", simulation.truth)
    assert read_truth(tmp_path / "a.truth.json") == simulation.truth


def test_the_file_has_the_agreed_fields(tmp_path: Path) -> None:
    """The names that other tools read."""
    truth = GroundTruth(
        seed=1, start=10, end=90, merchants=9, honest_merchants=8, hard_negatives={}, attacks={"brushing": Episode()}
    )
    truth.attacks["brushing"].join("m1", 20)
    truth.attacks["brushing"].count_order(30)
    write_truth(tmp_path / "t.json", truth)
    assert msgspec.json.decode((tmp_path / "t.json").read_bytes()) == {
        "seed": 1,
        "start": 10,
        "end": 90,
        "attacks": {"brushing": {"merchants": ["m1"], "orders": 1, "from": 20, "until": 30, "onsets": {"m1": 20}}},
        "hard_negatives": {},
        "merchant_count": 9,
        "honest_merchants": 8,
        "merchants": {"m1": {"pattern": "brushing", "start_ms": 20}},
        "honest": [],
        "listings": {},
        "traps": {},
        "buyers": {},
        "also": {},
        "gaming": {},
        "promotions": {},
        "creators": {},
        "creator_traps": {},
        "honest_creators": [],
    }


def test_a_file_without_labels_is_read(tmp_path: Path) -> None:
    """As files were before: ``merchants`` is their number, and nothing names the honest ones."""
    old = b'{"seed":1,"start":1,"end":9,"attacks":{},"hard_negatives":{},"merchants":5,"honest_merchants":4}'
    (tmp_path / "old.json").write_bytes(old)
    truth = read_truth(tmp_path / "old.json")
    assert (truth.merchants, truth.honest_merchants, truth.honest) == (5, 4, [])


def test_honest_merchants_and_forbidden_listings_are_named() -> None:
    """The honest ids are all but the attackers', and the forbidden listings are the counterfeiters'."""
    simulation = Simulation(SimulatorConfig.for_events(5_000))
    listed = {
        (event["merchant_id"], event["listing_id"])
        for record in simulation
        if record.topic == "listings" and "listing_id" in (event := msgspec.json.decode(record.value))
    }
    truth = simulation.truth
    assert len(truth.honest) == truth.honest_merchants
    assert not set(truth.honest) & truth.attackers().keys()
    sellers = {merchant for merchant, listing in listed if listing in truth.listings}
    assert sellers and sellers <= set(truth.attacks["counterfeit"].merchants)


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.zst"])
def test_the_truth_stands_beside_its_archive(name: str) -> None:
    """NAME.truth.json for NAME.jsonl and NAME.jsonl.zst."""
    assert truth_path(Path("data") / name) == Path("data/run.truth.json")


def test_joining_twice_keeps_the_earlier_onset() -> None:
    """A merchant has one onset per episode."""
    episode = Episode()
    episode.join("m", 50)
    episode.join("m", 40)
    assert (episode.merchants, episode.onsets, episode.start) == (["m"], {"m": 40}, 40)


@pytest.mark.parametrize("content", [b"{}", b"not JSON", b'{"seed": "x"}', b"\xff"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """The error names the file."""
    (tmp_path / "x.truth.json").write_bytes(content)
    with pytest.raises(TruthError, match=r"x\.truth\.json is not a truth file"):
        read_truth(tmp_path / "x.truth.json")


def test_unreachable_files_are_named(tmp_path: Path) -> None:
    """Reading and writing where nothing is raise a TruthError with the path."""
    with pytest.raises(TruthError, match="cannot be read"):
        read_truth(tmp_path / "none.json")
    truth = Simulation(SimulatorConfig.for_events(5_000)).truth
    with pytest.raises(TruthError, match="cannot be written"):
        write_truth(tmp_path / "none" / "x.json", truth)
