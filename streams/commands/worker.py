"""``shopwarden worker``: judge listings and orders until told to stop."""

import sys

import click

from config.logging import configure_logging
from config.policies import PolicyError
from config.settings import Settings, SettingsError
from streams.options import pass_settings


@click.command()
@pass_settings
def command(settings: Settings) -> None:
    """Run one worker: read the input topics, keep the state in Redis, publish risk and enforcement events.

    Run as many as there are partitions, at most one a core; Kafka spreads the partitions over them. SIGTERM and
    SIGINT stop it cleanly; a second signal at once.
    """
    from streams.patience import RefusedError
    from streams.startup import ServicesAwayError
    from streams.telemetry.server import TelemetryError
    from streams.topics import TopicsError
    from streams.worker import run_worker

    configure_logging(settings)
    try:
        code = run_worker(settings)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    except (TopicsError, PolicyError, ServicesAwayError, RefusedError, TelemetryError) as error:
        raise click.ClickException(str(error)) from None
    sys.exit(code)
