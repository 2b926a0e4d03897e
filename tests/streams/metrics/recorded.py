"""A small simulated marketplace as an archive: what came in, and what was published about it."""

from collections.abc import Sequence
from pathlib import Path

from config.settings import Settings
from detectors.flush import Emit
from features.events import InputEvent
from streams.archive import ArchiveRecord, ArchiveWriter, write_archive
from streams.comparison.reading import OUTPUTS
from streams.evaluation.archive_run import ArchiveRun, evaluation_judge
from streams.simulator import Simulation, SimulatorConfig, write_truth
from streams.simulator.truth import truth_path


class _Written:
    """Writes what a run publishes into an archive."""

    def __init__(self, archive: ArchiveWriter) -> None:
        self._archive = archive

    def event(self, event: InputEvent, time: int) -> None:
        """Inputs are written by who reads them."""

    def outputs(self, emits: Sequence[Emit], time: int) -> None:
        """What was published."""
        for emit in emits:
            if emit.stream == "events":
                self._archive.write(ArchiveRecord(OUTPUTS, emit.key, emit.value, time, emit.headers))


def record_marketplace(folder: Path, events: int = 6_000) -> Path:
    """Write ``run.jsonl`` with inputs and outputs, ``inputs.jsonl`` without them, and the truth of both; the first."""
    simulation = Simulation(SimulatorConfig.for_events(events, seed=5, span_days=75))
    records = [ArchiveRecord(each.topic, each.key, each.value, each.timestamp) for each in simulation]
    settings = Settings()
    path = folder / "run.jsonl"
    with write_archive(path) as archive:
        run = ArchiveRun(evaluation_judge(settings), _Written(archive), seed=settings.worker.seed)
        for record in records:
            archive.write(record)
            run.take(record)
    with write_archive(folder / "inputs.jsonl") as archive:
        for record in records:
            archive.write(record)
    for name in ("run.jsonl", "inputs.jsonl"):
        write_truth(truth_path(folder / name), simulation.truth)
    return path
