"""``shopwarden models``: what the models are."""

from pathlib import Path
from typing import Any

import click
import orjson


@click.group()
def command() -> None:
    """Show what the models are for, what they see and where they fail."""


@command.command()
@click.option(
    "--out", type=click.Path(path_type=Path), help="A folder for one file per model, instead of printing a page."
)
@click.option(
    "--figures",
    type=click.Path(path_type=Path),
    help="A report of `make evaluate` (build/evaluation.json), for what was measured.",
)
def cards(out: Path | None, figures: Path | None) -> None:
    """Print the model cards, in Markdown: without options docs/models.md is this."""
    from detectors.model_cards import model_cards, render_card, render_page

    report = None if figures is None else _read(figures)
    if out is None:
        click.echo(render_page(report), nl=False)
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        for card in model_cards():
            file = out / f"{card.name}.md"
            file.write_text(render_card(card, report, level=1), encoding="utf-8")
            click.echo(file)
    except OSError as error:
        raise click.ClickException(f"the cards can't be written to {out}: {error.strerror}") from error


def _read(file: Path) -> dict[str, Any]:
    try:
        report = orjson.loads(file.read_bytes())
    except OSError as error:
        raise click.UsageError(f"{file} can't be read: {error.strerror}; `make evaluate` writes one") from error
    except orjson.JSONDecodeError as error:
        raise click.UsageError(f"{file} is no JSON: {error}") from error
    if not isinstance(report, dict):
        raise click.UsageError(f"{file} is no report of `make evaluate`: it holds no JSON object")
    return report
