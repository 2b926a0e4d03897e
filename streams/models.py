"""Models from the store: continued where their snapshot fits, started afresh where it does not."""

import logging
from typing import Final

from detectors.judge import Models
from detectors.model import Estimator, SnapshotMismatch

logger = logging.getLogger("shopwarden.models")

_WARNING: Final = "model %s starts afresh and learns from what comes: %s"


def load_models(models: Models, anomaly: bytes | None, bad_order: bytes | None, shard: int) -> None:
    """Continue untrained models from their snapshots; one that does not fit is left untrained, with a warning."""
    _load(models.anomaly, anomaly, shard)
    _load(models.bad_order, bad_order, shard)


def _load(model: Estimator, snapshot: bytes | None, shard: int) -> None:
    if snapshot is None:
        return
    try:
        model.restore(snapshot)
    except SnapshotMismatch as reason:
        logger.warning(_WARNING, model.name, reason, extra={"shard": shard})
