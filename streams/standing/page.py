"""A standing as lines of text, for a person."""

from collections.abc import Iterator
from typing import Any

from streams.explain.story import moment
from streams.printable import printable
from streams.standing.found import Found


def page(found: Found) -> Iterator[str]:
    """The lines of a standing."""
    for line in _lines(found):
        yield printable(line)


def _lines(found: Found) -> Iterator[str]:
    standing = found.standing
    yield f"{found.kind} {found.id}: level {standing.get('level', '?')}"
    mode = standing.get("mode", "live")
    shadow = "" if mode == "live" else f", {mode}: not to be acted on"
    yield f"as of {_time(standing.get('as_of'))}, event {standing.get('sequence', 0):,} ({found.source}{shadow})"
    yield from _credit(standing.get("credit"))
    yield from _section("In force", [_enforcement(each) for each in standing.get("enforcements", [])], "nothing")
    yield from _section("Duties of the law", [_duty(each) for each in standing.get("duties", [])])
    yield from _section("Open appeals", [_appeal(each) for each in standing.get("appeals", [])])


def _section(title: str, lines: list[str], nothing: str | None = None) -> Iterator[str]:
    if lines or nothing is not None:
        yield ""
        yield title
        yield from (f"  {line}" for line in lines or [nothing or ""])


def _credit(credit: dict[str, Any] | None) -> Iterator[str]:
    if credit is None:
        return
    score = credit.get("score")
    shown = "none yet (too few orders are known, which is not a low score)" if score is None else f"{score:,} of 1,000"
    since = f", since {_time(credit['since'])}" if credit.get("since") else ""
    yield ""
    yield "Credit"
    yield f"  score: {shown}"
    yield f"  tier: {credit.get('tier') or 'none'}{since}"
    for name, value in (credit.get("limits") or {}).items():
        number = f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
        yield f"  {name.replace('_', ' ')}: {number}"


def _enforcement(each: dict[str, Any]) -> str:
    subject = each.get("subject") or {}
    until = f"until {_time(each['expires_at'])}" if each.get("expires_at") else "until it is reversed"
    review = ", waits for a person" if each.get("requires_review") else ""
    whom = f"{subject.get('kind')} {subject.get('id')}"
    return f"{each.get('action')} of {whom}, {until}{review}: {each.get('policy')} ({each.get('decision_id')})"


def _duty(each: dict[str, Any]) -> str:
    return f"{each.get('law')}: {each.get('duty')}, {each.get('state')} by {_time(each.get('due_at'))}"


def _appeal(each: dict[str, Any]) -> str:
    return f"{each.get('decision_id')}, to be decided by {_time(each.get('due_at'))}"


def _time(time: int | None) -> str:
    return moment(time) if time else "?"
