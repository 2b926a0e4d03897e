"""Hashed words of listings."""

from hypothesis import given
from hypothesis import strategies as st

from features.listing_words import DESCRIPTION_WORDS, TITLE_WORDS, listing_words


def test_a_disguise_that_does_not_show_makes_no_difference() -> None:
    """Words are hashed in their folded form, each once."""
    assert listing_words("Steel PAN steel") == listing_words("ｓｔｅｅｌ pa\u200bn")


def test_model_numbers_of_one_kind_share_their_beginning_and_shape() -> None:
    """A model number that was never seen has something in common with those of its series; other words do not."""
    first, second = set(listing_words("WAT28371GB")), set(listing_words("WAT24371GB"))
    assert len(first & second) == 3
    assert len(first - second) == 1
    assert not set(listing_words("kettles")) & set(listing_words("kettler"))


def test_a_description_adds_its_first_words() -> None:
    """What the title has already is not counted again, and the rest of a long text does not dilute it."""
    title = listing_words("steel pan")
    assert listing_words("steel pan", "A steel pan") == [*title, *listing_words("a")]
    long = listing_words("pan", " ".join(f"w{number:x}x" for number in range(1000)))
    assert len(long) <= 1 + 4 * DESCRIPTION_WORDS


@given(st.text(max_size=600), st.none() | st.text(max_size=600))
def test_any_text_gives_a_bounded_list_of_distinct_hashes(title: str, description: str | None) -> None:
    """At most four hashes of 32 bits a word."""
    words = listing_words(title, description)
    assert len(words) == len(set(words)) <= 4 * (TITLE_WORDS + DESCRIPTION_WORDS)
    assert all(0 <= word < 2**32 for word in words)
