"""The results as JSON, as a table in the terminal, and as one in docs/reliability.md."""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from rich.table import Table

from tests.faults.campaign import Campaign
from tests.faults.catalogue import FAULTS

ROOT = Path(__file__).parents[2]
FILE = ROOT / "build" / "faults.json"
DOCUMENT = ROOT / "docs" / "reliability.md"
BEGIN = "<!-- faults: begin; written by `make faults ARGS=--report` -->"
END = "<!-- faults: end -->"
_COLUMNS = {
    "tries": "tried",
    "lost": "lost",
    "doubled": "doubled",
    "state_differences": "state differs",
    "journal_differences": "journal differs",
    "missing_outputs": "outputs missing",
    "extra_outputs": "extra",
    "changed_outputs": "changed",
    "repeated_outputs": "repeated",
    "recovery_s_p50": "recovery p50",
    "recovery_s_max": "max",
}


def row(campaign: Campaign) -> dict[str, Any]:
    """One result for build/faults.json."""
    verdict = campaign.verdict
    return {
        "fault": campaign.fault,
        "broker": campaign.broker,
        "tries": campaign.tries,
        "lost": verdict.lost,
        "doubled": verdict.doubled,
        "missing_outputs": verdict.missing_outputs,
        "extra_outputs": verdict.extra_outputs,
        "repeated_outputs": verdict.repeated_outputs,
        "recovery_s_p50": round(median(campaign.recoveries), 2) if campaign.recoveries else None,
        "recovery_s_max": round(max(campaign.recoveries), 2) if campaign.recoveries else None,
        "changed_outputs": verdict.changed_outputs,
        "state_differences": verdict.state_differences,
        "journal_differences": verdict.journal_differences,
        "records": verdict.records,
        "outputs": verdict.outputs,
        "counts_compared": verdict.counts_compared,
        "worker_exits": campaign.exits,
        "seconds": round(campaign.seconds, 1),
        "failure": campaign.failure.partition("\n")[0],
    }


def write(campaign: Campaign, file: Path = FILE) -> list[dict[str, Any]]:
    """Write a result, in the place of an earlier one of the same fault and broker; returns all that are there."""
    file.parent.mkdir(exist_ok=True)
    rows = json.loads(file.read_text()) if file.exists() else []
    fresh = row(campaign)
    rows = [each for each in rows if (each["fault"], each["broker"]) != (fresh["fault"], fresh["broker"])]
    rows = sorted([*rows, fresh], key=_place)
    file.write_text(json.dumps(rows, indent=2) + "\n")
    return rows


def _place(each: dict[str, Any]) -> tuple[int, str]:
    names = list(FAULTS)
    return names.index(each["fault"]) if each["fault"] in names else len(names), each["broker"]


def table(campaigns: Sequence[Campaign]) -> Table:
    """For the terminal."""
    shown = Table("fault", "broker", *_COLUMNS.values(), "records", "exits", title="Faults")
    for campaign in campaigns:
        cells = row(campaign)
        exits = " ".join(f"{code}×{times}" for code, times in campaign.exits.items())
        figures = [_figure(cells[name]) for name in _COLUMNS]
        style = "" if campaign.survived else "bold red"
        shown.add_row(campaign.fault, campaign.broker, *figures, f"{cells['records']:,}", exits, style=style)
    return shown


def write_document(rows: Sequence[dict[str, Any]], document: Path = DOCUMENT) -> None:
    """Put the table of ``rows`` between the marks of a document."""
    lines = ["| fault | broker | " + " | ".join(_COLUMNS.values()) + " |", "|---" * (len(_COLUMNS) + 2) + "|"]
    for each in rows:
        cells = [FAULTS[each["fault"]].what, each["broker"], *(_figure(each[name]) for name in _COLUMNS)]
        lines.append("| " + " | ".join(cells) + " |")
    text = document.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{document} lacks the marks of the table")
    document.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}")


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.1f} s"
