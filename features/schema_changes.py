"""What changed between two versions of a JSON Schema, and whether it breaks those who rely on the older one.

The direction decides. What we **read** must go on taking every value that it took. What we **publish** must stay
within what was promised, so that a reader who was written for the older schema is never surprised. In both directions
nothing vanishes: no field, and no value of an enumeration. New optional fields never break, as everybody passes over
fields that they don't know, and neither do new values of enumerations that we publish: readers are told to expect them
(docs/contracts.md).

Only the keywords that occur in our schemas are understood one by one; a difference in any other counts as a break.
"""

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from msgspec import Struct

Json: TypeAlias = dict[str, Any]

#: Keywords that say nothing about which values are valid.
_WORDS: Final = frozenset({"$schema", "$id", "$defs", "title", "description", "examples"})
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_UNDERSTOOD: Final = _WORDS | {
    *_LOWER,
    *_UPPER,
    *("$ref", "anyOf", "type", "enum", "const", "default", "properties", "required", "additionalProperties", "items"),
}
_ANY: Final = "any"
_KINDS: Final = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


class Change(Struct, frozen=True):
    """One difference: where, what in words, and whether it breaks producers or consumers of the older version."""

    where: str
    what: str
    breaks: bool


class SchemaComparison:
    """Compares schemas of two documents; each pair of named components once for each direction.

    Parameters
    ----------
    old, new
        The documents that ``$ref`` points into (``#/components/schemas/…``, ``#/$defs/…``).
    """

    def __init__(self, old: Json, new: Json) -> None:
        self._old = old
        self._new = new
        self._seen: set[tuple[str, str, bool]] = set()

    def compare(self, old: Json, new: Json, where: str, *, reads: bool) -> Iterator[Change]:
        """Changes from one schema to the other; ``reads`` says that we read such values, else we publish them."""
        names = old.get("$ref", where), new.get("$ref", where)
        if "$ref" in old or "$ref" in new:
            key = (*names, reads)
            if key in self._seen:
                return
            self._seen.add(key)
            if "$ref" in old and names[0] == names[1]:
                where = names[0].rpartition("/")[2]
        before, after = _alternatives(old, self._old), _alternatives(new, self._new)
        yield from self._kinds(before, after, where, reads)
        for kind in sorted(before.keys() & after.keys()):
            yield from self._one_kind(before[kind], after[kind], where, reads)
        if "integer" in before and "number" in after and "integer" not in after:
            yield from self._one_kind(before["integer"], after["number"], where, reads)
        if "number" in before and "integer" in after and "number" not in after:
            yield from self._one_kind(before["number"], after["integer"], where, reads)
        # A default is what an absent field means, so another one changes the meaning of what was written before.
        if old.get("default") != new.get("default") and "default" in old:
            yield Change(where, f"its default was {_text(old['default'])} and is {_text(new.get('default'))}", True)

    def _kinds(self, before: Json, after: Json, where: str, reads: bool) -> Iterator[Change]:
        gone, come = _beyond(before, after), _beyond(after, before)
        if gone and come:
            yield Change(where, f"was {_or(before)} and is {_or(after)}", True)
        elif gone:
            yield Change(where, f"may no longer be {_or(gone)}", reads)
        elif come:
            yield Change(where, f"may now be {_or(come)} as well", not reads)

    def _one_kind(self, old: list[Json], new: list[Json], where: str, reads: bool) -> Iterator[Change]:
        if len(old) > 1 or len(new) > 1:
            if _ordered(old) != _ordered(new):
                yield Change(where, "one of several alternatives of one kind changed: compare them by hand", True)
            return
        before, after = old[0], new[0]
        yield from _values(before, after, where, reads)
        yield from _bounds(before, after, where, reads)
        for keyword in sorted((before.keys() | after.keys()) - _UNDERSTOOD):
            if before.get(keyword) != after.get(keyword):
                was, now = _text(before.get(keyword)), _text(after.get(keyword))
                tighter = keyword not in before
                breaks = (keyword in before and keyword in after) or tighter == reads
                yield Change(where, f"{keyword} was {was} and is {now}", breaks)
        yield from self._parts(before, after, where, reads)

    def _parts(self, old: Json, new: Json, where: str, reads: bool) -> Iterator[Change]:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed, needs = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(before.keys() | after.keys()):
            path = f"{where}.{name}"
            if name not in after:
                yield Change(path, "was taken away", True)
            elif name not in before:
                yield Change(path, f"is new{', and required' if name in needs else ''}", reads and name in needs)
            else:
                if name in needs - needed:
                    yield Change(path, "was optional and is required", reads)
                elif name in needed - needs:
                    yield Change(path, "was always there and may now be absent", not reads)
                yield from self.compare(before[name], after[name], path, reads=reads)
        for keyword, path in (("items", f"{where}[]"), ("additionalProperties", f"{where}.*")):
            if keyword not in old and keyword not in new:
                continue
            inner, outer = _schema(old.get(keyword)), _schema(new.get(keyword))
            if inner is not None and outer is not None:
                yield from self.compare(inner, outer, path, reads=reads)
            elif inner is not outer:
                what = "takes no others any more" if outer is None else "takes others as well"
                yield Change(path, what, reads == (outer is None))


def _values(old: Json, new: Json, where: str, reads: bool) -> Iterator[Change]:
    """Changes of an enumeration."""
    before, after = old.get("enum"), new.get("enum")
    if before is None and after is None:
        return
    if after is None:
        yield Change(where, "was one of a list and may now be anything of its kind", not reads)
    elif before is None:
        yield Change(where, f"may only be {_or(after)} now", reads)
    else:
        for value in before:
            if value not in after:
                yield Change(where, f"the value {_text(value)} was taken away", True)
        for value in after:
            if value not in before:
                yield Change(where, f"the value {_text(value)} is new", False)


def _bounds(old: Json, new: Json, where: str, reads: bool) -> Iterator[Change]:
    """Changes of the least and greatest value, length or number."""
    for keyword in (*_LOWER, *_UPPER):
        was, now = old.get(keyword), new.get(keyword)
        if was == now:
            continue
        tighter = was is None if was is None or now is None else (now > was) == (keyword in _LOWER)
        yield Change(where, f"{keyword} was {_text(was)} and is {_text(now)}", tighter == reads)


def _alternatives(schema: Json, document: Json) -> dict[str, list[Json]]:
    """The schemas that a value may match, by the kind of the value."""
    found: dict[str, list[Json]] = {}
    for each in _flat(schema, document):
        node = {**each, "enum": [each["const"]]} if "const" in each else each
        if "enum" in node:
            for kind in sorted({_KINDS.get(type(value), _ANY) for value in node["enum"]}):
                mine = [value for value in node["enum"] if _KINDS.get(type(value), _ANY) == kind]
                found.setdefault(kind, []).append({**node, "enum": mine})
        elif "type" in node:
            for kind in [node["type"]] if isinstance(node["type"], str) else node["type"]:
                found.setdefault(kind, []).append(node)
        else:
            found.setdefault(_ANY, []).append(node)
    return found


def _flat(schema: Json, document: Json) -> Iterator[Json]:
    """The schema without references and ``anyOf``."""
    if "$ref" in schema:
        target: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        yield from _flat(target, document)
    elif "anyOf" in schema:
        for each in schema["anyOf"]:
            yield from _flat(each, document)
    else:
        yield schema


def _beyond(kinds: Json, others: Json) -> list[str]:
    """The kinds that the others leave out; every integer is a number."""
    if _ANY in others:
        return []
    return [kind for kind in kinds if kind not in others and not (kind == "integer" and "number" in others)]


def _schema(value: Any) -> Json | None:
    """A keyword that holds a schema: absent and true take anything, false (``None``) takes nothing."""
    if value is False:
        return None
    return value if isinstance(value, dict) else {}


def _ordered(nodes: list[Json]) -> list[str]:
    return sorted(repr({key: value for key, value in node.items() if key not in _WORDS}) for node in nodes)


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _or(values: Any) -> str:
    return " or ".join(value if isinstance(value, str) else _text(value) for value in values)
