"""``shopwarden replay --against``: what the replay decides, beside a baseline."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import click

from config.settings import Settings
from detectors.comparison.published import Published
from detectors.comparison.quality import Known
from streams.archive import ArchiveError, ArchiveRecord
from streams.commands.compare import show
from streams.comparison.request import CompareError, known_labels
from streams.progress import Progress
from streams.reading import ReadError
from streams.replay.against import Baseline, compare_with, keep, parse_baseline, recorded_baseline
from streams.replay.failures import ReplayError
from streams.replay.plan import Job
from streams.replay.progress import Reached, described

#: Merchants that the table prints, at most.
_MERCHANTS = 20


class Comparing:
    """Notes what a replay publishes, and compares it with a baseline in the end."""

    def __init__(self, baseline: Baseline, known: Known | None, reports: Sequence[Path]) -> None:
        self._baseline = baseline
        self._known = known
        self._reports = {path.suffix: path for path in reports}
        self._candidate = Published(frozenset())
        self._recorded: Published | None = None

    @classmethod
    def wanted(
        cls, settings: Settings, against: str | None, truth: Path | None, reports: Sequence[Path]
    ) -> Self | None:
        """What the options ask for, if anything.

        Raises
        ------
        click.UsageError
            They make no sense.
        """
        if against is None:
            if truth is not None or reports:
                raise click.UsageError("--truth and --report go with --against")
            return None
        for path in reports:
            if path.suffix not in (".html", ".json"):
                raise click.BadParameter(f"{path} is neither NAME.html nor NAME.json", param_hint="--report")
            if not path.parent.is_dir():
                raise click.BadParameter(f"there is no folder {path.parent}", param_hint="--report")
        try:
            return cls(parse_baseline(against, settings), known_labels(truth), reports)
        except CompareError as error:
            raise click.BadParameter(str(error), param_hint="--against") from None

    def prepare(self, job: Job) -> None:
        """Have the baseline if it is on record, before hours go into the replay.

        Raises
        ------
        click.ClickException
            It can't be had.
        """
        try:
            self._recorded = recorded_baseline(self._baseline, job)
        except (CompareError, ReadError, ArchiveError) as error:
            raise click.ClickException(str(error)) from None

    def take(self, record: ArchiveRecord) -> None:
        """Note an output of the replay."""
        keep(self._candidate, record)

    def conclude(self, job: Job, processes: int, *, table: bool) -> None:
        """Have the baseline, compare, print the table and write the reports.

        Raises
        ------
        click.ClickException
            The baseline can't be had.
        """
        try:
            with Progress("of the baseline") as progress:

                def told(reached: Reached) -> None:
                    progress.advance(reached.records - progress.count, note=described(reached, progress.seconds))

                found = compare_with(
                    self._baseline,
                    job,
                    self._candidate,
                    self._recorded,
                    processes=processes,
                    known=self._known,
                    told=told,
                )
        except (CompareError, ReplayError, ReadError, ArchiveError) as error:
            raise click.ClickException(str(error)) from None
        show(
            found,
            html=self._reports.get(".html"),
            json_file=self._reports.get(".json"),
            merchants=_MERCHANTS,
            table=table,
        )
