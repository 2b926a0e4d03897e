"""What is measured of the console's requests."""

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from streams.telemetry.console_metrics import ConsoleMetrics
from tests.promtool import promtool


async def shown(metrics: ConsoleMetrics, *paths: str) -> str:
    """The exposition after these requests to an application."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="a page")

    async def broken(_: web.Request) -> web.Response:
        raise ZeroDivisionError

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write_eof()
        return response

    app = web.Application(middlewares=[metrics.middleware])
    app.add_routes([web.get("/merchants/{id}", page), web.get("/broken", broken), web.get("/live", stream)])
    async with TestClient(TestServer(app)) as client:
        for path in paths:
            async with client.get(path) as answer:
                await answer.read()
    registry = CollectorRegistry()
    registry.register(metrics)
    return generate_latest(registry).decode()


async def test_requests_are_counted_by_route() -> None:
    """However many merchants and wrong paths are asked for, there is one label for each route and one for the rest."""
    text = await shown(ConsoleMetrics(), "/merchants/m1", "/merchants/m2", "/secret/1", "/secret/2", "/broken")
    assert 'requests_total{method="GET",route="/merchants/{id}",status="200"} 2.0' in text
    assert 'requests_total{method="GET",route="unknown",status="404"} 2.0' in text
    assert 'requests_total{method="GET",route="/broken",status="500"} 1.0' in text
    assert 'request_duration_seconds_count{route="/merchants/{id}"} 2.0' in text
    assert "m1" not in text
    assert "secret" not in text


def test_methods_are_bounded() -> None:
    """Whatever somebody sends as a method is one label."""
    metrics = ConsoleMetrics()
    for method in ("GET", "PATCH", "BREW", "WHEN"):
        metrics.answered("/", method, 405, 0.1)
    registry = CollectorRegistry()
    registry.register(metrics)
    text = generate_latest(registry).decode()
    assert 'requests_total{method="unknown",route="/",status="405"} 3.0' in text
    assert "BREW" not in text


async def test_streams_are_not_timed() -> None:
    """A stream of events lasts as long as people look, which says nothing of how fast pages are."""
    text = await shown(ConsoleMetrics(), "/live")
    assert 'requests_total{method="GET",route="/live",status="200"} 1.0' in text
    assert "request_duration_seconds_count" not in text


async def test_the_index_is_told_of() -> None:
    """How far it is behind, by topic, and how many listen; promtool finds no fault."""
    metrics = ConsoleMetrics(lambda: {"orders": 3, "listings": 0}, lambda: 2)
    text = await shown(metrics)
    assert 'shopwarden_console_index_lag_records{topic="orders"} 3.0' in text
    assert "shopwarden_console_listeners 2.0" in text
    promtool("check", "metrics", given=text.encode())
