"""``shopwarden dead-letters``: look at records that could not be processed, and put them back."""

import functools
import heapq
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click
import orjson

from config.settings import Settings
from streams.dead_letters import DETAIL, Coordinate, DeadLetter, Selection, read_dead_letters, send_back
from streams.options import pass_settings
from streams.printable import describe_bytes, printable
from streams.producing import ArchiveProducer, ProduceError
from streams.reading import ReadError

_KEY_WIDTH = 24


class CoordinateType(click.ParamType):
    """A coordinate, written ``PARTITION:OFFSET``."""

    name = "PARTITION:OFFSET"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Coordinate:
        """Turn the text into a coordinate."""
        if isinstance(value, Coordinate):
            return value
        try:
            return Coordinate.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


reason_option = click.option("--reason", default="", help="Only those with this reason, such as 'invalid'.")
topic_option = click.option("--topic", default="", help="Only those from this topic.")


@click.group()
def command() -> None:
    """Look at records that could not be processed, and put them back."""


def _readable_errors(function: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
        except (ReadError, ProduceError) as error:
            raise click.ClickException(str(error)) from error

    return wrapped


@command.command("list")
@reason_option
@topic_option
@click.option("--limit", type=click.IntRange(min=0), default=50, show_default=True, help="The latest so many; 0: all.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_settings
@_readable_errors
def list_(settings: Settings, reason: str, topic: str, limit: int, as_json: bool) -> None:
    """List dead letters, oldest first, and count them by reason."""
    from streams.clients import kafka_config

    counts: Counter[str] = Counter()
    latest: list[tuple[int, Coordinate, DeadLetter]] = []
    for letter in read_dead_letters(kafka_config(settings), settings.topics.dead_letters, Selection(reason, topic)):
        counts[letter.reason] += 1
        entry = (letter.timestamp, letter.coordinate, letter)
        if limit and len(latest) >= limit:
            heapq.heappushpop(latest, entry)
        else:
            heapq.heappush(latest, entry)
    for _, _, letter in sorted(latest, key=lambda entry: entry[:2]):
        click.echo(orjson.dumps(_as_json(letter)).decode() if as_json else _as_line(letter))
    reasons = "".join(f", {printable(name) or 'no reason'} {count:,}" for name, count in counts.most_common())
    rest = f"; the latest {len(latest):,} are shown" if len(latest) < counts.total() else ""
    click.echo(f"{counts.total():,} dead letters{reasons}{rest}", err=True)


@command.command()
@click.argument("coordinate", type=CoordinateType())
@click.option("--full", is_flag=True, help="Show the whole value, however long.")
@pass_settings
@_readable_errors
def show(settings: Settings, coordinate: Coordinate, full: bool) -> None:
    """Show the dead letter at PARTITION:OFFSET: its headers, and its value as JSON, text or a hex dump."""
    from streams.clients import kafka_config

    selection = Selection(coordinates=(coordinate,))
    letter = next(read_dead_letters(kafka_config(settings), settings.topics.dead_letters, selection), None)
    if letter is None:
        raise click.ClickException(f"there is no dead letter {coordinate} in {settings.topics.dead_letters}")
    click.echo(f"published: {_moment(letter.timestamp)}")
    if letter.record_time is not None:
        click.echo(f"original timestamp: {_moment(letter.record_time)}")
    for name, value in letter.headers:
        click.echo(f"{printable(name)}: {printable((value or b'').decode(errors='backslashreplace'))}")
    click.echo(f"key: {_key(letter)}")
    click.echo(f"value ({len(letter.value or b''):,} bytes):")
    click.echo(describe_bytes(letter.value, limit=len(letter.value or b"") * 8 if full else 4096))


@command.command()
@click.argument("coordinates", nargs=-1, type=CoordinateType())
@reason_option
@topic_option
@click.option("--all", "everything", is_flag=True, help="All dead letters.")
@click.option("--again", is_flag=True, help="Also those that were resubmitted before and failed again.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@pass_settings
@_readable_errors
def resubmit(
    settings: Settings,
    coordinates: tuple[Coordinate, ...],
    reason: str,
    topic: str,
    everything: bool,
    again: bool,
    dry_run: bool,
) -> None:
    """Publish the original records of dead letters to their topics again.

    Name them by PARTITION:OFFSET, by --reason and --topic, or take --all. They stay in the dead-letter topic; each new
    record says in its header dlq_resubmitted which one it came from.
    """
    from streams.clients import kafka_config, producer_config

    if everything == bool(coordinates or reason or topic):
        raise click.UsageError("say which: coordinates, --reason or --topic, or else --all")
    source = settings.topics.dead_letters
    producer = None if dry_run else ArchiveProducer(producer_config(settings))
    letters = read_dead_letters(kafka_config(settings), source, Selection(reason, topic, coordinates))
    try:
        result = send_back(letters, source, producer.send if producer else lambda _record: None, again=again)
    finally:
        report = producer.flush() if producer else None
    verb = "would be resubmitted" if dry_run else "resubmitted"
    for target, count in sorted(result.sent.items()):
        click.echo(f"{count:,} {verb} to {printable(target)}")
    for why, count in sorted(result.left.items()):
        click.echo(f"{count:,} left: {why}")
    if not result.sent and not result.left:
        click.echo("no dead letter matches")
    found = sum(result.sent.values()) + sum(result.left.values())
    if coordinates and not (reason or topic) and (missing := len(set(coordinates)) - found):
        raise click.ClickException(f"{missing} of the coordinates hold no dead letter")
    if report is not None and report.failed:
        reasons = "".join(f"\n  {count:,} x {text}" for text, count in report.failures.most_common())
        raise click.ClickException(f"{report.failed:,} records were not delivered:{reasons}")


def _moment(ms: int) -> str:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return str(ms)


def _key(letter: DeadLetter) -> str:
    return "(none)" if letter.key is None else printable(letter.key.decode(errors="backslashreplace"))


def _as_line(letter: DeadLetter) -> str:
    key = _key(letter)
    shown = key if len(key) <= _KEY_WIDTH else f"{key[: _KEY_WIDTH - 1]}…"
    back = f" (came back from {printable(letter.came_back)})" if letter.came_back else ""
    return (
        f"{letter.coordinate!s:>10}  {_moment(letter.timestamp)}  {printable(letter.reason):<12}  "
        f"{printable(letter.source)}  {shown}  {printable(letter.header(DETAIL))}{back}"
    )


def _as_json(letter: DeadLetter) -> dict[str, Any]:
    return {
        "coordinate": str(letter.coordinate),
        "timestamp": letter.timestamp,
        "reason": letter.reason,
        "detail": letter.header(DETAIL),
        "source": letter.source,
        "record_timestamp": letter.record_time,
        "key": None if letter.key is None else letter.key.decode(errors="backslashreplace"),
        "bytes": None if letter.value is None else len(letter.value),
        "came_back_from": letter.came_back or None,
    }
