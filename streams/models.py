"""Models in the store: signed, continued where a snapshot is ours and fits, else trained anew from kept examples."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from detectors.examples import (
    BEHAVIOURS,
    CHALLENGES,
    LISTINGS,
    STAGE_LABELS,
    challenges,
    retrain_anomaly,
    retrain_bad_order,
    retrain_category,
)
from detectors.judge import Models
from detectors.model import Estimator, SnapshotMismatch
from detectors.signing import Signer
from streams.store import Loaded

logger = logging.getLogger("shopwarden.models")

ANOMALY: Final = "model:anomaly"
BAD_ORDER: Final = "model:bad-order"
#: Those of the models at purchase, at dispatch and at delivery.
CHALLENGER: Final = "model:bad-order-forest"
STAGES: Final = (BAD_ORDER, "model:bad-order-dispatch", "model:bad-order-delivery")
CATEGORY: Final = "model:listing-category"
DRIFT: Final = "model:drift"
#: Lists that models are trained anew from.
EXAMPLES: Final = (*STAGE_LABELS, CHALLENGES, BEHAVIOURS, LISTINGS)

_RETRAINED: Final = "model %s is trained anew from %d kept examples: %s"
_BEGUN_ANEW: Final = "model %s is begun anew: %s"
_UNSIGNED: Final = "model %s was stored by version 1 of the state, without a signature; it is signed from now on"


def signed_snapshots(models: Models, signer: Signer, shard: int) -> dict[str, bytes]:
    """Snapshots of a shard's models, by their names in the store; the category model's, of up to 260 KB, only if it has
    learned since the last one.
    """
    snapshots = {
        ANOMALY: signer.sign(_place(shard, ANOMALY), models.anomaly.snapshot()),
        **{
            name: signer.sign(_place(shard, name), model.snapshot())
            for name, model in zip(STAGES, models.stages, strict=True)
        },
        DRIFT: signer.sign(_place(shard, DRIFT), models.drift.snapshot()),
    }
    if models.category.changed:
        snapshots[CATEGORY] = signer.sign(_place(shard, CATEGORY), models.category.snapshot())
    if models.challenger is not None:
        snapshots[CHALLENGER] = signer.sign(_place(shard, CHALLENGER), models.challenger.snapshot())
    return snapshots


def load_models(models: Models, loaded: Loaded, signer: Signer, shard: int) -> None:
    """Continue untrained models from their snapshots; one that is not ours or does not fit is trained from examples,
    with a warning that says why. The same store gives the same models.
    """
    behaviours = loaded.lists.get(BEHAVIOURS, [])
    _load(ANOMALY, models.anomaly, loaded, signer, shard, lambda: retrain_anomaly(models.anomaly, behaviours))
    for stage, examples, model in zip(STAGES, STAGE_LABELS, models.stages, strict=True):
        labels = loaded.lists.get(examples, [])
        _load(stage, model, loaded, signer, shard, partial(retrain_bad_order, model, labels))
    listings = loaded.lists.get(LISTINGS, [])
    _load(CATEGORY, models.category, loaded, signer, shard, lambda: retrain_category(models.category, listings))
    # What is watched fills up again by itself within days.
    _load(DRIFT, models.drift, loaded, signer, shard, lambda: 0)

    if models.challenger is not None and (snapshot := loaded.blobs.get(CHALLENGER)) is not None:
        kept = challenges(loaded.lists.get(CHALLENGES, []))
        try:
            models.challenger.restore(signer.open(_place(shard, CHALLENGER), snapshot), kept)
        except SnapshotMismatch as reason:
            logger.warning(_BEGUN_ANEW, models.challenger.name, reason, extra={"shard": shard})


def _load(name: str, model: Estimator, loaded: Loaded, signer: Signer, shard: int, retrain: Callable[[], int]) -> None:
    snapshot = loaded.blobs.get(name)
    if snapshot is None:
        return
    try:
        if loaded.position.version == 1:
            logger.warning(_UNSIGNED, model.name, extra={"shard": shard})
            model.restore(snapshot)
        else:
            model.restore(signer.open(_place(shard, name), snapshot))
    except SnapshotMismatch as reason:
        logger.warning(_RETRAINED, model.name, retrain(), reason, extra={"shard": shard})


def _place(shard: int, name: str) -> str:
    return f"{shard}/{name}"
