"""The console's metrics: how fast its pages are, who listens, and how far its index is behind."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from streams.telemetry.families import counter, gauge
from streams.telemetry.histogram import Histogram

#: Seconds. The first page has to come within one; what takes ten is given up by people.
REQUEST_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: Where a path leads nowhere: as a label it would be whatever anyone asks for.
UNKNOWN: Final = "unknown"
_METHODS: Final = frozenset({"GET", "HEAD", "POST"})


class ConsoleMetrics(Collector):
    """Gives the console's metrics. Use :attr:`middleware` as the outermost one of the application.

    Parameters
    ----------
    index_lag
        Says for each topic how many records the index has not read yet.
    listeners
        Says how many streams of server-sent events are open.
    """

    def __init__(self, index_lag: Callable[[], Mapping[str, int]] = dict, listeners: Callable[[], int] = int) -> None:
        self._index_lag = index_lag
        self._listeners = listeners
        self._seconds: dict[str, Histogram] = {}
        self._answers: dict[tuple[str, str, str], int] = {}

    def answered(self, route: str, method: str, status: int, seconds: float | None) -> None:
        """A request was answered; ``seconds`` is ``None`` for a stream, which lasts as long as people look."""
        answer = (route, method if method in _METHODS else UNKNOWN, str(status))
        self._answers[answer] = self._answers.get(answer, 0) + 1
        if seconds is not None:
            self._seconds.setdefault(route, Histogram(REQUEST_BOUNDS)).observe(seconds)

    @property
    def middleware(self) -> Middleware:
        """Times requests by the route's template (``/merchants/{merchant_id}``), never by the path."""

        @web.middleware
        async def timing(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            began = time.perf_counter()
            status, streamed = 500, False
            try:
                response = await handler(request)
                status, streamed = response.status, response.content_type == "text/event-stream"
                return response
            except web.HTTPException as error:
                status = error.status
                raise
            finally:
                resource = request.match_info.route.resource
                route = UNKNOWN if resource is None else resource.canonical
                self.answered(route, request.method, status, None if streamed else time.perf_counter() - began)

        return timing

    def collect(self) -> Iterable[Metric]:
        """All families."""
        durations = HistogramMetricFamily(
            "shopwarden_console_request_duration_seconds",
            "Time until a request was answered, by route; streams of events not counted.",
            labels=("route",),
        )
        for route, seconds in self._seconds.copy().items():
            durations.add_metric((route,), seconds.cumulative(), seconds.total)
        yield durations
        yield counter(
            "shopwarden_console_requests",
            "Requests, by route, method and status.",
            list(self._answers.copy().items()),
            ("route", "method", "status"),
        )
        yield gauge("shopwarden_console_listeners", "Open streams of server-sent events.", self._listeners())
        yield gauge(
            "shopwarden_console_index_lag_records",
            "Records of a topic that the index has not read yet.",
            [((topic,), records) for topic, records in self._index_lag().items()],
            ("topic",),
        )
