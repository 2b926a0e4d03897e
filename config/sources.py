"""Reading settings from their sources, with every mistake named in one message.

pydantic-settings reads the environment, ``.env`` and TOML; what it passes over in silence (an unknown environment
variable, a misspelt nested name) is found here, with a suggestion.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pydantic_settings
from dotenv import dotenv_values
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, TomlConfigSettingsSource

PREFIX = "SHOPWARDEN_"
DELIMITER = "__"
#: Names the TOML file.
CONFIG_VARIABLE = "SHOPWARDEN_CONFIG"
#: Variables with our prefix that are no settings: the above and switches of the test suite.
_NOT_SETTINGS = re.compile(rf"{CONFIG_VARIABLE}|{PREFIX}REQUIRE_[A-Z]+")
# Kubernetes puts the addresses of services into the environment of pods: of one called "shopwarden-…" with our prefix.
_KUBERNETES = re.compile(r"SHOPWARDEN_(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)")


class SettingsError(Exception):
    """The settings are wrong. ``problems`` has one line for each, with where it stands and what to do; no secrets."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        title = "The settings have a problem:" if count == 1 else f"The settings have {count} problems:"
        super().__init__("\n".join([title, *(f"  - {problem}" for problem in self.problems)]))


class Source(NamedTuple):
    """Values of one source, nested as the settings are; ``origins`` tells for each dotted key where it was written."""

    values: dict[str, Any]
    origins: dict[str, str]


def known_keys(model: type[BaseModel]) -> dict[str, type[BaseModel] | None]:
    """Dotted names of all settings; those of a section carry its model."""
    keys: dict[str, type[BaseModel] | None] = {}
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            keys[name] = section
            keys |= {f"{name}.{inner}": value for inner, value in known_keys(section).items()}
        else:
            keys[name] = None
    return keys


def suggestion(key: str, keys: Iterable[str]) -> str | None:
    """The setting that was probably meant: one with the same last part elsewhere, else the most similar name."""
    keys = list(keys)
    same = [known for known in keys if known.rpartition(".")[2] == key.rpartition(".")[2]]
    return next(iter(same or difflib.get_close_matches(key, keys, n=1, cutoff=0.7)), None)


def variable(key: str) -> str:
    """The environment variable of a dotted key: ``kafka.brokers`` is SHOPWARDEN_KAFKA__BROKERS."""
    return PREFIX + key.replace(".", DELIMITER).upper()


def flatten(values: Mapping[str, Any], keys: Mapping[str, type[BaseModel] | None]) -> dict[str, Any]:
    """Nested values under dotted keys; what is no section (a list, a table in the wrong place) stays whole."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if keys.get(name) is not None and isinstance(value, Mapping):
            inner = {k.removeprefix(f"{name}."): v for k, v in keys.items() if k.startswith(f"{name}.")}
            flat |= {f"{name}.{k}": v for k, v in flatten(value, inner).items()}
        else:
            flat[name] = value
    return flat


def nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Reverse of :func:`flatten`."""
    nested: dict[str, Any] = {}
    for key, value in flat.items():
        section, _, name = key.partition(".")
        if name and isinstance(nested.setdefault(section, {}), dict):
            nested[section][name] = value
        elif not name:
            nested[section] = value
    return nested


def drop_unknown(source: Source, model: type[BaseModel], problems: list[str]) -> Source:
    """The source without keys that the settings don't have; a problem is added for each of them."""
    keys = known_keys(model)
    kept: dict[str, Any] = {}
    for key, value in flatten(source.values, keys).items():
        if key in keys:
            kept[key] = value
        else:
            origin = source.origins.get(key, source.origins.get("", ""))
            meant = suggestion(key, keys)
            problems.append(f"{origin}: there is no setting {key}" + (f"; did you mean {meant}?" if meant else ""))
    return Source(kept, {key: source.origins.get(key, source.origins.get("", "")) for key in kept})


def from_overrides(overrides: Mapping[str, Any], model: type[BaseModel]) -> Source:
    """Explicit arguments: ``kafka={"brokers": …}`` or ``kafka__brokers=…``."""
    flat = flatten({k: v for k, v in overrides.items() if DELIMITER not in k}, known_keys(model))
    flat |= {k.replace(DELIMITER, "."): v for k, v in overrides.items() if DELIMITER in k}
    return Source(nest(flat), {"": "argument"})


def from_environment(model: type[BaseSettings], problems: list[str]) -> Source:
    """The process's SHOPWARDEN_ variables; unknown ones are problems."""
    return _variables(EnvSettingsSource(model), os.environ, "environment", model, problems)


def from_dotenv(path: Path, model: type[BaseSettings], problems: list[str]) -> Source:
    """The SHOPWARDEN_ lines of a ``.env`` file, if there is one; other lines belong to other programs."""
    if not path.is_file():
        return Source({}, {})
    reader = DotEnvSettingsSource(model, env_file=path, env_file_encoding="utf-8", dotenv_filtering="only_existing")
    return _variables(reader, dotenv_values(path, encoding="utf-8"), str(path), model, problems)


def from_toml(path: Path, model: type[BaseSettings], problems: list[str]) -> Source:
    """A TOML file with the sections as tables."""
    try:
        values = TomlConfigSettingsSource(model, toml_file=path)()
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{path} is not valid TOML: {error}")
        return Source({}, {})
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"can't read {path}: {error}")
        return Source({}, {})
    return Source(values, {"": str(path)})


def _variables(
    reader: EnvSettingsSource,
    variables: Mapping[str, str | None],
    place: str,
    model: type[BaseSettings],
    problems: list[str],
) -> Source:
    keys = known_keys(model)
    by_variable = {variable(key): key for key in keys}
    origins = {}
    for name, value in variables.items():
        upper = name.upper()
        if not upper.startswith(PREFIX) or _NOT_SETTINGS.fullmatch(upper):
            continue
        if upper not in by_variable and _KUBERNETES.fullmatch(upper):
            continue
        if upper in by_variable:
            if value:  # an empty variable is an unset one, as docker-compose passes it
                origins[by_variable[upper]] = f"{place} {name}"
        else:
            meant = suggestion(upper.removeprefix(PREFIX).lower().replace(DELIMITER, "."), keys)
            hint = f"; did you mean {variable(meant)}?" if meant else ""
            problems.append(f"{place}: there is no setting {name}{hint}")
    try:
        values = reader()
    except pydantic_settings.SettingsError:
        # A whole section was given as one variable that is no JSON object.
        sections = [k for k in origins if keys[k] is not None]
        problems.extend(f"{origins[k]}: not a JSON object; set {variable(k)}{DELIMITER}… instead" for k in sections)
        return Source({}, {})
    kept = {k: v for k, v in flatten(values, keys).items() if _given(k, origins)}
    return Source(nest(kept), {key: _given(key, origins) for key in kept})


def _given(key: str, origins: Mapping[str, str]) -> str:
    return origins.get(key) or origins.get(key.partition(".")[0], "")


def describe(error: ValidationError, values: Mapping[str, Any], origins: Mapping[str, str]) -> list[str]:
    """A line for people for each error: which setting, from where, what is wrong; with the value if it is no secret."""
    lines = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        key = ".".join(str(part) for part in item["loc"][:2])
        message = item["msg"].removeprefix("Value error, ")
        message = message[:1].lower() + message[1:] if message.startswith("Input") else message
        value = values.get(key)
        shown = f" = {value!r}" if key in values and not _secret(key, value) else ""
        origin = f" ({origins[key]})" if key in origins else ""
        lines.append(f"{key}{shown}{origin}: {message}" if key else message)
    return lines


def _secret(key: str, value: object) -> bool:
    """Whether a value must not be shown: secrets, and addresses or whole sections that may carry one."""
    if key.endswith("_file"):
        return False
    return isinstance(value, SecretStr) or "." not in key or any(word in key for word in ("password", "_key", "url"))
