"""The live page: everything at a glance, at 100 columns and wider."""

import textwrap
from typing import Final

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from features.outputs import Level
from streams.demo.score import Ratio
from streams.demo.tally import EnforcementView, MerchantView, strongest
from streams.demo.view import PageView
from streams.demo.words import action_words, clock, day, day_and_hour, milliseconds, percent, sparkline, spoken
from streams.printable import printable

_HEAD_LINES: Final = 3
_FIGURE_LINES: Final = 8
#: Border above and below, and the line of headings.
_TABLE_EXTRA: Final = 3
#: From this width on there is room for whole ids and for what is in force.
_WIDE: Final = 140
#: More attackers than this are given in figures alone.
_MOST_DOTS: Final = 12
_MS_PER_DAY: Final = 86_400_000

LEVEL_STYLES: Final[dict[Level, str]] = {
    "critical": "bold white on red",
    "high": "bold red",
    "elevated": "yellow",
    "guarded": "cyan",
    "low": "dim",
}
_BORDER: Final = "bright_black"


def draw(view: PageView, width: int, height: int) -> RenderableType:
    """The page for a terminal of ``width`` columns and ``height`` lines."""
    foot = _foot(view)
    rest = max(8, height - _HEAD_LINES - _FIGURE_LINES - len(foot))
    upper = (rest + 1) // 2
    layout = Layout()
    layout.split_column(
        Layout(_head(view, width), size=_HEAD_LINES),
        Layout(name="figures", size=_FIGURE_LINES),
        Layout(_merchants(view, upper - _TABLE_EXTRA, width), size=upper),
        Layout(_enforcements(view, rest - upper - _TABLE_EXTRA, width), size=rest - upper),
        Layout(Group(*foot), size=len(foot)),
    )
    inside = width // 3 - 4
    layout["figures"].split_row(
        Layout(_panel(_flow(view, inside), "Events")),
        Layout(_panel(_latency(view, inside), "Latency, produce to output")),
        Layout(_panel(_found(view), "Found so far")),
    )
    return layout


def _head(view: PageView, width: int) -> RenderableType:
    first = Table.grid(expand=True)
    first.add_column()
    first.add_column(justify="right")
    first.add_row(
        Text.assemble(
            (" shopwarden ", "bold black on green"),
            ("  a simulated marketplace: ", "dim"),
            f"{view.merchants:,} merchants, {len(view.attackers):,} of them attackers",
        ),
        Text.assemble((f"seed {view.seed}  ", "dim"), (view.phase, "bold green"), "\u00a0"),
    )
    length = view.end - view.start
    passed = max(0, min(view.event_time - view.start, length))
    today = passed // _MS_PER_DAY + 1 if view.event_time else 0
    left = Text.assemble(
        (f" {day(view.event_time or view.start)}", "bold"), f"  day {today} of {length // _MS_PER_DAY}  "
    )
    right = Text(f"  {clock(min(view.elapsed, view.duration))} of {clock(view.duration)} ", style="dim")
    bar = ProgressBar(
        total=max(1, length),
        completed=passed,
        width=max(10, width - left.cell_len - right.cell_len),
        complete_style="green",
        finished_style="green",
    )
    second = Table.grid()
    second.add_row(left, bar, right)
    return Group(first, second)


def _panel(content: RenderableType, title: str, note: str = "") -> Panel:
    # Else it would take the colour of the border.
    heading = Text.assemble((title, "bold default"), (f"  {note}" if note else "", "dim default"))
    return Panel(content, title=heading, title_align="left", border_style=_BORDER, padding=(0, 1))


# -- figures ----------------------------------------------------------------------------------------------------------


def _figures() -> Table:
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    return table


def _flow(view: PageView, width: int) -> RenderableType:
    table = _figures()
    table.add_row("in", _rate(view.in_rates), f"{view.events_in:,}")
    table.add_row("out", _rate(view.out_rates), f"{view.outputs:,}")
    table.add_row("lag", "", Text(f"{view.lag:,}", style="bold"))
    dead = Text(f"{view.dead_letters:,}", style="bold red" if view.dead_letters else "dim")
    table.add_row("dead letters", "", dead)
    return Group(table, Text(), _line("out ", view.out_rates, width, "green"))


def _rate(rates: list[float]) -> Text:
    return Text.assemble((f"{rates[-1] if rates else 0:,.0f}", "bold"), ("/s", "dim"))


def _latency(view: PageView, width: int) -> RenderableType:
    table = _figures()
    found = view.latency
    for name, value in (
        ("half within", None if found is None else found.p50),
        ("95 % within", None if found is None else found.p95),
        ("99 % within", None if found is None else found.p99),
    ):
        table.add_row(name, "", Text("–", style="dim") if value is None else Text(milliseconds(value), style="bold"))
    return Group(table, Text("in the last 10 s", style="dim"), Text(), _line("99 % ", view.latencies, width, "blue"))


def _line(name: str, values: list[float], width: int, style: str) -> Text:
    return Text.assemble((name, "dim"), (sparkline(values, width - len(name)), style), no_wrap=True)


def _found(view: PageView) -> RenderableType:
    table = _figures()
    for name, ratio in view.score.attacks.items():
        table.add_row(spoken(name), _dots(ratio), f"{ratio.right} of {ratio.there}" if ratio.there else "not yet")
    table.add_row()
    wrong, honest = view.score.honest_flagged, view.score.honest
    table.add_row("honest, flagged", "", Text(f"{wrong:,} of {honest:,}", style="yellow" if wrong else "green"))
    return table


def _dots(ratio: Ratio) -> Text:
    """A dot for each attacker, full when it has been found."""
    if ratio.there > _MOST_DOTS:
        return Text()
    return Text.assemble(("●" * ratio.right, "bold red"), ("○" * (ratio.there - ratio.right), "dim"))


# -- tables -----------------------------------------------------------------------------------------------------------


def _columns(*names: tuple[str, int]) -> Table:
    """A borderless table of columns with these widths, each two apart from the next."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name, width in names:
        table.add_column(name, width=width, no_wrap=True, overflow="ellipsis")
    return table


def _merchants(view: PageView, lines: int, width: int) -> RenderableType:
    wide = width >= _WIDE
    names = [("level", 10), ("score", 5), ("merchant", 16 if wide else 8), ("really", 16), ("why", 0)]
    if wide:
        names.insert(4, ("in force", 26))
    room = _room(names, width)
    table = _columns(*names[:-1], ("why", room))
    for merchant in view.riskiest:
        why = textwrap.wrap(_why(merchant), room, max_lines=2, placeholder=" …") or [""]
        lines -= len(why)
        if lines < 0:
            break
        level = Text(f" {merchant.level} " if merchant.level == "critical" else merchant.level)
        level.stylize(LEVEL_STYLES[merchant.level])
        cells: list[RenderableType] = [
            level,
            str(merchant.score),
            _id(merchant.merchant_id, wide),
            _really(view, merchant.merchant_id),
        ]
        if wide:
            cells.append(Text(", ".join(action_words(each) for each in dict.fromkeys(merchant.actions)), style="dim"))
        table.add_row(*cells, Text("\n".join(why)))
    if not view.riskiest:
        table.add_row(Text("none", style="dim"))
    return _panel(table, "Riskiest merchants", "really: what only the simulation knows")


def _enforcements(view: PageView, lines: int, width: int) -> RenderableType:
    wide = width >= _WIDE
    names = [("decided", 12), ("action", 19), ("merchant", 18 if wide else 10), ("facts", 0)]
    room = _room(names, width)
    table = _columns(*names[:-1], ("facts", room))
    for each in view.enforcements[: max(0, lines)]:
        mark = Text.assemble(_mark(view, each.merchant_id), " ", _id(each.merchant_id, wide))
        times = f"{each.times}×  " if each.times > 1 else ""
        facts = Text.assemble(
            (times, "bold"), textwrap.shorten(each.facts, max(10, room - len(times)), placeholder=" …")
        )
        table.add_row(Text(day_and_hour(each.at), style="dim"), _action(each), mark, facts)
    if not view.enforcements:
        table.add_row(Text("none", style="dim"))
    return _panel(table, "Latest enforcements", "?: once a person has agreed")


def _room(names: list[tuple[str, int]], width: int) -> int:
    """What is left for the last column: borders and padding take four, each other column its width and two."""
    return max(10, width - 4 - sum(taken + 2 for _, taken in names[:-1]))


def _why(merchant: MerchantView) -> str:
    if merchant.reasons:
        return strongest(merchant.reasons)
    return merchant.subject_reason or f"{percent(merchant.probability)} of its orders go wrong, as far as can be told"


def _really(view: PageView, merchant_id: str) -> Text:
    label = spoken(view.labels.get(merchant_id, "honest"))
    return Text.assemble(_mark(view, merchant_id), " ", (label, "red" if merchant_id in view.attackers else "green"))


def _mark(view: PageView, merchant_id: str) -> tuple[str, str]:
    return ("●", "red") if merchant_id in view.attackers else ("○", "green")


def _action(each: EnforcementView) -> Text:
    if each.reversed:
        return Text(f"{action_words(each.action)} ended", style="green")
    text = Text(action_words(each.action), style=LEVEL_STYLES[each.severity])
    if each.requires_review and each.action != "require_review":
        text.append(" ?")
    return text


def _id(merchant_id: str, wide: bool) -> Text:
    return Text(merchant_id if wide else merchant_id[:8], style="blue")


# -- the last lines ---------------------------------------------------------------------------------------------------


def _foot(view: PageView) -> list[Text]:
    ends = "Ctrl-C ends with a summary" if view.phase == "playing" else ""
    lines = [
        Text.assemble(
            (" Attach your own consumer: ", "dim"), "Kafka ", (view.brokers, "bold"), ", topic governance-events"
        ),
        Text.assemble((" State: ", "dim"), f"redis-cli -u {view.redis_url}", (f"    {ends}", "bold")),
    ]
    if view.last_dead_letter:
        lines.append(Text(f" Last dead letter: {printable(view.last_dead_letter)}", style="red"))
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    return lines
