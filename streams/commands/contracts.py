"""``shopwarden contracts``: the contract of the topics for programs."""

import click
import orjson

from config.settings import Settings
from streams.options import pass_settings


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["asyncapi", "jsonschema"]),
    default="asyncapi",
    show_default=True,
    help="The topics and their messages (AsyncAPI 3), or the messages' schemas alone (JSON Schema 2020-12).",
)
@pass_settings
def command(settings: Settings, form: str) -> None:
    """Print the contract of the topics for programs, as JSON, with the topic names of the settings."""
    from features.contract_schema import asyncapi, json_schema

    document = asyncapi(settings.topics) if form == "asyncapi" else json_schema()
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
