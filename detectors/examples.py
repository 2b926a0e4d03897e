"""Examples that models learned from lately: kept beside the models, to train them anew when a snapshot is of no use.

That is so when River or a model's inputs have changed, or a snapshot was damaged. The latest labelled orders, a
sample of the latest behaviours and the latest titles are kept, as they were learned; a checkpoint appends the new ones.
They are plain data without a signature, as all state of merchants and orders is.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from detectors.anomaly import BehaviourAnomaly
from detectors.bad_order import BadOrderModel
from detectors.category import CategoryModel
from features.listing_words import listing_words

#: Labelled orders kept of a shard: some hundred KB. They train a model that ranks about as well as the lost one
#: (tests/detectors/test_examples.py).
LABELS_KEPT: Final = 2_000
#: Behaviours kept, and of how many one is: they come many times an hour, and 1,000 of 4,000 fill the trees' windows.
BEHAVIOURS_KEPT: Final = 1_000
BEHAVIOUR_EVERY: Final = 4
#: Titles with their categories kept: about 100 bytes each.
LISTINGS_KEPT: Final = 2_000
#: Names of the stored lists.
LABELS: Final = "examples:bad-order"
#: Those of the models at purchase, at dispatch and at delivery.
STAGE_LABELS: Final = (LABELS, "examples:bad-order-dispatch", "examples:bad-order-delivery")
#: Those of the challenger, whose forests follow from them.
CHALLENGES: Final = "examples:bad-order-forest"
BEHAVIOURS: Final = "examples:anomaly"
LISTINGS: Final = "examples:listing-category"


T = TypeVar("T")


class LabelledOrder(Struct, frozen=True, array_like=True, gc=False):
    """An order's inputs as scored at a stage, whether it went wrong, and the probability given then.

    ``time`` is when the outcome was due, ms. ``revised``: it was learned as the opposite before.
    """

    values: list[float | None]
    bad: bool
    predicted: float | None
    time: int = 0
    revised: bool = False


class CategorisedListing(Struct, frozen=True, array_like=True, gc=False):
    """A listing's title, its category, and the weight with which it was learned, 0 to 1."""

    title: str
    category: str
    weight: float


class Examples:
    """Examples of one shard that are not stored yet."""

    __slots__ = ("_behaviours", "_challenges", "_labels", "_listings")

    def __init__(self) -> None:
        self._labels: tuple[deque[LabelledOrder], ...] = tuple(deque(maxlen=LABELS_KEPT) for _ in STAGE_LABELS)
        self._challenges: deque[LabelledOrder] = deque(maxlen=LABELS_KEPT)
        self._behaviours: deque[list[float | None]] = deque(maxlen=BEHAVIOURS_KEPT)
        self._listings: deque[CategorisedListing] = deque(maxlen=LISTINGS_KEPT)

    def add_label(self, stage: int, label: LabelledOrder) -> None:
        """Keep an order that the bad-order model of a stage has learned."""
        self._labels[stage].append(label)

    def add_challenge(self, label: LabelledOrder) -> None:
        """Keep an order that the challenger has learned; ``predicted`` is the champion's probability."""
        self._challenges.append(label)

    def add_behaviour(self, values: list[float | None], learned: int) -> None:
        """Keep a behaviour that the anomaly model has learned, as its ``learned``-th, if it is in the sample."""
        if learned % BEHAVIOUR_EVERY == 0:
            self._behaviours.append(values)

    def add_listing(self, title: str, category: str, weight: float) -> None:
        """Keep a listing that the category model has learned."""
        self._listings.append(CategorisedListing(title, category, weight))

    def take(self) -> dict[str, tuple[list[bytes], int]]:
        """What was added since the last time, encoded, by list, with how many of the latest each list keeps."""
        taken: dict[str, tuple[list[bytes], int]] = {}
        for name, labels in zip(STAGE_LABELS, self._labels, strict=True):
            if labels:
                taken[name] = ([msgspec.json.encode(each) for each in labels], LABELS_KEPT)
                labels.clear()
        if self._challenges:
            taken[CHALLENGES] = ([msgspec.json.encode(each) for each in self._challenges], LABELS_KEPT)
            self._challenges.clear()
        if self._behaviours:
            taken[BEHAVIOURS] = ([msgspec.json.encode(each) for each in self._behaviours], BEHAVIOURS_KEPT)
            self._behaviours.clear()
        if self._listings:
            taken[LISTINGS] = ([msgspec.json.encode(each) for each in self._listings], LISTINGS_KEPT)
            self._listings.clear()
        return taken


def retrain_bad_order(model: BadOrderModel, examples: Iterable[bytes]) -> int:
    """Teach an untrained model the kept orders, oldest first; returns how many were of use.

    Inputs are observed first, all of them: in life their scale is known weeks before the labels. An example with
    other inputs than the model's, or that is damaged, is left out.
    """
    known = [each for each in _decoded(examples, LabelledOrder) if len(each.values) == len(model.inputs)]
    usable: list[LabelledOrder] = []
    for each in known:
        try:
            model.observe(each.values)
        except ValueError:
            continue
        usable.append(each)
    for each in usable:
        if each.revised:
            model.revise(each.values, each.bad, each.time)
            continue
        predicted = each.predicted
        if predicted is not None and not 0.0 <= predicted <= 1.0:
            predicted = None
        model.learn(each.values, each.bad, predicted, each.time)
    return len(usable)


def challenges(examples: Iterable[bytes]) -> list[tuple[list[float | None], bool, float]]:
    """What the challenger learned, oldest first: inputs, outcome, and the champion's probability. A damaged example is
    left out, so that there are too few.
    """
    return [(each.values, each.bad, each.predicted or 0.0) for each in _decoded(examples, LabelledOrder)]


def retrain_anomaly(model: BehaviourAnomaly, examples: Iterable[bytes]) -> int:
    """Teach an untrained model the kept behaviours, oldest first; errors as :func:`retrain_bad_order`."""
    count = 0
    for values in _decoded(examples, list[float | None]):
        if len(values) == len(model.inputs):
            try:
                model.learn(values)
            except ValueError:
                continue
            count += 1
    return count


def retrain_category(model: CategoryModel, examples: Iterable[bytes]) -> int:
    """Teach an untrained model the kept titles, oldest first; one that is damaged is left out. Returns how many."""
    count = 0
    # Even if nothing was kept: the next checkpoint replaces the snapshot that is of no use.
    model.changed = True
    for each in _decoded(examples, CategorisedListing):
        if 0.0 <= each.weight <= 1.0:
            model.learn(listing_words(each.title), each.category, each.weight)
            count += 1
    return count


def _decoded(examples: Iterable[bytes], kind: type[T]) -> Sequence[T]:
    found: list[T] = []
    decoder = msgspec.json.Decoder(kind)
    for each in examples:
        try:
            found.append(decoder.decode(each))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return found
