"""The contract for programs: complete, valid, and the same as what the decoder accepts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.exceptions import ValidationError

from config.topics import TopicSettings
from features.contract_schema import asyncapi, json_schema
from features.decode import EVENT_TYPES, Rejection
from tests.features.example_events import FIELDS, decoded, example, topic_of

SCHEMAS = json_schema()
DOCUMENT = asyncapi(TopicSettings())


def validator(name: str) -> Draft202012Validator:
    """Checks values against one schema of the document."""
    return Draft202012Validator({**SCHEMAS, "$ref": f"#/$defs/{name}"})


def references(node: Any) -> Iterator[str]:
    """Every reference in a document."""
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref")
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_document_is_asyncapi() -> None:
    """It is valid by the official JSON Schema of AsyncAPI 3.0.

    The file is ``schemas/3.0.0-without-$id.json`` of the npm package ``@asyncapi/specs`` 6.11.1 (Apache-2.0), without
    blanks and compressed.
    """
    packed = Path(__file__).with_name("asyncapi-3.0.0.schema.json.zst").read_bytes()
    official = json.loads(zstandard.decompress(packed))
    Draft7Validator(official).validate(DOCUMENT)
    assert not Draft7Validator(official).is_valid({**DOCUMENT, "operations": {"read": {"action": "listen"}}})


@pytest.mark.parametrize("document", [SCHEMAS, DOCUMENT], ids=["jsonschema", "asyncapi"])
def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    """Each reference names something in the same document."""
    found = set(references(document))
    assert found
    for reference in found:
        node = document
        for step in reference.removeprefix("#/").split("/"):
            assert step in node, reference
            node = node[step]


def test_the_schemas_are_schemas() -> None:
    """Every definition is valid JSON Schema by the dialect that the document names."""
    for name, schema in SCHEMAS["$defs"].items():
        Draft202012Validator.check_schema(schema)
        assert schema["title"], name
    assert Draft202012Validator.META_SCHEMA["$id"] == SCHEMAS["$schema"]


def test_every_type_of_input_is_in_its_channel() -> None:
    """The channels of the input topics hold just the types that the decoder takes from them."""
    for kind, types in EVENT_TYPES.items():
        assert set(DOCUMENT["channels"][kind]["messages"]) == types
        assert DOCUMENT["operations"][f"receive-{kind}"]["action"] == "receive"


def test_channels_have_the_deployments_names() -> None:
    """Addresses are the topics' names in Kafka, prefix and all; the channels keep the contract's names."""
    channels = asyncapi(TopicSettings(prefix="eu.", orders="sales"))["channels"]
    assert channels["orders"]["address"] == "eu.sales"
    assert channels["governance-events"]["address"] == "eu.governance-events"


@pytest.mark.parametrize("kind", FIELDS)
def test_valid_events_are_valid(kind: str) -> None:
    """An event of each type, with all its fields, validates; with an unknown field as well."""
    validator(kind).validate(example(kind))
    validator(kind).validate(example(kind, invented=1))


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("order.created", {"total": ...}),
        ("order.created", {"total": -1}),
        ("order.created", {"total": 1.5}),
        ("order.created", {"currency": "eur"}),
        ("order.created", {"items": []}),
        ("order.created", {"occurred_at": 1_704_067_200}),
        ("order.created", {"channel": "radio"}),
        ("order.created", {"order_id": ""}),
        ("order.reviewed", {"rating": 6}),
        ("listing.created", {"image_hashes": ["xyz"]}),
        ("listing.created", {"title": "x" * 20_001}),
        ("review.decided", {"sample": {"stratum": "uniform", "inclusion_probability": 0}}),
        ("order.reviewed", {"type": "order.rated"}),
    ],
)
def test_schema_and_decoder_refuse_alike(kind: str, changes: dict[str, Any]) -> None:
    """What the decoder refuses for its value alone is invalid by the schema too."""
    event = example(kind, **changes)
    assert type(decoded(event, topic_of(kind))) is Rejection
    with pytest.raises(ValidationError):
        validator(kind).validate(event)
