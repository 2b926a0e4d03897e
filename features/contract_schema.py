"""The contract for programs: JSON Schemas of all events and an AsyncAPI document of the topics, from the types.

``shopwarden contracts`` prints them; docs/asyncapi.json is the document with the default topic names, docs/schemas has
the schemas one by one. A schema says what one value looks like. What takes more than the value (that the key equals
``merchant_id``, size, times in the future) is checked in :mod:`features.decode` and stands in docs/contracts.md.
"""

from collections.abc import Iterator
from inspect import cleandoc, getdoc
from typing import Any, Final, TypeAlias, get_args

from msgspec import Struct
from msgspec.json import schema_components

from config.topics import TopicSettings
from features.decode import RejectionCode
from features.events import FeedbackInput, InputEvent, ListingInput, MerchantInput, OrderInput
from features.outputs import CreatorStanding, MetricEstimated, Output, Standing
from features.trace_context import TRACEPARENT, TRACESTATE

Json: TypeAlias = dict[str, Any]

#: Version of the contract: the second number is raised when a type or field is added. What breaks consumers is a new
#: version of the type (``….v2``) beside the old one.
CONTRACT_VERSION: Final = "1.2.0"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

#: Unions of events, and what a topic is for, by the topic's field in the settings.
_INPUTS: Final[Json] = {
    "listings": ListingInput,
    "orders": OrderInput,
    "merchants": MerchantInput,
    "feedback": FeedbackInput,
}
_CHANNELS: Final = {
    "listings": "Listings as they are created, edited, removed and seen.",
    "orders": "Orders, from purchase to review.",
    "merchants": "Optional. Onboarding and changes of accounts.",
    "feedback": "Optional. Verdicts of reviewers, appeals, reports, overrides.",
    "events": "Risk and enforcement events and the audit sample. Per merchant in order, with a sequence.",
    "merchant_standing": "Compacted: the latest level, credit and active enforcements of each merchant.",
    "creator_standing": "Compacted: the same of each creator.",
    "metrics": "Daily estimates of how well governance works, of `shopwarden metrics`. One partition.",
    "dead_letters": "Records that could not be processed: key and value untouched, the reason in headers.",
}
_COMPACTED: Final[dict[str, type[Struct]]] = {"merchant_standing": Standing, "creator_standing": CreatorStanding}
_DEAD_LETTER: Final = "dead-letter"
_BINDING: Final = "0.5.0"


def json_schema() -> Json:
    """One JSON Schema (2020-12) document; ``$defs`` has a schema for each ``type`` of event, under that name."""
    return {
        "$schema": DIALECT,
        "title": "Shopwarden events",
        "description": f"Version {CONTRACT_VERSION} of the contract. Unknown fields are allowed everywhere.",
        "$defs": schemas("#/$defs/"),
    }


def schema_files() -> dict[str, Json]:
    """One JSON Schema of its own for the value of each message, by the name of its file; it needs no other file."""
    prefix = "#/$defs/"
    every = schemas(prefix)
    names = [name for field in _CHANNELS for name in _names_in(field) if name != _DEAD_LETTER]
    return {f"{name}.json": _alone(name, every, prefix) for name in sorted(names)}


def _alone(name: str, every: Json, prefix: str) -> Json:
    """A schema with the definitions that it refers to, straight or through others."""
    needed: Json = {}
    todo = [every[name]]
    while todo:
        for reference in _references(todo.pop()):
            part = reference.removeprefix(prefix)
            if part not in needed:
                needed[part] = every[part]
                todo.append(every[part])
    definitions = {"$defs": dict(sorted(needed.items()))} if needed else {}
    return {"$schema": DIALECT, "$id": f"urn:shopwarden:{name}", **every[name], **definitions}


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def asyncapi(topics: TopicSettings) -> Json:
    """The AsyncAPI 3.0 document of a worker, with the topics' names of a deployment."""
    messages = _messages()
    channels = {
        _contract_name(field): {
            "address": topics.name(field),
            "description": description,
            "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _names_in(field)},
            "bindings": {
                "kafka": {
                    "topicConfiguration": {"cleanup.policy": ["compact" if field in _COMPACTED else "delete"]},
                    "bindingVersion": _BINDING,
                }
            },
        }
        for field, description in _CHANNELS.items()
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Shopwarden",
            "version": CONTRACT_VERSION,
            "description": "Streaming risk detection for marketplace governance. docs/contracts.md says what is "
            "published when, and how to consume it safely.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": {
            f"{'receive' if field in _INPUTS else 'send'}-{_contract_name(field)}": {
                "action": "receive" if field in _INPUTS else "send",
                "channel": {"$ref": f"#/channels/{_contract_name(field)}"},
            }
            for field in _CHANNELS
        },
        "components": {"messages": messages, "schemas": schemas("#/components/schemas/") | _HEADERS},
    }


def schemas(prefix: str) -> Json:
    """Schemas of all types by name, with references that begin with ``prefix``.

    Events go by their ``type`` (``order.created``), everything else by the name of its class.
    """
    types = [*get_args(InputEvent), *get_args(Output), *_COMPACTED.values(), MetricEstimated]
    _, components = schema_components(types, schema_hook=_any_value, ref_template=prefix + "{name}")
    names = {struct.__name__: name_of(struct) for struct in types}
    return {
        names.get(name) or _short(name): _tidy(schema, prefix)
        for name, schema in sorted(components.items(), key=lambda item: names.get(item[0]) or _short(item[0]))
    }


def name_of(struct: type[Struct]) -> str:
    """Name of a message's schema: its ``type``; a standing has none and goes by its class."""
    return str(struct.__struct_config__.tag or struct.__name__)


def _names_in(field: str) -> list[str]:
    """Names of the messages of a topic."""
    union = Output if field == "events" else _INPUTS.get(field)
    if union is not None:
        return sorted(name_of(struct) for struct in get_args(union))
    if field == "metrics":
        return [name_of(MetricEstimated)]
    return [name_of(_COMPACTED[field])] if field in _COMPACTED else [_DEAD_LETTER]


def _messages() -> Json:
    messages = {}
    for union in (*_INPUTS.values(), Output):
        for struct in get_args(union):
            headers = "CloudEventHeaders" if union is Output else None
            messages[name_of(struct)] = _message(name_of(struct), getdoc(struct) or "", "merchant_id", headers)
    metric = name_of(MetricEstimated)
    messages[metric] = _message(metric, getdoc(MetricEstimated) or "", "name of the metric", "MetricHeaders")
    for field, struct in _COMPACTED.items():
        key = "creator_id" if field == "creator_standing" else "merchant_id"
        messages[name_of(struct)] = _message(name_of(struct), getdoc(struct) or "", key, "StandingHeaders")
    dead = _message(_DEAD_LETTER, "A record that could not be processed.", "the original key", "DeadLetterHeaders")
    dead["contentType"] = "application/octet-stream"
    dead["payload"] = {"description": "The original value, byte for byte; none where the record had none."}
    messages[_DEAD_LETTER] = dead
    return dict(sorted(messages.items()))


def _message(name: str, words: str, key: str, headers: str | None) -> Json:
    message: Json = {
        "name": name,
        "summary": _markdown(words).splitlines()[0],
        "payload": {"$ref": f"#/components/schemas/{name}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": key}, "bindingVersion": _BINDING}},
    }
    if headers is not None:
        message["headers"] = {"$ref": f"#/components/schemas/{headers}"}
    return message


#: Of the record that caused an output, where it had them (https://www.w3.org/TR/trace-context/).
_TRACE: Final = {
    TRACEPARENT: {"type": "string", "description": "W3C Trace Context of the record that caused it, if that had one."},
    TRACESTATE: {"type": "string", "description": "Beside `traceparent`, likewise."},
}
_RUN: Final = {"type": "string", "description": "In the outputs of a replay alone: which run it was."}


def _headers(words: str, **properties: Json) -> Json:
    return {
        "type": "object",
        "description": words,
        "properties": {name.replace("content_type", "content-type"): each for name, each in properties.items()}
        | {"ce_run": _RUN, **_TRACE},
        "required": [name.replace("content_type", "content-type") for name in properties],
    }


def _text(words: str, **more: Any) -> Json:
    return {"type": "string", "description": words, **more}


_ID: Final = _text("Deterministic: the same input gives the same id.", pattern="^[A-Za-z0-9_-]+$")
_HEADERS: Final = {
    "CloudEventHeaders": _headers(
        "CloudEvents 1.0 in Kafka's binary mode.",
        ce_specversion={"const": "1.0"},
        ce_id=_ID,
        ce_type={"enum": sorted(name_of(struct) for struct in get_args(Output))},
        ce_source={"const": "/shopwarden"},
        ce_time=_text("Event time.", format="date-time"),
        ce_subject=_text("Id of the order, listing or merchant that the event is about."),
        content_type={"const": "application/json"},
    ),
    "MetricHeaders": _headers(
        "CloudEvents 1.0 in Kafka's binary mode.",
        ce_specversion={"const": "1.0"},
        ce_id=_ID,
        ce_type={"const": name_of(MetricEstimated)},
        ce_source={"const": "/shopwarden"},
        ce_time=_text("End of the period.", format="date-time"),
        ce_subject=_text("Name of the metric."),
        content_type={"const": "application/json"},
    ),
    "StandingHeaders": _headers("Headers of a standing.", ce_id=_ID, content_type={"const": "application/json"}),
    "DeadLetterHeaders": _headers(
        "After the record's own headers.",
        ce_id=_ID,
        dlq_reason={"enum": sorted(get_args(RejectionCode))},
        dlq_detail=_text("The same in words, at most 1,000 bytes."),
        dlq_topic=_text("Topic of the original record."),
        dlq_partition=_text("Its partition.", pattern="^[0-9]+$"),
        dlq_offset=_text("Its offset.", pattern="^[0-9]+$"),
        dlq_at=_text("Its timestamp, ms since the Unix epoch.", pattern="^-?[0-9]+$"),
    ),
}


def _contract_name(field: str) -> str:
    return str(TopicSettings.model_fields[field].default)


def _any_value(_: type) -> Json:
    return {"description": "Any JSON value."}


def _short(name: str) -> str:
    """Name of a class; msgspec qualifies those that inputs and outputs both have."""
    module, _, short = name.rpartition(".")
    return f"Input{short}" if module.endswith("events") else short


def _tidy(node: Any, prefix: str) -> Any:
    """Descriptions as Markdown, and references as :func:`_short` has them."""
    if isinstance(node, list):
        return [_tidy(each, prefix) for each in node]
    if not isinstance(node, dict):
        return node
    tidy = {}
    for key, value in node.items():
        if key == "$ref":
            tidy[key] = prefix + _short(value.removeprefix(prefix))
        elif key == "description" and isinstance(value, str):
            tidy[key] = _markdown(value)
        else:
            tidy[key] = _tidy(value, prefix)
    return tidy


def _markdown(words: str) -> str:
    return cleandoc(words).replace("``", "`")
