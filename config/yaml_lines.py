"""YAML as plain data that still knows its lines, so that an error can say where it is.

Stricter than YAML: a key given twice is an error (PyYAML keeps the last one silently), and anchors are refused (nobody
needs them here, and nested aliases can grow a small file without bound). Only the safe, plain types are constructed.
"""

import re
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

#: Policies are small; a file beyond this is a mistake.
MAX_BYTES: Final = 1 << 20


class YamlError(ValueError):
    """A file that is no usable YAML; ``line`` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


class LocatedDict(dict[str, Any]):
    """A mapping that knows the line it starts on and the line of each key, from 1."""

    def __init__(self) -> None:
        super().__init__()
        self.line = 0
        self.lines: dict[str, int] = {}


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with located mappings, without anchors and without duplicate keys."""

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise YamlError("anchors and aliases (& and *) are not supported; write the value out", _line(event))
        node: Node | None = super().compose_node(parent, index)
        return node

    def located(self, node: MappingNode) -> LocatedDict:
        result = LocatedDict()
        result.line = _line(node)
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                raise YamlError("a key must be plain text", _line(key_node))
            # As written: the keys `on` and `null` are words here.
            key = str(key_node.value)
            if key in result:
                raise YamlError(f'"{key}" is given twice, first on line {result.lines[key]}', _line(key_node))
            result.lines[key] = _line(key_node)
            result[key] = self.construct_object(value_node, deep=True)
        return result


_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.located)
# YAML 1.2's booleans only: `mode: off` is a word.
_BOOL: Final = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile(r"^(?:true|false)$"), list("tf"))


def parse_yaml(text: str) -> LocatedDict:
    """The mapping that a YAML text holds.

    Raises
    ------
    YamlError
        The text is too large, no YAML, no mapping at the top, or repeats a key.
    """
    if len(text) > MAX_BYTES:
        raise YamlError(f"the file has {len(text)} characters; at most {MAX_BYTES} are read", 1)
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(f"no valid YAML: {error.problem or error.context}", mark.line + 1 if mark else 1) from error
    except yaml.YAMLError as error:
        raise YamlError(f"no valid YAML: {error}", 1) from error
    except (RecursionError, ValueError) as error:
        if isinstance(error, YamlError):
            raise
        raise YamlError(f"no valid YAML: {error}", 1) from error
    if data is None:
        return LocatedDict()
    if not isinstance(data, LocatedDict):
        raise YamlError(f"a mapping was expected at the top of the file, not {type(data).__name__}", 1)
    return data


def _line(marked: Any) -> int:
    return int(marked.start_mark.line) + 1
