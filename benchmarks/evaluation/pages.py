"""The report as Markdown and as one HTML page that needs nothing else."""

from collections.abc import Sequence
from html import escape
from typing import Final

from benchmarks.evaluation.section import Section, Table

_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1c2733; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 0.9rem; }
th, td { padding: 0.25rem 0.7rem; border-bottom: 1px solid #d5dce3; text-align: right; }
th:first-child, td:first-child { text-align: left; }
th { border-bottom: 2px solid #8494a4; }
td.missed { color: #b3261e; font-weight: 600; } td.met { color: #1b6e3c; }
svg { max-width: 100%; height: auto; }
"""


def markdown_page(sections: Sequence[Section]) -> str:
    """Text and tables; the plots are in the HTML page."""
    lines = ["# Evaluation", ""]
    for section in sections:
        lines += [f"## {section.title}", ""]
        for paragraph in section.paragraphs:
            lines += [paragraph, ""]
        for table in section.tables:
            lines += [_markdown_row(table.head), _markdown_row(["---"] + ["---:"] * (len(table.head) - 1))]
            lines += [_markdown_row(row) for row in table.rows] + [""]
    return "\n".join(lines)


def html_page(sections: Sequence[Section]) -> str:
    """Text, tables and plots (SVG within the page)."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><title>Shopwarden: evaluation</title>',
        f"<style>{_STYLE}</style></head><body><h1>Evaluation</h1>",
    ]
    for section in sections:
        parts.append(f"<h2>{escape(section.title)}</h2>")
        parts += [f"<p>{escape(paragraph)}</p>" for paragraph in section.paragraphs]
        parts += [_html_table(table) for table in section.tables]
        parts += [f"<figure>{plot}</figure>" for plot in section.plots]
    return "\n".join([*parts, "</body></html>", ""])


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _html_table(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = "".join("<tr>" + "".join(_html_cell(cell) for cell in row) + "</tr>" for row in table.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _html_cell(cell: str) -> str:
    marked = f' class="{cell}"' if cell in ("met", "missed") else ""
    return f"<td{marked}>{escape(cell)}</td>"
