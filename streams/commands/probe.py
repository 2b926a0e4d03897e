"""``shopwarden probe``: whether a worker, replay or console on this machine is alive or ready."""

import click

from config.settings import Settings
from streams.options import pass_settings


@click.command()
@click.argument("question", type=click.Choice(["health", "ready"]), default="ready")
@click.option(
    "--timeout", type=click.FloatRange(min=0.1, max=60), default=5, show_default=True, help="Seconds to wait for it."
)
@pass_settings
def command(settings: Settings, question: str, timeout: float) -> None:
    """Ask the process that serves telemetry.port whether it is ready (or alive: `health`); exit code 1 if not.

    For health checks of containers; it says what is being waited for.
    """
    from streams.telemetry.probe import ProbeError, probe

    try:
        probe(settings.telemetry, question, timeout)  # type: ignore[arg-type]
    except ProbeError as error:
        raise click.ClickException(str(error)) from None
