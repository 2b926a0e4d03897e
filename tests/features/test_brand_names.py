import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.policy_specs import BrandsSpec
from features.brand_names import Brands
from features.disguise import cut_up
from features.text import fold, words_of

SPEC = BrandsSpec(
    protected=["Samsung", "Canon", "Bosch", "Apple", "Kestrel Lab", "Aurelio Conti", "LG"],
    known=["cannon", "ample", "bosh"],
    contexts=["case for", "compatible with"],
)


@pytest.fixture(scope="module")
def brands() -> Brands:
    """Brands with neighbours that mean something else."""
    return Brands(SPEC)


def alike(brands: Brands, title: str, brand: str | None = None) -> list[str]:
    """Brands that a title nearly spells."""
    return sorted(brands.find(words_of(fold(title)), cut_up(title), brand).lookalike)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Samsnug Galaxy S10", ["samsung"]),
        ("Samsumg TV", ["samsung"]),
        ("Samsungg TV", ["samsung"]),
        ("Samung TV", ["samsung"]),
        ("S4msung TV", ["samsung"]),
        ("Ѕаmѕung TV", ["samsung"]),
        ("S a m s u n g TV", ["samsung"]),
        ("Kestral Lab lamp", ["kestrel lab"]),
        ("KestrelLab lamp", ["kestrel lab"]),
        ("Aurelio Contl bag", ["aurelio conti"]),
        ("Aurelia Conte bag", []),
        ("Kestral lamp", []),
        ("Samsung TV", []),
        ("Samsungs and Samsung's", []),
        ("Cannon ball, ample space, bosh", []),
        ("Case for Samsnug phone", []),
        ("LC lamp, L6 lamp", []),
        ("Maple table", []),
        ("Samsung TV by Samsnug", []),
    ],
)
def test_spellings_one_letter_off_or_in_disguise_are_found(brands: Brands, title: str, expected: list[str]) -> None:
    """One letter more, less, other or swapped, or a disguise; not known words, plurals, short names, or what an
    accessory fits.
    """
    assert alike(brands, title) == expected


def test_the_brand_field_is_read_too(brands: Brands) -> None:
    """A brand field one letter off counts like a title."""
    assert alike(brands, "Television", "Samsumg") == ["samsung"]


@given(
    brand=st.sampled_from(["samsung", "bosch", "canon"]),
    place=st.integers(0, 10),
    letter=st.sampled_from("bcdfghjkqvwxyz"),
    way=st.sampled_from(["insert", "delete", "replace", "swap"]),
)
def test_one_edit_anywhere_is_found(brands: Brands, brand: str, place: int, letter: str, way: str) -> None:
    """Each of the four edits at each place, unless it makes the brand again or a known word."""
    place %= len(brand)
    head, tail = brand[:place], brand[place:]
    spelt = {
        "insert": head + letter + tail,
        "delete": head + tail[1:],
        "replace": head + letter + tail[1:],
        "swap": head + tail[1::-1] + tail[2:] if len(tail) > 1 else brand,
    }[way]
    expected = [] if spelt in (brand, *SPEC.known) else [brand]
    assert alike(brands, f"new {spelt} thing") == expected
