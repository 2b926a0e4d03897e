"""The page, letter by letter: as a person sees it at two widths, at the beginning and with dead letters.

``UPDATE_SNAPSHOTS=1 pytest tests/streams/demo/test_page.py`` writes the snapshots anew; look at them before they are
committed.
"""

import io
import os
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from streams.demo.page import draw
from streams.demo.score import Ratio, Score
from streams.demo.summary import summary
from streams.demo.tally import Percentiles
from streams.demo.view import PageView, Rates
from tests.streams.demo.pages import SCORE, beginning, moment
from tests.streams.demo.reports import report

SNAPSHOTS = Path(__file__).with_name("snapshots")


def seen(content: RenderableType, width: int, height: int, *, colours: bool = False) -> str:
    """What a terminal of this size shows, without the blanks at the ends of lines."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        height=height,
        force_terminal=True,
        color_system="standard" if colours else None,
        legacy_windows=False,
        _environ={},
    )
    console.print(content, end="")
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n")) + "\n"


def same(name: str, text: str) -> None:
    """Compare with the snapshot of this name."""
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        SNAPSHOTS.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("width", "height"), [(100, 32), (160, 40)])
def test_page(width: int, height: int) -> None:
    """The page in the middle of a demo."""
    same(f"page-{width}", seen(draw(moment(), width, height), width, height))


def test_beginning() -> None:
    """Before the first record everything is there and says that there is nothing yet."""
    same("beginning-100", seen(draw(beginning(), 100, 28), 100, 28))


@pytest.mark.parametrize("width", [80, 100, 120, 160, 220])
@pytest.mark.parametrize("height", [24, 40, 60])
def test_page_fills_the_terminal(width: int, height: int) -> None:
    """At every size the page has exactly the lines of the terminal, and none is too long."""
    view = moment(last_dead_letter="json: not JSON", dead_letters=1)
    lines = seen(draw(view, width, height), width, height).rstrip("\n").split("\n")
    assert len(lines) == height
    assert max(map(len, lines)) <= width
    assert "Riskiest merchants" in "\n".join(lines)


def test_columns_do_not_run_over() -> None:
    """At 100 columns the facts end within the border, and the reason takes a second line instead of being cut."""
    text = seen(draw(moment(), 100, 40), 100, 40)
    assert "18 of 40 orders are overdue and not" in text
    assert all(line.endswith(("│", "╮", "╯")) for line in text.split("\n")[3:-4] if line)


def test_dead_letters_are_red_and_harmless() -> None:
    """A dead letter is shown in its own line, and what it contains cannot move the cursor."""
    view = moment(dead_letters=3, last_dead_letter="json: \x1b[2Jgone\r\nnext")
    text = seen(draw(view, 120, 40), 120, 40)
    assert r"Last dead letter: json: \x1b[2Jgone\r\nnext" in text
    assert "\x1b" not in text
    assert "31m" in seen(draw(view, 120, 40), 120, 40, colours=True).split("Last dead letter")[0][-12:]


def test_many_attackers_are_figures() -> None:
    """With more attackers than there is room for dots, the figures say it."""
    many = Score({"bust_out": Ratio(40, 31, 30, 2.0)}, SCORE.overall, 900, 0)
    text = seen(draw(moment(score=many), 100, 30), 100, 30)
    assert "30 of 40" in text
    assert "●●●●●●●●●●●●●" not in text


def test_ending_page_offers_no_interrupt() -> None:
    """While it winds down, the page says so and no longer invites to end it."""
    text = seen(draw(moment(phase="catching up"), 100, 30), 100, 30)
    assert "catching up" in text
    assert "Ctrl-C" not in text


def test_rates_are_over_the_last_second() -> None:
    """A rate is the difference over about a second, not between two looks."""
    rates = Rates()
    for tenth in range(31):
        rates.add(tenth / 10, tenth * 100 if tenth <= 20 else 2000)
    assert list(rates.history)[20] == pytest.approx(1000)
    assert rates.history[-1] == 0


def test_summary() -> None:
    """The summary fits 80 columns, whatever the terminal."""
    text = seen(summary(report()), 80, 60)
    same("summary", text)
    assert max(map(len, text.split("\n"))) <= 80


def test_summary_of_nothing() -> None:
    """Without outputs there are dashes, and no error."""
    text = seen(summary(report(latency=None, outputs={}, state_bytes=None, seconds=0.0, events_in=0)), 80, 60)
    assert "no assessment was published" in text
    assert "–" in text


def test_view_is_untouched() -> None:
    """Drawing changes nothing: the same view gives the same page."""
    view: PageView = moment(latency=Percentiles(1, 2, 3))
    assert seen(draw(view, 100, 30), 100, 30) == seen(draw(view, 100, 30), 100, 30)
