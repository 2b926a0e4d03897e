"""The locks are complete, hashed and name no host; the package carries its data files."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-build.lock", "benchmarks/requirements.lock"]


def normal(requirement: str) -> str:
    """The package's name in a requirement, as PEP 503 writes it."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def pins(lock: str) -> dict[str, set[str]]:
    """Package -> versions in a lock (several where they depend on the Python)."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9.-]+)==([^ ;\\]+)", (ROOT / lock).read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes_and_no_host(lock: str) -> None:
    """Each pinned version is followed by its hashes; no index and no address is named, so any mirror serves."""
    text = (ROOT / lock).read_text()
    entries = [entry for entry in re.split(r"\n(?=[a-z0-9])", text) if "==" in entry]
    assert entries
    for entry in entries:
        assert "--hash=sha256:" in entry, entry
    assert not re.search(r"https?:|--index-url|--extra-index-url|--find-links| @ ", text)


def test_locks_hold_what_pyproject_wants() -> None:
    """Every direct dependency is pinned: run `make lock` after a change of pyproject.toml."""
    runtime = {normal(name) for name in PROJECT["project"]["dependencies"]}
    embedded = {normal(name) for name in PROJECT["project"]["optional-dependencies"]["embedded"]}
    groups = PROJECT["dependency-groups"]
    build = {normal(name) for name in groups["build"]}
    dev = {normal(name) for name in groups["dev"] if isinstance(name, str)}
    assert runtime <= pins("requirements.lock").keys()
    assert not embedded & pins("requirements.lock").keys()
    assert runtime | embedded | build | dev <= pins("requirements-dev.lock").keys()
    assert build <= pins("requirements-build.lock").keys()


def test_what_is_tested_is_what_runs() -> None:
    """The developers' lock has the runtime lock's versions."""
    dev = pins("requirements-dev.lock")
    for name, versions in pins("requirements.lock").items():
        assert dev[name] == versions, name


def test_quix_is_the_benchmarks_alone() -> None:
    """Quix Streams is in no environment but its own."""
    assert "quixstreams" in pins("benchmarks/requirements.lock")
    assert "quixstreams" not in pins("requirements-dev.lock")


def test_make_help_tells_every_target() -> None:
    """Each phony target of the Makefile has a line in `make help`."""
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
