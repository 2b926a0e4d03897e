"""What all models have in common: an interface, and snapshots that are plain data.

A model belongs to one shard and is checkpointed with it about once a second, so its snapshot is small and cheap. It
holds only what was learned, as numbers; everything that follows from the parameters is rebuilt. It is never a pickle:
River's do not survive its upgrades, and loading one from a store would run whatever somebody put there.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b, sha256
from importlib.metadata import version
from typing import Final, Protocol, TypeVar

import msgspec

from detectors.inputs import Input

_FORMAT: Final = 1
#: Numbers of River's estimators may mean something else in another version.
_RIVER: Final = version("river")
_CHECKSUM_BYTES: Final = 16
State = TypeVar("State", bound=msgspec.Struct)
Parameter = bool | int | float | str


class SnapshotMismatch(ValueError):  # noqa: N818 - says what happened, like KeyError's kin LookupError
    """A snapshot can't be continued by this model: other inputs, parameters, seed or versions, or damaged bytes.

    The caller starts a fresh model and retrains it by replay; the message says what differs.
    """


class Estimator(Protocol):
    """What a shard needs of any of its models.

    Attributes
    ----------
    name, version
        Published with every score. The version changes when scores change their meaning.
    """

    name: str
    version: str

    def snapshot(self) -> bytes:
        """Everything learned, as bytes; continuing from them gives bit-identical scores."""
        ...

    def restore(self, data: bytes) -> None:
        """Continue from a snapshot; :class:`SnapshotMismatch` leaves the model as it was."""
        ...


class _Envelope(msgspec.Struct, frozen=True):
    format: int
    river: str
    schema: str
    checksum: bytes
    state: msgspec.Raw


_ENVELOPES: Final = msgspec.msgpack.Decoder(_Envelope)
_ENCODER: Final = msgspec.msgpack.Encoder()


def schema_of(
    name: str, model_version: str, inputs: Sequence[Input], parameters: Mapping[str, Parameter], structure: str = ""
) -> str:
    """Hash (hex) of everything that gives learned numbers their meaning.

    Parameters
    ----------
    name, model_version
        Of the model.
    inputs
        Names, ranges and order of its inputs.
    parameters
        Its parameters, the seed included.
    structure
        Hash of what was built at random from the seed, so that another Python's generator can't slip in.
    """
    described = {
        "name": name,
        "version": model_version,
        "inputs": inputs,
        "parameters": dict(sorted(parameters.items())),
        "structure": structure,
    }
    return sha256(msgspec.json.encode(described)).hexdigest()


def seal(schema: str, state: msgspec.Struct) -> bytes:
    """A snapshot (MessagePack) of ``state`` under a schema."""
    payload = _ENCODER.encode(state)
    return _ENCODER.encode(_Envelope(_FORMAT, _RIVER, schema, _checksum(payload), msgspec.Raw(payload)))


def unseal(data: bytes, schema: str, decoder: msgspec.msgpack.Decoder[State]) -> State:
    """The state in a snapshot.

    Raises
    ------
    SnapshotMismatch
        The bytes are damaged, or were written under another schema, format or version of River.
    """
    try:
        envelope = _ENVELOPES.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SnapshotMismatch(f"not a snapshot of a model: {error}") from error
    if envelope.format != _FORMAT:
        raise SnapshotMismatch(f"the snapshot has format {envelope.format}, this program reads {_FORMAT}")
    if envelope.river != _RIVER:
        raise SnapshotMismatch(f"the snapshot is from River {envelope.river}, this is {_RIVER}")
    if envelope.schema != schema:
        raise SnapshotMismatch("the snapshot is of a model with other inputs, parameters or seed")
    payload = bytes(envelope.state)
    if _checksum(payload) != envelope.checksum:
        raise SnapshotMismatch("the snapshot is damaged: its checksum differs")
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SnapshotMismatch(f"the snapshot does not fit the model: {error}") from error


def check_shape(what: str, values: Sequence[object], size: int) -> None:
    """Refuse a list of the wrong length, before any of it is used."""
    if len(values) != size:
        raise SnapshotMismatch(f"the snapshot has {len(values)} {what}, the model {size}")


def _checksum(payload: bytes) -> bytes:
    return blake2b(payload, digest_size=_CHECKSUM_BYTES).digest()
