"""Changes of schemas, against what a validator says of values: what is called harmless never refuses one."""

from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from features.schema_changes import SchemaComparison

Json = dict[str, Any]
NAMES = ("a", "b", "c")
BOUNDS = st.none() | st.integers(0, 4)


@st.composite
def leaves(draw: st.DrawFn) -> Json:
    """Schemas of texts, numbers and enumerations, with or without bounds."""
    kind = draw(st.sampled_from(["string", "integer", "number", "boolean", "null", "enum"]))
    if kind == "enum":
        return {"enum": draw(st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=3, unique=True))}
    least, most = {"string": ("minLength", "maxLength")}.get(kind, ("minimum", "maximum"))
    bounds = {least: draw(BOUNDS), most: draw(BOUNDS)} if kind in {"string", "integer", "number"} else {}
    return {"type": kind} | {key: bound for key, bound in bounds.items() if bound is not None}


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[Json]) -> Json:
    """Schemas of objects with up to three fields, some required."""
    properties = draw(st.dictionaries(st.sampled_from(NAMES), inner, max_size=3))
    required = [name for name in sorted(properties) if draw(st.booleans())]
    return {"type": "object", "properties": properties, "required": required}


def arrays(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    """Schemas of lists of at most so many values."""
    return st.builds(lambda items, most: {"type": "array", "items": items, "maxItems": most}, inner, st.integers(1, 3))


def either(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    """Schemas of values that may be null as well."""
    return inner.map(lambda schema: {"anyOf": [schema, {"type": "null"}]})


SCHEMAS = st.recursive(leaves(), lambda inner: objects(inner) | arrays(inner) | either(inner), max_leaves=6)


@st.composite
def versions(draw: st.DrawFn) -> tuple[Json, Json]:
    """A schema, and the same with one part of it replaced or a field added."""
    old = draw(SCHEMAS)
    return old, draw(changed(old))


def changed(schema: Json) -> st.SearchStrategy[Json]:
    """The schema with one change somewhere in it."""
    ways: list[st.SearchStrategy[Json]] = [SCHEMAS, st.just({"anyOf": [schema, {"type": "null"}]})]
    for name, field in schema.get("properties", {}).items():
        ways.append(changed(field).map(partial(_with_field, schema, name)))
        ways.append(st.just(_with(schema, required=sorted(set(schema["required"]) ^ {name}))))
    if "properties" in schema:
        ways.append(leaves().map(partial(_with_field, schema, "new")))
    if "items" in schema:
        ways.append(changed(schema["items"]).map(partial(_with_key, schema, "items")))
    if "anyOf" in schema:
        ways.append(changed(schema["anyOf"][0]).map(lambda new: {"anyOf": [new, schema["anyOf"][1]]}))
    ways += [
        st.integers(0, 5).map(partial(_with_key, schema, key))
        for key in ("minLength", "maxLength", "minimum", "maximum", "maxItems")
        if key in schema
    ]
    return st.one_of(ways)


def _with(schema: Json, **changes: Any) -> Json:
    return {**schema, **changes}


def _with_key(schema: Json, key: str, value: Any) -> Json:
    return {**schema, key: value}


def _with_field(schema: Json, name: str, field: Json) -> Json:
    return _with(schema, properties={**schema["properties"], name: field})


@st.composite
def values(draw: st.DrawFn, schema: Json) -> Any:
    """Values of the kind that the schema asks for, most of them valid."""
    if "anyOf" in schema:
        return draw(values(draw(st.sampled_from(schema["anyOf"]))))
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    if schema["type"] == "object":
        properties = schema["properties"].items()
        return {
            name: draw(values(field)) for name, field in properties if name in schema["required"] or draw(st.booleans())
        }
    if schema["type"] == "array":
        return draw(st.lists(values(schema["items"]), max_size=schema["maxItems"]))
    leaf: dict[str, st.SearchStrategy[Any]] = {
        "string": st.text("ax", max_size=5),
        "integer": st.integers(-1, 6),
        "number": st.integers(-1, 6) | st.sampled_from([0.5, 1.5, 3.5]),
        "boolean": st.booleans(),
        "null": st.none(),
    }
    return draw(leaf[schema["type"]])


def breaks(old: Json, new: Json, *, reads: bool) -> list[str]:
    """What breaks, in words."""
    changes = SchemaComparison(old, new).compare(old, new, "it", reads=reads)
    return [f"{change.where}: {change.what}" for change in changes if change.breaks]


def new_values(old: Json, new: Json) -> bool:
    """Whether an enumeration has more values, which is told and allowed of outputs."""
    changes = SchemaComparison(old, new).compare(old, new, "it", reads=False)
    return any("is new" in change.what and "value" in change.what for change in changes)


@settings(max_examples=150, deadline=None)
@given(versions(), st.data())
def test_inputs_that_were_valid_stay_valid(pair: tuple[Json, Json], data: st.DataObject) -> None:
    """Where nothing breaks for producers, every value that the old schema took is taken by the new one."""
    old, new = pair
    if not breaks(old, new, reads=True):
        for _ in range(5):
            value = data.draw(values(old))
            if Draft202012Validator(old).is_valid(value):
                Draft202012Validator(new).validate(value)


@settings(max_examples=150, deadline=None)
@given(versions(), st.data())
def test_outputs_stay_within_what_was_promised(pair: tuple[Json, Json], data: st.DataObject) -> None:
    """Where nothing breaks for consumers, every value of the new schema is one of the old, but for new enumerations."""
    old, new = pair
    if not breaks(old, new, reads=False) and not new_values(old, new):
        for _ in range(5):
            value = data.draw(values(new))
            if Draft202012Validator(new).is_valid(value):
                Draft202012Validator(old).validate(value)


@settings(max_examples=100, deadline=None)
@given(SCHEMAS, st.booleans())
def test_the_same_schema_changes_nothing(schema: Json, reads: bool) -> None:
    """A schema compared with itself has no changes."""
    assert list(SchemaComparison(schema, schema).compare(schema, schema, "it", reads=reads)) == []


@settings(max_examples=100, deadline=None)
@given(versions())
def test_a_break_in_one_direction_is_allowed_in_the_other_or_breaks_both(pair: tuple[Json, Json]) -> None:
    """Each change is told in both directions, with the same words."""
    old, new = pair
    told = [
        [(change.where, change.what) for change in SchemaComparison(old, new).compare(old, new, "it", reads=reads)]
        for reads in (True, False)
    ]
    assert told[0] == told[1]


def test_references_may_go_round_in_circles() -> None:
    """A schema that holds itself is compared once."""
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}, "size": {"type": "integer"}}}
    wider = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}, "size": {"type": "number"}}}
    root = {"$ref": "#/$defs/Node"}
    comparison = SchemaComparison({"$defs": {"Node": node}}, {"$defs": {"Node": wider}})
    assert [change.where for change in comparison.compare(root, root, "it", reads=False)] == ["Node.size"]


def test_a_keyword_that_is_not_understood_breaks() -> None:
    """A pattern that changed might refuse what was taken: it breaks, whatever it says."""
    old, new = {"type": "string", "pattern": "^a"}, {"type": "string", "pattern": "^b"}
    for reads in (True, False):
        assert breaks(old, new, reads=reads) == ['it: pattern was "^a" and is "^b"']
    assert breaks({"type": "string"}, new, reads=True) == ['it: pattern was none and is "^b"']
    assert breaks({"type": "string"}, new, reads=False) == []


def test_a_default_is_a_promise() -> None:
    """Another default changes what an absent field means."""
    old, new = {"type": "integer", "default": 1}, {"type": "integer", "default": 2}
    assert breaks(old, new, reads=True) == ["it: its default was 1 and is 2"]
