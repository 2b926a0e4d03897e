"""A replay is made so that it can't act: what its code imports and calls, read from the code itself."""

import ast
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "streams" / "replay"
MODULES = sorted(FOLDER.glob("*.py"))
#: What may be taken from modules that a worker acts by.
ALLOWED = {
    "streams.store": {"JournalEntry", "Loaded", "Position"},
    "streams.takeover": {"STREAMS"},
    "streams.snapshot": {"BLOBS", "LISTS", "METRICS", "keep_loaded", "restore", "take_changes"},
    "streams.publish": set(),
    "streams.protocol": set(),
    "streams.producing": set(),
    "streams.dead_letters": set(),
    "streams.shard": set(),
    "streams.shards": set(),
}


def imports(path: Path) -> dict[str, set[str]]:
    """Names that a module imports, by where from."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.setdefault(node.module, set()).update(alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                found.setdefault(alias.name, set())
    return found


def test_there_are_modules() -> None:
    """The folder is where this test believes it to be."""
    assert FOLDER / "engine.py" in MODULES


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_nothing_that_acts(path: Path) -> None:
    """No store, publisher, shard or takeover of a worker: at most types and plain functions of their modules."""
    for module, names in imports(path).items():
        assert names <= ALLOWED.get(module, names), f"{path.name} takes {names} from {module}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_one_producer(path: Path) -> None:
    """Only the destination has a producer, which takes a replay's topics and nothing else."""
    found = imports(path)
    if path.stem == "destination":
        return
    assert "Producer" not in found.get("confluent_kafka", set())
    assert not {"producer_config", "outputs_config"} & found.get("streams.clients", set())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_redis_is_at_most_read(path: Path) -> None:
    """Only recorded models look into Redis, by commands that read."""
    found = imports(path)
    if path.stem != "recorded_models":
        assert not any(module.partition(".")[0] == "redis" for module in found)
        assert not {"redis_client", "async_redis_client"} & found.get("streams.clients", set())
        return
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "client"
    }
    assert called == {"get", "lrange", "close"}
