"""An explanation as lines of text, for a person: what is known, what is found, what was said and done."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from streams.explain.story import Attribution, Entry, Explanation, InputEntry, Rate, RuleNow, moment
from streams.printable import printable

_TYPE: Final = "shopwarden."
#: Fields of an input event that stand elsewhere in its line.
_SAID: Final = frozenset({"event_id", "type", "occurred_at", "merchant_id"})
_LONGEST: Final = 160


def page(found: Explanation, last: int) -> Iterator[str]:
    """The lines of an explanation; ``last`` is how many of the latest entries are shown (0: all)."""
    whose = "" if found.kind in ("merchant", "creator") else f" of merchant {found.merchant_id}"
    yield printable(f"{found.kind} {found.id}{whose}")
    yield printable(f"from {found.source}, shard {found.shard}" + (f", as of {found.as_of}" if found.as_of else ""))
    for note in found.notes:
        yield printable(f"note: {note}")
    if found.state is not None:
        yield from _section("What is known", _fields(found.state, 1))
    yield from _section("Rates", _rates(found.rates))
    yield from _section("Rules on these figures", _rules(found.rules))
    for each in found.attributions:
        yield from _section(f"Where the probability at {each.stage} comes from", _attribution(each))
    yield ""
    yield f"What was published ({len(found.timeline):,})"
    yield from _latest(found.timeline, last, _entry)
    if found.events is not None:
        yield ""
        yield f"What came in ({len(found.events):,})"
        yield from _latest(found.events, last, _input)


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    shown = list(lines)
    if shown:
        yield ""
        yield title
        yield from shown


def _latest(entries: Sequence[Any], last: int, lines_of: Any) -> Iterator[str]:
    hidden = len(entries) - last if last else 0
    if hidden > 0:
        yield f"  … {hidden:,} earlier ones (--last 0 shows all)"
    for entry in entries[max(0, hidden) :]:
        yield from lines_of(entry)
    if not entries:
        yield "  nothing"


def _fields(values: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Names and values, without what is not known, not so or nothing."""
    indent = "  " * depth
    for name, value in values.items():
        words = name.replace("_", " ") if depth == 1 else name
        if value is None or value is False or value in ([], {}, ""):
            continue
        if isinstance(value, Mapping):
            lines = list(_fields(value, depth + 1))
            if all(not isinstance(each, Mapping | list) for each in value.values()):
                inline = ", ".join(f"{key.replace('_', ' ')} {_shown(each)}" for key, each in value.items() if each)
                if inline and len(inline) <= _LONGEST:
                    yield f"{indent}{words}: {inline}"
                continue
            if lines:
                yield f"{indent}{words}"
                yield from lines
        elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
            yield f"{indent}{words.replace('_', ' ')}"
            for each in value:
                yield f"{indent}  " + ", ".join(f"{key.replace('_', ' ')} {_shown(v)}" for key, v in each.items() if v)
        else:
            yield f"{indent}{words.replace('_', ' ')}: {_shown(value)}"


def _shown(value: object) -> str:
    if value is True:
        return "yes"
    if isinstance(value, list):
        return ", ".join(_shown(each) for each in value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int):
        return f"{value:,}"
    return printable(str(value))


def _rates(rates: Sequence[Rate]) -> Iterator[str]:
    for rate in rates:
        seen = "-" if rate.observed is None else f"{rate.observed:.1%}"
        yield (
            f"  {rate.words}: {rate.defects:,} of {rate.orders:,} orders due in {rate.days} days ({seen}); usual is "
            f"{rate.usual:.1%}, which weighs like {rate.worth:g} orders; estimate {rate.estimate:.1%}, "
            f"at least {rate.at_least:.1%}"
        )


def _rules(rules: Sequence[RuleNow]) -> Iterator[str]:
    for rule in rules:
        shadow = "" if rule.mode == "enforce" else f", {rule.mode}"
        if rule.reason is not None:
            yield printable(f"  fires    {rule.id} ({rule.severity}{shadow}): {rule.reason.text}")
        elif rule.nearness is not None:
            missing = "; ".join(f"needs {each.needed}, is at {each.seen:.4g}" for each in rule.missing)
            yield f"  {rule.nearness:4.0%} near {rule.id} ({rule.severity}{shadow}): {missing}"
    unknown = [rule for rule in rules if rule.nearness is None]
    if unknown:
        named = ", ".join(f"{rule.id} ({', '.join(rule.unknown)})" for rule in unknown)
        yield f"  cannot be told, as figures are not known: {named}"


def _attribution(found: Attribution) -> Iterator[str]:
    when = "as it was scored" if found.as_scored else "by the model as it is now"
    yield f"  {found.model} {found.version}, {when}; log-odds, compared with usual orders"
    yield f"  {found.base:+9.3f}  base"
    for each in found.contributions:
        value = "not known" if each.value is None else f"{each.value:.6g}"
        yield f"  {each.log_odds:+9.3f}  {each.words} ({each.input}): {value}, usual {each.usual:.4g}"
    yield f"  {found.log_odds:+9.3f}  together: a probability of {found.probability:.1%}"
    if found.scored is not None and not found.as_scored:
        yield f"  when it was judged it had {found.scored:.1%}"


def _entry(entry: Entry) -> Iterator[str]:
    event = entry.event
    kind = str(event.get("type", "?")).removeprefix(_TYPE)
    about = event.get("subject") or {}
    yield printable(f"  {entry.time}  #{event.get('sequence', '?')} {kind}  {_about(about)}  [{entry.id}]")
    for line in _LINES.get(kind, _other)(event):
        yield printable(f"      {line}")


def entry_lines(event: Mapping[str, Any]) -> list[str]:
    """What an output says, as lines of text."""
    kind = str(event.get("type", "?")).removeprefix(_TYPE)
    return [printable(line) for line in _LINES.get(kind, _other)(event)]


def _about(subject: Mapping[str, Any]) -> str:
    return f"{subject['kind']} {subject['id']}" if "kind" in subject and "id" in subject else ""


def _assessed(event: Mapping[str, Any]) -> Iterator[str]:
    yield f"level {event.get('level')}, score {event.get('score')}, probability {event.get('probability')}"
    for reason in event.get("reasons", ()):
        figures = [
            f"{name} {_shown(value)}"
            for name in ("observed", "expected", "window")
            if (value := reason.get(name)) is not None
        ]
        yield f"because {reason.get('text')} [{reason.get('code')}, weight {reason.get('weight')}]"
        if figures:
            yield "        " + ", ".join(figures)
    detectors = [f"{each.get('name')} {_shown(each.get('score'))}" for each in event.get("detectors", ())]
    if detectors:
        yield "detectors: " + ", ".join(detectors)
    versions = event.get("versions") or {}
    yield f"versions: policy {versions.get('policy')}, features {versions.get('features')}, {versions.get('models')}"


#: Why a decision waits, by its ``review_reason``.
_REVIEW_WORDS: Final = {
    "rule": " as its ladder says",
    "severe": ": severe, and only one detector says so",
    "amount": ": much money, and only one detector says so",
    "cap": ": the circuit breaker is open",
}


def _decided(event: Mapping[str, Any]) -> Iterator[str]:
    policy = event.get("policy") or {}
    until = f"until {_when(event['expires_at'])}" if event.get("expires_at") else "until it is reversed"
    review = ""
    if event.get("requires_review"):
        review = f", waits for a person{_REVIEW_WORDS.get(event.get('review_reason', ''), '')}"
    yield f"{event.get('action')} {until}{review}, by rule {policy.get('id')} {policy.get('version')}"
    yield f"policy: {policy.get('title')}"
    yield f"facts: {event.get('facts')}"
    yield f"rests on {event.get('assessment_id')}; can be appealed until {_when(event['redress']['appeal_until'])}"
    if event.get("supersedes"):
        yield f"takes the place of {event['supersedes']}"


def _reversed(event: Mapping[str, Any]) -> Iterator[str]:
    yield f"{event.get('reverses')} ended: {event.get('why')}; undoes {', '.join(event.get('restores', ()))}"


def _noted(event: Mapping[str, Any]) -> Iterator[str]:
    due = f"; to be decided by {_when(event['due_at'])}" if event.get("due_at") else ""
    state = f"{event.get('state')}, {event.get('why')}"
    yield f"appeal {event.get('number')} against {event.get('decision_id')}: {state}{due}"


def _credited(event: Mapping[str, Any]) -> Iterator[str]:
    score = "none" if event.get("score") is None else event["score"]
    previous = "none" if event.get("previous") is None else event["previous"]
    tier = f"tier {event.get('tier')}"
    if event.get("previous_tier") not in ("", event.get("tier")):
        tier += f", before {event['previous_tier']}"
    yield f"score {score}, before {previous}; {tier}"
    for sign, entries in ((1, event.get("entries", ())), (-1, event.get("removed", ()))):
        for each in entries:
            ended = "" if sign > 0 else ", counts no longer"
            yield f"{sign * each.get('points', 0):+d} {each.get('text')} [{each.get('code')}]{ended}"


def _sampled(event: Mapping[str, Any]) -> Iterator[str]:
    yield f"{event.get('stratum')}, drawn with probability {event.get('inclusion_probability')}"
    yield f"assessment {event.get('assessment_id')}"
    withheld = event.get("withheld")
    if withheld:
        yield f"not carried out: {withheld.get('action')} by rule {(withheld.get('policy') or {}).get('id')}"


def _other(event: Mapping[str, Any]) -> Iterator[str]:
    said = {name: value for name, value in event.items() if name not in ("type", "sequence", "merchant_id", "subject")}
    yield ", ".join(f"{name} {_shown(value)}" for name, value in said.items())


_LINES: Final[Mapping[str, Any]] = {
    "risk.assessed.v1": _assessed,
    "enforcement.decided.v1": _decided,
    "enforcement.reversed.v1": _reversed,
    "appeal.noted.v1": _noted,
    "credit.changed.v1": _credited,
    "audit.sampled.v1": _sampled,
}


def _input(entry: InputEntry) -> Iterator[str]:
    event = entry.event
    said = ", ".join(f"{name} {_shown(value)}" for name, value in event.items() if name not in _SAID)
    shown = said if len(said) <= _LONGEST * 2 else f"{said[: _LONGEST * 2]}…"
    yield f"  {entry.time}  {printable(str(event.get('type', '?')))}  {printable(shown)}"


def _when(time: object) -> str:
    return moment(time) if isinstance(time, int) else "?"
