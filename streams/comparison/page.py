"""A comparison as one HTML page that needs nothing else: what would have been done, what was missed, and why."""

from collections.abc import Iterator, Sequence
from typing import Final

from detectors.comparison.comparison import Comparison
from detectors.comparison.overlap import Overlap
from detectors.comparison.policy_changes import PolicyChange
from detectors.comparison.policy_words import change_words
from detectors.comparison.sums import Group
from streams.comparison.markup import document, matrix, table, text, tile
from streams.comparison.party_page import anchor, party_card
from streams.comparison.plots import outcome_bars, restricted_bars, timeline
from streams.comparison.words import NOTHING, changed_field, duration, moment, money, plain_share, share, spoken

#: Merchants and creators with all their decisions on the page; the JSON has everybody.
MOST_PARTIES: Final = 400
_MOST_PAIRS: Final = 20
_MOST_NAMES: Final = 40


def html_page(found: Comparison) -> str:
    """The page."""
    title = f"{found.baseline.name} and {found.candidate.name}"
    return document(f"Shopwarden: {title} compared", _parts(found, title))


def _parts(found: Comparison, title: str) -> Iterator[str]:
    yield f"<h1>{text(title)}</h1>"
    yield (
        '<nav><a href="#done">What would have been done</a><a href="#missed">What was missed</a>'
        '<a href="#why">Why a merchant got a decision</a><a href="#rules">Rules and policies</a></nav>'
    )
    yield from _runs(found)
    yield '<h2 id="done">What would the candidate have done?</h2>'
    yield from _done(found)
    yield '<h2 id="missed">What did the baseline miss?</h2>'
    yield from _missed(found)
    yield '<h2 id="why">Why did this merchant get that decision?</h2>'
    yield from _why(found)
    yield '<h2 id="rules">Rules and policies</h2>'
    yield from _rules(found)


def _runs(found: Comparison) -> Iterator[str]:
    runs = found.baseline, found.candidate
    rows = [
        ("read from", *(run.name for run in runs)),
        ("mode", *(", ".join(run.modes) or NOTHING for run in runs)),
        ("policy sets", *(", ".join(run.policies) or NOTHING for run in runs)),
        ("event time", *(f"{moment(run.first)} to {moment(run.last)}" for run in runs)),
        ("outputs", *(f"{sum(run.outputs.values()):,}" for run in runs)),
        ("decisions", *(f"{run.decisions:,}" for run in runs)),
        ("merchants and creators decided against", *(f"{run.parties:,}" for run in runs)),
        ("orders under restrictions", *(money(run.restricted) for run in runs)),
    ]
    yield table(("", "baseline", "candidate"), rows, words=(1, 2))


def _done(found: Comparison) -> Iterator[str]:
    outcomes = found.outcomes
    yield '<div class="tiles">'
    yield tile(f"{outcomes['gained']:,}", "decisions gained")
    yield tile(f"{outcomes['lost']:,}", "decisions lost")
    yield tile(f"{outcomes['changed']:,}", "decisions changed")
    yield tile(f"{outcomes['equal']:,}", "decisions equal")
    yield tile(f"{sum(bool(each.differences) for each in found.touched):,}", "merchants and creators differ")
    yield "</div>"
    yield (
        '<p class="quiet">Input is what was recorded: orders that a restriction would have kept from being placed are '
        "still in it. “Under restrictions” are orders placed while the merchant or listing is restricted, and orders "
        "whose payout is held; a warning and a request for review restrict nothing.</p>"
    )
    if found.changed:
        changed = ", ".join(f"{changed_field(name)} ({count:,})" for name, count in found.changed.items())
        yield f"<p>What differs in changed decisions: {text(changed)}.</p>"
    yield f"<figure>{timeline(found.days, found.outage)}</figure>"
    differing = [group for group in found.rules if group.changed or group.lost or group.gained]
    yield f"<figure>{outcome_bars(differing or found.rules)}</figure>"
    for title, groups in _groups(found):
        yield f"<h3>{text(title)}</h3>"
        yield _group_table(groups)
    currency = max(found.traded, key=lambda name: found.traded[name], default="")
    if plot := restricted_bars(found.categories, currency):
        yield f"<figure>{plot}</figure>"
    yield from _quality(found)
    yield "<h3>Worst level of each merchant and creator</h3>"
    yield '<p class="quiet">From the baseline (rows) to the candidate (columns).</p>'
    yield matrix(found.levels.names, found.levels.counts)
    if found.tiers is not None:
        yield "<h3>Credit tiers at the end</h3>"
        yield matrix(found.tiers.names, found.tiers.counts)


def _groups(found: Comparison) -> Iterator[tuple[str, Sequence[Group]]]:
    yield "By rule", found.rules
    yield "By policy", found.policies
    yield "By action", found.actions
    if found.traded:
        yield "By category", found.categories
    if found.tiers is not None:
        yield "By credit tier at the decision", found.tiers_of


def _group_table(groups: Sequence[Group]) -> str:
    """Those that differ, and the others folded up."""
    differing = [group for group in groups if group.changed or group.lost or group.gained]
    same = [group for group in groups if group not in differing]
    shown = _group_rows(differing) if differing else "<p>The same decisions in both.</p>"
    if same:
        more = f"{len(same):,} with the same decisions in both"
        shown += f"<details><summary>{more}</summary>{_group_rows(same)}</details>"
    return shown


def _group_rows(groups: Sequence[Group]) -> str:
    heads = (
        "", "baseline", "candidate", "equal", "changed", "lost", "gained", "merchants", "restricted before",
        "restricted then", "malicious before", "malicious then",
    )  # fmt: skip
    names = ("baseline", "candidate", "equal", "changed", "lost", "gained", "parties")
    rows = [
        (
            group.name,
            *(f"{getattr(group, name):,}" if getattr(group, name) else NOTHING for name in names),
            money(group.baseline_restricted),
            money(group.candidate_restricted),
            plain_share(group.baseline_precision),
            plain_share(group.candidate_precision),
        )
        for group in groups
    ]
    known = any(group.baseline_precision is not None for group in groups)
    return table(heads, rows) if known else table(heads[:-2], [row[:-2] for row in rows])


def _quality(found: Comparison) -> Iterator[str]:
    if found.truth is not None:
        one, other, moved = found.truth.baseline, found.truth.candidate, found.truth.moved
        yield "<h3>Against the truth</h3>"
        rows = [
            ("malicious merchants found", share(one.recall), share(other.recall)),
            ("of those accused, malicious", share(one.precision), share(other.precision)),
            ("honest merchants accused", share(one.honest), share(other.honest)),
            ("honest merchants restricted", share(one.restricted), share(other.restricted)),
            *(
                (f"found: {spoken(name)}", share(its), share(other.by_pattern[name]))
                for name, its in one.by_pattern.items()
            ),
        ]
        yield table(("", "baseline", "candidate"), rows, words=(1, 2))
        for words, names in (
            ("Newly found", moved.found),
            ("No longer found", moved.missed),
            ("Honest and newly accused", moved.accused),
            ("Honest and no longer accused", moved.spared),
        ):
            if names:
                yield f"<p>{words}: {_links(names)}</p>"
    if found.verdicts is not None:
        before, after = found.verdicts.baseline, found.verdicts.candidate
        yield "<h3>Against people’s verdicts</h3>"
        rows = [
            ("of the decisions judged, right", share(before.precision), share(after.precision)),
            ("of the violations they found, acted upon", share(before.recall), share(after.recall)),
        ]
        yield table(("", "baseline", "candidate"), rows, words=(1, 2))


def _links(names: Sequence[str]) -> str:
    shown = [f'<a href="#{anchor("merchant", name)}">{text(name)}</a>' for name in names[:_MOST_NAMES]]
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(shown) + more


def _missed(found: Comparison) -> Iterator[str]:
    outage = found.outage
    if not outage.gaps and not outage.silences and not outage.late:
        yield (
            "<p>Nothing that shows: the baseline told of no input that it never saw, was never silent while the "
            "candidate had something to say, and took no decision late.</p>"
        )
        return
    parties = {line.match.decision.id: each for each in found.touched for line in each.lines}
    if outage.gaps:
        yield "<h3>Input that it never saw</h3>"
        rows = [
            (f"{gap.topic}/{gap.partition}", f"{gap.first_offset:,} to {gap.last_offset:,}", gap.why, moment(gap.time))
            for gap in outage.gaps
        ]
        yield table(("topic", "offsets", "why", "at"), rows, words=(1, 2, 3))
    if outage.silences:
        yield "<h3>Silences</h3>"
        yield '<p class="quiet">Spans of event time without output or with next to none; the candidate had some.</p>'
    for silence in outage.silences:
        span = f"{moment(silence.since)} to {moment(silence.until)} ({duration(silence.until - silence.since)})"
        said = f"{silence.outputs:,} outputs of the candidate, {silence.spoken:,} of the baseline"
        names = list(dict.fromkeys(parties[name].id for name in silence.decisions if name in parties))
        yield f"<p>{span}: {said}, {len(silence.decisions):,} decisions that were never taken. {_links(names)}</p>"
    if outage.late:
        usual = "" if outage.usual_delay is None else f" beyond the usual {duration(outage.usual_delay)}"
        yield f"<h3>Decisions that came late{usual}</h3>"
        came = [
            (parties[late.decision].id if late.decision in parties else "?", late.decision, duration(late.by))
            for late in outage.late[:_MOST_NAMES]
        ]
        yield table(("merchant", "decision", "later by"), came, words=(1,))


def _why(found: Comparison) -> Iterator[str]:
    shown = found.touched[:MOST_PARTIES]
    yield '<p><label>Merchant, order, listing or rule: <input type="search" id="find"></label></p>'
    if len(found.touched) > len(shown):
        yield (
            f'<p class="quiet">The {len(shown):,} of {len(found.touched):,} with the most differences; '
            "the JSON of the comparison has all.</p>"
        )
    yield '<p id="none" hidden>Nobody on this page.</p>'
    times = [time for run in (found.baseline, found.candidate) for time in (run.first, run.last) if time is not None]
    begin, end = min(times, default=0), max(times, default=1)
    for each in shown:
        yield party_card(each, begin, end)
    if not shown:
        yield "<p>No decision was taken by either run.</p>"


def _rules(found: Comparison) -> Iterator[str]:
    if found.policy is not None:
        yield f"<h3>What changed between {text(found.policy.baseline)} and {text(found.policy.candidate)}</h3>"
        yield _changes(found.policy.changes)
    for title, overlap in (("the baseline", found.overlap_baseline), ("the candidate", found.overlap_candidate)):
        yield f"<h3>Overlap in {title}</h3>"
        yield _overlap(overlap)


def _changes(changes: Sequence[PolicyChange]) -> str:
    if not changes:
        return "<p>Nothing: both say the same.</p>"
    return "<ul>" + "".join(f"<li>{text(change_words(change))}</li>" for change in changes) + "</ul>"


def _overlap(found: Overlap) -> str:
    reach = table(
        ("rule", "merchants", "touched by no other"),
        [(each.rule, f"{each.parties:,}", f"{each.alone:,}") for each in found.reach],
    )
    pairs = table(
        ("rule", "and", "merchants", "of those of either"),
        [(pair.one, pair.other, f"{pair.both:,}", f"{pair.jaccard:.0%}") for pair in found.pairs[:_MOST_PAIRS]],
        words=(1,),
    )
    return reach + (pairs if found.pairs else "<p>No two rules touch the same merchant.</p>")
