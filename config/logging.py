"""Structured logging to stderr: one JSON object a line for machines, or a readable line for people.

Modules use the standard library: ``log = logging.getLogger(__name__)``, ``log.info("checkpoint written",
extra={"records": 12})``. Fields that hold for a stretch of work (shard, topic, offset) are set once with
:func:`log_context`. Whatever is logged, the secrets of the settings are blotted out.
"""

import json
import logging
import sys
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

from pydantic import BaseModel, SecretStr

from config.settings import Settings

#: Libraries that tell at INFO what only their authors need; streams.clients names librdkafka's logger.
NOISY_LOGGERS = ("faust", "mode", "aiokafka", "kafka", "librdkafka", "redis", "asyncio", "aiohttp", "opentelemetry")
#: While a broker is away, libraries tell of each attempt to reach it, several times a second.
LIBRARIES_REPEAT_S = 30.0
_REDACTED = "[secret]"
# Keys of repeated messages may come from input: so many are remembered, then those that are due again are forgotten.
_MOST_KEYS = 1000
#: What a record has anyway; anything else on it came with ``extra``.
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}

_context: ContextVar[dict[str, object]] = ContextVar("log_context", default={})  # noqa: B039  (never mutated)


@contextmanager
def log_context(**fields: object) -> Iterator[None]:
    """Add fields to every record that this task or thread logs inside the block; blocks nest."""
    token = _context.set({**_context.get(), **fields})
    try:
        yield
    finally:
        _context.reset(token)


def configure_logging(settings: Settings, stream: TextIO | None = None) -> None:
    """Send all logging of the process to ``stream`` (stderr) in the format and from the level of the settings.

    Replaces what was configured before. Libraries are held at WARNING. Faust's and mode's workers would configure
    logging anew when they start: create them with ``override_logging=False``.
    """
    formatter = (JsonFormatter if settings.worker.log_format == "json" else ConsoleFormatter)(secret_values(settings))
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    handler.addFilter(_add_context)
    handler.addFilter(_Throttle(LIBRARIES_REPEAT_S))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(settings.worker.log_level)
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)


def secret_values(model: BaseModel) -> tuple[str, ...]:
    """All secrets in the settings, the longest first, so that one that contains another goes as a whole."""
    found: set[str] = set()
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, SecretStr):
            found.add(value.get_secret_value())
        elif isinstance(value, BaseModel):
            found.update(secret_values(value))
    return tuple(sorted(found, key=len, reverse=True))


def once_per(seconds: float, clock: Callable[[], float] = time.monotonic) -> Callable[[Hashable], int | None]:
    """Limit repeated messages: the result, called with a key, says whether to log now.

    It gives None when a message with this key was let through less than ``seconds`` ago, else how many have been held
    back since then:

        due = once_per(10)
        if (held_back := due(topic)) is not None:
            log.warning("record refused", extra={"topic": topic, "held_back": held_back})
    """
    last: dict[Hashable, tuple[float, int]] = {}

    def due(key: Hashable = None) -> int | None:
        now = clock()
        then, held_back = last.get(key, (float("-inf"), 0))
        if now - then < seconds:
            last[key] = (then, held_back + 1)
            return None
        if len(last) >= _MOST_KEYS:
            for old in [k for k, (at, _) in last.items() if now - at >= seconds] or list(last):
                del last[old]
        last[key] = (now, 0)
        return held_back

    return due


def _add_context(record: logging.LogRecord) -> bool:
    for name, value in _context.get().items():
        if not hasattr(record, name):
            setattr(record, name, value)
    return True


class _Throttle(logging.Filter):
    """Lets each message of a library through once in so many seconds; ``suppressed`` counts those held back since.

    A message is known by its logger and its words before anything is filled in. Ours are left alone: where they may
    come often, they are limited where they are written.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._due = once_per(seconds, clock)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write this record."""
        if record.name.partition(".")[0] not in NOISY_LOGGERS:
            return True
        words: tuple[Hashable, ...] = (record.name, record.levelno, record.msg if record.args else str(record.msg)[:60])
        if record.name.startswith("librdkafka") and isinstance(record.args, tuple) and record.args:
            # All its messages are "%s [%s] %s"; the first says of what kind.
            words = (*words, str(record.args[0]))
        held_back = self._due(words)
        if held_back:
            record.suppressed = held_back
        return held_back is not None


class _Formatter(logging.Formatter):
    """What both formats share: the fields of a record, without secrets."""

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._secrets = secrets

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _REDACTED)
        return text

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for name, value in record.__dict__.items():
            if name not in _STANDARD:
                plain = value is None or isinstance(value, bool | int | float)
                fields[name] = value if plain else self._clean(str(value))
        return fields

    def _error(self, record: logging.LogRecord) -> str | None:
        parts = [self.formatException(record.exc_info)] if record.exc_info and record.exc_info[0] else []
        parts += [self.formatStack(record.stack_info)] if record.stack_info else []
        return self._clean("\n".join(parts)) or None

    def _time(self, record: logging.LogRecord) -> datetime:
        return datetime.fromtimestamp(record.created, UTC)


class JsonFormatter(_Formatter):
    """One JSON object: time (UTC), level, logger, message, the record's fields, error (a traceback) if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line: dict[str, Any] = {
            "time": self._time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._clean(record.getMessage()),
            **{name: value for name, value in self._fields(record).items() if name not in ("time", "level", "logger")},
        }
        if error := self._error(record):
            line["error"] = error
        return json.dumps(line, ensure_ascii=False)


class ConsoleFormatter(_Formatter):
    """Time (UTC), level, logger, message and ``name=value`` for each field; a traceback on the lines below."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, more with a traceback."""
        time_of_day = self._time(record).strftime("%H:%M:%S.%f")[:-3]
        fields = "".join(f" {name}={value}" for name, value in self._fields(record).items())
        line = f"{time_of_day} {record.levelname:<7} {record.name}: {self._clean(record.getMessage())}{fields}"
        error = self._error(record)
        return f"{line}\n{error}" if error else line
