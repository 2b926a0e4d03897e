"""The console's metrics, scraped from a console that runs."""

import time
import urllib.request
from pathlib import Path

from aiohttp.test_utils import TestClient, TestServer

from config.console import ConsoleSettings
from config.telemetry import TelemetrySettings
from streams.archive import ArchiveRecord
from streams.console.run import admit, open_service
from streams.console.server import make_app
from streams.console.telemetry import metrics_served
from streams.embedded import EmbeddedServices
from streams.topics import create_topics
from tests.deployment import Deployment
from tests.fed import feed
from tests.promtool import promtool

PATIENCE_S = 60.0
RECORDS = 20


def until_read(service: object, records: int) -> None:
    """Wait until the index has read so many records and knows that no more are there."""
    progress = service.follower.progress  # type: ignore[attr-defined]
    deadline = time.monotonic() + PATIENCE_S
    while progress.records < records or not progress.lag or any(progress.lag.values()):
        assert time.monotonic() < deadline, progress
        time.sleep(0.05)


def get(port: int, path: str) -> str:
    """A body, of a request that succeeds."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        text: str = answer.read().decode()
        return text


async def test_a_console_is_scraped(services: EmbeddedServices, topic_prefix: str, tmp_path: Path) -> None:
    """Requests by route, lag of the index by topic, who looks on; and it counts as well."""
    deployment = Deployment(services.brokers, services.redis_url, topic_prefix, "run", 2)
    create_topics(deployment.settings)
    feed(deployment, [ArchiveRecord("orders", f"m{n}".encode(), b"{}", 1_748_736_000_000 + n) for n in range(RECORDS)])
    settings = deployment.settings.model_copy(
        update={"console": ConsoleSettings(folder=tmp_path), "telemetry": TelemetrySettings(port=0)}
    )
    users, _ = admit(settings)
    with open_service(settings, users) as service, metrics_served(service) as port:
        async with TestClient(TestServer(make_app(service))) as client, client.get("/sign-in") as page:
            assert page.status == 200
        until_read(service, RECORDS)
        text = get(port, "/metrics")
        assert '"ready": true' in get(port, "/ready")
    assert 'shopwarden_console_requests_total{method="GET",route="/sign-in",status="200"} 1.0' in text
    assert 'request_duration_seconds_count{route="/sign-in"} 1.0' in text
    assert f'shopwarden_console_index_lag_records{{topic="{deployment.settings.topics.orders}"}} 0.0' in text
    assert "shopwarden_console_listeners 0.0" in text
    promtool("check", "metrics", given=text.encode())
