"""What a listing shows: goods of makers that several shops resell, goods of a shop's own, and variants of both.

Pictures are 64-bit perceptual hashes; two pictures of one thing differ in none to three bits, variants of another
colour in about a dozen, unrelated ones in about half. Who resells a maker's goods shows the maker's picture and words,
as honest shops do everywhere.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

from streams.simulator.catalog import CATEGORIES, COLOURS, PRAISE, QUALITIES, SERIES, SIZES, Category

#: Goods of makers in each category.
_PER_CATEGORY: Final = 40
_MOST_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class Product:
    """Goods of a maker: ``name`` is the title without colour; ``price`` in minor units, ``grams`` of one piece."""

    category: Category
    brand: str
    name: str
    price: float
    grams: float
    images: tuple[int, ...]


class Makers:
    """The goods that makers sell to shops, the same for all parts of a simulation."""

    def __init__(self, random: Random) -> None:
        self._goods = {
            category.name: [_make(category, random, number) for number in range(_PER_CATEGORY)]
            for category in CATEGORIES
        }

    def draw(self, category: Category, random: Random) -> Product:
        """Goods of a category; the first ones are in more shops."""
        u = random.random()
        return self._goods[category.name][int(_PER_CATEGORY * u * u)]


def _make(category: Category, random: Random, number: int) -> Product:
    brand = random.choice(category.brands)
    initials = "".join(word[0] for word in brand.split() if word[0].isalpha())[:2].upper()
    model = f"{initials}{random.randint(2, 9)}{number:02d}"
    name = f"{brand} {random.choice(QUALITIES)} {random.choice(category.nouns)} {model}"
    price = category.median * random.lognormvariate(0.0, category.sigma)
    return Product(category, brand, name, price, draw_grams(category, random), (picture(random), picture(random)))


def own_name(brand: str, noun: str, random: Random) -> str:
    """How a shop calls goods of its own, without colour."""
    return f"{brand} {random.choice(QUALITIES)} {noun} {random.choice(SERIES)} {random.randint(1, 60)}"


def describe(noun: str, brand: str, random: Random) -> str:
    """A description as shops write them."""
    return f"{noun} by {brand}. {' '.join(random.sample(PRAISE, random.randint(2, 3)))}"


def draw_grams(category: Category, random: Random) -> float:
    """Weight of one piece, without its parcel."""
    return category.grams * random.lognormvariate(0.0, 0.45)


def draw_size(category: Category, random: Random) -> str | None:
    """A size, in categories that have them."""
    return random.choice(SIZES) if category.name.startswith("fashion/") and "bags" not in category.name else None


def other_colour(colour: str | None, random: Random) -> str:
    """A colour that is not this one."""
    return random.choice([each for each in COLOURS if each != colour])


def picture(random: Random) -> int:
    """The hash of a new picture."""
    return random.getrandbits(_MOST_BITS)


def like(image: int, random: Random, bits: int) -> int:
    """The picture again, cut or compressed otherwise: ``bits`` of its hash differ."""
    for bit in random.sample(range(_MOST_BITS), bits):
        image ^= 1 << bit
    return image


def retouched(images: list[int], random: Random, most: int = 3) -> list[int]:
    """All pictures again, each up to ``most`` bits apart."""
    return [like(image, random, random.randint(0, most)) for image in images]
