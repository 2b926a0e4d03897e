"""The HTTP server of ``/metrics``, ``/health`` and ``/ready``, in threads of its own.

In threads and not in the event loop, so that it can say that the loop stands still. It knows three paths, reads no
body, keeps no connection, and gives a client five seconds.
"""

import json
import logging
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Final
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from config.telemetry import TelemetrySettings

logger = logging.getLogger("shopwarden.telemetry")

_CLIENT_S: Final = 5.0
_JSON: Final = "application/json"

#: Says whether all is well, and more for people to read.
Check = Callable[[], tuple[bool, dict[str, Any]]]


class TelemetryError(Exception):
    """The server could not be started; the message says why."""


class TelemetryServer:
    """Serves from :meth:`start` to :meth:`stop`.

    Parameters
    ----------
    settings
        Where to listen.
    registry
        What ``/metrics`` shows.
    health, ready
        What ``/health`` and ``/ready`` say: 200 or 503, with JSON.
    """

    def __init__(self, settings: TelemetrySettings, registry: CollectorRegistry, health: Check, ready: Check) -> None:
        self._settings = settings
        self._registry = registry
        self._checks = {"/health": health, "/ready": ready}
        self._server: ThreadingHTTPServer | None = None

    @property
    def port(self) -> int:
        """The port that is listened on; 0 before the start."""
        port: int = 0 if self._server is None else self._server.server_address[1]
        return port

    def start(self) -> None:
        """Listen.

        Raises
        ------
        TelemetryError
            The address or port can't be had.
        """
        address, port = self._settings.address, self._settings.port or 0
        try:
            self._server = _Server((address, port), self._handler())
        except OSError as error:
            raise TelemetryError(
                f"metrics can't be served on {address}:{port}: {error.strerror or error}. Is another process there? "
                "Set telemetry.port to another port, or to 0 for a free one (the log names it)"
            ) from None
        threading.Thread(target=self._server.serve_forever, name="telemetry", daemon=True).start()
        logger.info("metrics are served", extra={"address": address, "port": self.port})

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def answer(self, path: str, accept: str = "") -> tuple[HTTPStatus, str, bytes]:
        """What is answered to a request: status, content type, body."""
        if path == "/metrics":
            encode, kind = choose_encoder(accept)
            return HTTPStatus.OK, kind, encode(self._registry)
        if path in self._checks:
            well, more = self._checks[path]()
            status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
            return status, _JSON, json.dumps(more, indent=1).encode() + b"\n"
        if path == "/":
            return HTTPStatus.OK, "text/plain; charset=utf-8", b"/metrics\n/health\n/ready\n"
        return HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"there are /metrics, /health and /ready\n"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self.answer

        class Handler(BaseHTTPRequestHandler):
            timeout = _CLIENT_S
            server_version = "shopwarden"
            sys_version = ""

            def do_GET(self) -> None:
                try:
                    status, kind, body = answer(urlsplit(self.path).path, self.headers.get("Accept", ""))
                except Exception:
                    # A scrape that fails must not look like one without figures.
                    logger.exception("a request of %s failed", self.path)
                    status, kind, body = HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain", b"see the log\n"
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815 - its interface

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its interface
                logger.debug(format, *args)

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A port in use must be an error, also where the other one listens with SO_REUSEPORT.
    allow_reuse_port = False

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Bind, without asking a name server for this machine's name, as HTTPServer would."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of ours."""
        logger.debug("a client of the metrics went away")
