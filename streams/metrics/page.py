"""A scorecard as one HTML page that needs nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final

from detectors.metrics.catalogue import AUDIT, DECISIONS, FAIRNESS, GROUPS, METRICS, ORDERS
from detectors.metrics.estimate import Estimate, date_of
from detectors.metrics.scorecard import Scorecard
from detectors.metrics.transparency import Transparency
from streams.comparison.markup import document, table, text
from streams.comparison.words import NOTHING, moment
from streams.metrics.plots import decisions, development, ratios, shares
from streams.metrics.words import basis, interval, slice_words, standing, title, value

_STYLE: Final = """
:root { --good: var(--cand); --immature: var(--quiet); --bad: var(--lost); }
nav a { white-space: nowrap; display: inline-block; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); }
td:not(.words):not(:first-child) { white-space: nowrap; }
.tile .range { display: block; color: var(--quiet); font-size: 0.8rem; }
.tile.immature b { color: var(--quiet); }
svg circle.good { fill: var(--good); } svg circle.bad { fill: var(--bad); }
svg circle.immature { fill: var(--ground); stroke: var(--immature); stroke-width: 1.6; }
svg line.bar { stroke-width: 2; } svg line.bar.good { stroke: var(--good); } svg line.bar.bad { stroke: var(--bad); }
svg line.bar.immature { stroke: var(--immature); stroke-dasharray: 3 3; }
svg rect.good, svg rect.restrictions { fill: var(--good); } svg rect.reviews { fill: var(--changed); }
svg rect.warnings { fill: var(--equal); } svg rect.immature { fill: none; stroke: var(--immature); }
svg rect.fair { fill: var(--raised); }
caption { text-align: left; font-weight: 600; padding: 0.4rem 0; }
dl { display: grid; grid-template-columns: minmax(10rem, 18rem) 1fr; gap: 0.2rem 1rem; }
dt { font-weight: 600; } dd { margin: 0; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } figure { overflow-x: auto; margin: 1rem 0; }
  figure svg { min-width: 40rem; max-width: none; } }
@media print { body { max-width: none; font-size: 11pt; margin: 0; } nav, input { display: none; }
  h2 { break-after: avoid; } figure, tr { break-inside: avoid; } }
"""
#: The figures at the top, where there are such.
_HEADLINES: Final[tuple[tuple[str, Mapping[str, str]], ...]] = (
    ("bad_order_rate", {}),
    ("listing_violation_rate", {}),
    ("violating_view_rate", {}),
    ("bad_seller_onboarding_rate", {"within": "30 d"}),
    ("creator_violation_rate", {}),
    ("precision_by_audit", {"subject": "listing"}),
    ("recall_by_audit", {"subject": "listing"}),
    ("overturn_rate", {}),
    ("proactive_rate", {}),
    ("time_to_review", {}),
    ("review_backlog", {}),
    ("wrong_merchant_days", {}),
)
_ANCHORS: Final = {group: f"g{number}" for number, group in enumerate(GROUPS)}


def html_page(card: Scorecard) -> str:
    """The page."""
    name = f"Governance scorecard, {date_of(card.start)} to {date_of(card.end - 1)}"
    return document(name, _parts(card, name), style=_STYLE)


def _parts(card: Scorecard, name: str) -> Iterator[str]:
    yield f"<header><h1>{escape(name)}</h1>"
    yield (
        f'<p class="quiet">As known at {moment(card.now)} UTC, from {card.inputs:,} input and {card.outputs:,} output '
        f"events{_unusable(card)}. Intervals are of 95 %. What is not mature yet is grey, and not to be compared.</p>"
    )
    links = "".join(f'<a href="#{_ANCHORS[group]}">{escape(group)}</a>' for group in GROUPS)
    links += '<a href="#law">Transparency</a><a href="#terms">Terms</a>'
    yield f'<nav aria-label="Sections">{links}</nav></header><main>'
    yield '<div class="tiles">'
    for metric, slice_ in _HEADLINES:
        found = card.find(metric, **slice_)
        if found is not None and found.value is not None:
            yield _tile(found)
    yield "</div>"
    for group in GROUPS:
        yield f'<section aria-labelledby="{_ANCHORS[group]}"><h2 id="{_ANCHORS[group]}">{escape(group)}</h2>'
        yield from _figures(card, group)
        yield from _tables([each for each in card.estimates if METRICS[each.name].group == group])
        yield "</section>"
    yield '<section aria-labelledby="law"><h2 id="law">Transparency</h2>'
    yield from _transparency(card.transparency)
    yield '</section><section aria-labelledby="terms"><h2 id="terms">Terms</h2><dl>'
    named = {each.name for each in card.estimates}
    yield from (
        f"<dt>{escape(metric.title)}</dt><dd>{escape(metric.meaning)}</dd>"
        for key, metric in METRICS.items()
        if key in named
    )
    yield "</dl></section></main>"


def _unusable(card: Scorecard) -> str:
    lost = [(card.rejected, "inputs were refused"), (card.unread, "outputs could not be read")]
    said = [f"{number:,} {words}" for number, words in lost if number]
    return f" ({' and '.join(said)})" if said else ""


def _tile(found: Estimate) -> str:
    slice_ = f" ({slice_words(found)})" if found.slice else ""
    range_ = "" if found.low is None else f'<span class="range">{text(interval(found))}</span>'
    state = standing(found)
    note = f'<span class="range">{text(state)}</span>' if state else ""
    style = "tile" if found.mature else "tile immature"
    return f'<div class="{style}"><b>{text(value(found))}</b>{text(title(found) + slice_)}{range_}{note}</div>'


def _figures(card: Scorecard, group: str) -> Iterator[str]:
    def named(name: str) -> list[Estimate]:
        return [each for each in card.estimates if each.name == name]

    drawn: list[str] = []
    if group == ORDERS:
        drawn.append(development(card.development))
    elif group == AUDIT:
        rates = [each for each in card.estimates if METRICS[each.name].group == AUDIT and not each.slice.get("rule")]
        wanted = [each for each in rates if each.name in ("precision_by_audit", "recall_by_audit")]
        drawn.append(shares(wanted, "Precision and recall by audit"))
    elif group == DECISIONS:
        drawn.append(decisions(card.days))
        judged = [each for each in named("precision") if each.slice]
        judged.sort(key=lambda each: (-each.denominator, each.slice["rule"]))
        drawn.append(shares(judged, "Precision of the decisions that people judged, by rule"))
    elif group == FAIRNESS:
        drawn.append(ratios(named("slice_restriction_ratio"), "Restricted merchants: ratio to all others"))
        drawn.append(ratios(named("slice_wrong_ratio"), "Wrongly restricted merchants: ratio to all others"))
    for plot in drawn:
        if plot:
            words = plot.split('aria-label="', 1)[1].split('"', 1)[0]
            yield f'<figure>{plot}<figcaption class="quiet">{words}</figcaption></figure>'


def _tables(estimates: Sequence[Estimate]) -> Iterator[str]:
    """All figures in the open, and those of slices folded up metric by metric."""
    whole = [each for each in estimates if not _is_part(each)]
    if whole:
        yield _table(whole, sliced=any(each.slice for each in whole))
    names = dict.fromkeys(each.name for each in estimates if _is_part(each))
    for name in names:
        parts = [each for each in estimates if each.name == name and _is_part(each)]
        number = f"{len(parts)} slices" if len(parts) > 1 else "1 slice"
        yield f"<details><summary>{text(title(parts[0]))}: {number}</summary>{_table(parts, sliced=True)}</details>"


#: Dimensions that say what a figure is of, and not of which part of the merchants or decisions.
_PLAIN: Final = frozenset({"currency", "within", "subject", "quantile", "k"})


def _is_part(estimate: Estimate) -> bool:
    return not estimate.slice.keys() <= _PLAIN


def _table(estimates: Sequence[Estimate], *, sliced: bool) -> str:
    bounds = any(each.bound is not None for each in estimates)
    heads = ["", *(["of"] if sliced else []), "value", "interval", "counted", *(["by chance"] if bounds else []), ""]
    rows = []
    for each in estimates:
        row = [title(each), *([slice_words(each)] if sliced else []), value(each), interval(each), basis(each)]
        if bounds:
            row.append(NOTHING if each.bound is None else f"below {each.bound:.3g}")
        notes = [note for note in (standing(each), each.note) if note]
        rows.append([*row, "; ".join(notes)])
    words = (0, 1, len(heads) - 1) if sliced else (0, len(heads) - 1)
    return table(heads, rows, words=words)


def _transparency(found: Transparency) -> Iterator[str]:
    yield (
        f"<p>{found.restrictions:,} restrictions with a statement of reasons. Statements are in the report’s "
        "folder, in batches of at most 100, as the DSA Transparency Database takes them.</p>"
    )
    for caption, counts in (
        ("By ground", found.by_ground),
        ("By category", found.by_category),
        ("By restriction", found.by_restriction),
        ("By automation of the decision", found.by_automation),
        ("By automated detection", found.by_detection),
        ("By source", found.by_source),
        ("Taken back or ended", found.reversed),
    ):
        if counts:
            yield table((caption, "restrictions"), [(code, f"{number:,}") for code, number in counts.items()])
    notices, complaints = found.notices, found.complaints
    yield table(
        ("Notices", "number"),
        [
            ("received", f"{notices.received:,}"),
            ("followed by a restriction", f"{notices.acted_on:,}"),
            ("median time to it", _hours(notices.median_hours)),
        ],
    )
    yield table(
        ("Complaints (appeals)", "number"),
        [
            ("filed", f"{complaints.filed:,}"),
            ("decision upheld", f"{complaints.upheld:,}"),
            ("decision overturned", f"{complaints.overturned:,}"),
            ("open", f"{complaints.open:,}"),
            ("not decided in time", f"{complaints.overdue:,}"),
            ("median time to a decision", _hours(complaints.median_hours)),
        ],
    )


def _hours(hours: float | None) -> str:
    return NOTHING if hours is None else f"{hours:,.1f} h"
