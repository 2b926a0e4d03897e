"""``shopwarden policies publish|history|rollback``: change the policies of running workers."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from config.policies import PolicyError, PolicyFiles, load_policies, parse_policies, policy_texts
from config.settings import Settings
from streams.options import pass_settings
from streams.printable import printable

if TYPE_CHECKING:
    from streams.policies.publication import KnownPublication, Publication

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_by = click.option("--by", required=True, metavar="NAME", help="Who answers for it: kept in the history.")
_why = click.option("--why", required=True, metavar="TEXT", help="Why: kept in the history.")
_yes = click.option("--yes", is_flag=True, help="Do not ask.")


@click.command()
@click.argument("directory", type=_FOLDER)
@_by
@_why
@click.option("--without-tests", is_flag=True, help="Do not run the folder's tests first.")
@click.option("--dry-run", is_flag=True, help="Check, test and compare, and publish nothing.")
@_yes
@pass_settings
def publish(
    settings: Settings, /, *, directory: Path, by: str, why: str, without_tests: bool, dry_run: bool, yes: bool
) -> None:
    """Put the policies of DIRECTORY in force in all running workers, without a restart.

    They are checked and tested first, and what changes is shown. Each shard takes them up at its next flush, within
    about two seconds. What they would have done to merchants lately: `shopwarden compare`.
    """
    from streams.policies.publishing import make_publication

    try:
        texts = policy_texts(directory)
        load = load_policies(directory)
        history = _history(settings)
        publication = make_publication(history, texts, by=by, why=why)
        if not without_tests:
            _run_tests(settings, directory)
    except PolicyError as error:
        raise click.ClickException(str(error)) from None
    _show_changes(settings, history, load)
    if dry_run:
        click.echo("dry run: nothing was published")
        return
    _publish(settings, publication, ask=not yes)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, without the files.")
@pass_settings
def history(settings: Settings, as_json: bool) -> None:
    """List what was published, the latest last."""
    from streams.comparison.words import moment
    from streams.policies.publishing import in_force

    found = _history(settings)
    current = in_force(found)
    if not found and not as_json:
        click.echo("nothing was published: workers judge by the folder in their settings")
    for each in found:
        made = each.publication
        state = "in force" if each is current else "cannot be used" if each.policies is None else ""
        row: dict[str, Any] = {"offset": each.offset, "state": state, "why_not": each.why or None}
        if made is not None:
            row |= {
                "number": made.number, "version": made.version, "published_at": made.published_at, "by": made.by,
                "why": made.why, "rolls_back_to": made.rolls_back_to,
            }  # fmt: skip
        if as_json:
            click.echo(msgspec.json.encode(row))
            continue
        if made is None:
            click.echo(f"  ?  at offset {each.offset}: {printable(each.why.splitlines()[0])}")
            continue
        back = f" (back to {made.rolls_back_to})" if made.rolls_back_to else ""
        line = f"{made.number:>4}  {moment(made.published_at)}  {made.version}  {made.by}: {made.why}{back}"
        click.echo(printable(line) + (f"  [{state}]" if state else ""))
        for problem in each.why.splitlines():
            click.echo(f"      {printable(problem)}")


@click.command()
@click.argument("number", type=click.IntRange(min=1), required=False)
@_by
@_why
@_yes
@pass_settings
def rollback(settings: Settings, /, *, number: int | None, by: str, why: str, yes: bool) -> None:
    """Put an earlier publication in force again: that of NUMBER, else the one before the present one.

    It is published anew, so the history keeps both. What was decided meanwhile stands.
    """
    from streams.policies.publishing import in_force, make_publication, numbered

    found = _history(settings)
    current = in_force(found)
    if number is None:
        version = None if current is None or current.policies is None else current.policies.version
        usable = [each for each in found if each.policies is not None and each.policies.version != version]
        if not usable:
            raise click.UsageError("there is no earlier publication with other policies: publish a folder instead")
        wanted = usable[-1]
    else:
        named = numbered(found, number)
        if named is None:
            raise click.UsageError(f"there is no publication {number}; `shopwarden policies history` lists them")
        wanted = named
    made = wanted.publication
    if made is None or wanted.policies is None:
        raise click.ClickException(f"publication {number} can't be used: {wanted.why}")
    _show_changes(settings, found, parse_policies(f"publication {made.number}", made.files))
    _publish(settings, make_publication(found, made.files, by=by, why=why, rolls_back_to=made.number), ask=not yes)


def _history(settings: Settings) -> "list[KnownPublication]":
    from streams.policies.publishing import read_history
    from streams.reading import ReadError

    try:
        return read_history(settings)
    except ReadError as error:
        raise click.ClickException(f"{error}; `shopwarden topics create` makes the topics") from error


def _run_tests(settings: Settings, directory: Path) -> None:
    from streams.policy_tests.suite import run_files, test_files

    files = test_files(directory)
    if not files:
        click.echo(f"Warning: {directory} has no tests (docs/policies.md, Tests of policies).", err=True)
        return
    verdicts = [verdict for _, found in run_files(settings, directory, files) for verdict in found]
    failed = [verdict for verdict in verdicts if verdict.failures]
    if failed:
        names = "\n".join(f"  {printable(verdict.test.name)}" for verdict in failed)
        raise click.ClickException(
            f"{len(failed):,} of {len(verdicts):,} tests fail, nothing was published:\n{names}\n"
            f"shopwarden policies test --policies {directory} says why"
        )
    click.echo(f"{len(verdicts):,} tests passed")


def _show_changes(settings: Settings, history: "list[KnownPublication]", wanted: PolicyFiles) -> None:
    """What the wanted set means that the one in force does not."""
    from detectors.comparison.policy_changes import policy_changes
    from detectors.comparison.policy_words import change_words
    from streams.policies.publishing import in_force

    current = in_force(history)
    if current is not None and current.publication is not None:
        present = parse_policies("in force", current.publication.files)
        what = f"publication {current.publication.number}"
    else:
        try:
            present = load_policies(settings.policies_path)
        except PolicyError as error:
            raise click.ClickException(str(error)) from None
        what = f"{settings.policies_path}, by which workers judge as long as nothing is published"
    changes = policy_changes(present, wanted)
    click.echo(f"compared with {what}: " + (f"{len(changes):,} differences" if changes else "the same"))
    for change in changes:
        click.echo(f"  {printable(change_words(change))}")


def _publish(settings: Settings, publication: "Publication", *, ask: bool) -> None:
    from streams.policies.publishing import PublishingError
    from streams.policies.publishing import publish as send

    if ask and not click.confirm(f"Put version {publication.version} in force in all workers?"):
        raise click.ClickException("nothing was published")
    try:
        send(settings, publication)
    except PublishingError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"published as number {publication.number}, version {publication.version}")
