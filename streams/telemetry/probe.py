"""Asks a process of ours on this machine whether it is alive or ready, as container platforms do."""

import http.client
import json
from contextlib import closing
from typing import Any, Final, Literal, TypeAlias

from config.telemetry import TelemetrySettings

Question: TypeAlias = Literal["health", "ready"]

_HERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked, not listened on


class ProbeError(Exception):
    """It is not, or nobody answers; the message says which, and what it waits for."""


def probe(settings: TelemetrySettings, question: Question, timeout: float) -> None:
    """Ask; returns if all is well.

    Raises
    ------
    ProbeError
        It is not.
    """
    if settings.port is None or settings.port == 0:
        raise ProbeError("telemetry.port is not set to a port, so nobody can be asked; set it for both")
    host = _HERE.get(settings.address, settings.address)
    try:
        with closing(http.client.HTTPConnection(host, settings.port, timeout=timeout)) as connection:
            connection.request("GET", f"/{question}")
            answer = connection.getresponse()
            status, body = answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise ProbeError(f"no answer from {host}:{settings.port}: {error}") from None
    if status != 200:
        raise ProbeError(f"not {'alive' if question == 'health' else 'ready'}: {_words(body)}")


def _words(body: bytes) -> str:
    try:
        told: dict[str, Any] = json.loads(body)
        waiting_for = told.get("waiting_for")
    except (ValueError, AttributeError):
        return body.decode(errors="replace").strip()
    return f"it waits for {', '.join(waiting_for)}" if waiting_for else json.dumps(told)
