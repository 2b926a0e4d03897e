"""``shopwarden experiment``: define an experiment with policies, say who is in which arm, and read how it stands."""

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
from rich.console import Console

from config.experiment_specs import ExperimentFileError, ExperimentSpec, load_experiment
from config.settings import Settings
from detectors.metrics.experiments import Assignment, detectable, read_experiment, start_of
from detectors.metrics.ledger import Ledger
from detectors.metrics.linked import clusters
from streams.archive import ArchiveError
from streams.metrics.experiment_table import print_reading
from streams.metrics.feeding import Feed, feed_events
from streams.metrics.sources import archive_events, topic_events
from streams.metrics.words import percent
from streams.options import pass_settings
from streams.progress import Progress
from streams.reading import ReadError

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_archives = click.argument("archives", nargs=-1, type=_FILE)
_mode = click.option(
    "--mode",
    type=click.Choice(["live", "shadow", "replay"]),
    default="live",
    show_default=True,
    help="Outputs to count.",
)


@click.group()
def command() -> None:
    """Experiments with policies: merchants are drawn into arms for good, and the arms are compared.

    FILE is an experiment as YAML (docs/metrics.md). ARCHIVES hold input and output events; without any, the topics of
    the settings are read.
    """


@command.command()
@click.argument("file", type=_FILE)
@_archives
@_mode
@pass_settings
def define(settings: Settings, /, *, file: Path, archives: tuple[Path, ...], mode: str) -> None:
    """Check an experiment's file; with ARCHIVES, say what it could find.

    The least difference that it would find with a probability of 80 % follows from how merchants differ of late.
    """
    spec = _load(file)
    click.echo(f"{spec.id}: {spec.title}")
    for arm in spec.arms:
        control = ", the control" if arm.name == spec.control else ""
        click.echo(f"  {arm.name}: {percent(arm.share)} of the {spec.unit}s{control}")
    if spec.holdout:
        click.echo(f"  held out from all of it: {percent(spec.holdout)}")
    if not archives:
        click.echo("The file is right. With archives of events it is said what difference could be found.")
        return
    ledger = _ledger(settings, archives, mode)
    found = detectable(spec, ledger.state, ledger.now)
    if not found:
        click.echo("The events say too little of this metric to tell what could be found.")
    for arm_name, (rate, difference) in found.items():
        click.echo(
            f"{spec.primary} is {rate:.4g} of late; for {arm_name} a difference of {difference:.2g} would be found"
        )


@command.command()
@click.argument("file", type=_FILE)
@_archives
@click.option("--merchant", "merchants", multiple=True, help="Only this one; may be given again.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines instead of CSV.")
@_mode
@pass_settings
def assign(
    settings: Settings,
    /,
    *,
    file: Path,
    archives: tuple[Path, ...],
    merchants: tuple[str, ...],
    as_json: bool,
    mode: str,
) -> None:
    """Say which arm merchants are in: those of --merchant, or all that the events name.

    The same draw is made by whoever has the file, today and in a year; with `unit: cluster` the links known when the
    experiment started are read from the events too.
    """
    spec = _load(file)
    if merchants and not archives and spec.unit == "merchant":
        assignment, named = Assignment(spec), list(merchants)
    else:
        ledger = _ledger(settings, archives, mode)
        assignment = Assignment(spec, clusters(ledger.state, start_of(spec.starts)))
        named = list(merchants) or sorted(ledger.state.merchants)
    for line in _lines(assignment, named, as_json=as_json):
        click.echo(line)


@command.command()
@click.argument("file", type=_FILE)
@_archives
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the reading to this file."
)
@_mode
@pass_settings
def read(settings: Settings, /, *, file: Path, archives: tuple[Path, ...], json_file: Path | None, mode: str) -> None:
    """Say how an experiment stands: the arms' difference with intervals, guardrails, and whether it may be ended.

    It may be looked at as often as one likes.
    """
    spec = _load(file)
    ledger = _ledger(settings, archives, mode)
    if ledger.now < start_of(spec.starts):
        raise click.ClickException(f"the events end before the experiment starts, on {spec.starts}")
    found = read_experiment(spec, ledger.state, ledger.now)
    console = Console()
    if not console.is_terminal:
        console.width = 200
    print_reading(found, console)
    if json_file is not None:
        try:
            json_file.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        except OSError as error:
            raise click.ClickException(f"{json_file} cannot be written: {error.strerror or error}") from error


def _load(file: Path) -> ExperimentSpec:
    try:
        return load_experiment(file)
    except ExperimentFileError as error:
        raise click.UsageError(str(error)) from error


def _ledger(settings: Settings, archives: tuple[Path, ...], mode: str) -> Ledger:
    feed = Feed(Ledger(frozenset({mode})))
    try:
        with Progress("read") as progress:
            feed_events(feed, archive_events(archives) if archives else topic_events(settings), progress.advance)
    except (ArchiveError, ReadError) as error:
        raise click.ClickException(str(error)) from error
    if not feed.inputs:
        raise click.ClickException("there is no input event that can be read")
    return feed.ledger


def _lines(assignment: Assignment, merchants: list[str], *, as_json: bool) -> Iterator[str]:
    if not as_json:
        yield "merchant_id,unit,arm"
    for merchant in merchants:
        unit, arm = assignment.unit(merchant), assignment.arm(merchant)
        if as_json:
            yield msgspec.json.encode({"merchant_id": merchant, "unit": unit, "arm": arm}).decode()
        else:
            yield ",".join(_quoted(cell) for cell in (merchant, unit, arm))


def _quoted(cell: str) -> str:
    """A cell of a CSV line (RFC 4180); ids are opaque and may hold anything."""
    return '"' + cell.replace('"', '""') + '"' if any(c in cell for c in ',"\r\n') else cell
