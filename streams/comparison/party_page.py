"""What a page tells of one merchant or creator: levels over time, and every decision with its reasons."""

from collections.abc import Iterator

from detectors.comparison.comparison import Line, Touched
from features.outputs import Reason
from streams.comparison.markup import text
from streams.comparison.plots import Mark, level_steps
from streams.comparison.words import action, differences, moment, money, spoken


def anchor(kind: str, name: str) -> str:
    """Where a page's address finds somebody."""
    return text(f"{kind}:{name}")


def party_card(touched: Touched, begin: int, end: int) -> str:
    """All about one; ``begin`` and ``end`` are those of both runs, ms."""
    words = {touched.id, touched.category, touched.label}
    for line in touched.lines:
        decision = line.match.decision
        words.update((decision.subject_id, decision.rule, decision.action, line.match.outcome))
    found = text(" ".join(sorted(word.lower() for word in words if word)))
    return (
        f'<details class="party" id="{anchor(touched.kind, touched.id)}" data-words="{found}">'
        f"<summary>{_summary(touched)}</summary>{''.join(_card(touched, begin, end))}</details>"
    )


def _summary(touched: Touched) -> str:
    counts: dict[str, int] = {}
    for line in touched.lines:
        counts[line.match.outcome] = counts.get(line.match.outcome, 0) + 1
    badges = " ".join(f'<span class="badge {name}">{count:,} {name}</span>' for name, count in sorted(counts.items()))
    about = ", ".join(text(spoken(word)) for word in (touched.category, touched.label) if word)
    kind = "" if touched.kind == "merchant" else f"{text(touched.kind)} "
    return f'{kind}<b>{text(touched.id)}</b> {badges} <span class="quiet">{about}</span>'


def _card(touched: Touched, begin: int, end: int) -> Iterator[str]:
    marks = [
        Mark(
            line.match.decision.starts_at,
            line.match.outcome,
            f"{line.match.outcome}: {spoken(line.match.decision.action)}",
        )
        for line in touched.lines
    ]
    yield f"<figure>{level_steps(touched.levels, marks, begin, end)}</figure>"
    if touched.restricted[0] or touched.restricted[1]:
        yield f"<p>Orders under restrictions: {money(touched.restricted[0])} → {money(touched.restricted[1])}</p>"
    for words, tiers in zip(("baseline", "candidate"), touched.tiers, strict=True):
        if tiers:
            steps = ", ".join(f"{tier.tier} from {moment(tier.time)}" for tier in tiers[-6:])
            yield f'<p class="quiet">Credit tier in the {words}: {text(steps)}</p>'
    for line in touched.lines:
        yield _decision(line)


def _decision(line: Line) -> str:
    match = line.match
    decision = match.decision
    about = "" if decision.kind in ("merchant", "creator") else f" {decision.kind} {decision.subject_id}"
    rule = f"{moment(decision.starts_at)} · rule {decision.rule} {decision.rule_version} · {decision.id}"
    head = f'<span class="badge {match.outcome}">{match.outcome}</span> <b>{text(action(decision) + about)}</b>'
    parts = [f'<article class="{match.outcome}"><p>{head} <span class="quiet">{text(rule)}</span></p>']
    if decision.title:
        parts.append(f"<p>{text(decision.title)}</p>")
    own = next((reason for reason in decision.reasons if reason.code == decision.rule), None)
    if decision.facts:
        parts.append(f"<p>{text(decision.facts)}{'' if own is None else _figures(own)}</p>")
    others = [reason for reason in decision.reasons if reason is not own]
    if others:
        listed = "".join(f"<li>{text(each.text)}{_figures(each)}</li>" for each in others)
        parts.append(f"<details><summary>{len(others):,} more reasons stood then</summary><ul>{listed}</ul></details>")
    parts += [f'<p class="quiet">{text(words)}</p>' for words in differences(match)]
    if line.cause:
        parts.append(f"<p>Why it differs: {text(line.cause)}</p>")
    if line.restricted:
        parts.append(f'<p class="quiet">Orders that it touches: {money(line.restricted)}</p>')
    return "".join([*parts, "</article>"])


def _figures(reason: Reason) -> str:
    figures = [
        f"{name} {f'{value:.6g}' if isinstance(value, float) else value}"
        for name, value in (("observed", reason.observed), ("expected", reason.expected), ("window", reason.window))
        if value is not None
    ]
    shown = f" ({', '.join(figures)})" if figures else ""
    return f'<span class="quiet">{text(shown)} [{text(reason.code)}]</span>'
