"""``shopwarden metrics``: publish the daily estimates of how well governance works."""

import signal
import threading
from typing import Any

import click

from config.settings import Settings
from detectors.metrics.ledger import LIVE
from streams.metrics.publishing import EstimatesPublisher, PublishingError, follow
from streams.options import pass_settings
from streams.progress import Progress
from streams.reading import ReadError


@click.command()
@click.option("--follow", "go_on", is_flag=True, help="Go on with what comes, until SIGINT or SIGTERM.")
@click.option("--dry-run", is_flag=True, help="Print the estimates as JSON lines and publish nothing.")
@pass_settings
def command(settings: Settings, /, *, go_on: bool, dry_run: bool) -> None:
    """Publish estimates of each day that has ended to the topic `governance-metrics`.

    The input topics and the topic of output events are read from their beginning; what the topic of metrics holds
    already is not sent again. The same topics give the same bytes.
    """
    stopping = threading.Event()

    def stop(_number: int, _frame: Any) -> None:
        stopping.set()

    if go_on:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
    try:
        publisher = None if dry_run else EstimatesPublisher(settings)
        days: set[int] = set()
        with Progress("read") as progress:
            waiting = stopping.is_set if go_on else None
            for estimate in follow(settings, stop=waiting, modes=LIVE, advance=progress.advance):
                if publisher is None:
                    click.echo(estimate.value.decode())
                    continue
                publisher.publish(estimate)
                if go_on and estimate.time not in days:
                    publisher.close()
                days.add(estimate.time)
        if publisher is not None:
            publisher.close()
            click.echo(f"{publisher.sent:,} estimates were published to {settings.topics.metrics}", err=True)
    except (PublishingError, ReadError) as error:
        raise click.ClickException(str(error)) from error
