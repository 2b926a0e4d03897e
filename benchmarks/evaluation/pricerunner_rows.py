"""PriceRunner's titles: what merchants call the products that a comparison site has put together."""

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple


class Offer(NamedTuple):
    """One merchant's title, the canonical product that it belongs to, and its category."""

    title: str
    merchant: str
    product: str
    product_name: str
    category: str


class Placed(NamedTuple):
    """An offer as a merchant would list it: in its category, or swapped into another one."""

    offer: Offer
    category: str
    swapped: bool


def load_offers(file: Path) -> list[Offer]:
    """Offers of a CSV file, gzipped or not, in its order.

    Raises
    ------
    KeyError
        A column is missing.
    """
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", newline="", encoding="utf-8") as lines:
        return [
            Offer(row["title"], row["merchant_id"], row["cluster_id"], row["cluster_label"], row["category_label"])
            for row in csv.DictReader(lines)
        ]


def place(offers: Sequence[Offer], seed: int, share: float, *, shuffle: bool = True) -> list[Placed]:
    """Offers in seeded order, so that categories come mixed as they do in a marketplace, a share of them in a wrong
    category, each of the others being as likely. Without ``shuffle`` in the given order.
    """
    random = Random(seed)
    categories = sorted({offer.category for offer in offers})
    listed = list(offers)
    if shuffle:
        random.shuffle(listed)
    placed = []
    for offer in listed:
        swapped = random.random() < share and len(categories) > 1
        others = [each for each in categories if each != offer.category]
        placed.append(Placed(offer, random.choice(others) if swapped else offer.category, swapped))
    return placed
