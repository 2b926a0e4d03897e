"""``shopwarden features``: what rules may name."""

import click


@click.group()
def command() -> None:
    """Show the features that rules may name."""


@command.command()
def docs() -> None:
    """Print the definition of every feature, in Markdown: docs/features.md is this."""
    from features.docs import render

    click.echo(render(), nl=False)
