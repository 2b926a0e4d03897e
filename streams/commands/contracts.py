"""``shopwarden contracts``: the contract of the topics for programs, and what a newer one would break."""

import json
from pathlib import Path
from typing import Any

import click
import orjson

from config.settings import Settings
from streams.options import pass_settings


@click.group(invoke_without_command=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["asyncapi", "jsonschema"]),
    default="asyncapi",
    show_default=True,
    help="The topics and their messages (AsyncAPI 3), or the messages' schemas alone (JSON Schema 2020-12).",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write asyncapi.json and a folder schemas/ with one JSON Schema for each event there, instead of printing.",
)
@pass_settings
@click.pass_context
def command(context: click.Context, settings: Settings, form: str, out: Path | None) -> None:
    """Print the contract of the topics for programs, as JSON, with the topic names of the settings."""
    from features.contract_schema import asyncapi, json_schema

    if context.invoked_subcommand is not None:
        context.obj = settings
    elif out is not None:
        _write(settings, out)
    else:
        click.echo(_text(asyncapi(settings.topics) if form == "asyncapi" else json_schema()))


@command.command()
@click.argument("released", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def check(settings: Settings, released: Path) -> None:
    """Compare this version's contract with RELEASED, the AsyncAPI document of an older one, and fail on what breaks.

    Topics, types, fields and values may be added. What is taken away, of another kind, or narrower (of inputs) or wider
    (of outputs) than it was breaks those who rely on it. The topics' own names are the deployment's affair.
    """
    from features.contract_changes import ContractError, contract_changes
    from features.contract_schema import CONTRACT_VERSION, asyncapi

    try:
        changes = contract_changes(_document(released), asyncapi(settings.topics), addresses=False)
    except (ContractError, OSError, ValueError) as error:
        raise click.UsageError(f"{released}: {error}") from None
    breaking = [change for change in changes if change.breaks]
    for change in changes:
        click.echo(f"{'breaks' if change.breaks else 'allowed'}  {change.where}: {change.what}")
    if breaking:
        raise click.ClickException(
            f"{len(breaking)} of {len(changes)} changes since {released} break those who rely on it. Leave the type as "
            "it is, and put a new version beside it (….v2)."
        )
    click.echo(f"contract {CONTRACT_VERSION} keeps what {released} promised ({len(changes)} changes)")


def _document(path: Path) -> dict[str, Any]:
    document = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise ValueError("a JSON object is expected")  # noqa: TRY004 - told to a person like all that is wrong with it
    return document


def _write(settings: Settings, folder: Path) -> None:
    from features.contract_schema import asyncapi, schema_files

    schemas = folder / "schemas"
    files = schema_files()
    try:
        schemas.mkdir(parents=True, exist_ok=True)
        for name, schema in files.items():
            (schemas / name).write_text(_text(schema) + "\n", encoding="utf-8")
        (folder / "asyncapi.json").write_text(_text(asyncapi(settings.topics)) + "\n", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{folder} could not be written: {error}") from None
    click.echo(f"{folder / 'asyncapi.json'} and {len(files)} schemas in {schemas}")


def _text(document: dict[str, Any]) -> str:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
