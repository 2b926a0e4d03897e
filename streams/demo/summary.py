"""The end of the demo: its figures on paper and as JSON."""

from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from streams.demo.score import Ratio, Score
from streams.demo.tally import Percentiles
from streams.demo.words import milliseconds, percent, spoken

_EVENTS: Final = "shopwarden."


class Report(Struct, frozen=True, kw_only=True):
    """What a demo came to.

    ``days`` of the simulation were played. ``seconds`` is the time from the first record's produce until every record
    was in a checkpoint, ``played`` until the last was produced. Latencies are in ms; ``state_bytes`` is the median of
    the merchants.
    """

    seed: int
    partitions: int
    days: float
    events_in: int
    played: float
    seconds: float
    outputs: dict[str, int]
    dead_letters: dict[str, int]
    latency: Percentiles | None
    score: Score
    state_bytes: float | None

    @property
    def events_per_second(self) -> float:
        """Events of input that were done with per second."""
        return self.events_in / self.seconds if self.seconds else 0.0


def report_json(report: Report) -> dict[str, Any]:
    """The figures that runs are compared by; null where there is nothing to measure."""
    latency = report.latency
    return {
        "events_in": report.events_in,
        "outputs": dict(sorted(report.outputs.items())),
        "events_per_second": round(report.events_per_second, 1),
        "latency_ms": {
            name: None if latency is None else round(getattr(latency, name), 2) for name in ("p50", "p95", "p99")
        },
        "attacks": {name: _ratio(ratio) for name, ratio in report.score.attacks.items()},
        "state_bytes_per_merchant_median": report.state_bytes,
        "overall": _ratio(report.score.overall),
        "honest_flagged": report.score.honest_flagged,
        "honest": report.score.honest,
        "seed": report.seed,
        "partitions": report.partitions,
    }


def write_report(path: Path, report: Report) -> None:
    """Write the figures as JSON. Raises OSError if the file can't be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report_json(report)), indent=2) + b"\n")


def print_summary(console: Console, report: Report) -> None:
    """Print the figures."""
    console.print(summary(report))


def summary(report: Report) -> RenderableType:
    """The figures for people."""
    figures = Table.grid(padding=(0, 2, 0, 0))
    figures.add_column(style="dim")
    figures.add_column()
    behind = max(0.0, report.seconds - report.played)
    figures.add_row("events in", f"{report.events_in:,}, {report.days:.0f} simulated days in {report.played:.1f} s")
    figures.add_row("events/s", f"{report.events_per_second:,.0f}; all were checkpointed {behind:.1f} s after the last")
    figures.add_row("latency", _latency(report.latency))
    state = "–" if report.state_bytes is None else f"{report.state_bytes:,.0f} bytes in Redis at the median"
    figures.add_row("state per merchant", state)
    return Group(
        Text("\nSummary", style="bold"), figures, Text("\nOutputs", style="bold"), _outputs(report),
        Text("\nAttackers", style="bold"), _attacks(report.score), Text(_NOTE, style="dim"),
    )  # fmt: skip


_NOTE: Final = """
A merchant is flagged when an assessment or enforcement at level high or above
names it, and flagged for an attack when a rule about that attack is a reason,
or has it restricted or looked at by a person.
Precision: share of those flagged for the attack that ran it. Recall: share of
those that ran it that were flagged for it. Days: median, from its beginning."""


def _latency(latency: Percentiles | None) -> str:
    if latency is None:
        return "no assessment was published"
    parts = (f"p{n} {milliseconds(getattr(latency, f'p{n}'))}" for n in (50, 95, 99))
    return f"{', '.join(parts)} from produce to output"


def _outputs(report: Report) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    for kind, count in sorted(report.outputs.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(kind, f"{count:,}")
    for reason, count in sorted(report.dead_letters.items()):
        table.add_row(Text(f"  put aside: {reason}", style="red"), f"{count:,}")
    if not report.outputs:
        table.add_row("none", "")
    return table


def _attacks(score: Score) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", no_wrap=True)
    for name in ("merchants", "flagged", "rightly", "precision", "recall", "days"):
        table.add_column(name, justify="right")
    for name, ratio in score.attacks.items():
        table.add_row(spoken(name), *_cells(ratio))
    table.add_section()
    table.add_row("all together", *_cells(score.overall), style="bold")
    table.add_row("honest", f"{score.honest:,}", f"{score.honest_flagged:,}", style="dim")
    return table


def _cells(ratio: Ratio) -> list[str]:
    days = "–" if ratio.days is None else f"{ratio.days:.1f}"
    counts = [f"{count:,}" for count in (ratio.there, ratio.flagged, ratio.right)]
    return [*counts, percent(ratio.precision), percent(ratio.recall), days]


def _ratio(ratio: Ratio) -> dict[str, float | None]:
    return {
        "precision": None if ratio.precision is None else round(ratio.precision, 4),
        "recall": None if ratio.recall is None else round(ratio.recall, 4),
    }
