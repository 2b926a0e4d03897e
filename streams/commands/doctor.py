"""``shopwarden doctor``: what is wrong here, and what to do about it."""

from collections import Counter
from pathlib import Path

import click

from config.settings import SettingsError, load_with_origins
from streams.doctor import Finding, diagnose
from streams.options import config_option

_COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


@click.command()
@config_option
@click.option(
    "--timeout", type=click.FloatRange(min=0.1), default=5, show_default=True, help="Seconds to wait for each answer."
)
def command(config_file: Path | None, timeout: float) -> None:
    """Check settings, packages, policies, Kafka, topics, Redis and clocks; exit code 1 if a worker could not run."""
    try:
        settings, origins = load_with_origins(config_file)
    except SettingsError as error:
        findings = [Finding("problem", "settings", problem, "See docs/settings.md.") for problem in error.problems]
    else:
        findings = diagnose(settings, origins, timeout)
    for finding in findings:
        _show(finding)
    counts = Counter(finding.status for finding in findings)
    if counts["problem"]:
        raise click.ClickException(f"{counts['problem']} to solve, {counts['warning']} to look at.")
    click.echo(f"Ready: nothing to solve, {counts['warning']} to look at.")


def _show(finding: Finding) -> None:
    status = click.style(f"{finding.status:<8}", fg=_COLOURS[finding.status])
    click.echo(f"{status} {finding.area:<10} {finding.text}")
    if finding.advice:
        click.echo(f"{'':<19} -> {finding.advice}")
