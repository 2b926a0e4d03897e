"""``shopwarden evaluate``: how well an archive of events was judged, against who was malicious in it."""

from pathlib import Path

import click
import msgspec

from config.policies import PolicyError
from config.settings import Settings
from streams.archive import ArchiveError, check_writable, read_archive
from streams.evaluation.truth import LabelsError, read_labels
from streams.options import pass_settings
from streams.progress import Progress
from streams.simulator.truth import truth_path


@click.command()
@click.argument("archive", metavar="ARCHIVE", type=click.Path(path_type=Path))
@click.option(
    "--truth",
    "truth_file",
    type=click.Path(path_type=Path),
    help="Truth file.  [default: NAME.truth.json beside the archive]",
)
@click.option("--shards", type=click.IntRange(1, 4096), default=1, show_default=True, help="Partitions to spread over.")
@click.option("--seed", type=int, help="Seed of the models.  [default: worker.seed]")
@click.option("--out", type=click.Path(path_type=Path), help="Also write the figures to this JSON file, anew.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON instead of a table.")
@pass_settings
def command(
    settings: Settings,
    archive: Path,
    truth_file: Path | None,
    shards: int,
    seed: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Judge an archive of events (NAME.jsonl or NAME.jsonl.zst) in memory, and score what would have been published.

    The truth file names the malicious: {"merchants": {ID: {"pattern": NAME, "start_ms": TIME}}, "honest": [ID],
    "listings": {ID: PATTERN}}; `shopwarden simulate --out` writes one. Policies are those of the settings. Nothing is
    read from or written to Kafka and Redis.
    """
    if not archive.is_file():
        raise click.BadParameter(f"there is no file {archive}", param_hint="ARCHIVE")
    truth_file = truth_file or truth_path(archive)
    if not truth_file.exists():
        raise click.BadParameter(f"there is no file {truth_file}", param_hint="--truth")
    try:
        labels = read_labels(truth_file)
    except LabelsError as error:
        raise click.BadParameter(str(error), param_hint="--truth") from None
    if out is not None:
        try:
            check_writable(out, overwrite=True)
        except ArchiveError as error:
            raise click.BadParameter(str(error), param_hint="--out") from None
    from detectors.apply import ApplyError
    from streams.evaluation.archive_run import evaluation_judge
    from streams.evaluation.figures import figures, table
    from streams.evaluation.scoring import score_records

    try:
        judge = evaluation_judge(settings)
    except PolicyError as error:
        raise click.ClickException(str(error)) from None
    progress = Progress("judged")
    try:
        with progress:
            score, seen = score_records(
                read_archive(archive),
                labels,
                judge,
                shards=shards,
                seed=settings.worker.seed if seed is None else seed,
                advance=progress.advance,
            )
    except ArchiveError as error:
        raise click.BadParameter(str(error), param_hint="ARCHIVE") from None
    except ApplyError as error:
        raise click.ClickException(f"after {progress.count:,} records: {error}; please report it") from error
    if not progress.count:
        raise click.BadParameter(f"{archive} holds no event of the input topics", param_hint="ARCHIVE")
    absent = sum(merchant not in seen.merchants for merchant in labels.merchants)
    if absent == len(labels.merchants):
        raise click.BadParameter(
            f"no malicious merchant of {truth_file} is in {archive}; is it another archive's truth?",
            param_hint="--truth",
        )
    summary = f"{progress.count:,} events of {len(seen.merchants):,} merchants, {shards} shard(s)"
    click.echo(summary + (f"; {seen.rejected:,} could not be used" if seen.rejected else ""), err=True)
    if absent:
        click.echo(f"Warning: {absent:,} malicious merchants of the truth are not in the archive.", err=True)
    found = {"events": progress.count, "rejected": seen.rejected, "shards": shards, **figures(score)}
    formatted = msgspec.json.format(msgspec.json.encode(found), indent=2)
    if out is not None:
        try:
            out.write_bytes(formatted + b"\n")
        except OSError as error:
            raise click.ClickException(f"{out} cannot be written: {error.strerror or error}") from error
    click.echo(formatted.decode() if as_json else "\n".join(table(score)))
