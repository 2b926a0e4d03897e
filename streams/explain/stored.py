"""What Redis holds of a subject: the records of one subject and the blobs of its shard, read by hand.

Reads only: no claim on a shard. What is stored is as of the shard's last checkpoint, which is seconds old while a
worker runs.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import redis
from msgspec import Struct

from config.settings import Settings
from detectors.apply import Core
from detectors.judge import Judge, fresh_models
from features.events import SubjectKind
from features.keys import entity_key, split_key
from streams.clients import redis_client
from streams.evaluation.archive_run import evaluation_judge
from streams.evaluation.partitioner import shard_of
from streams.explain.story import AmbiguousError, Wanted
from streams.snapshot import BLOBS, CREATOR, LISTING, MERCHANT, METRICS, ORDER, keep_loaded, restore
from streams.store import Loaded, Position
from streams.worker import make_judge

_SCAN: Final = 1_000
_STORED: Final[Mapping[SubjectKind, str]] = {
    "merchant": MERCHANT,
    "creator": CREATOR,
    "order": ORDER,
    "listing": LISTING,
}
#: Kinds that belong to nobody else: keyed by their own id.
PARTIES: Final[tuple[SubjectKind, ...]] = ("merchant", "creator")
_MODELS: Final = "model:"
#: What a client of Redis raises when it can't be read.
AWAY: Final = (redis.exceptions.RedisError, redis.exceptions.RedisClusterException)


class Found(Struct, frozen=True):
    """A subject, whose it is, and the shard that holds it."""

    kind: SubjectKind
    id: str
    merchant: str
    shard: int


class StoredSubjects:
    """Redis, read by hand.

    Parameters
    ----------
    settings
        Of the deployment.
    judge
        Explains what is stored; ``None`` makes one when it is first needed.
    """

    def __init__(self, settings: Settings, judge: Judge | None = None) -> None:
        self._settings = settings
        self._given = judge
        # redis-py's own types allow an awaitable for every answer.
        self._client: Any = redis_client(settings)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _tag(self, shard: int) -> str:
        return f"{{{self._settings.worker.namespace}:{shard}}}:"

    def find(self, wanted: Wanted, shards: int) -> Found | None:
        """The subject, where its key can be told: a merchant, or what belongs to a merchant that is named."""
        for found in _candidates(wanted, shards):
            if self._client.exists(self._tag(found.shard) + stored_name(found)):
                return found
        return None

    def search(self, wanted: Wanted, shards: int) -> Found | None:
        """Look at the names of all orders and listings: the last resort, for what nothing was ever published about."""
        kinds: list[SubjectKind] = [wanted.kind] if wanted.kind is not None else ["order", "listing"]
        found = []
        for kind in kinds:
            if kind in PARTIES:
                continue
            prefix = _STORED[kind]
            pattern = rf"{{{_literal(self._settings.worker.namespace)}:*}}:{prefix}*:{_literal(wanted.id)}"
            for name in self._client.scan_iter(match=pattern, count=_SCAN):
                match = re.fullmatch(r"\{.*:(\d+)\}:[ol]:(.*)", name.decode(), re.DOTALL)
                if match is None:
                    continue
                merchant, entity = split_key(match[2])
                if entity == wanted.id and wanted.merchant in (None, merchant):
                    found.append(Found(kind, entity, merchant, int(match[1])))
        return only(found)

    def position(self, shard: int) -> Position | None:
        """Where the shard's last checkpoint stands; None before the first."""
        encoded = self._client.get(self._tag(shard) + "position")
        return None if encoded is None else msgspec.json.decode(encoded, type=Position)

    def metrics(self, shard: int) -> dict[str, dict[str, Any]]:
        """Test-then-train metrics of the shard's models, by their names, as of its last checkpoint."""
        encoded = self._client.get(self._tag(shard) + METRICS)
        return {} if encoded is None else msgspec.json.decode(encoded, type=dict[str, dict[str, Any]])

    def core(self, found: Found, *, models: bool = True) -> tuple[Core, list[str]]:
        """The shard as its last checkpoint left it, with the subject and its merchant in its caches; and notes of what
        is missing. Without ``models`` these are fresh, which is quicker.
        """
        names = [stored_name(found)] if found.kind in PARTIES else [MERCHANT + found.merchant, stored_name(found)]
        tag = self._tag(found.shard)
        keys = ["position", *BLOBS, *names]
        values: list[bytes | None] = self._client.mget([tag + key for key in keys])
        stored = dict(zip(keys, values, strict=True))
        encoded = stored["position"]
        position = Position() if encoded is None else msgspec.json.decode(encoded, type=Position)
        judge, notes = (self._given, []) if self._given is not None and not models else self._judge(position)
        blobs = {
            name: value
            for name in BLOBS
            if (value := stored[name]) is not None and not ((notes or not models) and name.startswith(_MODELS))
        }
        core = restore(
            found.shard,
            Loaded(position, [], [], blobs),
            judge,
            fresh_models(self._settings.worker.seed, challenger=self._settings.worker.challenger),
        )
        keep_loaded(core.state, names, [stored[name] for name in names])
        return core, notes

    def _judge(self, position: Position) -> tuple[Judge, list[str]]:
        """Who judges, and why the stored models cannot be used, if so."""
        settings = self._settings
        if settings.pseudonym_key is None:
            note = "without SHOPWARDEN_PSEUDONYM_KEY the models' snapshots cannot be opened: no contributions"
            return evaluation_judge(settings), [note]
        if position.pseudonym_key not in ("", settings.pseudonym_key_id):
            note = f"the state was stored under the pseudonym key {position.pseudonym_key!r}: no contributions"
            return evaluation_judge(settings), [note]
        return make_judge(settings), []


def _candidates(wanted: Wanted, shards: int) -> Iterator[Found]:
    if wanted.merchant in (None, wanted.id):
        for party in PARTIES:
            if wanted.kind in (None, party):
                yield Found(party, wanted.id, wanted.id, shard_of(wanted.id.encode(), shards))
    if wanted.merchant is not None:
        shard = shard_of(wanted.merchant.encode(), shards)
        kinds: Sequence[SubjectKind] = ("order", "listing")
        for kind in kinds:
            if wanted.kind in (None, kind):
                yield Found(kind, wanted.id, wanted.merchant, shard)


def stored_name(found: Found) -> str:
    """The key of a subject's record, without its shard's tag."""
    key = found.id if found.kind in PARTIES else entity_key(found.merchant, found.id)
    return _STORED[found.kind] + key


def only(found: Sequence[Found]) -> Found | None:
    """The one thing that was found, several times perhaps; raises AmbiguousError where it is more than one."""
    different = list(dict.fromkeys(found))
    if len(different) > 1:
        listed = "; ".join(f"--kind {each.kind} --merchant {each.merchant}" for each in different[:10])
        raise AmbiguousError(f"{different[0].id!r} is {len(different)} things; say which: {listed}")
    return different[0] if different else None


def _literal(text: str) -> str:
    """A text that a Redis pattern takes as it stands."""
    return re.sub(r"([\\*?\[\]^-])", r"\\\1", text)
