"""``shopwarden produce``: put an archive file into the topics."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import click

from config.settings import Settings
from streams.archive import ArchiveError, ArchiveRecord, read_archive
from streams.options import pass_settings
from streams.producing import ArchiveProducer, ProduceError, produce
from streams.progress import Progress
from streams.topic_names import deployed_names

rate_option = click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), help="Records a second; without it as fast as possible."
)
timestamps_option = click.option(
    "--timestamps",
    type=click.Choice(["original", "now"]),
    default="original",
    show_default=True,
    help="Give records the time of the archive, or the present one (topics delete by it).",
)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@rate_option
@timestamps_option
@click.option("--max-records", type=click.IntRange(min=1), help="Stop after so many records.")
@pass_settings
def command(settings: Settings, file: Path, rate: float | None, timestamps: str, max_records: int | None) -> None:
    """Put the records of an archive FILE (.jsonl, .jsonl.zst or .parquet) into the topics.

    Every record is confirmed by the broker. Keys, values, headers and, unless told otherwise, timestamps are those of
    the file; topics are named as in the contract and get the names of the settings.
    """
    produce_to_kafka(settings, islice(read_archive(file), max_records), rate=rate, timestamps=timestamps)


def produce_to_kafka(
    settings: Settings, records: Iterable[ArchiveRecord], *, rate: float | None, timestamps: str
) -> None:
    """Produce records, show progress and the result on stderr, and fail (exit code 1) unless all were delivered."""
    from streams.clients import producer_config

    with Progress("produced") as progress:
        producer = ArchiveProducer(
            producer_config(settings),
            names=deployed_names(settings.topics),
            keep_timestamps=timestamps == "original",
            warn=lambda sentence: click.echo(f"Warning: {sentence}.", err=True),
        )
        try:
            report = produce(records, producer, rate=rate, on_sent=progress.advance)
        except (ArchiveError, ProduceError) as error:
            delivered = producer.report.delivered
            raise click.ClickException(
                f"{error}{delivered and f' ({delivered:,} records were delivered before)'}"
            ) from error
    speed = report.delivered / report.seconds if report.seconds else 0.0
    click.echo(f"{report.delivered:,} records delivered in {report.seconds:.1f} s ({speed:,.0f}/s)", err=True)
    if report.failed:
        reasons = "".join(f"\n  {count:,} x {reason}" for reason, count in report.failures.most_common())
        stopped = f"\nstopped early, because {report.stopped}" if report.stopped else ""
        raise click.ClickException(f"{report.failed:,} records were not delivered:{reasons}{stopped}")
