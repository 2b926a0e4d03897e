"""Structured logging."""

import asyncio
import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from config import logging as logging_module
from config.logging import NOISY_LOGGERS, configure_logging, log_context, once_per
from config.settings import load_settings

SECRET = "correct-horse-battery"  # noqa: S105


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    """Leave logging as other tests expect it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in NOISY_LOGGERS}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, old in levels.items():
        logging.getLogger(name).setLevel(old)
    logging.captureWarnings(False)


def configured(log_format: str = "json", **overrides: Any) -> io.StringIO:
    """Logging into the buffer that is given back."""
    stream = io.StringIO()
    configure_logging(load_settings(worker__log_format=log_format, **overrides), stream)
    return stream


def test_json_line() -> None:
    """A record is one JSON object with its fields beside the message."""
    stream = configured()
    logging.getLogger("streams.shard").warning(
        "slow flush of %d", 3, extra={"shard": 2, "offset": None, "topics": ["a"]}
    )
    (line,) = stream.getvalue().splitlines()
    record = json.loads(line)
    assert record.pop("time").endswith("Z")
    assert record == {
        "level": "warning",
        "logger": "streams.shard",
        "message": "slow flush of 3",
        "shard": 2,
        "offset": None,
        "topics": "['a']",
    }


def test_line_breaks_do_not_split_a_json_line() -> None:
    """Text from outside can't fake a record of its own."""
    stream = configured()
    logging.getLogger("x").error("refused: %s", 'a\n{"level": "critical"}', extra={"key": "k\nk"})
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["message"] == 'refused: a\n{"level": "critical"}'


def test_console_line() -> None:
    """For people: time, level, logger, message, fields."""
    stream = configured("console")
    logging.getLogger("streams.shard").info("claimed", extra={"shard": 2})
    assert stream.getvalue().partition(" ")[2] == "INFO    streams.shard: claimed shard=2\n"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_traceback(log_format: str) -> None:
    """An exception comes with its traceback."""
    stream = configured(log_format)
    try:
        raise ValueError("odd")
    except ValueError:
        logging.getLogger("x").exception("failed")
    assert "Traceback (most recent call last)" in stream.getvalue()
    assert "ValueError: odd" in stream.getvalue()
    if log_format == "json":
        assert json.loads(stream.getvalue())["error"].endswith("ValueError: odd")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_secrets_are_blotted_out(log_format: str) -> None:
    """In messages, arguments, fields and tracebacks, whoever logs them."""
    stream = configured(log_format, pseudonym_key=SECRET, redis__url=f"redis://:{SECRET}-second@h:1/0")
    log = logging.getLogger("aiokafka")
    log.warning("password %s", SECRET, extra={"url": f"redis://:{SECRET}-second@h"})
    try:
        raise ValueError(SECRET)
    except ValueError:
        log.exception("failed")
    assert "[secret]" in stream.getvalue()
    assert SECRET not in stream.getvalue()
    assert "-second" not in stream.getvalue()


def test_context_nests_and_ends() -> None:
    """Context fields are on every record of the block, the record's own fields win, and none leak out."""
    stream = configured()
    log = logging.getLogger("x")
    with log_context(shard=1, topic="orders"):
        with log_context(offset=7):
            log.info("a", extra={"topic": "listings"})
        log.info("b")
    log.info("c")
    found = [
        {k: r[k] for k in ("shard", "topic", "offset") if k in r}
        for r in map(json.loads, stream.getvalue().splitlines())
    ]
    assert found == [{"shard": 1, "topic": "listings", "offset": 7}, {"shard": 1, "topic": "orders"}, {}]


async def test_context_belongs_to_its_task() -> None:
    """Two shards that work at once keep their fields apart."""
    stream = configured()

    async def work(shard: int) -> None:
        with log_context(shard=shard):
            await asyncio.sleep(0.001)
            logging.getLogger("x").info("%d", shard)

    await asyncio.gather(*(work(shard) for shard in range(5)))
    records = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert sorted((r["message"], r["shard"]) for r in records) == [(str(n), n) for n in range(5)]


def test_libraries_are_held_at_warning() -> None:
    """Our INFO is shown, that of Faust and its like is not; their warnings are."""
    stream = configured()
    for name in NOISY_LOGGERS:
        logging.getLogger(f"{name}.part").info("noise")
        logging.getLogger(f"{name}.part").warning("matters")
    logging.getLogger("streams.x").info("ours")
    messages = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert messages == ["matters"] * len(NOISY_LOGGERS) + ["ours"]


def test_level_and_python_warnings() -> None:
    """The level of the settings counts, and warnings of Python arrive as records."""
    stream = configured(worker__log_level="WARNING")
    logging.getLogger("streams.x").info("quiet")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old call", DeprecationWarning, stacklevel=1)
    (line,) = stream.getvalue().splitlines()
    assert "old call" in json.loads(line)["message"]


def test_configuring_twice_replaces() -> None:
    """No line comes twice."""
    first, second = configured(), configured()
    logging.getLogger("x").info("once")
    assert (first.getvalue(), second.getvalue().count("once")) == ("", 1)


def test_once_per_lets_the_first_through_and_counts_the_rest() -> None:
    """Repeats within the interval are held back and counted, each key on its own."""
    now = 0.0
    due = once_per(10, clock=lambda: now)
    assert [due("a"), due("a"), due("b"), due("a")] == [0, None, 0, None]
    now = 10.0
    assert [due("a"), due("b")] == [2, 0]


def test_once_per_forgets_old_keys() -> None:
    """Keys that come from input can't fill the memory: those that are due again are forgotten."""
    now = 0.0
    due = once_per(10, clock=lambda: now)
    for key in range(5000):
        now += 1
        assert due(key) == 0
    remembered = due.__closure__
    assert remembered is not None
    assert max(len(cell.cell_contents) for cell in remembered if isinstance(cell.cell_contents, dict)) <= 1000


def test_libraries_repeat_themselves_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a broker is away its clients tell of each attempt: the same words come once in 30 s, with the number of
    those held back; other words, and what we say ourselves, come always.
    """
    now = [100.0]
    monkeypatch.setattr(logging_module._Throttle.__init__, "__defaults__", (lambda: now[0],))
    stream = configured()
    client, library = logging.getLogger("aiokafka.consumer.fetcher"), logging.getLogger("librdkafka")
    ours = logging.getLogger("shopwarden.shards")
    for attempt in range(1000):
        client.error("Failed fetch messages from %s: %s", attempt % 3, "refused")
        library.error("%s [%s] %s", "FAIL", "producer-1", f"attempt {attempt}")
        ours.warning("shard %d", attempt)
    client.error("another thing")
    library.error("%s [%s] %s", "GETPID", "producer-1", "no")
    now[0] += 31
    client.error("Failed fetch messages from %s: %s", 1, "refused")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    told = [line for line in lines if line["logger"] != "shopwarden.shards"]
    assert len(lines) - len(told) == 1000
    assert [(line["message"].split(" ")[0], line.get("suppressed")) for line in told] == [
        ("Failed", None),
        ("FAIL", None),
        ("another", None),
        ("GETPID", None),
        ("Failed", 999),
    ]
