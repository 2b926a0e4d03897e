"""``shopwarden report``: how well governance works, as a page, for programs, and for the law."""

from pathlib import Path
from typing import Any

import click

from config.policies import PolicyError
from config.settings import Settings
from detectors.metrics.estimate import date_of
from detectors.metrics.ledger import Ledger
from detectors.metrics.scorecard import Scorecard, scorecard
from features.windows import DAY_MS
from streams.archive import ArchiveError, read_archive
from streams.evaluation.truth import LabelsError, read_labels
from streams.instants import Instant
from streams.metrics.feeding import Feed, FeedError, feed_events, feed_judged
from streams.metrics.known_verdicts import KnownVerdicts
from streams.metrics.report import ReportError, check_folder, write_report
from streams.metrics.sources import archive_events, topic_events
from streams.options import pass_settings
from streams.progress import Progress
from streams.reading import ReadError

#: Days that a report covers if nobody says what.
_DAYS = 30


@click.command()
@click.argument("archives", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "start", type=Instant(), metavar="TIME", help="First moment.  [default: 30 days before --to]")
@click.option("--to", "end", type=Instant(), metavar="TIME", help="First moment after.  [default: the last full day]")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write page, JSON and statements there.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier report in DIR.")
@click.option("--judge", is_flag=True, help="Judge the archive's input events now, by the policies of the settings.")
@click.option("--shards", type=click.IntRange(1, 4096), default=1, show_default=True, help="With --judge.")
@click.option(
    "--truth",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Truth of a simulation: answers what is drawn for audit or asks for a person, for the metrics alone.",
)
@click.option(
    "--mode",
    type=click.Choice(["live", "shadow", "replay", "all"]),
    default="live",
    show_default=True,
    help="Outputs to count.",
)
@click.option("--slices", is_flag=True, help="Print the figures of slices too; the page always has them.")
@pass_settings
def command(
    settings: Settings,
    /,
    *,
    archives: tuple[Path, ...],
    start: int | None,
    end: int | None,
    out: Path | None,
    judge: bool,
    truth: Path | None,
    **more: Any,
) -> None:
    """Report how well governance worked in a period.

    ARCHIVES hold input and output events (NAME.jsonl or NAME.jsonl.zst), as `shopwarden record` and `shopwarden replay
    --out` write them, in one file or several. Without any, the topics of the settings are read. Nothing is written to
    Kafka or Redis.
    """
    if start is not None and end is not None and start >= end:
        raise click.UsageError("--from must be before --to")
    if judge and len(archives) != 1:
        raise click.UsageError("--judge takes one archive of input events")
    try:
        if out is not None:
            check_folder(out, overwrite=more["overwrite"])
        modes = frozenset[str]() if judge or more["mode"] == "all" else frozenset({more["mode"]})
        feed = Feed(Ledger(modes), None if truth is None else KnownVerdicts(read_labels(truth)))
        _read(feed, settings, archives, judge=judge, shards=more["shards"])
        card = _card(feed, start, end)
        from rich.console import Console

        from streams.metrics.table import print_scorecard

        console = Console()
        if not console.is_terminal:
            # Piped into a file or another program, rows are not folded at a terminal's width.
            console.width = 240
        print_scorecard(card, console, slices=more["slices"])
        if out is not None:
            written = write_report(out, card, feed.ledger)
            click.echo(f"written: {written[0]}, {written[1]} and {len(written) - 2} batches of statements", err=True)
    except (PolicyError, LabelsError) as error:
        raise click.UsageError(str(error)) from error
    except (ArchiveError, FeedError, ReadError, ReportError) as error:
        raise click.ClickException(str(error)) from error


def _read(feed: Feed, settings: Settings, archives: tuple[Path, ...], *, judge: bool, shards: int) -> None:
    with Progress("read") as progress:
        if judge:
            feed_judged(feed, read_archive(archives[0]), settings, shards=shards, advance=progress.advance)
        else:
            records = archive_events(archives) if archives else topic_events(settings)
            feed_events(feed, records, progress.advance)


def _card(feed: Feed, start: int | None, end: int | None) -> Scorecard:
    """The scorecard of the period that was asked for, or of the last full days."""
    ledger = feed.ledger
    if not ledger.now:
        raise FeedError("there is no event that can be read: archives and topics need input events of the contract")
    if not feed.outputs:
        raise FeedError(
            "there is no output event: record the topic of output events as well (`shopwarden record`), or judge the "
            "input events now with --judge"
        )
    until = ledger.now // DAY_MS * DAY_MS if end is None else end
    since = until - _DAYS * DAY_MS if start is None else start
    if since >= until:
        raise FeedError(f"the events end at {date_of(ledger.now)}, before --from")
    first = min((day for day, *_ in ledger.state.cells), default=ledger.now // DAY_MS) * DAY_MS
    if since > ledger.now or until <= first:
        raise FeedError(f"the events are from {date_of(first)} to {date_of(ledger.now)}: none are in that period")
    return scorecard(ledger, since, until, inputs=feed.inputs, outputs=feed.outputs, rejected=feed.rejected)
