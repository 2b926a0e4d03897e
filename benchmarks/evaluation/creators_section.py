"""The report's section on creators."""

from collections.abc import Mapping
from typing import Any, Final

from benchmarks.evaluation.section import Section, Table, paragraph, percent

_HOW: Final = paragraph("""
Bad creators drive most of the sales of three sellers of counterfeits each; deceived ones drove the sales of a shop that
turned out to be a bust-out, and may be looked at; all others are honest. Found: a decision about the creator was
published, be it a request for review. Restricted: one was carried out that takes something away. Kept back: commission
on the sales of a suspended shop alone, which accuses nobody.""")


def creators(figures: Mapping[str, Any]) -> Section:
    """Who was found, how soon, and who was accused wrongly."""
    rows = [
        (
            words,
            f"{each['creators']:,}",
            f"{each['found']:,}",
            _share(each["found_share"]),
            f"{each['acted_on']:,}",
            _share(each["acted_on_share"]),
            f"{each['kept_back']:,}",
        )
        for name, words in (("bad", "bad"), ("deceived", "deceived"), ("honest", "honest"))
        for each in (figures[name],)
    ]
    seeds = ", ".join(map(str, figures["seeds"]))
    summary = (
        f"Seeds {seeds}. Of those found {_share(figures['precision_found'])} are bad, of those restricted "
        f"{_share(figures['precision_acted_on'])}. Median time since a creator turned bad: "
        f"{_days(figures['hours_to_found'])} until it is found, {_days(figures['hours_to_action'])} until restricted."
    )
    head = ["creators", "there", "found", "share (95 %)", "restricted", "share (95 %)", "kept back"]
    return Section("Creators", [_HOW, summary], [Table(head, rows)])


def _share(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return "–"
    low, high = found["interval"]
    return f"{percent(found['value'])} ({100 * low:.0f} to {100 * high:.0f})"


def _days(hours: float | None) -> str:
    return "–" if hours is None else f"{hours / 24:.1f} days"
