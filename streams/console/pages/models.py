"""Models: how well each is calibrated now, by shard, and what drifted."""

from typing import Any, Final

import msgspec
from aiohttp import web

from detectors.model_cards import model_cards
from streams.console.index.reading import IndexReader
from streams.console.service import in_thread, service_of
from streams.console.state import StateError
from streams.console.web import render

_DRIFTS: Final = 40


def drifts(index: IndexReader) -> list[dict[str, Any]]:
    """The latest changes that were found."""
    return [
        msgspec.json.decode(row["value"], type=dict[str, Any]) | {"time": row["time"]}
        for row in index.rows(_DRIFTED, (_DRIFTS,))
    ]


def by_model(metrics: dict[int, dict[str, dict[str, Any]]]) -> dict[str, list[tuple[int, dict[str, Any]]]]:
    """Shards and their figures, by model."""
    found: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for shard, models in metrics.items():
        for name, figures in models.items():
            found.setdefault(name, []).append((shard, figures))
    return found


async def show(request: web.Request) -> web.StreamResponse:
    """The page."""
    service = service_of(request)
    metrics, away = {}, ""
    try:
        metrics = by_model(await in_thread(request, service.states.model_metrics))
    except StateError as error:
        away = str(error)
    return render(
        request,
        "models.html",
        metrics=metrics,
        away=away,
        drifts=await in_thread(request, drifts, service.index),
        cards=model_cards(),
    )


ROUTES: Final = (web.get("/models", show),)

_DRIFTED: Final = (
    "SELECT time, value FROM output WHERE type = 'shopwarden.drift.detected.v1' ORDER BY time DESC LIMIT ?"
)
