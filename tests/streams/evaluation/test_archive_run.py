"""Runs in memory, and who watches them."""

from collections.abc import Sequence

from config.settings import Settings
from detectors.flush import Emit
from features.events import InputEvent
from streams.archive import ArchiveRecord
from streams.evaluation.archive_run import Witnesses, evaluation_judge, run_archive
from streams.simulator import Simulation, SimulatorConfig


class Notes:
    """Keeps the times of what it was told, in order, with its own name."""

    def __init__(self, name: str, notes: list[tuple[str, str, int]]) -> None:
        self.name = name
        self.notes = notes

    def event(self, _: InputEvent, time: int) -> None:
        """Note an event."""
        self.notes.append((self.name, "event", time))

    def outputs(self, _: Sequence[Emit], time: int) -> None:
        """Note outputs."""
        self.notes.append((self.name, "outputs", time))


def test_several_witnesses_are_told_the_same_in_their_order() -> None:
    """Of each record first the event, then what came of it, to one after the other."""
    records = [
        ArchiveRecord(each.topic, each.key, each.value, each.timestamp)
        for each, _ in zip(
            Simulation(SimulatorConfig(merchants=3, orders_per_day=2, span_days=2)), range(20), strict=False
        )
    ]
    notes: list[tuple[str, str, int]] = []
    cores: list[object] = []
    count = run_archive(
        records,
        evaluation_judge(Settings()),
        Witnesses(Notes("a", notes), Notes("b", notes)),
        begun=cores.extend,
    )
    assert count == len(records) == 20 and len(cores) == 1
    # One may be shown outputs several times a record: what other shards answer comes in turns.
    assert [each[1:] for each in notes[::2]] == [each[1:] for each in notes[1::2]]
    assert {name for name, _, _ in notes[::2]} == {"a"} and {name for name, _, _ in notes[1::2]} == {"b"}
    assert [time for _, what, time in notes[::2] if what == "event"] == [each.timestamp for each in records]
