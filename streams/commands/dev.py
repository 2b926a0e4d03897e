"""``shopwarden dev up``: a broker and a store on this machine, until Ctrl-C."""

import signal
import threading
from pathlib import Path

import click

from config.settings import SettingsError, load_with_origins
from streams.embedded import EmbeddedServices, EmbeddedServicesError
from streams.options import config_option

WATCH_SECONDS = 0.5
PORT = click.IntRange(0, 65535)


@click.group()
def command() -> None:
    """Run a Kafka-compatible broker and a Redis-compatible store on this machine, for development."""


@command.command()
@click.option("--broker-port", type=PORT, default=0, help="Port of the broker on 127.0.0.1 (default: a free one).")
@click.option("--store-port", type=PORT, default=0, help="Port of the store on 127.0.0.1 (default: a free one).")
@click.option("--aof", is_flag=True, help="Let the store keep an append-only file, as production does.")
@config_option
def up(broker_port: int, store_port: int, aof: bool, config_file: Path | None) -> None:
    """Start both and print their addresses; stop both and remove their data at Ctrl-C or SIGTERM.

    What the settings name already (SHOPWARDEN_KAFKA__BROKERS, SHOPWARDEN_REDIS__URL) is used instead of started. The
    broker keeps everything in memory and differs from Apache Kafka in places: see docs/embedded.md.
    """
    try:
        settings, origins = load_with_origins(config_file)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    given_brokers = settings.kafka.brokers if "kafka.brokers" in origins else None
    given_store = settings.redis.url if "redis.url" in origins else None
    if given_brokers and given_store:
        raise click.UsageError(
            f"There is nothing to start: the broker is given ({origins['kafka.brokers']}), and so is the store "
            f"({origins['redis.url']}). Remove one of them to have it started here."
        )
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    services = EmbeddedServices(
        brokers=given_brokers,
        redis_url=given_store,
        broker_port=broker_port,
        store_port=store_port,
        append_only=aof,
    )
    try:
        with services:
            _tell(services, given_brokers, given_store)
            while not stop.wait(WATCH_SECONDS):
                if trouble := services.dead():
                    raise click.ClickException(trouble)
    except EmbeddedServicesError as error:
        raise click.ClickException(str(error)) from None


def _tell(services: EmbeddedServices, given_brokers: str | None, given_store: str | None) -> None:
    """Print the addresses as lines that a shell can source, with hints as comments."""
    brokers, url = services.brokers, services.redis_url
    click.echo("# Set these in the terminal of your choice; every shopwarden command then uses these services.")
    for name, value in services.environment().items():
        # A password in a given address stays where it is.
        if not (name == "SHOPWARDEN_REDIS__URL" and given_store):
            click.echo(f"export {name}={value}")
    for given, what in ((given_brokers, "broker"), (given_store, "store")):
        if given:
            click.echo(f"# The {what} is yours, as the settings say.")
    click.echo("#")
    click.echo("# Then:    shopwarden topics create && shopwarden doctor")
    click.echo(f"# Look at: kcat -b {brokers} -t governance-events -C")
    if not given_store:
        click.echo(f"#          redis-cli -u {url}")
    click.echo(f"# Data and logs are in {services.folder} and go with this process. Ctrl-C stops.")
