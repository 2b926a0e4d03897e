"""``shopwarden compare``: what one run decided and another did not."""

from pathlib import Path
from typing import Any

import click
import msgspec

from config.settings import Settings
from detectors.comparison.comparison import Comparison
from features.windows import HOUR_MS
from streams.archive import ArchiveError
from streams.comparison.request import CompareError, Request, RunSource, compare_runs
from streams.instants import Instant
from streams.options import pass_settings
from streams.progress import Progress
from streams.reading import ReadError

_RUN = click.Path(exists=True, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_MODE = click.Choice(["live", "shadow", "replay"])
from_option = click.option(
    "--from", "start", type=Instant(), metavar="TIME", help="Leave decisions before this event time out."
)


@click.command()
@click.argument("baseline", type=_RUN)
@click.argument("candidate", type=_RUN)
@click.option("--events", type=_FILE, help="Archive of the input events: for amounts, categories, people's verdicts.")
@click.option("--truth", type=_FILE, help="Truth file, as of `shopwarden evaluate`: for precision and recall.")
@click.option("--baseline-policies", type=_FOLDER, help="Policies of the baseline: for causes and policy codes.")
@click.option("--candidate-policies", type=_FOLDER, help="The same of the candidate.  [default: those of the settings]")
@click.option("--baseline-mode", type=_MODE, help="Take outputs of this mode alone, out of an archive.")
@click.option("--candidate-mode", type=_MODE, help="The same of the candidate.")
@click.option(
    "--silence",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Hours without any output of the baseline that count as a silence.",
)
@from_option
@click.option("--shards", type=click.IntRange(1, 4096), default=1, show_default=True, help="Of what is judged now.")
@click.option("--html", type=_FILE, help="Write the whole report to this file, as one page that needs nothing else.")
@click.option("--json", "json_file", type=_FILE, help="Write everything to this file, for programs.")
@click.option(
    "--merchants", type=click.IntRange(min=0), default=20, show_default=True, help="Merchants to print, at most."
)
@pass_settings
def command(
    settings: Settings,
    /,
    *,
    baseline: Path,
    candidate: Path,
    silence: float,
    html: Path | None,
    json_file: Path | None,
    merchants: int,
    **more: Any,
) -> None:
    """Compare the decisions of two runs.

    BASELINE and CANDIDATE are archives of governance events (NAME.jsonl or NAME.jsonl.zst), as `shopwarden record
    --topics governance-events` and `shopwarden replay --out` write them, or folders of policies, which then judge
    --events in memory, both in one pass. Nothing is read from or written to Kafka and Redis.
    """
    request = Request(
        baseline=RunSource(baseline, more["baseline_policies"], more["baseline_mode"]),
        candidate=RunSource(candidate, more["candidate_policies"], more["candidate_mode"]),
        events=more["events"],
        truth=more["truth"],
        silence=round(silence * HOUR_MS),
        shards=more["shards"],
        start=more["start"],
    )
    report(settings, request, html=html, json_file=json_file, merchants=merchants)


def report(settings: Settings, request: Request, *, html: Path | None, json_file: Path | None, merchants: int) -> None:
    """Compare, print the table, and write the files that are asked for."""
    try:
        with Progress("read") as progress:
            found = compare_runs(settings, request, advance=progress.advance)
    except CompareError as error:
        raise click.UsageError(str(error)) from error
    except (ArchiveError, ReadError) as error:
        raise click.ClickException(str(error)) from error
    show(found, html=html, json_file=json_file, merchants=merchants)


def show(
    found: Comparison,
    *,
    html: Path | None,
    json_file: Path | None,
    merchants: int,
    table: bool = True,
    quiet: bool = False,
) -> None:
    """Print a comparison's table unless it is not wanted, and write the files that are asked for."""
    if json_file is not None:
        _write(json_file, msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    if html is not None:
        from streams.comparison.page import html_page

        _write(html, html_page(found).encode())
    if table:
        from rich.console import Console

        from streams.comparison.table import print_comparison

        console = Console()
        if not console.is_terminal:
            # Piped into a file or another program, rows are not folded at a terminal's width.
            console.width = 240
        print_comparison(found, console, merchants=merchants)
    for file in (html, json_file):
        if file is not None and not quiet:
            click.echo(f"written: {file}", err=True)


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror or error}") from error
