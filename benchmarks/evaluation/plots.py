"""Plots as SVG text, the same bytes for the same figures."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import matplotlib as mpl

mpl.use("svg")

from matplotlib.figure import Figure

_SETTINGS: Final[Any] = {
    "svg.hashsalt": "shopwarden",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_NO_METADATA: Final = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_OURS: Final = "#2563a8"
_OTHER: Final = "#a9b6c4"


def bars(
    names: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    *,
    label: str,
    spread: Mapping[str, Sequence[float | None]] | None = None,
    goals: Sequence[float | None] = (),
    low: float = 0.0,
) -> str:
    """Groups of bars with their spread (sd), and a line over each group where it has a goal."""
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(8.5, 3.0))
        axes = figure.subplots()
        width = 0.8 / len(series)
        shades = [_OURS, "#7fa8d1", _OTHER, "#d9a441"]
        for at, (name, values) in enumerate(series.items()):
            places = [group + (at - (len(series) - 1) / 2) * width for group in range(len(names))]
            errors = [each or 0.0 for each in (spread or {}).get(name, [None] * len(names))]
            axes.bar(places, [each or 0.0 for each in values], width * 0.92, label=name, color=shades[at % 4],
                     yerr=errors if any(errors) else None, error_kw={"lw": 0.8})  # fmt: skip
        for group, goal in enumerate(goals):
            if goal is not None:
                axes.plot([group - 0.45, group + 0.45], [goal, goal], color="#b3261e", lw=1.2, ls="--")
        axes.set_xticks(range(len(names)), names)
        axes.set_ylabel(label)
        axes.set_ylim(bottom=low)
        axes.legend(frameon=False, ncols=len(series), loc="upper left", bbox_to_anchor=(0, 1.18))
        return _svg(figure)


def diagram(curves: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Reliability: observed share over predicted probability, a point for each bin."""
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(8.5, 3.2))
        plots = figure.subplots(1, len(curves), squeeze=False)[0]
        for axes, (name, points) in zip(plots, curves.items(), strict=True):
            predicted = [each["predicted"] for each in points]
            observed = [each["observed"] for each in points]
            most = max([*predicted, *observed, 0.1]) * 1.05
            axes.plot([0, most], [0, most], color=_OTHER, lw=1)
            axes.plot(predicted, observed, color=_OURS, marker="o", ms=4, lw=1)
            axes.set_title(name, fontsize=9)
            axes.set_xlabel("predicted")
            axes.set_ylabel("observed")
        figure.tight_layout()
        return _svg(figure)


def _svg(figure: Figure) -> str:
    target = io.StringIO()
    figure.savefig(target, format="svg", metadata=_NO_METADATA, bbox_inches="tight")
    text = target.getvalue()
    # Within a page there is no prologue, and nothing is fetched.
    return text[text.index("<svg") :]
