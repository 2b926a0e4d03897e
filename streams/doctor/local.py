"""Checks of this machine: settings, pseudonym key, policies, packages."""

import importlib.metadata
import importlib.util
import platform
import sys
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from pydantic import BaseModel, SecretStr

from config.policies import PolicyError, load_policies
from config.settings import Settings, SettingsError
from detectors.policy import compile_policies
from features.registry import FEATURES
from streams.doctor.findings import Finding


def check_settings(settings: Settings, origins: dict[str, str]) -> Iterator[Finding]:
    """Every setting that is no default, and where it was written; never a secret."""
    if not origins:
        yield Finding("ok", "settings", "all are defaults")
    for key, origin in sorted(origins.items()):
        yield Finding("ok", "settings", f"{key} = {_shown(settings, key)} ({origin})")


def _shown(settings: Settings, key: str) -> object:
    value: object = settings
    for name in key.split("."):
        value = getattr(value, name)
    if isinstance(value, SecretStr):
        return "[secret]"
    return "{…}" if isinstance(value, BaseModel) else value


def check_pseudonym_key(settings: Settings) -> Iterator[Finding]:
    """The worker does not start without the key."""
    try:
        key = settings.require_pseudonym_key()
    except SettingsError as error:
        text, _, advice = error.problems[0].partition("; ")
        yield Finding("problem", "pseudonyms", text, advice)
        return
    if len(set(key)) < 8:  # e.g. "aaaaaaaaaaaaaaaa", "1234123412341234"
        advice = "Make a random one: python -c 'import secrets; print(secrets.token_hex(32))'"
        yield Finding("warning", "pseudonyms", f"key {settings.pseudonym_key_id} looks easy to guess", advice)
    else:
        yield Finding("ok", "pseudonyms", f"key {settings.pseudonym_key_id} is set")


def check_policies(settings: Settings) -> Iterator[Finding]:
    """The policy files compile."""
    path = settings.policies_path
    try:
        policies = compile_policies(load_policies(path), FEATURES)
    except PolicyError as error:
        for problem in error.problems:
            yield Finding("problem", "policies", str(problem), f"Correct it in {path}.")
        return
    except OSError as error:
        yield Finding("problem", "policies", f"can't be read: {error}", "Look at policy_dir.")
        return
    yield Finding("ok", "policies", f"{len(policies.rules)} rules, version {policies.version}, from {path}")


def check_packages(distribution: str = "shopwarden") -> Iterator[Finding]:
    """Python and the packages are of the versions that this version of Shopwarden was made for."""
    try:
        metadata = importlib.metadata.metadata(distribution)
    except importlib.metadata.PackageNotFoundError:
        yield Finding("warning", "packages", f"{distribution} is not installed", "Install it: pip install -e .")
        return
    yield _python(metadata["Requires-Python"] or "")
    wrong = False
    for line in importlib.metadata.requires(distribution) or ():
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            version = None
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            wrong = True
            text = (
                f"{requirement.name} {version or 'is missing'}, but {requirement.specifier or 'any version'} is needed"
            )
            yield Finding("problem", "packages", text, "Install the locked versions: make setup.")
    if not wrong:
        yield Finding("ok", "packages", f"{distribution} {metadata['Version']} with the versions it was made for")
    yield _faust_extension()


def _python(supported: str) -> Finding:
    version = platform.python_version()
    if SpecifierSet(supported).contains(version, prereleases=True):
        return Finding("ok", "packages", f"Python {version}")
    advice = "Stored models load only in the Python that wrote them; use a supported one."
    return Finding("problem", "packages", f"Python {version} at {sys.executable}, but {supported} is needed", advice)


def _faust_extension() -> Finding:
    # A wheel without its compiled parts falls back silently to slower Python.
    found = importlib.util.find_spec("faust._cython.streams")
    if found is not None and (found.origin or "").endswith(tuple(EXTENSION_SUFFIXES)):
        return Finding("ok", "packages", "Faust has its compiled parts")
    return Finding(
        "warning", "packages", "Faust has no compiled parts and is slower", "Install its wheel, not its source."
    )
