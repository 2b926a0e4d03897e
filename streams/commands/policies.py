"""``shopwarden policies``: check and show policy files."""

from collections import Counter
from pathlib import Path

import click
import msgspec

from config.policies import PolicyError, load_policies
from config.settings import Settings
from streams.options import pass_settings

_DIRECTORY = click.argument("directory", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))


@click.group()
def command() -> None:
    """Check and show policy rules."""


@command.command()
@_DIRECTORY
@pass_settings
def check(settings: Settings, directory: Path | None) -> None:
    """Check every file in DIRECTORY (else the folder in the settings) and name all that is wrong."""
    from detectors.policy import compile_policies
    from features.registry import FEATURES

    directory = directory or settings.policies_path
    try:
        policies = compile_policies(load_policies(directory), FEATURES)
    except PolicyError as error:
        raise click.ClickException(str(error)) from None
    modes = Counter(rule.mode for rule in policies.rules.values())
    click.echo(
        f"{directory}: {len(policies.rules)} rules ({modes['enforce']} enforced, {modes['shadow']} in shadow, "
        f"{modes['off']} off), {len(policies.ladders)} ladders, version {policies.version}: all well"
    )


@command.command(name="list")
@_DIRECTORY
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_settings
def list_(settings: Settings, directory: Path | None, as_json: bool) -> None:
    """List the rules in DIRECTORY (else in the folder in the settings)."""
    from detectors.policy import compile_policies
    from features.registry import FEATURES

    try:
        policies = compile_policies(load_policies(directory or settings.policies_path), FEATURES)
    except PolicyError as error:
        raise click.ClickException(str(error)) from None
    rules = sorted(policies.rules.values(), key=lambda rule: (rule.subject, rule.policy, rule.id))
    columns = ("id", "version", "subject", "policy", "severity", "mode", "action", "title")
    if as_json:
        for rule in rules:
            row = {column: getattr(rule, column) for column in columns}
            row |= {"on": rule.on, "when": rule.when.text, "evidence": rule.evidence, "source": rule.source}
            click.echo(msgspec.json.encode(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Policy set {policies.version}", title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column != "title", overflow="fold")
    for rule in rules:
        table.add_row(*(str(getattr(rule, column) or "") for column in columns))
    console = Console()
    if not console.is_terminal:
        # Piped into a file or another program, rows are not folded at a terminal's width.
        console.width = 240
    console.print(table)
