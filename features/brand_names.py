"""Protected brands in the title and the brand field of a listing: by name, or in a spelling that looks like one.

Brands are not looked for in descriptions: what a description names is more often what the product fits.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from config.policy_specs import BrandsSpec
from features.disguise import ALLOWED, Cut, Disguises, Phrase, cut_up
from features.text import fold, words_of

Words: TypeAlias = tuple[str, ...]
#: Words that may stand between a context ("case for") and the brand that it excuses.
CONTEXT_REACH: Final = 2
#: Shorter words of brands have too many neighbours that mean something else.
LOOKALIKE_LETTERS: Final = 5
_CACHED_WORDS: Final = 8_192
_CACHED_BRANDS: Final = 2_048


class BrandNames(NamedTuple):
    """Brands found, in their normal form."""

    named: frozenset[str]
    lookalike: frozenset[str]
    """Those that are only there in a disguise or one letter away, and not by name."""


_NONE: Final = BrandNames(frozenset(), frozenset())


class _Near(NamedTuple):
    """A brand of which a word is one letter away, and which word."""

    words: Words
    place: int
    brand: str


class Brands:
    """The protected brands of a policy set, and the contexts that excuse naming one."""

    __slots__ = ("_brands", "_contexts", "_disguises", "_in_field", "_known", "_near", "_neighbours")

    def __init__(self, spec: BrandsSpec) -> None:
        brands: dict[Words, str] = {}
        for brand in spec.protected:
            brands.setdefault(tuple(words_of(fold(brand))), brand_name(brand))
        #: By first word, the longest name first.
        self._brands: dict[str, list[tuple[Words, str]]] = {}
        for words, name in sorted(brands.items(), key=lambda item: (-len(item[0]), item[0])):
            self._brands.setdefault(words[0], []).append((words, name))
        #: By their last word: most words before a brand end none.
        self._contexts: dict[str, list[Words]] = {}
        for context in spec.contexts:
            words = tuple(words_of(fold(context)))
            self._contexts.setdefault(words[-1], []).append(words)
        self._known = {word for words in brands for word in words}
        self._known.update(word for other in spec.known for word in words_of(fold(other)))
        self._neighbours: dict[str, list[_Near]] = {}
        for words, name in brands.items():
            for index, word in enumerate(words):
                if len(word) >= LOOKALIKE_LETTERS:
                    for shorter in {word, *_deletions(word)}:
                        self._neighbours.setdefault(shorter, []).append(_Near(words, index, name))
        # Titles share most of their words, and listings their brands.
        self._in_field = lru_cache(maxsize=_CACHED_BRANDS)(self._brand_field)
        self._near = lru_cache(maxsize=_CACHED_WORDS)(self._neighbours_of)
        self._disguises = Disguises(
            [
                *(
                    Phrase(0, words, name)
                    for words, name in brands.items()
                    if sum(map(len, words)) >= LOOKALIKE_LETTERS
                ),
                *(Phrase(ALLOWED, (word,), word) for word in self._known if (word,) not in brands),
            ]
        )

    def find(self, title_words: Sequence[str], cut: Cut, brand: str | None) -> BrandNames:
        """Brands in a title (its folded words, and cut up) outside of contexts like "case for", and in
        the brand field.
        """
        found, alike = self._in_words(title_words)
        alike.update(self._disguised(cut))
        if brand:
            here, near = self._in_field(brand)
            found |= here
            alike |= near
        if not found and not alike:
            return _NONE
        return BrandNames(frozenset(found), frozenset(alike - found))

    def _brand_field(self, brand: str) -> tuple[frozenset[str], frozenset[str]]:
        found, alike = self._in_words(words_of(fold(brand)))
        alike.update(self._disguised(cut_up(brand)))
        return frozenset(found), frozenset(alike)

    def _disguised(self, cut: Cut) -> Iterable[str]:
        return (phrase.term for phrase in self._disguises.find(cut) if phrase.kind != ALLOWED)

    def _in_words(self, words: Sequence[str]) -> tuple[set[str], set[str]]:
        found: set[str] = set()
        if not self._brands.keys().isdisjoint(words):
            for position, word in enumerate(words):
                for brand, name in self._brands.get(word, ()):
                    if tuple(words[position : position + len(brand)]) == brand:
                        if not self._excused(words, position):
                            found.add(name)
                        break
        alike: set[str] = set()
        nears = list(map(self._near, words))
        if not any(nears):
            return found, alike
        for position, near in enumerate(nears):
            for brand, place, name in near:
                start = position - place
                rest = tuple(words[start:position]) + tuple(words[position + 1 : start + len(brand)])
                if start >= 0 and rest == brand[:place] + brand[place + 1 :] and not self._excused(words, start):
                    alike.add(name)
        return found, alike

    def _neighbours_of(self, word: str) -> tuple[_Near, ...]:
        """Words of brands that are one letter more, less or other than a word, or with two neighbours swapped."""
        if len(word) < LOOKALIKE_LETTERS - 1 or word in self._known or not word.isalpha():
            return ()
        found: dict[_Near, None] = {}
        for shorter in (word, *_deletions(word)):
            for near in self._neighbours.get(shorter, ()):
                brand = near.words[near.place]
                if word != f"{brand}s" and _one_apart(word, brand):
                    found[near] = None
        return tuple(found)

    def _excused(self, words: Sequence[str], position: int) -> bool:
        """Whether a context ends at most CONTEXT_REACH words before a position."""
        for end in range(position, max(0, position - CONTEXT_REACH - 1), -1):
            for context in self._contexts.get(words[end - 1], ()):
                if tuple(words[max(0, end - len(context)) : end]) == context:
                    return True
        return False


def brand_name(text: str) -> str:
    """A brand or authorization in the form in which the two are compared."""
    return " ".join(fold(text).split())


def _deletions(word: str) -> Iterable[str]:
    return (word[:place] + word[place + 1 :] for place in range(len(word)))


def _one_apart(first: str, second: str) -> bool:
    """Whether the optimal string alignment distance of two words is 1: one letter inserted, deleted or replaced, or
    two neighbours swapped.
    """
    if first == second or abs(len(first) - len(second)) > 1:
        return False
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    a, b = first[start:], second[start:]
    if len(a) == len(b):
        return a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
    return a[1:] == b if len(a) > len(b) else a == b[1:]
