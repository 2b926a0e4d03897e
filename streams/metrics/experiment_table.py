"""How an experiment stands, on the terminal."""

from rich.console import Console
from rich.table import Table

from detectors.metrics.estimate import date_of
from detectors.metrics.experiments import MISMATCH, Comparison, Reading
from streams.comparison.words import NOTHING
from streams.printable import printable


def print_reading(found: Reading, console: Console) -> None:
    """Print it: arms, the primary metric, guardrails, and what is wrong with it."""
    state = "ended" if found.ended else f"running until {date_of(found.end)}"
    console.print(printable(f"{found.id}: {found.title}"), markup=False)
    console.print(f"From {date_of(found.start)}, {state}; events up to {date_of(found.now)}.")
    sizes = ", ".join(f"{arm.name} {arm.units:,} units ({arm.merchants:,} merchants)" for arm in found.arms)
    console.print(printable(f"Arms: {sizes}; {found.outside:,} merchants in none"), markup=False)
    for line in _doubts(found):
        console.print(line)
    table = Table(box=None, pad_edge=False)
    for head in ("metric", "arm", "control", "treated", "difference", "planned end, 95 %", "at all times, 95 %", ""):
        table.add_column(head, no_wrap=True, justify="left" if head in ("metric", "arm", "") else "right")
    for primary in found.primary:
        rests = "rests on the planned end" if found.ended else "rests on all times"
        table.add_row(*_cells(primary.comparison), f"{primary.verdict} ({rests})")
    for rail in found.guardrails:
        limit = NOTHING if rail.limit is None else f"{rail.limit:+.4g}"
        table.add_row(*_cells(rail.comparison), f"guardrail {rail.state} (limit {limit})")
    for each in found.long_run:
        table.add_row(*_cells(each), "held out against control")
    console.print(table)


def _doubts(found: Reading) -> list[str]:
    doubts = []
    if found.mismatch is not None and found.mismatch < MISMATCH:
        doubts.append(
            f"The arms are not of the sizes that were drawn (p = {found.mismatch:.1g}): something else decides who "
            "is in them, and nothing below can be believed."
        )
    if found.crossed:
        doubts.append(f"{found.crossed:,} units are left out: their merchants are linked and in different arms.")
    if found.completeness < 1:
        doubts.append(f"The outcome of {100 * found.completeness:.0f} % of the orders is known so far.")
    return doubts


def _cells(found: Comparison) -> tuple[str, ...]:
    effect = found.effect
    return (
        found.metric,
        printable(found.arm),
        _figure(effect.control.rate),
        _figure(effect.treated.rate),
        NOTHING if effect.difference is None else f"{effect.difference:+.4g}",
        _range(effect.low, effect.high),
        _range(effect.always_low, effect.always_high),
    )


def _figure(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4g}"


def _range(low: float | None, high: float | None) -> str:
    return NOTHING if low is None or high is None else f"{low:+.4g} to {high:+.4g}"
