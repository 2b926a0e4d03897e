"""Fingerprints: copies of titles and images are recognised, other models, sizes and colours are not."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.fingerprints import (
    SAME_IMAGE,
    SIMILAR_IMAGE,
    image_bands,
    images_alike,
    title_bands,
    title_fingerprint,
    title_likeness,
    titles_alike,
)

IMAGES = st.integers(0, 2**64 - 1)
WORDS = st.lists(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=9), min_size=1, max_size=14)


def alike(first: str, second: str) -> bool:
    """Whether two titles offer the same product, and are found by a band."""
    a, b = title_fingerprint(first), title_fingerprint(second)
    return titles_alike(a, b) and bool(set(title_bands(a)) & set(title_bands(b)))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Bosch WAT28371GB washing machine, 9 kg", "BOSCH washing-machine WAT28371GB 9kg"),
        ("Apple iPhone 8 Plus 64 GB silver", "apple iphone 8 plus, 64GB (silver)"),
        ("Samsung QE55Q7F 55 inch QLED TV", 'Samsung QE55Q7F 55" QLED TV'),
        ("Intel Core i5-7400T 2.40 GHz processor", "Intel Core i5-7400T processor 2.4GHz"),
        ("Liebherr CTP2521 fridge freezer 55cm", "Liebherr CTP2521 fridge freezer 55cm white"),
        ("Solenne soft summer dress Aria, Size M", "Solenne summer dress Aria size m soft"),
        ("Soft leather handbag with golden chain", "soft leather handbag with golden chain!"),
        ("Ｂｏｓｃｈ WAT28371GB waschmaschine weiß", "Bosch WAT28371GB waschmaschine white weiss"),
    ],
)
def test_the_same_product(first: str, second: str) -> None:
    """Order, case, punctuation, units written apart and what one title leaves out make no other product."""
    assert alike(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Apple iPhone 8 64GB silver SIM free", "Apple iPhone 8 128GB silver SIM free"),
        ("Apple iPhone 8 64GB silver SIM free", "Apple iPhone 8 64GB gold SIM free"),
        ("Apple iPhone 8 64GB silver SIM free", "Apple iPhone 8 Plus 64GB silver SIM free"),
        (
            "Intel Xeon X3450 processor 2.66 GHz 8 MB smart cache",
            "Intel Xeon X5550 processor 2.66 GHz 8 MB smart cache",
        ),
        ("Sony RX100 III digital camera", "Sony RX100 IV digital camera"),
        ("Neff S517P70Y0G fully integrated dishwasher", "Neff dishwasher fully integrated"),
        ("Perfume eau de toilette 50 ml spray", "Perfume eau de toilette 100 ml spray"),
        ("Handtasche aus Leder schwarz mit Kette", "Handtasche aus Leder rot mit Kette"),
        ("Solenne soft summer dress Aria, Size M", "Solenne soft summer dress Aria, Size L"),
        ("Wool scarf", "Cotton shirt"),
    ],
)
def test_another_product(first: str, second: str) -> None:
    """Another model, size, capacity or colour is another product, however alike the words are."""
    assert not alike(first, second)


@pytest.mark.parametrize("title", ["", "!!! 👍", "phone"])
def test_titles_that_say_too_little(title: str) -> None:
    """Such a title has no bands and is like none, not even its own copy."""
    fingerprint = title_fingerprint(title)
    assert title_bands(fingerprint) == []
    assert not titles_alike(fingerprint, fingerprint)


@given(WORDS, st.randoms(use_true_random=False))
def test_order_does_not_count(words: list[str], random: Random) -> None:
    """A fingerprint depends on the set of words alone, where no number can join another unit."""
    words = [f"x{word}" for word in words]
    shuffled = words[:]
    random.shuffle(shuffled)
    assert title_fingerprint(" ".join(words)) == title_fingerprint(" ".join(shuffled))


@given(st.text(max_size=400))
def test_any_title_has_a_small_fingerprint(title: str) -> None:
    """Integers of at most 64 bits, at most six bands of at most 48, and a copy is found by them or has none."""
    fingerprint = title_fingerprint(title)
    assert all(0 <= value < 2**64 for value in fingerprint)
    bands = title_bands(fingerprint)
    assert len(bands) <= 6
    assert all(0 <= band < 2**48 for band in bands)
    assert titles_alike(fingerprint, fingerprint) == bool(bands)


@given(WORDS, WORDS)
def test_likeness_is_a_symmetric_share(first: list[str], second: list[str]) -> None:
    """Likeness lies between 0 and 1, and does not depend on which title comes first."""
    a, b = title_fingerprint(" ".join(first)), title_fingerprint(" ".join(second))
    assert 0 <= title_likeness(a, b) == title_likeness(b, a) <= 1
    assert titles_alike(a, b) == titles_alike(b, a)


def test_near_titles_share_a_band() -> None:
    """Of titles with nine of ten words in common (likeness 0.82), at least 95 of 100 are found by a band; of unrelated
    ones next to none.
    """
    random = Random(1)
    vocabulary = ["".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(4_000)]
    found = chance = 0
    for _ in range(1_000):
        words = random.sample(vocabulary, 11)
        first = set(title_bands(title_fingerprint(" ".join(words[:10]))))
        second = set(title_bands(title_fingerprint(" ".join(words[1:]))))
        other = set(title_bands(title_fingerprint(" ".join(random.sample(vocabulary, 10)))))
        found += bool(first & second)
        chance += bool(first & other)
    assert found >= 950
    assert chance <= 2


@given(IMAGES, st.sets(st.integers(0, 63), max_size=3))
def test_near_copies_of_an_image_share_a_band(image: int, flipped: set[int]) -> None:
    """Up to three bits apart, one of the four quarters is the same: none is overlooked."""
    other = image
    for bit in flipped:
        other ^= 1 << bit
    assert set(image_bands(image)) & set(image_bands(other))
    assert images_alike(image, other)


@given(IMAGES, st.sets(st.integers(0, 63)))
def test_images_are_alike_up_to_a_number_of_bits(image: int, flipped: set[int]) -> None:
    """What counts is the Hamming distance, on either side of the limits for the same and for similar images."""
    other = image
    for bit in flipped:
        other ^= 1 << bit
    assert images_alike(image, other) == (len(flipped) <= SAME_IMAGE)
    assert images_alike(image, other, SIMILAR_IMAGE) == (len(flipped) <= SIMILAR_IMAGE)


def test_quarters_do_not_mix() -> None:
    """The same 16 bits in another quarter are another key."""
    assert len(set(image_bands(0))) == 4
    assert max(image_bands(2**64 - 1)) < 2**18
