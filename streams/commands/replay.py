"""``shopwarden replay``: history through the same core, with a state of its own and no way to act."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from config.settings import Settings
from streams.instants import Instant, Span
from streams.options import pass_settings
from streams.printable import printable
from streams.progress import Progress

if TYPE_CHECKING:
    from streams.commands.replay_comparison import Comparing
    from streams.replay.destination import Destination
    from streams.replay.plan import ArchiveInput, Job, OlistInput, Plan
    from streams.replay.summary import Summary
    from streams.replay.task import Bounds


class Offsets(click.ParamType):
    """``orders/3=100:200``."""

    name = "TOPIC/N=FIRST:END"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> "Bounds":
        """Turn the text into bounds."""
        from streams.replay.task import Bounds

        if isinstance(value, Bounds):
            return value
        match = re.fullmatch(r"([A-Za-z0-9._-]+)/(\d+)=(\d*):(\d*)", str(value))
        if match is None:
            self.fail(f"{value!r} is no range such as orders/3=100:200 or orders/3=:200", param, ctx)
        topic, number, first, end = match.groups()
        if first and end and int(first) >= int(end):
            self.fail(f"{value!r} ends where it begins, or before", param, ctx)
        return Bounds(topic, int(number), int(first) if first else None, int(end) if end else None)


@click.command()
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--olist",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Replay the Olist data set in this folder.",
)
@click.option("--from", "start", type=Instant(), help="Publish what records from this time on cause.")
@click.option("--to", "end", type=Instant(), help="Stop before the first record of this time.")
@click.option(
    "--offsets",
    multiple=True,
    type=Offsets(),
    metavar="TOPIC/N=FIRST:END",
    help="From Kafka: read of partition N only offsets FIRST to END - 1; either may be left out. May be repeated.",
)
@click.option("--warm-up", type=Span(), help="With --from: history before it that builds the state.  [default: all]")
@click.option("--merchants", help="Publish about these alone, between commas, or @FILE with one a line.")
@click.option(
    "--policies",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Judge by the policies in this folder.  [default: those of the settings]",
)
@click.option(
    "--order",
    type=click.Choice(["event-time", "as-recorded"]),
    default="event-time",
    show_default=True,
    help="Of the records: merged by their times, or (from Kafka) as a live run's journal tells.",
)
@click.option("--shards", type=click.IntRange(1, 4096), help="With files: partitions.  [default: topics.partitions]")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="At most one a shard.")
@click.option(
    "--models",
    type=click.Choice(["fresh", "recorded", "frozen"]),
    default="fresh",
    show_default=True,
    help="How models begin: untrained; as the deployment's last checkpoint in Redis has them; like that, and for good.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the models.  [default: worker.seed]")
@click.option("--run-id", help="Name of the run in its outputs.  [default: made of all that decides them]")
@click.option(
    "--out", help="Where outputs go: an archive NAME.jsonl[.zst] or NAME.parquet, or 'kafka:replay-NAME' for a topic."
)
@click.option(
    "--checkpoints",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep the run in this folder: interrupted, the same command goes on with it.",
)
@click.option(
    "--against",
    metavar="BASELINE",
    help="Compare with what was decided live ('live'), with an archive of governance events, or with what the policies "
    "in a folder decide over the same records.",
)
@click.option(
    "--truth",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --against: truth file, as of `shopwarden evaluate`, for precision and recall.",
)
@click.option(
    "--report",
    "reports",
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="With --against: write the comparison to NAME.html (a page that needs nothing else) or NAME.json.",
)
@click.option("--overwrite", is_flag=True, help="Replace the file if it exists.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@pass_settings
def command(
    settings: Settings,
    /,
    *,
    files: tuple[Path, ...],
    olist: Path | None,
    policies: Path | None,
    processes: int,
    out: str | None,
    checkpoints: Path | None,
    overwrite: bool,
    as_json: bool,
    **wanted: Any,
) -> None:
    """Run history through the worker's own core: from archive files, from the Olist data set, or from Kafka's topics.

    The topics' records are merged by their times, so the outputs are the same from a file or from Kafka, in one process
    or in several. State is kept in memory; Redis is at most read, for its models. Every output says `mode: replay` and
    the run's id, and goes nowhere but to --out.
    """
    from streams.commands.replay_comparison import Comparing
    from streams.replay.destination import DestinationError, ReplayTopics, parse_destination
    from streams.replay.failures import ReplayError
    from streams.replay.task import plan_job

    comparing = Comparing.wanted(settings, wanted.pop("against"), wanted.pop("truth"), wanted.pop("reports"))
    given = _input(files, olist)
    offsets: tuple[Bounds, ...] = wanted.pop("offsets")
    if offsets and (given is not None or wanted["order"] == "as-recorded"):
        raise click.UsageError("--offsets goes with Kafka, in the order of event time")
    _check(settings, from_kafka=given is None, **wanted)
    plan = _plan(settings, **wanted)
    if policies is None and plan.order == "as-recorded":
        plan = msgspec.structs.replace(plan, recorded_policies=True)
    try:
        destination = None if out is None else parse_destination(out, overwrite=overwrite)
    except DestinationError as error:
        raise click.BadParameter(str(error), param_hint="--out") from None
    if checkpoints is not None and (isinstance(destination, ReplayTopics) or wanted["order"] == "as-recorded"):
        raise click.UsageError("--checkpoints goes with a file, or without --out, and with --order event-time")
    try:
        job = plan_job(
            settings if policies is None else settings.model_copy(update={"policy_dir": policies}),
            given,
            plan,
            offsets,
        )
        if comparing is not None:
            comparing.prepare(job)
        summary = _carried_out(job, processes, destination, checkpoints, comparing)
    except (ReplayError, DestinationError) as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        kept = "nothing was kept" if checkpoints is None else f"the same command goes on with {checkpoints}"
        raise click.ClickException(f"interrupted; {kept}") from None
    if not summary.reached.records:
        raise click.ClickException("there was no record of the input topics to replay")
    for warning in summary.warnings(job):
        click.echo(f"Warning: {printable(warning)}", err=True)
    click.echo(summary.as_json(job.plan) if as_json else "\n".join(summary.lines(job.plan)))
    if comparing is not None:
        comparing.conclude(job, processes, table=not as_json)


def _carried_out(
    job: "Job",
    processes: int,
    destination: "Destination | None",
    checkpoints: Path | None,
    comparing: "Comparing | None",
) -> "Summary":
    """Carry a job out: its outputs go to the destination and to a comparison, and are summed up."""
    from streams.replay.destination import open_destination
    from streams.replay.progress import Reached, described
    from streams.replay.run import replay
    from streams.replay.summary import Summary
    from streams.telemetry.replay_metrics import replay_metrics

    summary = Summary()
    #: When it was first heard of, and when the first record was applied.
    begun = [0.0]
    with (
        Progress("replayed") as progress,
        open_destination(destination, job.settings, job.plan.shards) as write,
        replay_metrics(job.settings) as metrics,
    ):

        def told(reached: Reached) -> None:
            progress.advance(reached.records - progress.count, note=described(reached, progress.seconds))
            if not summary.reached.records:
                begun.append(progress.seconds)
            summary.reached = metrics.reached = reached

        for published in replay(job, processes, told, checkpoints):
            for record in published.records:
                write(record)
                summary.add(record)
                if comparing is not None:
                    comparing.take(record)
        summary.seconds = progress.seconds
        summary.applying_seconds = summary.seconds - begun[-1]
    return summary


def _check(
    settings: Settings,
    *,
    from_kafka: bool,
    order: str,
    models: str,
    shards: int | None,
    warm_up: int | None,
    **_: Any,
) -> None:
    """Refuse options that contradict each other."""
    if order == "as-recorded":
        if not from_kafka or warm_up is not None:
            raise click.UsageError("--order as-recorded goes with Kafka, and follows the journal from its beginning")
        if models != "fresh":
            raise click.UsageError("as recorded, models begin as they did then; --models goes with --order event-time")
    if models != "fresh" and settings.pseudonym_key is None:
        raise click.UsageError("--models needs the deployment's pseudonym_key, by which its snapshots are signed")
    if from_kafka and shards is not None:
        raise click.UsageError("--shards goes with files: topics have their partitions")


def _plan(
    settings: Settings,
    *,
    start: int | None,
    end: int | None,
    warm_up: int | None,
    merchants: str | None,
    shards: int | None,
    seed: int | None,
    run_id: str | None,
    **how: Any,
) -> "Plan":
    from streams.replay.plan import Plan

    if start is not None and end is not None and end <= start:
        raise click.BadParameter("is not after --from", param_hint="--to")
    if warm_up is not None and start is None:
        raise click.UsageError("--warm-up goes with --from")
    return Plan(
        shards=shards or 0,
        run=run_id or "",
        start=start,
        end=end,
        warm_from=None if warm_up is None or start is None else max(0, start - warm_up),
        merchants=None if merchants is None else _merchants(merchants),
        seed=settings.worker.seed if seed is None else seed,
        **how,
    )


def _input(files: tuple[Path, ...], olist: Path | None) -> "ArchiveInput | OlistInput | None":
    from streams.replay.plan import ArchiveInput, OlistInput

    if files and olist is not None:
        raise click.UsageError("files and --olist exclude each other")
    for file in files:
        if not file.is_file():
            raise click.BadParameter(f"there is no file {file}", param_hint="FILE")
    if olist is not None:
        return OlistInput(olist)
    return ArchiveInput(files) if files else None


def _merchants(text: str) -> frozenset[str]:
    """Merchants between commas, or one a line in the file behind an @."""
    if text.startswith("@"):
        try:
            names = Path(text[1:]).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise click.BadParameter(f"{text[1:]} can't be read: {error}", param_hint="--merchants") from None
    else:
        names = text.split(",")
    found = frozenset(name.strip() for name in names if name.strip())
    if not found:
        raise click.BadParameter("names no merchant", param_hint="--merchants")
    return found
