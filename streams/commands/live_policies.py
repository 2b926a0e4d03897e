"""``shopwarden policies publish|widen|promote|rollback|history``: change the policies of running workers."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from config.policies import PolicyError, PolicyFiles, load_policies, parse_policies, policy_texts
from config.settings import Settings
from streams.options import pass_settings
from streams.printable import printable

if TYPE_CHECKING:
    from streams.policies.publication import Act, Force, KnownPublication, Publication

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
@click.option(
    "--percent",
    type=click.FloatRange(0, 100, min_open=True),
    default=100.0,
    help="Roll out to so many percent of the merchants and creators; the others are judged as before.",
)
@click.option(
    "--salt",
    default="",
    metavar="TEXT",
    help="Under what they are drawn.  [default: the version, so that each set has others]",
)
@_yes
@pass_settings
def publish(
    settings: Settings,
    /,
    *,
    directory: Path,
    by: str,
    why: str,
    without_tests: bool,
    dry_run: bool,
    percent: float,
    salt: str,
    yes: bool,
) -> None:
    """Put the policies of DIRECTORY in force in all running workers, without a restart.

    They are checked and tested first, and what changes is shown. Each shard takes them up at its next flush, within
    about two seconds. What they would have done to merchants lately: `shopwarden compare`.
    """
    from streams.policies.publication import EVERYBODY
    from streams.policies.publishing import make_publication

    if salt and percent >= EVERYBODY:
        raise click.UsageError("--salt draws whom a roll-out concerns: give --percent too")
    act: Act = "publish" if percent >= EVERYBODY else "roll_out"
    try:
        texts = policy_texts(directory)
        load = load_policies(directory)
        history = _history(settings)
        publication = make_publication(history, texts, by=by, why=why, act=act, percent=percent, salt=salt)
        force = _in_force(history)
        _refuse_a_second(force, publication)
        if not without_tests:
            _run_tests(settings, directory)
    except PolicyError as error:
        raise click.ClickException(str(error)) from None
    _show_changes(settings, force, load)
    if dry_run:
        click.echo("dry run: nothing was published")
        return
    _publish(settings, publication, ask=not yes)


@click.command()
@click.argument("percent", type=click.FloatRange(0, 100, min_open=True, max_open=True))
@_by
@_why
@_yes
@pass_settings
def widen(settings: Settings, /, *, percent: float, by: str, why: str, yes: bool) -> None:
    """Give the roll-out under way PERCENT of the merchants and creators. Who was drawn before stays drawn."""
    from streams.policies.publishing import make_publication

    found = _history(settings)
    made = _rolled_out(found)
    if percent <= made.percent:
        raise click.UsageError(
            f"the roll-out of version {made.version} has {made.percent:g} % already: give more, or end it with "
            "`shopwarden policies rollback`"
        )
    wider = make_publication(found, made.files, by=by, why=why, act="widen", percent=percent, salt=made.salt)
    _publish(settings, wider, ask=not yes)


@click.command()
@_by
@_why
@_yes
@pass_settings
def promote(settings: Settings, /, *, by: str, why: str, yes: bool) -> None:
    """Put the policies of the roll-out under way in force for everybody."""
    from streams.policies.publishing import make_publication

    found = _history(settings)
    made = _rolled_out(found)
    _show_changes(settings, _in_force(found), parse_policies(f"publication {made.number}", made.files))
    _publish(settings, make_publication(found, made.files, by=by, why=why, act="promote"), ask=not yes)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, without the files.")
@pass_settings
def history(settings: Settings, as_json: bool) -> None:
    """List what was published, the latest last."""
    from streams.comparison.words import moment
    from streams.policies.words import act_words, state_words

    found = _history(settings)
    force = _in_force(found)
    if not found and not as_json:
        click.echo("nothing was published: workers judge by the folder in their settings")
    for each in found:
        made = each.publication
        state = state_words(each, force)
        row: dict[str, Any] = {"offset": each.offset, "state": state, "why_not": each.why or None}
        if made is not None:
            row |= {
                "number": made.number, "version": made.version, "published_at": made.published_at, "by": made.by,
                "why": made.why, "rolls_back_to": made.rolls_back_to, "act": made.act, "percent": made.percent,
                "salt": made.salt or None,
            }  # fmt: skip
        if as_json:
            click.echo(msgspec.json.encode(row))
            continue
        if made is None:
            click.echo(f"  ?  at offset {each.offset}: {printable(each.why.splitlines()[0])}")
            continue
        line = f"{made.number:>4}  {moment(made.published_at)}  {made.version}  {made.by}: {made.why}{act_words(made)}"
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
    """End the roll-out under way; without one, put an earlier publication in force again: that of NUMBER, else the
    one before the present one.

    It is published anew, so the history keeps both. What was decided meanwhile stands.
    """
    from streams.policies.publishing import make_publication, numbered

    found = _history(settings)
    force = _in_force(found)
    if number is None and force.rollout is not None:
        tried = _rolled_out(found)
        click.echo(f"the roll-out of version {tried.version} to {tried.percent:g} % is to end")
        ended = make_publication(found, tried.files, by=by, why=why, act="roll_back", percent=0.0, salt=tried.salt)
        _publish(settings, ended, ask=not yes)
        return
    if number is None:
        version = None if force.base is None or force.base.policies is None else force.base.policies.version
        usable = [each for each in found if _was_in_force(each) and each.policies and each.policies.version != version]
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
    _show_changes(settings, force, parse_policies(f"publication {made.number}", made.files))
    again = make_publication(found, made.files, by=by, why=why, act="roll_back", rolls_back_to=made.number)
    _publish(settings, again, ask=not yes)


def _history(settings: Settings) -> "list[KnownPublication]":
    from streams.policies.publishing import read_history
    from streams.reading import ReadError

    try:
        return read_history(settings)
    except ReadError as error:
        raise click.ClickException(f"{error}; `shopwarden topics create` makes the topics") from error


def _in_force(history: "list[KnownPublication]") -> "Force":
    from streams.policies.publication import in_force

    return in_force(history)


def _rolled_out(history: "list[KnownPublication]") -> "Publication":
    """The latest publication of the roll-out under way."""
    force = _in_force(history)
    if force.rollout is None or force.latest is None or force.latest.publication is None:
        raise click.UsageError(
            "no roll-out is under way: `shopwarden policies publish DIRECTORY --percent 10` begins one"
        )
    return force.latest.publication


def _refuse_a_second(force: "Force", publication: "Publication") -> None:
    """One roll-out at a time, and of something that is not in force anyway."""
    if publication.act != "roll_out":
        return
    if force.rollout is not None:
        raise click.UsageError(
            f"version {force.rollout.version} is being rolled out ({force.rollout.percent:g} %): widen, promote or "
            "roll it back first"
        )
    if force.base is not None and force.base.publication and force.base.publication.version == publication.version:
        raise click.UsageError(f"version {publication.version} is in force for everybody already")


def _was_in_force(each: "KnownPublication") -> bool:
    from streams.policies.publication import EVERYBODY

    made = each.publication
    return made is not None and made.percent >= EVERYBODY


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


def _show_changes(settings: Settings, force: "Force", wanted: PolicyFiles) -> None:
    """What the wanted set means that the one in force does not."""
    from detectors.comparison.policy_changes import policy_changes
    from detectors.comparison.policy_words import change_words

    if force.base is not None and force.base.publication is not None:
        present = parse_policies("in force", force.base.publication.files)
        what = f"publication {force.base.publication.number}"
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
    from streams.policies.words import question

    if ask and not click.confirm(question(publication)):
        raise click.ClickException("nothing was published")
    try:
        send(settings, publication)
    except PublishingError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"published as number {publication.number}, version {publication.version}")
