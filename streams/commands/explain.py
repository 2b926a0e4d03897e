"""``shopwarden explain``: the history behind a decision about a merchant, a creator, an order or a listing."""

from pathlib import Path
from typing import Literal

import click
import msgspec

from config.settings import Settings, SettingsError
from streams.archive import ArchiveError, read_archive
from streams.explain.story import AmbiguousError, ExplainError, Explanation, Wanted
from streams.options import pass_settings
from streams.progress import Progress


@click.command()
@click.argument("id_", metavar="ID")
@click.option(
    "--kind",
    type=click.Choice(["merchant", "creator", "order", "listing"]),
    help="What ID is.  [default: a merchant or creator of that id, else an order or a listing]",
)
@click.option("--merchant", help="Whose order or listing it is: spares a search through all.")
@click.option(
    "--from",
    "archive",
    metavar="ARCHIVE",
    type=click.Path(path_type=Path),
    help="Judge this archive of events in memory instead of asking Kafka and Redis.",
)
@click.option("--shards", type=click.IntRange(1, 4096), default=1, show_default=True, help="With --from: partitions.")
@click.option("--events", is_flag=True, help="Also the input events.")
@click.option(
    "--last", type=click.IntRange(min=0), default=50, show_default=True, help="So many of the latest entries; 0: all."
)
@click.option("--json", "as_json", is_flag=True, help="Everything, features included, as one JSON object.")
@pass_settings
def command(
    settings: Settings,
    id_: str,
    kind: Literal["merchant", "creator", "order", "listing"] | None,
    merchant: str | None,
    archive: Path | None,
    shards: int,
    events: bool,
    last: int,
    as_json: bool,
) -> None:
    """What is known of a merchant, a creator, an order or a listing, and everything that was published about it.

    The state comes from Redis, as of the last checkpoint; the history from the governance events, as long as their
    topic keeps them. Buyers, devices and account values appear as keyed hashes alone.
    """
    if not id_:
        raise click.BadParameter("an id has at least one character", param_hint="ID")
    if kind == "merchant" and merchant not in (None, id_):
        raise click.UsageError("--kind merchant and another --merchant contradict each other")
    wanted = Wanted(id_, kind, merchant, events)
    try:
        found = _from_archive(settings, wanted, archive, shards) if archive is not None else _live(settings, wanted)
    except AmbiguousError as error:
        raise click.UsageError(str(error)) from error
    except (ExplainError, SettingsError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    from streams.explain.page import page

    for line in page(found, last):
        click.echo(line)


def _live(settings: Settings, wanted: Wanted) -> Explanation:
    from streams.explain.live import explain_live

    return explain_live(settings, wanted)


def _from_archive(settings: Settings, wanted: Wanted, archive: Path, shards: int) -> Explanation:
    from streams.explain.archived import explain_archive

    if not archive.is_file():
        raise click.BadParameter(f"there is no file {archive}", param_hint="--from")
    try:
        with Progress("judged") as progress:
            return explain_archive(
                settings,
                read_archive(archive),
                wanted,
                archive.name,
                shards=shards,
                advance=progress.advance,
            )
    except ArchiveError as error:
        raise click.BadParameter(str(error), param_hint="--from") from error
