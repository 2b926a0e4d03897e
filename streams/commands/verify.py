"""``shopwarden verify``: whether a live run's outputs are those of its inputs."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config.settings import Settings
from streams.options import pass_settings
from streams.progress import Progress

if TYPE_CHECKING:
    from streams.replay.verification import Difference, Verification


@click.command()
@click.option(
    "--policies",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The policies that judged.  [default: those of the settings]",
)
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="At most one a shard.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Also write the figures to a JSON file.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@pass_settings
def command(settings: Settings, policies: Path | None, processes: int, out: Path | None, as_json: bool) -> None:
    """Replay what a live run has read, in the order that its journal tells, and compare all that it published.

    Byte for byte, apart from `mode` and the run's id. The journal, the inputs and the outputs are read from Kafka, from
    their beginnings; nothing is written there. Exits with 1 and tells the first difference if there is one.
    """
    from streams.replay.failures import ReplayError
    from streams.replay.verification import as_json as encode
    from streams.replay.verify import verify

    if policies is not None:
        settings = settings.model_copy(update={"policy_dir": policies})
    if settings.pseudonym_key is None:
        raise click.UsageError("the live run's pseudonym_key is needed: buyers would be others without it")
    try:
        with Progress("replayed") as progress:
            found = verify(settings, processes, progress)
    except ReplayError as error:
        raise click.ClickException(str(error)) from None
    if out is not None:
        try:
            out.write_bytes(encode(found))
        except OSError as error:
            raise click.ClickException(f"{out} cannot be written: {error.strerror or error}") from error
    click.echo(encode(found).decode().rstrip() if as_json else "\n".join(_lines(found)))
    sys.exit(0 if found.sound else 1)


def _lines(found: "Verification") -> list[str]:
    share = f"{found.equal / found.decisions:.2%}" if found.decisions else "none"
    lines = [
        f"{found.records:,} records replayed as recorded",
        f"{found.decisions:,} decisions and other events compared, {found.equal:,} equal ({share})",
        f"{found.outputs:,} outputs with standings and dead letters, {found.outputs_equal:,} equal",
    ]
    if found.compacted:
        lines.append(f"{found.compacted:,} standings have been replaced by later ones and were not compared")
    if found.repeated:
        lines.append(f"{found.repeated:,} outputs were published again under the same id, with the same bytes")
    if not found.sound:
        lines.append(f"{found.changed:,} changed, {found.missing:,} missing, {found.extra:,} extra")
    if found.first is not None:
        lines += _difference(found.first)
    return lines


def _difference(first: "Difference") -> list[str]:
    where = "" if first.place is None else f" at {first.place[0]}/{first.place[1]}"
    lines = ["", f"First difference ({first.kind}): {first.id} of {first.key} in {first.topic}{where}"]
    lines += [f"  {each.path}: {each.recorded!r} was recorded, now {each.replayed!r}" for each in first.fields]
    return [*lines, f"  Cause: {first.cause}."]
