"""A scorecard on the terminal."""

from rich.console import Console
from rich.table import Table

from detectors.metrics.catalogue import GROUPS, METRICS
from detectors.metrics.estimate import date_of
from detectors.metrics.scorecard import Scorecard
from streams.metrics.words import basis, interval, slice_words, standing, title, value
from streams.printable import printable

_PLAIN = frozenset({"currency", "within", "subject", "quantile", "k"})


def print_scorecard(card: Scorecard, console: Console, *, slices: bool = False) -> None:
    """Print the figures; those of slices (rules, countries, ...) only if asked for."""
    console.print(f"Governance from {date_of(card.start)} to {date_of(card.end - 1)}, intervals of 95 %")
    for group in GROUPS:
        table = Table(box=None, pad_edge=False, title=group, title_justify="left", title_style="bold")
        for head, justify in (("", "left"), ("of", "left"), ("value", "right"), ("interval", "right")):
            table.add_column(head, justify=justify, no_wrap=True)  # type: ignore[arg-type]
        table.add_column("counted", justify="right", no_wrap=True)
        table.add_column("")
        for each in card.estimates:
            if METRICS[each.name].group != group or (not slices and not each.slice.keys() <= _PLAIN):
                continue
            notes = "; ".join(note for note in (standing(each), each.note) if note)
            cells = (title(each), slice_words(each), value(each), interval(each), basis(each), notes)
            table.add_row(*(printable(cell) for cell in cells))
        if table.row_count:
            console.print(table)
