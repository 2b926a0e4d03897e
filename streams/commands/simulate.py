"""``shopwarden simulate``: a seeded marketplace with known attacks, into an archive file or into the topics."""

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click

from config.settings import Settings
from streams.archive import ArchiveError, ArchiveRecord, check_name, check_writable, write_archive
from streams.commands.produce import produce_to_kafka, timestamps_option
from streams.instants import Instant
from streams.options import pass_settings
from streams.progress import Progress
from streams.simulator import (
    ATTACK_NAMES,
    CREATOR_NAMES,
    GAMING_NAMES,
    SCENARIO_NAMES,
    GroundTruth,
    SimulatedRecord,
    Simulation,
    TruthError,
    truth_path,
    write_truth,
)
from streams.simulator.config import DEFAULT_END
from streams.simulator.knobs import Knobs, parse_knobs, scenario_name
from streams.simulator.live import LIVE_DAYS, run_live
from streams.simulator.sizing import DEFAULT_EVENTS, Sizing


class Scenario(click.ParamType):
    """``NAME``, ``NAME:KNOB=VALUE,...``, ``NAME=COUNT`` or ``NAME=COUNTxINTENSITY``."""

    name = "NAME[:KNOB=VALUE,...]"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Knobs]:
        """Turn the text into a scenario's name and knobs."""
        try:
            return parse_knobs(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _by_name(
    _context: click.Context, parameter: click.Parameter, said: Sequence[tuple[str, Knobs]]
) -> dict[str, Knobs]:
    found = dict(said)
    if len(found) < len(said):
        raise click.BadParameter("a scenario is named twice; put its knobs together", param=parameter)
    return found


def _names(_context: click.Context, parameter: click.Parameter, said: Sequence[str]) -> list[str]:
    """Names from options that may be given again, each with one name or several between commas."""
    try:
        return [scenario_name(name) for text in said for name in text.split(",")]
    except ValueError as error:
        raise click.BadParameter(str(error), param=parameter) from None


@click.command()
@click.option(
    "--out", "file", type=click.Path(dir_okay=False, path_type=Path), help="Archive: NAME.jsonl[.zst], NAME.parquet."
)
@click.option("--to", "target", type=click.Choice(["kafka"]), help="Produce into the topics of the settings.")
@click.option("--events", type=click.IntRange(min=1), help=f"About so many events.  [default: {DEFAULT_EVENTS:,}]")
@click.option(
    "--duration",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="With --rate, instead of --events.",
)
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Events a second, for kafka.")
@click.option(
    "--live",
    is_flag=True,
    help="For kafka: a history of --span-days until now at once, then --rate events a second with the present time.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed gives the same bytes.")
@click.option("--span-days", type=float, help="Event time covered.  [default: 90, with --live 30]")
@click.option("--end", type=Instant(), help="Event time of the end.  [default: 2026-01-01, for kafka now]")
@click.option("--merchants", type=click.IntRange(min=1), help="With --orders-per-day, instead of --events.")
@click.option("--orders-per-day", type=click.FloatRange(min=0, min_open=True), help="With --merchants.")
@click.option(
    "--attack",
    "--scenario",
    "scenarios",
    type=Scenario(),
    metavar="NAME[:KNOB=VALUE,...]",
    multiple=True,
    callback=_by_name,
    help="Set knobs of an attack or of honest trouble: count, intensity (1 is typical), stealth (0 to 1), start (30d). "
    f"NAME=5x1.5 is count and intensity. Names: {', '.join(SCENARIO_NAMES)}.",
)
@click.option("--only", metavar="NAME,...", multiple=True, callback=_names, help="Nothing else than these happens.")
@click.option("--without", metavar="NAME,...", multiple=True, callback=_names, help="These do not happen.")
@click.option("--attacks/--no-attacks", default=True, help="Without: ordinary trade alone, and what --attack adds.")
@click.option(
    "--truth", type=click.Path(dir_okay=False, path_type=Path), help="Truth file.  [default: NAME.truth.json]"
)
@click.option("--overwrite", is_flag=True, help="Replace the files if they exist.")
@timestamps_option
@pass_settings
def command(
    settings: Settings,
    /,
    *,
    file: Path | None,
    target: str | None,
    truth: Path | None,
    overwrite: bool,
    live: bool,
    timestamps: str,
    **size: Any,
) -> None:
    """Simulate a marketplace whose attackers are known.

    The stream holds merchants, listings and orders with their whole lives in event-time order. The truth file names the
    merchants of each attack and of each honest trouble that looks like one.
    """
    if (file is None) == (target is None):
        raise click.UsageError("say where to: --out NAME.jsonl.zst, or --to kafka")
    if file is not None:
        if live:
            raise click.UsageError("--live goes with --to kafka, not with a file")
        try:
            check_name(file)
        except ArchiveError as error:
            raise click.BadParameter(str(error), param_hint="--out") from None
        truth = truth or truth_path(file)
        if truth == file:
            raise click.BadParameter("the ground truth needs a file of its own", param_hint="--truth")
    now = int(time.time() * 1000)
    sizing = Sizing(**size)
    try:
        config = sizing.live(now) if live else sizing.config(DEFAULT_END if target is None else now)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    try:
        for path in (file, truth):
            if path is not None:
                check_writable(path, overwrite=overwrite)
    except ArchiveError as error:
        raise click.UsageError(str(error)) from error
    simulation = Simulation(config)
    try:
        if file is not None:
            _write(simulation, file, overwrite=overwrite)
        elif live:
            _go_live(settings, simulation, truth)
        else:
            produce_to_kafka(settings, map(_archived, simulation), rate=sizing.rate, timestamps=timestamps)
        if truth is not None:
            write_truth(truth, simulation.truth)
    except (ArchiveError, TruthError) as error:
        raise click.ClickException(str(error)) from error
    _summarise(simulation.truth, truth)


# -- output -----------------------------------------------------------------------------------------------------------


def _archived(record: SimulatedRecord) -> ArchiveRecord:
    return ArchiveRecord(record.topic, record.key, record.value, record.timestamp)


def _write(simulation: Simulation, file: Path, *, overwrite: bool) -> None:
    with Progress("simulated") as progress, write_archive(file, overwrite=overwrite) as archive:
        for record in simulation:
            archive.write(_archived(record))
            progress.advance()
    click.echo(f"{archive.count:,} events written to {file} in {progress.seconds:.1f} s", err=True)


def _go_live(settings: Settings, simulation: Simulation, truth: Path | None) -> None:
    """Feed the topics until SIGINT or SIGTERM; whatever was sent is confirmed before the end."""
    from streams.clients import producer_config
    from streams.producing import ArchiveProducer, ProduceError
    from streams.topic_names import deployed_names

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if truth is not None:  # onsets are known beforehand; the numbers of orders follow at the end
        write_truth(truth, simulation.truth)
    with Progress("produced") as progress:
        producer = ArchiveProducer(
            producer_config(settings),
            names=deployed_names(settings.topics),
            warn=lambda sentence: click.echo(f"Warning: {sentence}.", err=True),
        )

        def send(record: SimulatedRecord) -> None:
            producer.send(_archived(record))
            progress.advance()
            if producer.report.failed:
                raise ProduceError(f"a record was not delivered: {next(iter(producer.report.failures))}")

        try:
            run_live(_until(stop, simulation), send, producer.wait, stopped=stop.is_set)
        except ProduceError as error:
            raise click.ClickException(str(error)) from error
        finally:
            producer.flush()
    ended = "stopped" if stop.is_set() else f"ended after {LIVE_DAYS:.0f} days"
    click.echo(f"{ended}; {producer.report.delivered:,} records delivered", err=True)
    if producer.report.failed:
        raise click.ClickException(f"{producer.report.failed:,} records were not delivered")


def _until(stop: threading.Event, simulation: Simulation) -> Iterator[SimulatedRecord]:
    for record in simulation:
        if stop.is_set():
            return
        yield record


#: What the summary calls scenarios; the others are honest trouble.
_KINDS: Final = dict.fromkeys(ATTACK_NAMES + CREATOR_NAMES, "attack") | dict.fromkeys(GAMING_NAMES, "gaming")


def _summarise(truth: GroundTruth, path: Path | None) -> None:
    episodes = truth.attacks | truth.hard_negatives | truth.gaming | truth.promotions
    for name, episode in episodes.items():
        kind = _KINDS.get(name, "honest")
        click.echo(f"{name:18} {kind}  {len(episode.merchants):4} merchants  {episode.orders:7,} orders", err=True)
    if path is not None:
        click.echo(f"ground truth: {path}", err=True)
