"""One normal form of text to compare in, words, and how alike two titles are."""

import re
import unicodedata
from typing import Final

#: Unicode's default-ignorable code points: characters that show nothing and only hide a word from a filter.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_WORDS: Final = re.compile(r"[^\W_]+")
#: Translating and splitting takes less than half the time of the expression above, but is right for ASCII alone.
_ASCII_BLANKS: Final = str.maketrans({code: " " for code in range(128) if not chr(code).isalnum()})
#: A title says what it has to say in its first characters; the bound keeps the cost of a comparison small.
TITLE_CHARACTERS: Final = 200


def fold(text: str) -> str:
    """Text without differences that do not show: NFKC, case folded, invisible characters taken out."""
    if text.isascii():
        return text.lower()
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return unicodedata.normalize("NFKC", visible.casefold())


def words_of(folded: str) -> list[str]:
    """Runs of letters and digits of a folded text, in order."""
    if folded.isascii():
        return folded.translate(_ASCII_BLANKS).split()
    return _WORDS.findall(folded)


def title_similarity(first: str, second: str) -> float:
    """How alike two titles are, 0 (nothing in common) to 1 (the same up to case and punctuation).

    Jaccard index of the sets of three consecutive characters of the folded words, so a changed order or a corrected letter
    makes little difference, another product a large one.
    """
    if first == second:
        return 1.0
    grams = _trigrams(first)
    others = _trigrams(second)
    common = len(grams & others)
    union = len(grams) + len(others) - common
    return common / union if union else 1.0


def _trigrams(title: str) -> set[tuple[str, str, str]]:
    words = words_of(fold(title[:TITLE_CHARACTERS]))
    if not words:
        return set()
    text = f" {' '.join(words)} "
    return set(zip(text, text[1:], text[2:], strict=False))
