"""The contract as released before against the present one, and what changes of a contract break."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from config.topics import TopicSettings
from features.contract_changes import ContractError, contract_changes
from features.contract_schema import CONTRACT_VERSION, asyncapi

RELEASED = sorted((Path(__file__).parents[2] / "docs" / "contracts" / "released").glob("*.json"))
PRESENT = asyncapi(TopicSettings())
SCHEMAS = "components", "schemas"
CREATED = (*SCHEMAS, "order.created")
ASSESSED = (*SCHEMAS, "shopwarden.risk.assessed.v1")


def edited(*path: str, **changes: Any) -> dict[str, Any]:
    """The present contract with some keys of one of its parts changed; ``...`` takes a key away."""
    document = copy.deepcopy(PRESENT)
    part: Any = document
    for step in path:
        part = part[step]
    for key, value in changes.items():
        if value is ...:
            del part[key]
        else:
            part[key] = value
    return document


def breaks(new: dict[str, Any]) -> list[str]:
    """What breaks from the present contract to another, in words."""
    return [f"{change.where}: {change.what}" for change in contract_changes(PRESENT, new) if change.breaks]


def version_of(document: dict[str, Any]) -> tuple[int, ...]:
    """A contract's version as numbers."""
    return tuple(map(int, document["info"]["version"].split(".")))


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_what_was_released_is_kept(path: Path) -> None:
    """Nothing that any released contract promised is broken (docs/development.md says how a release is kept)."""
    changes = contract_changes(json.loads(path.read_text(encoding="utf-8")), PRESENT)
    assert [change for change in changes if change.breaks] == []


def test_additions_raise_the_version() -> None:
    """A contract that differs from the last released one has a higher version."""
    released = [json.loads(path.read_text(encoding="utf-8")) for path in RELEASED]
    last = max(released, key=version_of)
    assert {path.stem for path in RELEASED} == {document["info"]["version"] for document in released}
    assert version_of(PRESENT) > version_of(last) or not contract_changes(last, PRESENT), CONTRACT_VERSION


def test_the_same_contract_has_no_changes() -> None:
    """A contract compared with itself changes nothing."""
    assert contract_changes(PRESENT, copy.deepcopy(PRESENT)) == []


def test_a_field_taken_away() -> None:
    """A field may vanish neither from what is read nor from what is published."""
    inputs, outputs = edited(*CREATED, "properties", channel=...), edited(*ASSESSED, "properties", probability=...)
    assert breaks(inputs) == ["order.created.channel: was taken away"]
    assert breaks(outputs) == ["shopwarden.risk.assessed.v1.probability: was taken away"]


def test_a_new_required_field() -> None:
    """Inputs may not ask for more than before; outputs may bring more."""
    field = {"type": "string"}
    for path, expected in (CREATED, ["order.created.extra: is new, and required"]), (ASSESSED, []):
        new = edited(*path, "properties", extra=field)
        part = new[path[0]][path[1]][path[2]]
        part["required"] = [*part["required"], "extra"]
        assert breaks(new) == expected


def test_an_output_that_may_be_absent() -> None:
    """A field that every event had may not become optional."""
    required = [
        name for name in PRESENT["components"]["schemas"]["shopwarden.risk.assessed.v1"]["required"] if name != "level"
    ]
    assert breaks(edited(*ASSESSED, required=required)) == [
        "shopwarden.risk.assessed.v1.level: was always there and may now be absent"
    ]


def test_an_input_that_must_be_there() -> None:
    """A field that producers could leave out may not become required."""
    required = [*PRESENT["components"]["schemas"]["order.created"]["required"], "channel"]
    assert breaks(edited(*CREATED, required=required)) == ["order.created.channel: was optional and is required"]


def test_values_of_enumerations() -> None:
    """A value may be added and not taken away."""
    values = PRESENT["components"]["schemas"]["shopwarden.risk.assessed.v1"]["properties"]["mode"]["enum"]
    more = edited(*ASSESSED, "properties", "mode", enum=[*values, "trial"])
    assert [change.what for change in contract_changes(PRESENT, more)] == ['the value "trial" is new']
    assert breaks(more) == []
    fewer = edited(*ASSESSED, "properties", "mode", enum=values[1:])
    assert breaks(fewer) == [f'shopwarden.risk.assessed.v1.mode: the value "{values[0]}" was taken away']


def test_bounds_by_direction() -> None:
    """Inputs may not become narrower, outputs not wider; the other way round is allowed."""
    assert breaks(edited(*CREATED, "properties", "order_id", maxLength=64)) == [
        "order.created.order_id: maxLength was 128 and is 64"
    ]
    assert breaks(edited(*CREATED, "properties", "order_id", maxLength=256)) == []
    assert breaks(edited(*ASSESSED, "properties", "score", maximum=2000)) == [
        "shopwarden.risk.assessed.v1.score: maximum was 1000 and is 2000"
    ]
    assert breaks(edited(*ASSESSED, "properties", "score", maximum=900)) == []


def test_another_kind_of_value() -> None:
    """A field of another type breaks; a fraction where whole numbers were breaks readers alone."""
    assert breaks(edited(*ASSESSED, "properties", sequence={"type": "string"})) == [
        "shopwarden.risk.assessed.v1.sequence: was integer and is string"
    ]
    assert breaks(edited(*ASSESSED, "properties", sequence={"type": "number"})) == [
        "shopwarden.risk.assessed.v1.sequence: may now be number as well"
    ]
    total = PRESENT["components"]["schemas"]["order.created"]["properties"]["total"]
    assert breaks(edited(*CREATED, "properties", total={**total, "type": "number"})) == []


def test_a_shared_part_is_told_once() -> None:
    """A change in what many events hold is told under its own name, once for each direction."""
    assert breaks(edited(*SCHEMAS, "Subject", "properties", id=...)) == ["Subject.id: was taken away"]


def test_types_topics_and_headers() -> None:
    """Neither a type, nor a topic, nor a header may vanish, and no topic may change its name."""
    messages = "channels", "orders", "messages"
    assert breaks(edited(*messages, **{"order.shipped": ...})) == ["orders: order.shipped: was taken away"]
    assert breaks(edited("channels", **{"merchant-standing": ...})) == ["merchant-standing: the topic was taken away"]
    assert breaks(edited("channels", "orders", address="sales")) == [
        "orders: the topic was called orders and is called sales"
    ]
    headers = edited(*SCHEMAS, "CloudEventHeaders", "properties", ce_time=...)
    assert breaks(headers) == ["CloudEventHeaders.ce_time: was taken away"]


@pytest.mark.parametrize(
    "document", [{}, {"channels": [], "operations": {}}, {"channels": {"orders": {}}, "operations": {}}]
)
def test_what_is_no_contract(document: dict[str, Any]) -> None:
    """Another document is refused with words."""
    with pytest.raises(ContractError, match="not an AsyncAPI document of Shopwarden"):
        contract_changes(document, PRESENT)
