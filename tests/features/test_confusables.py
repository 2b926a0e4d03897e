import unicodedata

from features.confusables import LOOK_ALIKES


def test_each_character_looks_like_one_letter_only() -> None:
    """The table is a function, of single characters that are no ASCII, to single letters and digits."""
    others = "".join(LOOK_ALIKES.values())
    assert len(others) == len(set(others))
    assert not any(map(str.isascii, others))
    assert all(len(letter) == 1 and letter.isascii() and letter.isalnum() for letter in LOOK_ALIKES)


def test_what_normalising_does_anyway_is_not_in_it() -> None:
    """No entry is made ASCII by NFKC."""
    for other in "".join(LOOK_ALIKES.values()):
        assert not unicodedata.normalize("NFKC", other).isascii(), other


def test_names_of_letters_agree_with_the_table() -> None:
    """Where Unicode names a small capital, the table has that letter."""
    for letter, others in LOOK_ALIKES.items():
        for other in others:
            head, _, name = unicodedata.name(other, "").rpartition("LATIN LETTER SMALL CAPITAL ")
            if not head and len(name) == 1:
                assert name.lower() == letter, other
