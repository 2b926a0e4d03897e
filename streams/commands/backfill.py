"""``shopwarden backfill``: bring the live run to where a replay stands, deliberately."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config.policies import PolicyError
from config.settings import Settings
from streams.archive import ArchiveError, ArchiveRecord, check_writable, read_archive, write_archive
from streams.instants import Instant
from streams.options import pass_settings

if TYPE_CHECKING:
    from streams.replay.backfill import Corrections

_ARCHIVE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("run", metavar="RUN", type=_ARCHIVE)
@click.option("--live", type=_ARCHIVE, help="Recorded governance events of the live run.  [default: those in Kafka]")
@click.option("--merchants", help="These alone, between commas.")
@click.option("--actions", help="These alone, between commas.")
@click.option("--severe", is_flag=True, help="Also hold payouts, suspend and close.")
@click.option("--lift", is_flag=True, help="Also lift decisions that the replay does not have in force.")
@click.option("--at", type=Instant(), help="The present.  [default: now]")
@click.option("--max-acts", type=click.IntRange(min=1), default=20, show_default=True, help="Refuse to do more.")
@click.option("--by", help="Who answers for it; in every event.")
@click.option("--audit", type=click.Path(dir_okay=False, path_type=Path), help="New archive of what is sent.")
@click.option("--confirm", metavar="RUN_ID", help="Send it: the id of the run, as the dry run shows it.")
@pass_settings
def command(
    settings: Settings,
    /,
    *,
    run: Path,
    live: Path | None,
    max_acts: int,
    by: str | None,
    audit: Path | None,
    confirm: str | None,
    **wish: Any,
) -> None:
    """Ask the live workers for what a replay decided and they did not: a dry run, unless --confirm says otherwise.

    RUN is an archive that `shopwarden replay --out` wrote. What stands there against merchants and not live becomes
    events of the kind `enforcement.overridden` in the feedback topic, which the workers apply like any act by hand.
    """
    from streams.replay.backfill import BackfillError, Wish, corrections, records_of
    from streams.worker import compiled_policies

    if confirm is not None and (by is None or not by.strip() or audit is None):
        raise click.UsageError("--confirm goes with --by (who answers for it) and --audit (a new file of what is sent)")
    now = wish.pop("at") or time.time_ns() // 1_000_000
    try:
        policy_of = {rule.id: rule.policy for rule in compiled_policies(settings).rules.values()}
        plan = corrections(
            list(read_archive(run)),
            read_archive(live) if live is not None else _live(settings),
            policy_of,
            Wish(
                at=now,
                merchants=_names(wish["merchants"]),
                actions=_names(wish["actions"]),
                severe=wish["severe"],
                lift=wish["lift"],
            ),
        )
    except (BackfillError, ArchiveError, PolicyError) as error:
        raise click.ClickException(str(error)) from None
    click.echo("\n".join(_lines(plan)))
    if not plan.acts:
        return
    if len(plan.acts) > max_acts:
        raise click.ClickException(
            f"{len(plan.acts)} acts are more than --max-acts {max_acts}: look at them, and narrow them down or raise it"
        )
    if confirm is None or by is None or audit is None:
        click.echo(f"Nothing was sent. To send it: --confirm {plan.run} --by NAME --audit FILE", err=True)
        return
    if confirm != plan.run:
        raise click.ClickException(f"--confirm says {confirm!r}, but this is run {plan.run!r}: nothing was sent")
    _send(settings, records_of(plan, policy_of, by.strip(), now), audit)


def _send(settings: Settings, records: list[ArchiveRecord], audit: Path) -> None:
    """Write down what is to be sent, then send it."""
    from streams.commands.produce import produce_to_kafka

    try:
        check_writable(audit, overwrite=False)
        with write_archive(audit) as archive:
            for record in records:
                archive.write(record)
    except ArchiveError as error:
        raise click.BadParameter(str(error), param_hint="--audit") from None
    produce_to_kafka(settings, records, rate=None, timestamps="original")


def _live(settings: Settings) -> list[ArchiveRecord]:
    """What the live run has published, as long as its topic keeps it."""
    from msgspec.structs import replace

    from streams.clients import kafka_config
    from streams.reading import ReadError, TopicReader, read_to_end
    from streams.recording import archive_record

    try:
        with TopicReader(kafka_config(settings), [settings.topics.events]) as reader:
            return [replace(archive_record(message), topic="governance-events") for message in read_to_end(reader)]
    except ReadError as error:
        raise click.ClickException(str(error)) from None


def _names(text: str | None) -> frozenset[str] | None:
    return None if text is None else frozenset(name.strip() for name in text.split(",") if name.strip())


def _lines(plan: "Corrections") -> list[str]:
    lines = [f"run {plan.run}: {len(plan.acts)} acts against {len({act.merchant for act in plan.acts})} merchants"]
    for act in plan.acts:
        end = "" if act.kind == "lift" else f" until {_day(act.until)}"
        lines.append(f"  {act.merchant}: {act.kind} {act.action}{end} (rule {act.rule}, decision {act.decision_id})")
    lines += [f"  left out, {count:,} times: {reason}" for reason, count in sorted(plan.left.items())]
    return lines


def _day(at: int | None) -> str:
    return "it is lifted" if at is None else time.strftime("%Y-%m-%d", time.gmtime(at / 1000))
