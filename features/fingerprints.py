"""Fingerprints that tell whether two listings offer the same product: of a title, and of images.

A title's fingerprint is four integers that say enough to decide on two listings without their texts, so that shops can
be compared through a topic that carries no texts. What makes another product of nearly the same words is kept exact:
model numbers and words like "plus" must be the same, and sizes and colours must not contradict each other ("128 GB" is
not "64 GB", but may be left out). The rest is compared as a set of words.

Near ones are found by bands (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, 3.4): two listings are worth
comparing if they have one in common.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from xxhash import xxh64_intdigest

from features.text import TITLE_CHARACTERS, fold

#: Likeness of the words of two titles from which they may offer the same product.
TITLES_ALIKE: Final = 0.8
#: The same for titles without a model number, which have only their words to tell products apart.
WORDS_ALIKE: Final = 0.8
#: Of the six MinHash values, so many must be equal too: two words of a short title may share a bit.
VALUES_ALIKE: Final = 3
#: Fewer words than this say too little.
FEWEST_WORDS: Final = 2
#: Bits apart up to which two 64-bit perceptual hashes are of copies of one image, and of similar images.
SAME_IMAGE: Final = 5
SIMILAR_IMAGE: Final = 10
#: Words with a digit that are shorter ("4k", "l3") name a kind of product rather than a model.
_MODEL_CHARACTERS: Final = 3
#: Words that make another model of the one before.
_VARIANTS: Final = frozenset(
    {"plus", "pro", "max", "mini", "lite", "se", "xl", "xs", "xr", "xxl", "kids", "refill", "tester", "set", "mark",
     "ii", "iii", "iv", "vi", "vii", "viii", "ix", "x", "xi"}
)  # fmt: skip
#: Words before a size of clothes: "size M" is one word, and another one than "size L".
_SIZE_WORDS: Final = frozenset({"size", "größe", "grösse", "taille", "talla", "taglia", "maat", "tamanho"})
#: Dimensions of sizes, each with a byte in the fingerprint; the last is for colours.
_UNITS: Final[Sequence[tuple[str, str]]] = (
    ("storage", "kb mb gb tb"),
    ("mass", "mg g kg lb lbs oz gramm grams"),
    ("length", 'mm cm m in inch inches zoll " ft'),
    ("volume", "ml cl l ltr litre litres liter liters"),
    ("frequency", "hz khz mhz ghz rpm spin"),
    ("power", "w kw watt watts v volt mah wh"),
    ("count", "pcs pack pk stk stück core mp"),
)
_DIMENSION: Final = {unit: index for index, (_, units) in enumerate(_UNITS) for unit in units.split()}
#: Units that are one.
_SAME_UNIT: Final = {
    "gramm": "g", "grams": "g", "lbs": "lb", "inch": "in", "inches": "in", "zoll": "in", '"': "in", "ltr": "l",
    "litre": "l", "litres": "l", "liter": "l", "liters": "l", "spin": "rpm", "watt": "w", "watts": "w", "volt": "v",
    "pk": "pack", "stk": "pcs", "stück": "pcs",
}  # fmt: skip
_INCHES: Final = '"'
_COLOUR: Final = len(_UNITS)
#: Names of colours in the languages of large marketplaces, each line one colour.
_COLOURS: Final = {
    word: line.split()[0]
    for line in (
        "black schwarz noir negro nero zwart preto czarny",
        "white weiß weiss blanc blanco bianco wit branco",
        "silver silber argent plata argento zilver prata silbern",
        "grey gray grau gris grigio grijs cinza spacegrau graphite anthrazit anthracite",
        "gold golden dorado oro goud dourado or",
        "rose pink rosa rosé roségold rosegold roze",
        "red rot rouge rojo rosso rood vermelho",
        "blue blau bleu azul blu blauw",
        "green grün gruen vert verde groen",
        "yellow gelb jaune amarillo giallo geel amarelo",
        "brown braun brun marrón marrone bruin marrom",
        "purple lila violet violett morado viola paars roxo lavender",
        "orange naranja arancione oranje laranja",
        "beige",
        "cream creme crema ivory champagne",
        "turquoise türkis turquesa teal aqua",
        "navy marine",
        "olive oliv khaki",
        "sand camel tan",
        "terracotta rust copper kupfer",
        "burgundy bordeaux maroon",
        "charcoal",
        "mint",
        "coral salmon peach",
        "lilac mauve",
        "mustard senf",
        "bronze",
        "fuchsia magenta",
    )
    for word in line.split()
}
#: A number, whole or decimal, with letters before or after; a word; or the sign for inches.
_TOKENS: Final = re.compile(r"\d+(?:[.,]\d+)+[^\W_]*|[^\W_]+|\"")
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)([^\W\d_]+)").fullmatch
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?").fullmatch
#: Odd factors make permutations of 64-bit hashes (multiplicative hashing); these are from the digits of pi.
_FACTORS: Final = (
    0x243F6A8885A308D3, 0x13198A2E03707345, 0xA4093822299F31D1, 0x082EFA98EC4E6C89, 0x452821E638D01377,
    0xBE5466CF34E90C6D,
)  # fmt: skip
_MASK_64: Final = (1 << 64) - 1
_CACHED_WORDS: Final = 16_384


class TitleFingerprint(NamedTuple):
    """What is kept of a title; integers of at most 64 bits."""

    models: int = 0
    """Hash (32 bits) of the model numbers and variants it names; 0: none."""
    traits: int = 0
    """A byte for each dimension of sizes, and for colours: a hash of those named; 0: none."""
    words: int = 0
    """A bit for each of its words, by their hashes."""
    low: int = 0
    high: int = 0
    """Six values of 16 bits for the bands: MinHash of its words."""


class _Word(NamedTuple):
    bit: int
    permuted: tuple[int, ...]


def title_fingerprint(title: str) -> TitleFingerprint:
    """The fingerprint of a title; that of one without a word is all zeros. Order, case and punctuation of words make no
    difference. Only the first :data:`features.text.TITLE_CHARACTERS` characters count.
    """
    tokens = _tokens(fold(title[:TITLE_CHARACTERS]))
    if not tokens:
        return TitleFingerprint()
    models: list[str] = []
    sizes: list[list[str]] = [[] for _ in range(_COLOUR + 1)]
    for token in tokens:
        if token in _COLOURS:
            sizes[_COLOUR].append(_COLOURS[token])
        elif token in _VARIANTS or " " in token:
            models.append(token)
        elif not token.isalpha():
            size = _SIZE(token)
            if size is not None and size[2] in _DIMENSION:
                sizes[_DIMENSION[size[2]]].append(token)
            elif len(token) >= _MODEL_CHARACTERS and any(map(str.isdecimal, token)):
                models.append(token)
    traits = 0
    for index, named in enumerate(sizes):
        if named:
            # 1 to 255: zero says that none is named.
            traits |= (_hash_of(named) % 255 + 1) << (8 * index)
    hashed = [_word(token) for token in tokens]
    bits = 0
    for word in hashed:
        bits |= word.bit
    least = [min(values) & 0xFFFF for values in zip(*(word.permuted for word in hashed), strict=True)]
    return TitleFingerprint(
        models=(_hash_of(models) & 0xFFFFFFFF) or 1 if models else 0,
        traits=traits,
        words=bits,
        low=least[0] | least[1] << 16 | least[2] << 32,
        high=least[3] | least[4] << 16 | least[5] << 32,
    )


def title_bands(fingerprint: Sequence[int], places: Sequence[int] = range(6)) -> list[int]:
    """Keys (48 bits) under which titles that are alike are found, one for each of ``places`` (0 to 5); none for a title
    that says too little.

    Each is of two of the six MinHash values, and of the model numbers, which must be the same anyhow. Of titles of
    likeness 0.8, 98 % have one of the six in common.
    """
    if fingerprint[2].bit_count() < FEWEST_WORDS:
        return []
    values = _values(fingerprint)
    models = fingerprint[0]
    keys = [
        xxh64_intdigest(b"%x/%x/%x/%x" % (index, models, values[index], values[(index + 1) % 6])) & 0xFFFF_FFFF_FFFF
        for index in places
    ]
    return list(dict.fromkeys(keys))


def titles_alike(first: Sequence[int], second: Sequence[int]) -> bool:
    """Whether two titles, by their fingerprints, offer the same product."""
    if first[0] != second[0] or title_likeness(first, second) < (TITLES_ALIKE if first[0] else WORDS_ALIKE):
        return False
    equal = sum(value == other for value, other in zip(_values(first), _values(second), strict=True))
    return equal >= VALUES_ALIKE


def title_likeness(first: Sequence[int], second: Sequence[int]) -> float:
    """How alike the words of two titles are by their fingerprints, 0 to 1: the Jaccard index of the sets of words, but
    for words that share a bit. 0 if model numbers, sizes or colours contradict each other, or there is too little to
    go by.
    """
    if first[0] != second[0] or _contradict(first[1], second[1]):
        return 0.0
    words, others = first[2], second[2]
    if min(words.bit_count(), others.bit_count()) < FEWEST_WORDS:
        return 0.0
    return (words & others).bit_count() / (words | others).bit_count()


def image_bands(image: int) -> list[int]:
    """Keys (18 bits: which quarter, and its 16 bits) under which hashes of similar images are found: all that are up to
    3 bits apart have one in common, and of those 5 bits apart 74 %.
    """
    return [quarter << 16 | (image >> (16 * quarter)) & 0xFFFF for quarter in range(4)]


def images_alike(first: int, second: int, most: int = SAME_IMAGE) -> bool:
    """Whether two 64-bit perceptual hashes are at most so many bits apart."""
    return (first ^ second).bit_count() <= most


def _tokens(folded: str) -> list[str]:
    """Words of a folded title, each once, in order; a number and the unit after it are one, and so is a size."""
    found: dict[str, None] = {}
    number = before = ""
    for token in _TOKENS.findall(folded.replace(",", ".")):
        if number and token in _DIMENSION:
            found[_size(number, token)] = None
            number = ""
            continue
        if number:
            found[number] = None
            number = ""
        if token == _INCHES:
            continue
        before, last = token, before
        if last in _SIZE_WORDS:
            found[f"size {token}"] = None
            continue
        if not token[0].isdecimal():
            found[token] = None
        elif _NUMBER(token):
            number = token
        elif (size := _SIZE(token)) is not None and size[2] in _DIMENSION:
            found[_size(size[1], size[2])] = None
        else:
            found[token] = None
    if number:
        found[number] = None
    return list(found)


def _size(number: str, unit: str) -> str:
    if "." in number:
        # 3.50 GHz are 3.5 GHz.
        number = number.rstrip("0").rstrip(".")
    return number + _SAME_UNIT.get(unit, unit)


@lru_cache(maxsize=_CACHED_WORDS)
def _word(token: str) -> _Word:
    """Titles share most of their words."""
    value = xxh64_intdigest(token.encode())
    return _Word(1 << (value >> 58), tuple(value * factor & _MASK_64 for factor in _FACTORS))


def _values(fingerprint: Sequence[int]) -> list[int]:
    """The six MinHash values."""
    return [(half >> shift) & 0xFFFF for half in fingerprint[3:5] for shift in (0, 16, 32)]


def _hash_of(tokens: Iterable[str]) -> int:
    return xxh64_intdigest(" ".join(sorted(set(tokens))).encode())


def _contradict(first: int, second: int) -> bool:
    """Whether two titles name other sizes of one dimension, or other colours."""
    different = first ^ second
    while different:
        shift = (different & -different).bit_length() - 1 & ~7
        if (first >> shift) & 0xFF and (second >> shift) & 0xFF:
            return True
        different &= ~(0xFF << shift)
    return False
