"""The present state of a party, an order or a listing, and of the models: out of Redis, as of the last checkpoint."""

from typing import Any

import msgspec

from config.settings import Settings
from detectors.judge import Judge
from features.events import SubjectKind
from features.keys import entity_key
from streams.evaluation.partitioner import shard_of
from streams.explain.judgement import attributions_of
from streams.explain.present import describe
from streams.explain.stored import AWAY, Found, StoredSubjects
from streams.explain.story import Explanation
from streams.store import Position, StoreError


class StateError(Exception):
    """Redis can't be read; the message says why."""


class StateReader:
    """Reads only; for any thread.

    Parameters
    ----------
    settings
        Of the deployment.
    judge
        Explains what is stored.
    shards
        Number of shards.
    """

    def __init__(self, settings: Settings, judge: Judge, shards: int) -> None:
        self._settings = settings
        self._judge = judge
        self._shards = shards
        self._stored = StoredSubjects(settings, judge)

    def shard(self, owner: str) -> int:
        """The shard of a merchant or creator."""
        return shard_of(owner.encode(), self._shards)

    def present(self, kind: SubjectKind, name: str, owner: str) -> Explanation:
        """What is stored of a subject of a merchant (or creator), without its history.

        Raises
        ------
        StateError
            Redis can't be read, or holds what can't be used.
        """
        found = Found(kind, name, owner, self.shard(owner))
        explanation = Explanation(
            kind=kind,
            id=name,
            merchant_id="" if kind == "creator" else owner,
            shard=found.shard,
            source=f"Redis ({self._settings.worker.namespace})",
        )
        try:
            core, notes = self._stored.core(found, models=kind == "order")
            describe(explanation, core)
            order = core.state.orders.get(entity_key(owner, name)) if kind == "order" else None
            if order is not None and not notes:
                explanation.attributions = attributions_of(order, core.models)
        except AWAY as error:
            raise StateError(f"Redis at {self._settings.redis.url} can't be read: {error}") from error
        except (StoreError, msgspec.DecodeError) as error:
            raise StateError(f"what is stored can't be used: {error}") from error
        explanation.notes += notes
        return explanation

    def position(self, shard: int) -> Position:
        """Where the shard's last checkpoint stands: at the beginning before the first.

        Raises
        ------
        StateError
            Redis can't be read.
        """
        try:
            return self._stored.position(shard) or Position()
        except (*AWAY, msgspec.DecodeError) as error:
            raise StateError(f"Redis at {self._settings.redis.url} can't be read: {error}") from error

    def model_metrics(self) -> dict[int, dict[str, dict[str, Any]]]:
        """Test-then-train metrics of each shard's models.

        Raises
        ------
        StateError
            Redis can't be read.
        """
        try:
            return {shard: self._stored.metrics(shard) for shard in range(self._shards)}
        except (*AWAY, msgspec.DecodeError) as error:
            raise StateError(f"Redis at {self._settings.redis.url} can't be read: {error}") from error

    def close(self) -> None:
        """Close the connections."""
        self._stored.close()
