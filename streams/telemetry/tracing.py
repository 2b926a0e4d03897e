"""Traces by OpenTelemetry: of flushes, of checkpoints, and of events whose producers trace them.

Off unless ``telemetry.traces_endpoint`` is set; then a share of flushes and checkpoints has spans, and of each flush
some of the events that come with a sampled ``traceparent`` (W3C Trace Context). An event's span is a child of its
producer's and is linked to the flush that applied it; it lasts as long as the flush, as events are applied together.
Log lines within a traced flush or checkpoint have its ``trace_id`` and ``span_id``.

Outputs carry the ``traceparent`` of the record that caused them, as it came (detectors/outbox.py): what is published
must not depend on whether, or where, somebody traces.
"""

import contextlib
import logging
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from config.logging import log_context
from config.settings import Settings
from detectors.flush import Flush
from features.shard import Record
from features.trace_context import TRACEPARENT

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, StatusCode

logger = logging.getLogger("shopwarden.tracing")

#: Seconds that a collector has to take a batch: few, as a worker that stops must not wait for it.
_EXPORT_S: Final = 3
_LAST_EXPORT_MS: Final = 1_000
#: Spans that wait for the collector at most; what comes then is dropped.
_MOST_WAITING: Final = 2_048

_PARENT: Final = re.compile(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


class Tracing:
    """Makes spans.

    Parameters
    ----------
    provider
        Of OpenTelemetry's SDK.
    ratio
        Share of flushes and checkpoints that have spans.
    most_events
        Most events of a flush that have one.
    chance
        A random number of 0 to 1.
    """

    def __init__(
        self,
        provider: "TracerProvider",
        ratio: float,
        most_events: int,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("shopwarden", version("shopwarden"))
        self._ratio = ratio
        self._most_events = most_events
        self._chance = chance

    @contextlib.contextmanager
    def flush(self, shard: int, flush: Flush) -> Iterator["Stages | None"]:
        """The spans of a flush, and of events in it, around the block; its stages are told to what is given."""
        began = time.time_ns()
        span = self._root("flush", shard, flush.sequence) if self._chance() < self._ratio else None
        try:
            if span is None:
                yield None
            else:
                span.set_attribute("shopwarden.records", len(flush.records))
                with self._within(span):
                    yield Stages(self, span)
        finally:
            ended = time.time_ns()
            self._events(flush.records, span, began, ended)
            if span is not None:
                span.end(ended)

    @contextlib.contextmanager
    def checkpoint(self, shard: int, sequence: int) -> Iterator["Stages | None"]:
        """The span of a checkpoint, likewise."""
        if self._chance() >= self._ratio:
            yield None
            return
        span = self._root("checkpoint", shard, sequence)
        try:
            with self._within(span):
                yield Stages(self, span)
        finally:
            span.end()

    def child(self, parent: "Span", name: str, began: int, ended: int) -> None:
        """A part of a span, from when to when in ns since the epoch."""
        from opentelemetry.trace import set_span_in_context

        self._tracer.start_span(name, set_span_in_context(parent), start_time=began).end(ended)

    def close(self) -> None:
        """Send what is left, without waiting for long."""
        self._provider.force_flush(_LAST_EXPORT_MS)
        self._provider.shutdown()

    def _root(self, name: str, shard: int, sequence: int) -> "Span":
        from opentelemetry.context import Context

        # A context of its own: flushes of different shards take turns within one thread.
        attributes = {"shopwarden.shard": shard, "shopwarden.sequence": sequence}
        return self._tracer.start_span(name, Context(), attributes=attributes)

    @contextlib.contextmanager
    def _within(self, span: "Span") -> Iterator[None]:
        context = span.get_span_context()
        with log_context(trace_id=f"{context.trace_id:032x}", span_id=f"{context.span_id:016x}"):
            try:
                yield
            except Exception as error:
                span.record_exception(error)
                span.set_status(_failed(), str(error))
                raise

    def _events(self, records: Sequence[Record], flush: "Span | None", began: int, ended: int) -> None:
        left = self._most_events
        for record in records:
            if not record.headers or left <= 0:
                continue
            parent = sampled_parent(record)
            if parent is None:
                continue
            left -= 1
            self._event(record, parent, flush, began, ended)

    def _event(self, record: Record, parent: "Context", flush: "Span | None", began: int, ended: int) -> None:
        from opentelemetry.trace import Link, SpanKind

        links: Sequence[Link] = () if flush is None else (Link(flush.get_span_context()),)
        # Names of OpenTelemetry's semantic conventions for messaging.
        attributes: dict[str, str | int] = {
            "messaging.system": "kafka",
            "messaging.operation.type": "process",
            "messaging.destination.name": record.topic,
            "messaging.destination.partition.id": str(record.partition),
            "messaging.kafka.offset": record.offset,
        }
        span = self._tracer.start_span(
            f"process {record.topic}", parent, SpanKind.CONSUMER, attributes, links, start_time=began
        )
        span.end(ended)


class Stages:
    """Tells of the parts of a span, one after the other."""

    def __init__(self, tracing: Tracing, span: "Span") -> None:
        self._tracing = tracing
        self._span = span
        self._since = time.time_ns()

    def passed(self, name: str) -> None:
        """A part is over that began when the one before was over."""
        now = time.time_ns()
        self._tracing.child(self._span, name, self._since, now)
        self._since = now


def sampled_parent(record: Record) -> "Context | None":
    """The span that a record comes from, if its ``traceparent`` is well formed and says that it is sampled."""
    for name, value in record.headers:
        if name == TRACEPARENT:
            match = _PARENT.fullmatch(value or b"")
            if match is None or not int(match[3], 16) & 1:
                return None
            return _remote(int(match[1], 16), int(match[2], 16))
    return None


def _remote(trace_id: int, span_id: int) -> "Context | None":
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    context: SpanContext = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(context), Context()) if context.is_valid else None


def _failed() -> "StatusCode":
    from opentelemetry.trace import StatusCode

    return StatusCode.ERROR


def open_tracing(settings: Settings, role: str = "worker") -> Tracing | None:
    """Tracing as the settings want it; ``None`` if they don't."""
    telemetry = settings.telemetry
    if telemetry.traces_endpoint is None:
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(endpoint=telemetry.traces_endpoint, timeout=_EXPORT_S)
    logger.info("traces are sent", extra={"endpoint": telemetry.traces_endpoint})
    return Tracing(make_provider(exporter, role), telemetry.traces_ratio, telemetry.traces_events)


def make_provider(exporter: "SpanExporter", role: str) -> "TracerProvider":
    """A provider that sends spans in batches, from a thread of its own, and drops what the collector does not take."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": f"shopwarden-{role}", "service.version": version("shopwarden")})
    # Nothing at the exit of the interpreter: a worker that is told to stop has a deadline.
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=_MOST_WAITING))
    return provider
