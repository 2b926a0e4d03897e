"""``shopwarden record``: write topics into an archive file."""

import itertools
from pathlib import Path

import click
import msgspec

from config.settings import Settings
from streams.archive import ArchiveError, write_archive
from streams.options import pass_settings
from streams.progress import Progress
from streams.reading import ReadError, TopicReader
from streams.recording import record_topics
from streams.topic_names import contract_names, deployed_names


@click.command()
@click.option(
    "--topics",
    help="Topics, separated by commas: the contract's names, or any other in Kafka.  [default: the four input topics]",
)
@click.option("--until-end", is_flag=True, help="Stop at the present end of the topics (what happens by default).")
@click.option("--duration", type=click.FloatRange(min=0, min_open=True), help="Go on for so many seconds.")
@click.option("--max-records", type=click.IntRange(min=1), help="Stop after so many records.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write: NAME.jsonl, NAME.jsonl.zst (compressed) or NAME.parquet.",
)
@click.option("--overwrite", is_flag=True, help="Replace the file if it exists.")
@pass_settings
def command(
    settings: Settings,
    topics: str | None,
    until_end: bool,
    duration: float | None,
    max_records: int | None,
    out: Path,
    overwrite: bool,
) -> None:
    """Write the records of topics into an archive file, from the first one on.

    They are merged by their timestamps; the order within a partition stays as it is. Ctrl-C ends the recording and
    keeps the file.
    """
    from streams.clients import kafka_config

    if until_end and duration is not None:
        raise click.UsageError("--until-end and --duration exclude each other")
    deployed, contract = deployed_names(settings.topics), contract_names(settings.topics)
    given = [name.strip() for name in topics.split(",") if name.strip()] if topics is not None else None
    if given == []:
        raise click.BadParameter("names no topic", param_hint="--topics")
    names = list(dict.fromkeys(deployed.get(name, name) for name in given)) if given else list(settings.topics.inputs)
    try:
        with (
            write_archive(out, overwrite=overwrite) as archive,
            TopicReader(kafka_config(settings), names) as reader,
            Progress("recorded") as progress,
        ):
            try:
                for record in itertools.islice(record_topics(reader, seconds=duration), max_records):
                    topic = contract.get(record.topic, record.topic)
                    archive.write(record if topic == record.topic else msgspec.structs.replace(record, topic=topic))
                    progress.advance()
            except KeyboardInterrupt:
                click.echo("interrupted; what has been recorded is kept", err=True)
    except (ArchiveError, ReadError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{archive.count:,} records written to {out}", err=True)
