"""``shopwarden policies``: check, compare, test, show and publish policy files."""

from collections import Counter
from pathlib import Path

import click
import msgspec

from config.policies import PolicyError, load_policies
from config.settings import Settings
from streams.commands.live_policies import history, promote, publish, rollback, widen
from streams.options import pass_settings
from streams.printable import printable

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_DIRECTORY = click.argument("directory", required=False, type=_FOLDER)


@click.group()
def command() -> None:
    """Check, compare, test, show and publish policy rules."""


for live in (publish, widen, promote, rollback, history):
    command.add_command(live)


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


@command.command()
@click.argument("before", type=_FOLDER)
@click.argument("after", required=False, type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_settings
def diff(settings: Settings, before: Path, after: Path | None, as_json: bool) -> None:
    """Show what AFTER (else the folder in the settings) means that BEFORE does not.

    Comments, sources and the order of things make no difference. What the difference would do to merchants:
    `shopwarden compare`.
    """
    from detectors.comparison.policy_changes import policy_changes
    from detectors.comparison.policy_words import change_words
    from detectors.policy import compile_policies
    from features.registry import FEATURES

    try:
        folders = [load_policies(folder) for folder in (before, after or settings.policies_path)]
        versions = [compile_policies(files, FEATURES).version for files in folders]
    except PolicyError as error:
        raise click.ClickException(str(error)) from None
    changes = policy_changes(*folders)
    if as_json:
        for change in changes:
            click.echo(msgspec.json.encode(change))
        return
    many = f"{len(changes):,} difference{'s' if len(changes) != 1 else ''}"
    click.echo(f"{versions[0]} → {versions[1]}: {many}" if changes else "both mean the same")
    for change in changes:
        click.echo(f"  {change_words(change)}")


@command.command()
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--policies", "directory", type=_FOLDER, help="Policies to test.  [default: those of the settings]")
@click.option("--quiet", is_flag=True, help="Show only what fails.")
@pass_settings
def test(settings: Settings, files: tuple[Path, ...], directory: Path | None, quiet: bool) -> None:
    """Run policy tests: given these events, these decisions. Without a FILE, those in the folder's tests/.

    Runs in memory; nothing is read from or written to Kafka and Redis. Exit code 1 if a test fails.
    """
    from streams.policy_tests.suite import run_files, test_files

    directory = directory or settings.policies_path
    found = files or test_files(directory)
    if not found:
        raise click.UsageError(f"{directory} has no tests: name a FILE, or put some into {directory / 'tests'}")
    try:
        results = run_files(settings, directory, found)
    except PolicyError as error:
        raise click.ClickException(str(error)) from None
    failed = sum(bool(verdict.failures) for _, verdicts in results for verdict in verdicts)
    total = sum(len(verdicts) for _, verdicts in results)
    for file, verdicts in results:
        click.echo(file)
        for verdict in verdicts:
            if not verdict.failures:
                if not quiet:
                    click.echo(
                        f"  ok    {verdict.test.name} ({verdict.events:,} events, {verdict.decisions:,} decisions)"
                    )
                continue
            click.echo(f"  FAIL  line {verdict.test.place.line}: {verdict.test.name}")
            for line in "\n".join(verdict.failures).split("\n"):
                click.echo(f"        {printable(line)}")
    click.echo(f"{total:,} test{'s' if total != 1 else ''}, {failed:,} failed")
    if failed:
        raise SystemExit(1)
