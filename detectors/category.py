"""In which category a listing belongs, by its words: an online softmax regression on hashed words.

It learns from listings that nobody objects to, and from what reviewers decide, one at a time by stochastic gradient
descent. All weights stand in one table of fixed size that is shared by hashing (Weinberger et al. 2009, Feature
Hashing for Large Scale Multitask Learning), so neither the number of words nor that of categories makes it grow. Why
it is not one of River's: docs/adr/0018-categories-by-text.md.
"""

from collections.abc import Sequence
from math import exp, sqrt
from typing import Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from xxhash import xxh64_intdigest

from detectors.model import SnapshotMismatch, check_shape, schema_of, seal, unseal

#: Bits of an index into the table: 65,536 weights of 4 bytes. More gave nothing on 10,000 titles.
TABLE_BITS: Final = 16
#: Categories that are known at most; further ones are never judged.
CATEGORY_LIMIT: Final = 512
#: Listings of a category before anything is said about it, and of all before anything is said at all.
CATEGORY_MINIMUM: Final = 20
LISTINGS_MINIMUM: Final = 200
#: Learning rate, for inputs scaled to unit length; it does not fall, so that the model follows what is sold.
RATE: Final = 1.0
#: Of the wrong categories only the likeliest are taught at each step: a bound on its cost.
_TAUGHT: Final = 4
#: Steps for smaller errors change nothing worth their cost.
_SMALLEST_ERROR: Final = 1e-3
#: Logits are cut here: exp() of the difference of two stays finite.
_LARGEST: Final = 60.0
#: Odd constants that mix bits (from Weyl sequences and MurmurHash3's family, as in Stafford's Mix13).
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX: Final = np.uint64(0xBF58476D1CE4E5B9)
_HALF: Final = np.uint64(32)
_SHIFT: Final = np.uint64(64 - TABLE_BITS)


class Mismatch(NamedTuple):
    """How a listing's words fit its category."""

    probability: float
    """That it belongs to the suggested category, if it is that or the declared one."""
    suggested: str
    """The likeliest other category."""


class _State(Struct, frozen=True):
    categories: list[str]
    listings: list[int]
    #: Where weights are not zero, as little-endian 32-bit integers; empty if all are given.
    places: bytes
    #: Weights as little-endian 32-bit floats.
    weights: bytes


class _Scored(NamedTuple):
    """A text, and what the model says of it."""

    words: Sequence[int]
    table: NDArray[np.int64]
    logits: list[float]


_DECODER: Final = msgspec.msgpack.Decoder(_State)


class CategoryModel:
    """Softmax regression from hashed words to categories.

    Scores lie between 0 and 1; ``None`` until it has learned :data:`LISTINGS_MINIMUM` listings, and for a category of
    which it has not learned :data:`CATEGORY_MINIMUM`. The same input gives the same scores and snapshots, bit for bit.

    Attributes
    ----------
    learned
        Listings learned.
    """

    name = "listing-category"
    version = "1"

    def __init__(self) -> None:
        self.learned = 0
        #: Whether anything was learned since the last snapshot was taken or continued.
        self.changed = False
        self._schema = schema_of(self.name, self.version, (), {"bits": TABLE_BITS, "rate": RATE, "taught": _TAUGHT})
        self._weights: NDArray[np.float32] = np.zeros(1 << TABLE_BITS, np.float32)
        self._place: dict[str, int] = {}
        self._categories: list[str] = []
        self._listings: list[int] = []
        self._hashes: NDArray[np.uint64] = np.zeros(0, np.uint64)
        self._last: _Scored | None = None

    def mismatch(self, words: Sequence[int], category: str) -> Mismatch | None:
        """How likely it is that a listing with these words (:func:`features.listing_words.listing_words`) belongs to
        another category.
        """
        place = self._place.get(category)
        if not words or place is None or self.learned < LISTINGS_MINIMUM or self._listings[place] < CATEGORY_MINIMUM:
            return None
        logits = self._score(words).logits
        best, other = -_LARGEST, -1
        for index, logit in enumerate(logits):
            if logit > best and index != place and self._listings[index] >= CATEGORY_MINIMUM:
                best, other = logit, index
        if other < 0:
            return None
        return Mismatch(1.0 / (1.0 + exp(logits[place] - best)), self._categories[other])

    def learn(self, words: Sequence[int], category: str, weight: float = 1.0) -> None:
        """Learn that a listing with these words is rightly in a category; ``weight``, 0 to 1, says how surely."""
        if not words:
            return
        place = self._place.get(category)
        if place is None:
            place = self._add(category)
            if place is None:
                return
        self.learned += 1
        self.changed = True
        self._listings[place] += 1
        _, table, logits = self._score(words)
        shares = _softmax(logits)
        wrong = [(-share, at) for at, share in enumerate(shares) if share >= _SMALLEST_ERROR and at != place]
        wrong.sort()
        taught = [place, *[index for _, index in wrong[:_TAUGHT]]]
        errors = [weight * (shares[place] - 1.0), *[weight * shares[index] for index in taught[1:]]]
        self._step(words, table[:, taught], errors)

    def unlearn(self, words: Sequence[int], category: str) -> None:
        """Learn that a listing with these words is not rightly in a category; which is right is not known."""
        place = self._place.get(category)
        if not words or place is None:
            return
        self.changed = True
        _, table, logits = self._score(words)
        self._step(words, table[:, [place]], [_softmax(logits)[place]])

    def snapshot(self) -> bytes:
        """Everything learned; half of the weights or fewer are written with their places."""
        self.changed = False
        weights = self._weights.astype("<f4", copy=False)
        places = np.flatnonzero(weights)
        sparse = 2 * len(places) <= len(weights)
        return seal(
            self._schema,
            _State(
                categories=self._categories,
                listings=self._listings,
                places=places.astype("<u4").tobytes() if sparse else b"",
                weights=weights[places].tobytes() if sparse else weights.tobytes(),
            ),
        )

    def restore(self, data: bytes) -> None:
        """Continue from a snapshot; :class:`~detectors.model.SnapshotMismatch` leaves the model as it was."""
        state = unseal(data, self._schema, _DECODER)
        check_shape("numbers of listings", state.listings, len(state.categories))
        if len(set(state.categories)) != len(state.categories) or len(state.categories) > CATEGORY_LIMIT:
            raise SnapshotMismatch("the snapshot's categories are not those of a model")
        weights = np.zeros(1 << TABLE_BITS, np.float32)
        if len(state.places) % 4 or len(state.weights) % 4:
            raise SnapshotMismatch("the snapshot's weights are cut off")
        values = np.frombuffer(state.weights, "<f4")
        if not np.isfinite(values).all():
            raise SnapshotMismatch("the snapshot's weights are not finite")
        if len(values) == len(weights) and not state.places:
            weights[:] = values
        else:
            places = np.frombuffer(state.places, "<u4")
            check_shape("weights", values, len(places))  # type: ignore[arg-type]
            if len(places) and int(places.max()) >= len(weights):
                raise SnapshotMismatch("the snapshot's weights lie outside of the table")
            weights[places] = values
        self._weights = weights
        self._categories = list(state.categories)
        self._place = {category: place for place, category in enumerate(self._categories)}
        self._listings = list(state.listings)
        self._hashes = np.array([_category_hash(category) for category in self._categories], np.uint64)
        self._last = None
        self.learned = sum(self._listings)
        self.changed = False

    def _add(self, category: str) -> int | None:
        place = len(self._categories)
        if place >= CATEGORY_LIMIT:
            return None
        self._place[category] = place
        self._categories.append(category)
        self._listings.append(0)
        self._hashes = np.append(self._hashes, np.uint64(_category_hash(category)))
        self._last = None
        return place

    def _score(self, words: Sequence[int]) -> "_Scored":
        """Places and logits of a text. A listing is judged and then mostly learned, so the last ones are kept until a
        weight changes.
        """
        last = self._last
        if last is None or last.words is not words:
            table = self._table(words)
            self._last = last = _Scored(words, table, self._logits(words, table))
        return last

    def _table(self, words: Sequence[int]) -> NDArray[np.int64]:
        """Where the weights of each word (row) for each category (column) stand."""
        mixed = np.array(words, np.uint64)[:, None] * _GOLDEN + self._hashes
        mixed ^= mixed >> _HALF
        mixed *= _MIX
        mixed >>= _SHIFT
        # Less than 2 ** 16, so signed or not makes no difference.
        return mixed.view(np.int64)

    def _logits(self, words: Sequence[int], table: NDArray[np.int64]) -> list[float]:
        # Rows are added one after the other in double precision: the same bits on every machine.
        sums = np.add.reduce(self._weights.take(table).astype(np.float64), axis=0)
        sums *= 1.0 / sqrt(len(words))
        logits: list[float] = np.maximum(np.minimum(sums, _LARGEST), -_LARGEST).tolist()
        return logits

    def _step(self, words: Sequence[int], table: NDArray[np.int64], errors: Sequence[float]) -> None:
        """One step of gradient descent for the categories in the columns of ``table``; what shares a weight moves it
        together, word after word.
        """
        self._last = None
        steps = (np.array(errors) * (RATE / sqrt(len(words)))).astype(np.float32)
        each = np.empty(table.shape, np.float32)
        each[:] = steps
        np.subtract.at(self._weights, table.ravel(), each.ravel())


def _category_hash(category: str) -> int:
    return xxh64_intdigest(category.encode())


def _softmax(logits: Sequence[float]) -> list[float]:
    highest = max(logits)
    powers = [exp(each - highest) for each in logits]
    total = sum(powers)
    return [each / total for each in powers]
