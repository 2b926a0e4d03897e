"""What one policy set says and another does not: rules, ladders, terms and the rest, by meaning.

Comments, sources, the order of rules, of files and of words in a list make no difference, as they make none to a set's
version; nor does white space in a condition.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from config.policies import PolicyFiles

ChangeKind: TypeAlias = Literal["added", "removed", "changed"]
#: Sections in the order in which changes are told: what acts first.
ORDER: Final = ("rules", "ladders", "limits", "breaker", "allow", "levels", "holdout", "terms", "statements")
#: What the entries of a list are told apart by, where they have one of these, each its own.
_NAMES: Final = ("id", "name", "code")


class PolicyChange(Struct, frozen=True, omit_defaults=True):
    """One difference. ``name`` is the rule's or ladder's, else empty; ``key`` what differs in it (a path with dots).

    A list of words that differs has what came in ``after`` and what went in ``before``.
    """

    section: str
    kind: ChangeKind
    name: str = ""
    key: str = ""
    before: Any = None
    after: Any = None


def policy_changes(baseline: PolicyFiles, candidate: PolicyFiles) -> list[PolicyChange]:
    """Every difference of two folders of policies, by section and name.

    They need not be free of mistakes, but what could not be read is not there.
    """
    one, other = _plain(baseline), _plain(candidate)
    known = [*ORDER, *sorted((one.keys() | other.keys()).difference(ORDER))]
    return [change for section in known for change in _section(section, one.get(section), other.get(section))]


def _section(section: str, before: Any, after: Any) -> Iterator[PolicyChange]:
    if section not in ("rules", "ladders"):
        yield from _compared(section, "", "", before, after)
        return
    for name in sorted((before or {}).keys() | (after or {}).keys()):
        one, other = (before or {}).get(name), (after or {}).get(name)
        if one is None or other is None:
            yield PolicyChange(section, "added" if one is None else "removed", name, before=one, after=other)
        else:
            yield from _compared(section, name, "", one, other)


def _compared(section: str, name: str, key: str, before: Any, after: Any) -> Iterator[PolicyChange]:
    if before == after:
        return
    before, after = _by_name(before), _by_name(after)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for each in sorted(before.keys() | after.keys()):
            path = f"{key}.{each}" if key else str(each)
            yield from _compared(section, name, path, before.get(each), after.get(each))
    elif _are_words(before) and _are_words(after):
        went, came = sorted(set(before) - set(after)), sorted(set(after) - set(before))
        if went or came:
            yield PolicyChange(section, "changed", name, key, went or None, came or None)
    else:
        kind: ChangeKind = "added" if before is None else "removed" if after is None else "changed"
        yield PolicyChange(section, kind, name, key, before, after)


def _are_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _by_name(value: Any) -> Any:
    """A list of named mappings as a mapping of them; anything else as it is."""
    if isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        for name in _NAMES:
            names = [each.get(name) for each in value]
            if all(isinstance(each, str) for each in names) and len(set(names)) == len(names):
                return dict(zip(names, value, strict=True))
    return value


def _plain(files: PolicyFiles) -> dict[str, Any]:
    content: dict[str, Any] = {
        "rules": {spec.id: _spec(spec) for spec, _ in files.rules},
        "ladders": {name: _spec(spec) for name, (spec, _) in files.ladders.items()},
    }
    for section in files.__struct_fields__:
        found = getattr(files, section)
        if section not in content and isinstance(found, tuple):
            content[section] = _spec(found[0])
    return content


def _spec(spec: Struct) -> dict[str, Any]:
    plain: dict[str, Any] = _without_sources(msgspec.to_builtins(spec))
    if isinstance(plain.get("when"), str):
        plain["when"] = " ".join(plain["when"].split())
    return plain


def _without_sources(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_sources(each) for key, each in value.items() if key != "source"}
    if isinstance(value, list):
        return [_without_sources(each) for each in value]
    return value
