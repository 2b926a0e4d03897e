"""A listing's text as hashed words: the inputs of a model of texts.

Besides each word stand the beginnings and the shape of model numbers ("wat28371gb": "wa", "wat", letters-digits-
letters), since makers number products of one kind alike.
"""

import re
from functools import lru_cache
from itertools import islice
from typing import Final

from xxhash import xxh32_intdigest

from features.text import TITLE_CHARACTERS, fold, words_of

#: Words that count, of the title and of the description, which says the same at greater length.
TITLE_WORDS: Final = 40
DESCRIPTION_WORDS: Final = 20
#: Characters of a description that are looked at.
DESCRIPTION_CHARACTERS: Final = 400
#: Shorter words with a digit are no model numbers.
_MODEL_CHARACTERS: Final = 5
_DIGITS: Final = re.compile(r"\d+")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_CACHED_WORDS: Final = 16_384


def listing_words(title: str, description: str | None = None) -> list[int]:
    """Hashes (32 bits) of the words of a title and the beginning of a description, each once, in order."""
    found: dict[int, None] = {}
    for word in islice(words_of(fold(title[:TITLE_CHARACTERS])), TITLE_WORDS):
        for each in _hashes(word):
            found[each] = None
    if description:
        for word in islice(words_of(fold(description[:DESCRIPTION_CHARACTERS])), DESCRIPTION_WORDS):
            for each in _hashes(word):
                found[each] = None
    return list(found)


@lru_cache(maxsize=_CACHED_WORDS)
def _hashes(word: str) -> tuple[int, ...]:
    texts = [word]
    if len(word) >= _MODEL_CHARACTERS and any(map(str.isdecimal, word)):
        # Signs that no word has keep these apart from words.
        texts += [f"^{word[:2]}", f"^{word[:3]}", "#" + _DIGITS.sub("0", _LETTERS.sub("a", word))]
    return tuple(xxh32_intdigest(text.encode()) for text in texts)
