"""Archives for tests of commands that read them."""

from pathlib import Path

from streams.archive import ArchiveRecord, write_archive
from streams.simulator import Simulation


def write_simulation(simulation: Simulation, path: Path) -> None:
    """Put a simulation's records into an archive file."""
    with write_archive(path) as archive:
        for record in simulation:
            archive.write(ArchiveRecord(record.topic, record.key, record.value, record.timestamp))
