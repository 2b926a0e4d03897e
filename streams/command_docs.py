"""The reference of all commands as Markdown, from the commands themselves.

``python -m streams.command_docs > docs/cli.md``
"""

import sys
from collections.abc import Iterator
from inspect import cleandoc

import click

from streams.cli import main

_HEAD = """\
# Commands

Every command and option, written by `python -m streams.command_docs`; a test compares. `shopwarden COMMAND --help`
says the same. Exit codes: 0 done, 1 failed, 2 a mistake in options or settings; those of a worker stand in
[operations.md](operations.md#running-it).
"""


def command_docs() -> str:
    """The page: a section for each command, with what it is for, its arguments and its options."""
    context = click.Context(main, info_name="shopwarden")
    sections = [section for name in main.list_commands(context) for section in _sections(context, main, name)]
    return "\n".join([_HEAD, *sections])


def _sections(parent: click.Context, group: click.Group, name: str) -> Iterator[str]:
    command = group.get_command(parent, name)
    if command is None or command.hidden:
        return
    context = click.Context(command, info_name=name, parent=parent)
    depth = context.command_path.count(" ")
    yield "\n".join([f"#{'#' * depth} {context.command_path}", "", *_body(command, context)])
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            yield from _sections(context, command, each)


def _body(command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(context))
    yield from ("```text", f"{context.command_path} {usage}", "```", "")
    if command.help:
        yield from (_plain(command.help), "")
    rows = [row for parameter in command.get_params(context) for row in _row(parameter, context)]
    if rows:
        yield from ("| option | |", "|---|---|", *rows, "")


def _row(parameter: click.Parameter, context: click.Context) -> Iterator[str]:
    if not isinstance(parameter, click.Option) or parameter.name == "help":
        return
    names, words = parameter.get_help_record(context) or ("", "")
    # A bar would end the cell, even within code.
    cells = (f"`{names}`", " ".join(words.split()))
    yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _plain(words: str) -> str:
    """Help as paragraphs; click's mark for text that it must not wrap goes."""
    return cleandoc(words).replace("\b\n", "").strip()


if __name__ == "__main__":
    sys.stdout.write(command_docs())
