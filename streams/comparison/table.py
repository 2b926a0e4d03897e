"""A comparison on the terminal."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from detectors.comparison.comparison import Comparison, Touched
from detectors.comparison.migration import Migration
from detectors.comparison.outage import Silence
from detectors.comparison.overlap import Overlap
from detectors.comparison.sums import Group as Decisions
from streams.comparison.words import NOTHING, changed_field, duration, moment, money, plain_share, share, spoken
from streams.printable import printable


def print_comparison(found: Comparison, console: Console, *, merchants: int) -> None:
    """Print a comparison, with so many of the merchants that were decided upon differently."""
    console.print(_runs(found))
    for line in _summary(found):
        console.print(Text(printable(line)))
    groups = (("Rules", found.rules), ("Policies", found.policies), ("Actions", found.actions))
    console.print(Group(*(_groups(title, members) for title, members in groups)))
    if found.traded:
        console.print(_groups("Categories", found.categories))
    if found.tiers is not None:
        console.print(_groups("Credit tiers", found.tiers_of))
        console.print(_migration("Tiers: baseline down, candidate across", found.tiers))
    console.print(_migration("Worst levels of merchants: baseline down, candidate across", found.levels))
    console.print(_overlap("Rules of the candidate that touch the same merchants", found.overlap_candidate))
    for line in (*_quality(found), *_missed(found)):
        console.print(Text(printable(line)))
    console.print(_merchants(found, merchants))


def _runs(found: Comparison) -> Group:
    table = _table(("", "baseline", "candidate"))
    runs = (found.baseline, found.candidate)
    rows: list[tuple[str, list[str]]] = [
        ("read from", [run.name for run in runs]),
        ("mode", [", ".join(run.modes) or NOTHING for run in runs]),
        ("policy set", [", ".join(run.policies) or NOTHING for run in runs]),
        ("outputs", [f"{sum(run.outputs.values()):,}" for run in runs]),
        ("from", [moment(run.first) for run in runs]),
        ("until", [moment(run.last) for run in runs]),
        ("decisions", [f"{run.decisions:,}" for run in runs]),
        ("merchants decided against", [f"{run.parties:,}" for run in runs]),
        ("orders under restrictions", [money(run.restricted) for run in runs]),
    ]
    for name, cells in rows:
        table.add_row(name, *(printable(cell) for cell in cells))
    return _titled("Runs", table)


def _summary(found: Comparison) -> Iterator[str]:
    outcomes = found.outcomes
    yield (
        f"Decisions: {outcomes['equal']:,} equal, {outcomes['changed']:,} changed, {outcomes['lost']:,} lost, "
        f"{outcomes['gained']:,} gained"
    )
    if found.changed:
        yield "  changed: " + ", ".join(f"{changed_field(name)} {count:,}" for name, count in found.changed.items())
    for run in (found.baseline, found.candidate):
        if run.unread:
            yield f"  {run.name}: {run.unread:,} records of the topic are no output events that can be read"
    if found.traded:
        yield f"All orders of the stream: {money(found.traded)}"


def _groups(title: str, groups: Sequence[Decisions]) -> Group:
    """Those that differ; how many do not is in the title."""
    differing = [group for group in groups if group.changed or group.lost or group.gained]
    if len(differing) < len(groups):
        title += f" ({len(groups) - len(differing):,} more have the same decisions in both)"
    heads: tuple[str, ...] = (
        "",
        "baseline",
        "candidate",
        "equal",
        "changed",
        "lost",
        "gained",
        "merchants",
        "restricted",
        "→",
    )
    known = any(group.baseline_precision is not None for group in groups)
    heads += ("malicious", " → ") if known else ()
    table = _table(heads)
    for group in differing:
        counts = (
            group.baseline, group.candidate, group.equal, group.changed, group.lost, group.gained, group.parties,
        )  # fmt: skip
        table.add_row(
            printable(group.name),
            *(f"{count:,}" if count else NOTHING for count in counts),
            money(group.baseline_restricted),
            money(group.candidate_restricted),
            *((plain_share(group.baseline_precision), plain_share(group.candidate_precision)) if known else ()),
        )
    return _titled(title, table)


def _migration(title: str, found: Migration) -> Group:
    table = _table(("", *found.names))
    for name, row in zip(found.names, found.counts, strict=True):
        table.add_row(name, *(f"{count:,}" if count else NOTHING for count in row))
    return _titled(title, table)


def _overlap(title: str, found: Overlap, most: int = 10) -> Group:
    table = _table(("", "and", "merchants", "of those of either"))
    for pair in found.pairs[:most]:
        table.add_row(printable(pair.one), printable(pair.other), f"{pair.both:,}", f"{pair.jaccard:.0%}")
    return _titled(title, table)


def _quality(found: Comparison) -> Iterator[str]:
    if found.truth is not None:
        one, other, moved = found.truth.baseline, found.truth.candidate, found.truth.moved
        yield "Against the truth"
        yield f"  malicious merchants found: {share(one.recall)} → {share(other.recall)}"
        yield f"  of those accused, malicious: {share(one.precision)} → {share(other.precision)}"
        yield f"  honest merchants accused: {share(one.honest)} → {share(other.honest)}"
        for words, names in (
            ("newly found", moved.found),
            ("no longer found", moved.missed),
            ("honest, newly accused", moved.accused),
            ("honest, no longer accused", moved.spared),
        ):
            if names:
                yield f"  {words}: {_some(names)}"
    if found.verdicts is not None:
        one_, other_ = found.verdicts.baseline, found.verdicts.candidate
        yield "Against people's verdicts"
        yield f"  of the decisions judged, right: {share(one_.precision)} → {share(other_.precision)}"
        yield f"  of the violations they found, acted upon: {share(one_.recall)} → {share(other_.recall)}"


def _missed(found: Comparison) -> Iterator[str]:
    outage = found.outage
    for gap in outage.gaps:
        yield (
            f"Missed by the baseline: {gap.topic}/{gap.partition}, offsets {gap.first_offset:,} to "
            f"{gap.last_offset:,} ({gap.why}), at {moment(gap.time)}"
        )
    for silence in outage.silences:
        yield (
            f"The baseline was {_silent(silence)} from {moment(silence.since)} to {moment(silence.until)} "
            f"({duration(silence.until - silence.since)}); the candidate published {silence.outputs:,} outputs, "
            f"{len(silence.decisions):,} decisions among them that the baseline never took"
        )
    if outage.late:
        yield f"{len(outage.late):,} decisions of the baseline came late, by up to {duration(outage.late[0].by)}"


def _silent(silence: Silence) -> str:
    return "silent" if not silence.spoken else f"nearly silent ({silence.spoken:,} outputs)"


def _merchants(found: Comparison, most: int) -> Group:
    differing = [each for each in found.touched if each.differences]
    title = f"Merchants decided upon differently: {len(differing):,} of {len(found.touched):,}"
    if len(differing) > most:
        title += f" (the {most} with the most differences; --merchants N shows more, --json all)"
    table = _table(("merchant", "category", "is", "what", "why"))
    table.columns[-1].no_wrap = False
    for each in differing[:most]:
        _merchant_rows(table, each)
    return _titled(title, table)


def _merchant_rows(table: Table, touched: Touched, most: int = 5) -> None:
    lines = [line for line in touched.lines if line.match.outcome != "equal"]
    for at, line in enumerate(lines[:most]):
        decision = line.match.decision
        first = (touched.id, touched.category, spoken(touched.label)) if at == 0 else ("", "", "")
        about = "" if decision.kind == "merchant" else f" {decision.kind} {decision.subject_id}"
        what = f"{line.match.outcome}: {spoken(decision.action)}{about} by {decision.rule}"
        table.add_row(*(printable(cell) for cell in (*first, what, line.cause or decision.facts)))
    if len(lines) > most:
        table.add_row("", "", "", f"… {len(lines) - most:,} more", "")


def _some(names: Sequence[str], most: int = 10) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _titled(title: str, table: Table) -> Group:
    """A table under its title, which is not folded at the table's width."""
    return Group(Text(title, style="bold"), table)


def _table(heads: Iterable[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for at, head in enumerate(heads):
        numeric = head not in ("", "what", "why", "category", "is", "merchant", "and") and at > 0
        table.add_column(head, no_wrap=True, overflow="fold", justify="right" if numeric else "left")
    return table
