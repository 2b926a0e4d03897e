"""``shopwarden shadow``: candidate policies beside the live ones, watched and never enforced."""

import sys
import time
from pathlib import Path
from typing import Any

import click

from config.logging import configure_logging
from config.policies import PolicyError
from config.settings import Settings, SettingsError
from streams.commands.compare import from_option, report, show
from streams.options import pass_settings
from streams.printable import printable
from streams.shadow import Shadow, ShadowError, shadow_of

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Run candidate policies in shadow beside the live workers, and compare what they decide."""


@command.command()
@click.argument("name")
@click.argument("policies", type=_FOLDER)
@pass_settings
def run(settings: Settings, name: str, policies: Path) -> None:
    """Run a worker of the shadow NAME, which judges the live input by POLICIES.

    The shadow has a consumer group, a namespace in Redis and topics of its own (shadow-NAME-...), which are made if
    they are missing; all it publishes says `mode: shadow`. It begins with the oldest input that Kafka still has. Run
    as many as there are partitions.
    """
    from streams.patience import RefusedError
    from streams.startup import ServicesAwayError
    from streams.topics import TopicsError, create_topics
    from streams.worker import run_worker

    shadow = _shadow(settings, name, policies)
    configure_logging(shadow.settings)
    try:
        create_topics(shadow.settings)
        code = run_worker(shadow.settings)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    except (TopicsError, PolicyError, ServicesAwayError, RefusedError) as error:
        raise click.ClickException(str(error)) from None
    sys.exit(code)


@command.command()
@click.argument("name")
@click.option("--events", type=_FILE, help="Archive of the input events: for amounts, categories, people's verdicts.")
@click.option("--truth", type=_FILE, help="Truth file, as of `shopwarden evaluate`: for precision and recall.")
@click.option("--policies", type=_FOLDER, help="Policies of the shadow: for causes, beside those of the settings.")
@from_option
@click.option("--html", type=_FILE, help="Write the whole report to this file, as one page that needs nothing else.")
@click.option("--json", "json_file", type=_FILE, help="Write everything to this file, for programs.")
@click.option(
    "--merchants", type=click.IntRange(min=0), default=20, show_default=True, help="Merchants to print, at most."
)
@click.option("--follow", is_flag=True, help="Go on while both go on, until Ctrl-C: tell each new difference.")
@click.option(
    "--every",
    type=click.FloatRange(min=1),
    default=10.0,
    show_default=True,
    help="With --follow: seconds between two comparisons, which also write --html and --json anew.",
)
@click.option(
    "--duration", type=click.FloatRange(min=0, min_open=True), help="With --follow: end after so many seconds."
)
@pass_settings
def compare(settings: Settings, /, *, name: str, policies: Path | None, **more: Any) -> None:
    """Compare what was decided live and in the shadow NAME, from the time on that both have judged.

    The topics are read to their present ends; run it again whenever you like, or let it --follow them.
    """
    from streams.comparison.request import Request, RunSource

    shadow = _shadow(settings, name, policies)
    if more["follow"]:
        if more["events"] is not None:
            raise click.UsageError("--events is a history that has ended: --follow goes without it")
        _follow(settings, shadow, policies, more)
        return
    if more["duration"] is not None:
        raise click.UsageError("--duration goes with --follow")
    request = Request(
        baseline=RunSource(
            Path("live"), settings.policies_path if policies else None, "live", topic=settings.topics.events
        ),
        candidate=RunSource(Path(f"shadow {name}"), policies, "shadow", topic=shadow.settings.topics.events),
        events=more["events"],
        truth=more["truth"],
        start=more["start"],
        common=True,
    )
    report(settings, request, html=more["html"], json_file=more["json_file"], merchants=more["merchants"])


def _follow(settings: Settings, shadow: Shadow, policies: Path | None, more: dict[str, Any]) -> None:
    """Compare again and again, and tell what is new."""
    from streams.clients import kafka_config
    from streams.comparison.following import Following
    from streams.comparison.news import News
    from streams.comparison.request import CompareError, known_labels, known_policies
    from streams.reading import ReadError

    news = News()
    found = None
    try:
        known = known_labels(more["truth"])
        sets = None if policies is None else (known_policies(settings.policies_path), known_policies(policies))
        topics = settings.topics.events, shadow.settings.topics.events
        with Following(
            settings,
            topics,
            ("live", f"shadow {shadow.name}"),
            sets or (None, None),
            known=known,
            start=more["start"] or 0,
            config=kafka_config(settings),
        ) as following:
            while not following.caught_up:
                following.read()
            begun = time.monotonic()
            while True:
                found = following.comparison()
                if found is not None:
                    for line in news.lines(found):
                        click.echo(printable(line))
                    show(found, html=more["html"], json_file=more["json_file"], merchants=0, table=False, quiet=True)
                due = time.monotonic() + more["every"]
                if more["duration"] is not None and due - begun > more["duration"]:
                    break
                while time.monotonic() < due:
                    following.read()
    except CompareError as error:
        raise click.UsageError(str(error)) from None
    except ReadError as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        click.echo("no longer followed", err=True)
    if found is None:
        click.echo("nothing to compare: live or shadow has published nothing yet", err=True)


def _shadow(settings: Settings, name: str, policies: Path | None) -> Shadow:
    try:
        return shadow_of(settings, name, policies)
    except ShadowError as error:
        raise click.UsageError(str(error)) from None
