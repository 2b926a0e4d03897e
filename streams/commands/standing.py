"""``shopwarden standing``: where a merchant or creator stands now."""

from pathlib import Path

import click
import msgspec

from config.settings import Settings, SettingsError
from streams.archive import ArchiveError, read_archive
from streams.options import pass_settings
from streams.progress import Progress
from streams.standing.found import Found, PartyKind, StandingError, archived_standings, live_standings


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--kind", type=click.Choice(["merchant", "creator"]), help="What ID is.  [default: what has a standing]")
@click.option(
    "--from",
    "archive",
    metavar="ARCHIVE",
    type=click.Path(path_type=Path),
    help="Judge this archive of events in memory instead of asking Kafka.",
)
@click.option("--shards", type=click.IntRange(1, 4096), default=1, show_default=True, help="With --from: partitions.")
@click.option("--json", "as_json", is_flag=True, help="The standing as it was published.")
@pass_settings
def command(
    settings: Settings, id_: str, kind: PartyKind | None, archive: Path | None, shards: int, as_json: bool
) -> None:
    """The latest standing of a merchant or creator: level, credit, what is in force, duties of the law, open appeals.

    It is the latest message of the compacted topics merchant-standing and creator-standing: what systems that begin to
    read them now are told.
    """
    if not id_:
        raise click.BadParameter("an id has at least one character", param_hint="ID")
    try:
        found = (
            live_standings(settings, id_, kind)
            if archive is None
            else _from_archive(settings, archive, id_, kind, shards)
        )
    except (StandingError, SettingsError) as error:
        raise click.ClickException(str(error)) from error
    if not found:
        raise click.ClickException(
            f"there is no standing of {kind or 'a merchant or creator'} {id_!r}. One is published when something first "
            "changes: a level, its credit, an action, a duty. Ids are told apart by case; shopwarden explain says more"
        )
    if len(found) > 1:
        raise click.UsageError(f"{id_!r} is both a merchant and a creator; say which: --kind merchant, --kind creator")
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found[0].standing), indent=2).decode())
        return
    from streams.standing.page import page

    for line in page(found[0]):
        click.echo(line)


def _from_archive(settings: Settings, archive: Path, party: str, kind: PartyKind | None, shards: int) -> list[Found]:
    if not archive.is_file():
        raise click.BadParameter(f"there is no file {archive}", param_hint="--from")
    try:
        with Progress("judged") as progress:
            return archived_standings(
                settings,
                read_archive(archive),
                party,
                archive.name,
                kind=kind,
                shards=shards,
                advance=progress.advance,
            )
    except ArchiveError as error:
        raise click.BadParameter(str(error), param_hint="--from") from error
