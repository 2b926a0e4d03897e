"""``shopwarden import``: turn other people's data into events."""

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import click
import msgspec

from config.settings import Settings
from streams.archive import ArchiveError, check_name, check_writable, write_archive
from streams.commands.produce import produce_to_kafka, rate_option, timestamps_option
from streams.olist import OlistHistory, read_olist
from streams.olist_tables import OlistError, Reject
from streams.options import pass_settings
from streams.progress import Progress

KAFKA = "kafka"


class UtcOffset(click.ParamType):
    """A distance from UTC, written ``-03:00``."""

    name = "+HH:MM"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Turn the text into a timedelta."""
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"([+-])(0\d|1[0-4]):([0-5]\d)", str(value))
        if not match:
            self.fail(f"{value!r} is not an offset such as -03:00", param, ctx)
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return -offset if match[1] == "-" else offset


@click.group()
def command() -> None:
    """Turn public data sets into events."""


@command.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--to", "target", required=True, help="'kafka', or an archive file NAME.jsonl, NAME.jsonl.zst or NAME.parquet."
)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of the rows that could not be used.  [default: NAME.rejects.jsonl, for kafka olist.rejects.jsonl]",
)
@click.option(
    "--utc-offset",
    type=UtcOffset(),
    default="+00:00",
    show_default=True,
    help="How far the clock of the data is ahead of UTC: +00:00 keeps its calendar days, -03:00 is Brasilia time.",
)
@click.option("--overwrite", is_flag=True, help="Replace the archive file if it exists.")
@rate_option
@timestamps_option
@pass_settings
def olist(
    settings: Settings,
    folder: Path,
    target: str,
    rejects: Path | None,
    utc_offset: timedelta,
    overwrite: bool,
    rate: float | None,
    timestamps: str,
) -> None:
    """Turn the Olist data set (CSV files in DIR, gzipped or not) into listing and order events.

    Events come in the order of their times. Every row that could not be used is named, with the reason, in a file of
    rejects. --rate and --timestamps are for kafka.
    """
    file = None if target == KAFKA else Path(target)
    if file is not None:
        try:
            check_name(file)
        except ArchiveError as error:
            raise click.BadParameter(f"write 'kafka', or {error}", param_hint="--to") from None
    if rejects is None:
        rejects = Path("olist.rejects.jsonl") if file is None else file.with_name(f"{_stem(file)}.rejects.jsonl")
    try:
        if file is not None:
            check_writable(file, overwrite=overwrite)
        check_writable(rejects, overwrite=True)
        with Progress("rows read") as progress:
            history = read_olist(folder, utc_offset=utc_offset, progress=progress.advance)
        _write_rejects(rejects, history.rejects)
        _summarise(history, rejects)
        if not history.records:
            raise click.ClickException("no order could be used, so there is nothing to write")
        if file is None:
            produce_to_kafka(settings, history.records, rate=rate, timestamps=timestamps)
            return
        with write_archive(file, overwrite=overwrite) as archive:
            for record in history.records:
                archive.write(record)
    except OlistError as error:
        raise click.BadParameter(str(error), param_hint="DIR") from error
    except ArchiveError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{archive.count:,} events written to {file}", err=True)


def _stem(file: Path) -> str:
    return file.name.removesuffix(".zst").removesuffix(".jsonl").removesuffix(".parquet")


def _write_rejects(path: Path, rejects: list[Reject]) -> None:
    try:
        path.write_bytes(b"".join(msgspec.json.encode(reject) + b"\n" for reject in rejects))
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror or error}") from error


def _summarise(history: OlistHistory, rejects: Path) -> None:
    for kind, count in sorted(history.events.items()):
        click.echo(f"{count:9,}  {kind}", err=True)
    rows = sum(history.rows.values())
    click.echo(f"{len(history.rejects):,} of {rows:,} rows were not used, listed in {rejects}:", err=True)
    for (table, reason), count in sorted(Counter((r.file, r.reason) for r in history.rejects).items()):
        click.echo(f"{count:9,}  {reason} in {table}", err=True)
