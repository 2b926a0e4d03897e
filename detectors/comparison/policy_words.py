"""A difference of two policy sets in a line of words."""

from collections.abc import Mapping
from typing import Any

from detectors.comparison.policy_changes import PolicyChange

_SINGULAR = {"rules": "rule", "ladders": "ladder"}


def change_words(change: PolicyChange) -> str:
    """One difference, as a policy owner reads it.

    >>> change_words(PolicyChange("rules", "changed", "late-dispatch", "severity", "guarded", "high"))
    'rule late-dispatch: severity guarded → high'
    >>> change_words(PolicyChange("terms", "changed", "", "replica.terms", ["dupe"], ["aaa copy", "mirror"]))
    'terms: replica.terms + aaa copy, mirror; - dupe'
    """
    where = " ".join(word for word in (_SINGULAR.get(change.section, change.section), change.name) if word)
    if not change.key:
        return f"{where}: {change.kind}{_described(change)}"
    if change.kind == "changed" and _words(change.before) and _words(change.after):
        parts = [f"{sign} {', '.join(words)}" for sign, words in (("+", change.after), ("-", change.before)) if words]
        return f"{where}: {change.key} {'; '.join(parts)}"
    return f"{where}: {change.key} {value_words(change.before)} → {value_words(change.after)}"


def _described(change: PolicyChange) -> str:
    spec = change.after or change.before
    if isinstance(spec, Mapping) and "title" in spec:
        return f" ({spec['title']}; {spec.get('mode')}, {spec.get('action') or 'no action'})"
    return ""


def _words(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(each, str) for each in value))


def value_words(value: Any) -> str:
    """A value of a policy file, on one line.

    >>> value_words([{"action": "warn"}, {"action": "limit_orders", "days": 7.0, "review": False}])
    'warn, then limit_orders 7 d'
    """
    if value is None:
        return "none"
    if isinstance(value, list):
        if value and all(isinstance(each, Mapping) and "action" in each for each in value):
            return ", then ".join(_step(each) for each in value)
        return ", ".join(value_words(each) for each in value) or "none"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {value_words(each)}" for name, each in value.items()) + "}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _step(step: Mapping[str, Any]) -> str:
    days = step.get("days")
    words = str(step["action"]) + (f" {days:g} d" if days is not None else "")
    return words + (", reviewed" if step.get("review") else "")
