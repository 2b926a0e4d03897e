"""``shopwarden topics``: create the topics, or check them."""

import click
from rich.console import Console
from rich.table import Table

from config.settings import Settings
from streams.options import pass_settings
from streams.topics import TopicReport, TopicsError, TopicState, check_topics, create_topics

timeout_option = click.option(
    "--timeout", type=click.FloatRange(min=1), default=30, show_default=True, help="Seconds to wait for the broker."
)


@click.group()
def command() -> None:
    """Create or check the Kafka topics."""


@command.command()
@timeout_option
@pass_settings
def create(settings: Settings, timeout: float) -> None:
    """Create the topics that are missing; others are left as they are."""
    try:
        result = create_topics(settings, timeout)
    except TopicsError as error:
        raise click.ClickException(str(error)) from None
    width = max(map(len, result))
    for name, outcome in result.items():
        click.echo(f"{name:<{width}}  {outcome}")


@command.command()
@timeout_option
@pass_settings
def check(settings: Settings, timeout: float) -> None:
    """Check that the topics exist, with equal partition counts and the right cleanup policy; exit code 1 if not."""
    try:
        report = check_topics(settings, timeout)
    except TopicsError as error:
        raise click.ClickException(str(error)) from None
    Console().print(_table(report))
    for warning in report.warnings:
        click.echo(f"Warning: {warning}")
    if report.problems:
        raise click.ClickException("\n".join(report.problems))
    click.echo(f"The topics are as they should be: {report.shards} shards.")


def _table(report: TopicReport) -> Table:
    table = Table("topic", "use", "cleanup", box=None, pad_edge=False)
    table.add_column("partitions", justify="right")
    table.add_column("replicas", justify="right")
    for topic in report.topics:
        table.add_row(*_row(topic))
    return table


def _row(topic: TopicState) -> tuple[str, ...]:
    if not topic.exists:
        return (topic.spec.name, topic.spec.use, "missing" if topic.spec.required else "missing (optional)", "", "")
    cleanup = topic.cleanup or "not told"
    return (topic.spec.name, topic.spec.use, cleanup, str(topic.partitions), str(topic.replication))
