"""Spans of flushes, checkpoints and events, taken from OpenTelemetry's exporter in memory."""

import asyncio
import gzip
import io
import json
import logging
import socket
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, SpanKind, StatusCode

from config.logging import configure_logging
from config.settings import Settings
from config.telemetry import TelemetrySettings
from detectors.flush import Flush
from detectors.judge import Judge
from features.shard import Record
from features.trace_context import TRACEPARENT
from streams.telemetry.instruments import Instruments
from streams.telemetry.tracing import Tracing, open_tracing
from tests.streams.shard_fakes import (
    Fetched,
    MemoryPublisher,
    MemoryStore,
    Shelf,
    make_judge,
    marketplace,
    offer_all,
    start_shard,
)

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
SAMPLED = f"00-{TRACE}-{SPAN}-01".encode()
UNSAMPLED = f"00-{TRACE}-{SPAN}-00".encode()


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge by the packaged policies."""
    return make_judge(publish_level=1)


@pytest.fixture(scope="module")
def market() -> dict[str, list[Fetched]]:
    """Records of a small marketplace."""
    return marketplace()


class Traced:
    """Tracing with its spans in memory."""

    def __init__(self, ratio: float = 1.0, most_events: int = 16) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracing = Tracing(provider, ratio, most_events, lambda: 0.5)

    def spans(self, name: str) -> list[ReadableSpan]:
        """Those of a name, in the order in which they ended."""
        return [span for span in self.exporter.get_finished_spans() if span.name == name]


def context_of(span: ReadableSpan) -> SpanContext:
    """Its ids."""
    context = span.get_span_context()
    assert context is not None
    return context


async def run(
    judge: Judge, market: Mapping[str, list[Fetched]], tracing: Tracing | None
) -> tuple[Shelf, MemoryPublisher]:
    """A shard from the beginning to the end of the records."""
    shelf, publisher = Shelf(), MemoryPublisher()
    runner = await start_shard(MemoryStore(shelf, "only"), publisher, judge, instruments=Instruments(tracing=tracing))
    offer_all(runner, market)
    task = asyncio.create_task(runner.run())
    while not task.done() and (len(runner.intake) or runner.recovering):  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0)
    runner.stop()
    await task
    return shelf, publisher


def record(offset: int, parent: bytes | None) -> Record:
    """An order's record with a trace context."""
    headers = () if parent is None else ((TRACEPARENT, parent),)
    return Record("orders", "orders", 3, offset, 0, b"m", b"{}", headers)


async def test_flushes_and_checkpoints_have_spans(judge: Judge, market: dict[str, list[Fetched]]) -> None:
    """Each flush one, with its stages as children, one after the other; each checkpoint one, likewise."""
    traced = Traced()
    shelf, _ = await run(judge, market, traced.tracing)
    flushes = traced.spans("flush")
    assert [each.attributes["shopwarden.sequence"] for each in flushes if each.attributes] == list(
        range(1, shelf.position.sequence + 1)
    )
    assert sum(int(str(span.attributes["shopwarden.records"])) for span in flushes if span.attributes) == sum(
        map(len, market.values())
    )
    by_parent: dict[int, list[ReadableSpan]] = {}
    for span in traced.exporter.get_finished_spans():
        if span.parent is not None:
            by_parent.setdefault(span.parent.span_id, []).append(span)
    for parents, stages in (
        (flushes, ["decode", "journal", "apply"]),
        (traced.spans("checkpoint"), ["deliver", "store"]),
    ):
        assert parents
        for parent in parents:
            children = by_parent[context_of(parent).span_id]
            assert [child.name for child in children] == stages
            assert all(context_of(child).trace_id == context_of(parent).trace_id for child in children)
            assert all((child.start_time or 0) <= (child.end_time or 0) for child in children)
    assert len({context_of(span).trace_id for span in flushes}) == len(flushes)


async def test_tracing_changes_nothing(judge: Judge, market: dict[str, list[Fetched]]) -> None:
    """State and outputs are the same with and without, byte for byte."""
    traced = Traced()
    with_it, published = await run(judge, market, traced.tracing)
    without, plain = await run(judge, market, None)
    assert published.sent == plain.sent
    assert {k: v for k, v in with_it.values.items() if k != "position"} == {
        k: v for k, v in without.values.items() if k != "position"
    }


async def test_a_share_is_traced(judge: Judge, market: dict[str, list[Fetched]]) -> None:
    """Below the ratio's share of chance nothing is."""
    traced = Traced(ratio=0.4)
    await run(judge, market, traced.tracing)
    assert traced.exporter.get_finished_spans() == ()


def test_sampled_events_continue_their_trace() -> None:
    """An event whose producer traces it has a span, a child of the producer's, whatever the ratio; others have none."""
    traced = Traced(ratio=0.0)
    records = [record(5, SAMPLED), record(6, UNSAMPLED), record(7, b"nonsense"), record(8, None)]
    with traced.tracing.flush(3, Flush(1, records)) as stages:
        assert stages is None
    (span,) = traced.spans("process orders")
    assert span.parent is not None and span.parent.is_remote
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, SPAN)
    assert span.kind is SpanKind.CONSUMER
    assert span.attributes is not None
    assert span.attributes["messaging.kafka.offset"] == 5
    assert span.attributes["messaging.destination.partition.id"] == "3"
    assert not span.links


def test_events_are_linked_to_their_flush() -> None:
    """Where the flush is traced too."""
    traced = Traced()
    with traced.tracing.flush(3, Flush(1, [record(5, SAMPLED)])):
        pass
    (event,), (flush,) = traced.spans("process orders"), traced.spans("flush")
    assert [link.context.span_id for link in event.links] == [context_of(flush).span_id]
    assert event.end_time == flush.end_time


def test_a_flood_of_sampled_events_is_bounded() -> None:
    """No more spans than the setting says."""
    traced = Traced(ratio=0.0, most_events=3)
    with traced.tracing.flush(3, Flush(1, [record(n, SAMPLED) for n in range(50)])):
        pass
    assert len(traced.spans("process orders")) == 3


def test_failures_are_recorded() -> None:
    """A flush that fails has the error in its span."""
    traced = Traced()
    with pytest.raises(ZeroDivisionError), traced.tracing.flush(3, Flush(1, [])):
        raise ZeroDivisionError("on purpose")
    (span,) = traced.spans("flush")
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged, as JSON."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging(Settings(), stream)
    yield stream
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def test_log_lines_name_the_trace(log: io.StringIO) -> None:
    """Within a traced flush each line has the ids of trace and span; outside none has."""
    traced = Traced()
    with traced.tracing.flush(3, Flush(1, [])):
        logging.getLogger("shopwarden.test").warning("within")
    logging.getLogger("shopwarden.test").warning("outside")
    within, outside = map(json.loads, log.getvalue().splitlines())
    context = context_of(traced.spans("flush")[0])
    assert within["trace_id"] == f"{context.trace_id:032x}"
    assert within["span_id"] == f"{context.span_id:016x}"
    assert "trace_id" not in outside


def test_it_is_off_by_default() -> None:
    """Nothing of OpenTelemetry is made, or even imported by a worker, without an endpoint."""
    assert open_tracing(Settings()) is None


def test_spans_reach_a_collector() -> None:
    """By OTLP over HTTP, with the name of the service, when tracing is closed at the latest."""
    bodies: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bodies.append(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its interface
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_address[1]}/v1/traces"
        tracing = open_tracing(Settings(telemetry=TelemetrySettings(traces_endpoint=endpoint, traces_ratio=1)))
        assert tracing is not None
        with tracing.flush(3, Flush(1, [record(5, SAMPLED)])):
            pass
        tracing.close()
        server.shutdown()
    sent = b"".join(bodies)
    for words in (b"shopwarden-worker", b"process orders", b"flush", bytes.fromhex(TRACE)):
        assert words in sent


def test_a_collector_that_is_away_holds_nothing_up() -> None:
    """Closing gives up soon, without an error."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = TelemetrySettings(traces_endpoint=f"http://127.0.0.1:{port}/v1/traces", traces_ratio=1)
    tracing = open_tracing(Settings(telemetry=settings))
    assert tracing is not None
    with tracing.checkpoint(3, 1):
        pass
    tracing.close()


async def test_outputs_carry_the_trace_of_what_caused_them(judge: Judge, market: dict[str, list[Fetched]]) -> None:
    """As it came, whether anybody traces or not; an output of a record without one has none."""
    orders = [
        fetched._replace(headers=((TRACEPARENT, SAMPLED), ("x", b"y"))) if fetched.offset % 2 else fetched
        for fetched in market["orders"]
    ]
    _, publisher = await run(judge, dict(market) | {"orders": orders}, None)
    _, plain = await run(judge, market, None)
    carried = [dict(emit.headers).get(TRACEPARENT) for emit in publisher.sent]
    assert set(carried) == {SAMPLED, None}
    for emit, before in zip(publisher.sent, plain.sent, strict=True):
        assert (emit.id, emit.value) == (before.id, before.value)
        assert tuple(each for each in emit.headers if each[0] != TRACEPARENT) == before.headers
        assert "x" not in dict(emit.headers)
