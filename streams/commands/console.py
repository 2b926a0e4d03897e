"""``shopwarden console``: the web page for analysts."""

from pathlib import Path

import click

from config.settings import Settings
from streams.options import pass_settings


@click.command()
@click.option("--host", help="Address to listen on.  [default: console.host]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one.  [default: console.port]")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Where the index and the trail lie.")
@click.option("--add-user", metavar="NAME", help="Add a user to the users' file, print the token, and end.")
@click.option(
    "--role", type=click.Choice(["viewer", "reviewer", "admin"]), help="With --add-user: what the user may do."
)
@pass_settings
def command(
    settings: Settings,
    host: str | None,
    port: int | None,
    folder: Path | None,
    add_user: str | None,
    role: str | None,
) -> None:
    """Serve a page that shows what happens now, the review queue, and all that is known of merchants, creators, orders,
    listings, policies and models; and takes verdicts, appeals and overrides to the feedback topic.

    It follows the topics into an index of its own and reads Redis; a worker does not notice it. Without people who are
    named (console.users_file, console.token) it serves this machine alone and prints an address to sign in at.
    """
    if (add_user is None) != (role is None):
        raise click.UsageError("--add-user and --role go together")
    if add_user is not None:
        _add(settings, add_user, str(role))
        return
    from config.logging import configure_logging
    from streams.console.run import ConsoleError, run_console

    changed = {name: value for name, value in (("host", host), ("port", port), ("folder", folder)) if value is not None}
    settings = settings.model_copy(update={"console": settings.console.model_copy(update=changed)})
    configure_logging(settings)
    try:
        run_console(settings, lambda line: click.echo(line, err=True))
    except ConsoleError as error:
        raise click.ClickException(str(error)) from error


def _add(settings: Settings, name: str, role: str) -> None:
    from streams.console.users import UsersError, add_user

    file = settings.console.users_file
    if file is None:
        raise click.UsageError("console.users_file names no file: set SHOPWARDEN_CONSOLE__USERS_FILE=users.toml")
    try:
        token = add_user(file, name, role)  # type: ignore[arg-type]
    except UsersError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name} is in {file} as {role}. The token is shown this once:", err=True)
    click.echo(token)
