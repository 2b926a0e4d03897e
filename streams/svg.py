"""Pieces of drawings as SVG text: pages draw with them, so that they need no library and no network.

Colours are those of the page's style (classes), so that they follow its light and dark.
"""

from collections.abc import Sequence
from html import escape


def legend(entries: Sequence[tuple[str, str]], left: float) -> str:
    """Squares with what they stand for, in a row from ``left`` on."""
    parts = []
    across = left
    for words, style in entries:
        parts.append(rect(across, 6, 11, 11, style, words) + text(across + 16, 16, words, style="quiet"))
        across += 34 + 7.2 * len(words)
    return "".join(parts)


def svg(width: int, height: int, parts: Sequence[str], words: str) -> str:
    """A whole drawing; ``words`` say what it shows to who does not see it."""
    return (
        f'<svg role="img" aria-label="{escape(words)}" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}">{"".join(parts)}</svg>'
    )


def rect(x: float, y: float, width: float, height: float, style: str, words: str) -> str:
    """A rectangle; ``words`` are for who points at it, as with a circle."""
    return (
        f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}">'
        f"<title>{escape(words)}</title></rect>"
    )


def circle(x: float, y: float, radius: float, style: str, words: str) -> str:
    """A dot."""
    return f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"><title>{escape(words)}</title></circle>'


def line(x: float, y: float, to: float, down: float, style: str) -> str:
    """A straight line."""
    return f'<line class="{style}" x1="{x:.1f}" y1="{y:.1f}" x2="{to:.1f}" y2="{down:.1f}"/>'


def text(x: float, y: float, words: str, *, anchor: str = "start", style: str = "") -> str:
    """Words in a drawing."""
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
