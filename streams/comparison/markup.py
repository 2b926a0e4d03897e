"""The page around a comparison: its style, its one script, and small pieces of HTML."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from streams.printable import printable

_STYLE: Final = """
:root { color-scheme: light dark; --text: #1c2733; --quiet: #5b6b7b; --line: #d5dce3; --ground: #fff; --raised: #f4f6f8;
  --base: #7b8794; --cand: #2563a8; --equal: #a9b6c4; --changed: #d9a441; --lost: #b3261e; --gained: #1b7f4b;
  --silent: #b3261e26; --on-badge: #fff; }
@media (prefers-color-scheme: dark) { :root { --text: #e3e8ee; --quiet: #9aa8b6; --line: #36424e; --ground: #14191f;
  --raised: #1d242c; --base: #93a1af; --cand: #6ea8e8; --equal: #56636f; --changed: #d9a441; --lost: #e5635b;
  --gained: #4cb582; --silent: #e5635b33; --on-badge: #14191f; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; color: var(--text);
  background: var(--ground); }
h2 { margin-top: 2.6rem; border-bottom: 1px solid var(--line); padding-bottom: 0.3rem; }
p.quiet, .quiet { color: var(--quiet); }
nav a { margin-right: 1.2rem; }
a { color: var(--cand); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.8rem 0; font-size: 0.88rem; }
th, td { padding: 0.22rem 0.6rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
td { white-space: nowrap; }
td.words { white-space: normal; }
th:first-child, td:first-child, td.words, th.words { text-align: left; }
th:first-child, td:first-child { position: sticky; left: 0; background: var(--ground); }
th { border-bottom: 2px solid var(--base); }
td.same { background: var(--raised); }
td.up { color: var(--lost); } td.down { color: var(--gained); }
.tiles { display: flex; flex-wrap: wrap; gap: 0.7rem; margin: 1rem 0; }
.tile { background: var(--raised); border-radius: 8px; padding: 0.6rem 1rem; min-width: 8.4rem; }
.tile b { display: block; font-size: 1.5rem; line-height: 1.3; }
.badge { border-radius: 4px; padding: 0 0.4rem; font-size: 0.8rem; color: var(--on-badge); background: var(--base);
  white-space: nowrap; }
.badge.changed { background: var(--changed); color: #1c2733; } .badge.lost { background: var(--lost); }
.badge.gained { background: var(--gained); }
details { border: 1px solid var(--line); border-radius: 8px; margin: 0.5rem 0; padding: 0.4rem 0.9rem; }
summary { cursor: pointer; }
figure { margin: 1rem 0; overflow-x: auto; }
p { max-width: 64rem; }
article { margin: 0.8rem 0 1.1rem; padding-left: 0.8rem; border-left: 3px solid var(--line); }
article.changed { border-color: var(--changed); } article.lost { border-color: var(--lost); }
article.gained { border-color: var(--gained); }
article p, article ul { margin: 0.2rem 0; }
input[type=search] { font: inherit; padding: 0.35rem 0.6rem; width: min(100%, 26rem); color: inherit;
  background: var(--raised); border: 1px solid var(--line); border-radius: 6px; }
svg { max-width: 100%; height: auto; font: 12px system-ui, sans-serif; }
svg text { fill: var(--text); } svg text.quiet { fill: var(--quiet); } svg text.small { font-size: 10px; }
svg .grid { stroke: var(--line); }
svg rect.baseline { fill: var(--base); } svg rect.candidate { fill: var(--cand); }
svg rect.equal, svg circle.equal { fill: var(--equal); } svg rect.changed, svg circle.changed { fill: var(--changed); }
svg rect.lost, svg circle.lost { fill: var(--lost); } svg rect.gained, svg circle.gained { fill: var(--gained); }
svg rect.silent { fill: var(--silent); }
@media (max-width: 40rem) {
  body { margin: 1rem auto; }
  figure svg { min-width: 38rem; }
  th, td { padding: 0.22rem 0.4rem; }
  td:first-child { white-space: normal; min-width: 7rem; overflow-wrap: anywhere; }
  details { padding: 0.4rem 0.6rem; }
}
svg polyline, svg path { fill: none; stroke-width: 1.8; }
svg polyline.baseline, svg path.baseline { stroke: var(--base); stroke-dasharray: 5 3; }
svg polyline.candidate, svg path.candidate { stroke: var(--cand); }
"""
#: Shows the merchants whose id or words contain what is typed; opens the one that the address names.
_SCRIPT: Final = """
const find = document.getElementById('find');
const cards = [...document.querySelectorAll('details.party')];
const none = document.getElementById('none');
find?.addEventListener('input', () => {
  const wanted = find.value.trim().toLowerCase();
  let shown = 0;
  for (const card of cards) { card.hidden = !card.dataset.words.includes(wanted); shown += card.hidden ? 0 : 1; }
  none.hidden = shown > 0;
});
const open = () => { const card = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (card?.tagName === 'DETAILS') { card.open = true; card.scrollIntoView(); } };
addEventListener('hashchange', open);
open();
"""


def document(title: str, parts: Iterable[str], *, style: str = "") -> str:
    """A whole page, with style of its own beside that of all. Its policy forbids to fetch anything from anywhere."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
    return "\n".join([
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{_STYLE}{style}</style></head><body>",
        *parts,
        f"<script>{_SCRIPT}</script></body></html>",
        "",
    ])  # fmt: skip


def text(words: str) -> str:
    """Words from outside, made safe."""
    return escape(printable(words))


def tile(figure: str, words: str) -> str:
    """One figure with what it is."""
    return f'<div class="tile"><b>{text(figure)}</b>{text(words)}</div>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, words: Sequence[int] = ()) -> str:
    """A table of plain text; columns in ``words`` are aligned as text."""
    head = "".join(f"<th{_class(at, words)}>{text(cell)}</th>" for at, cell in enumerate(heads))
    body = "".join(
        "<tr>" + "".join(f"<td{_class(at, words)}>{text(cell)}</td>" for at, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def matrix(names: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """A table of where things went: from rows to columns, the worse marked as such; names rise in badness."""
    head = "<th></th>" + "".join(f"<th>{text(name)}</th>" for name in names)
    rows = []
    for at, (name, row) in enumerate(zip(names, counts, strict=True)):
        cells = [
            f'<td class="{"same" if at == to else "up" if to > at else "down"}">{f"{count:,}" if count else "–"}</td>'
            for to, count in enumerate(row)
        ]
        rows.append(f"<tr><td>{text(name)}</td>{''.join(cells)}</tr>")
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _class(at: int, words: Sequence[int]) -> str:
    return ' class="words"' if at in words else ""
