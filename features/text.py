"""One normal form of text to compare in, words, and how alike two titles are."""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Final

#: Unicode's default-ignorable code points: characters that show nothing and only hide a word from a filter.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
#: Combining marks in a row that are kept: no language needs half as many (UAX #15, Stream-Safe Text Format). Sorting a
#: run of marks takes quadratic time, 0.4 s for a text of 20,000 of them.
LONGEST_RUN: Final = 30
#: Up to here no run is long enough to matter.
_HARMLESS_CHARACTERS: Final = 500
_WORDS: Final = re.compile(r"[^\W_]+")
#: Translating and splitting takes less than half the time of the expression above, but is right for ASCII alone.
_ASCII_BLANKS: Final = str.maketrans({code: " " for code in range(128) if not chr(code).isalnum()})
#: A title says what it has to say in its first characters; the bound keeps the cost of a comparison small.
TITLE_CHARACTERS: Final = 200


def fold(text: str) -> str:
    """Text without differences that do not show: NFKC, case folded, invisible characters taken out.

    Of more than :data:`LONGEST_RUN` combining marks in a row the rest is taken out, too.
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible(text)).casefold())


def visible(text: str) -> str:
    """Text without invisible characters, and with at most :data:`LONGEST_RUN` combining marks in a row."""
    # Before normalising: what stands between two runs must not make one of them afterwards.
    shown = _INVISIBLE.sub("", text)
    if len(shown) > _HARMLESS_CHARACTERS:
        shown = _long_runs().sub(lambda run: run[0][:LONGEST_RUN], shown)
    return shown


@cache
def _long_runs() -> re.Pattern[str]:
    """Runs of combining marks beyond the limit, and of what decomposes to such. (None lies beyond U+1EFFF.)"""
    marks = [mark for mark in map(chr, range(0x300, 0x1F000)) if _is_mark(mark)]
    return re.compile(f"[{''.join(marks)}]{{{LONGEST_RUN + 1},}}")


def _is_mark(character: str) -> bool:
    if unicodedata.combining(character):
        return True
    whole = unicodedata.decomposition(character)
    return bool(whole) and unicodedata.combining(unicodedata.normalize("NFKD", character)[0]) != 0


def words_of(folded: str) -> list[str]:
    """Runs of letters and digits of a folded text, in order."""
    if folded.isascii():
        return folded.translate(_ASCII_BLANKS).split()
    return _WORDS.findall(folded)


def title_similarity(first: str, second: str) -> float:
    """How alike two titles are, 0 (nothing in common) to 1 (the same words).

    Jaccard index of the sets of three consecutive characters of the folded words (with their ends), so a corrected
    letter makes little difference and a changed order none, another product a large one.
    """
    if first == second:
        return 1.0
    grams = _trigrams(first)
    others = _trigrams(second)
    common = len(grams & others)
    union = len(grams) + len(others) - common
    return common / union if union else 1.0


def _trigrams(title: str) -> set[str]:
    return set().union(*map(_word_trigrams, words_of(fold(title[:TITLE_CHARACTERS]))))


@lru_cache(maxsize=8192)
def _word_trigrams(word: str) -> frozenset[str]:
    """Titles share most of their words, so a word's trigrams are kept: half the time of cutting them anew."""
    text = f" {word} "
    return frozenset(text[start : start + 3] for start in range(len(text) - 2))
