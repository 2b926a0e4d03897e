"""Finds words that are spelt so that a search does not find them.

A **disguise** is any of: look-alike characters of other scripts ("rеplica" with a Cyrillic е), accents and strokes,
digits and signs for letters ("r3plic@"), letters set apart ("r e p l i c a", "r.e.p", "rep-lica"), letters repeated
("repliiica"), words run together ("supercopy"), and masked letters ("r*plica").

Two steps keep honest text cheap. The text is cut into **pieces** (runs of letters, digits and the signs that stand for
letters), and each piece gets a **key**: letters that are used for each other made one (i, l, 1 and !), repeated ones
written once. Keys of words are cached, as titles share most of theirs. Only where a key begins some term are the
pieces after it joined to it, as long as that begins a term still. What then has a term's key must also look like it:
see :meth:`Disguises._fits`. So "iPhone 15" may have the key of some word, but is not taken for one.

Time is linear in the length of the text: from each piece at most :data:`MAX_PIECES` are joined.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Final, NamedTuple

from features.confusables import LOOK_ALIKES
from features.text import visible

#: Characters for each other; the first stands for all.
_ALIKE: Final = ("il1!|", "o0", "e3", "a4@", "s5$", "t7", "b8", "g69", "z2")
_CLASSES: Final = str.maketrans({other: group[0] for group in _ALIKE for other in group[1:]})
#: Two letters for one, as "rn" for "m".
_PAIRS: Final = (("m", "rn"), ("w", "vv"))
#: Marks over, under and through letters of European scripts; those of others (voicing in Japanese) make other letters.
_MARKS: Final = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
_LATIN: Final = str.maketrans(
    {
        **{other: letter for letter, others in LOOK_ALIKES.items() for other in others},
        # Colons and stops that normalisation leaves.
        **dict.fromkeys("ː˸։׃∶꞉", ":"),
        **dict.fromkeys("。·•", "."),
    }
)
#: Part of words: signs for letters, and the one of terms like "100% safe".
_SIGNS: Final = "!|@$%"
_BLANKS: Final = str.maketrans(
    {code: " " for code in range(128) if not chr(code).isalnum() and chr(code) not in _SIGNS}
)
#: Emoji and the like inside a word; other signs may stand between two words.
_INSIDE: Final = re.compile(r"(?<=[a-z0-9])[^\w\s\x00-\x7f]+(?=[a-z0-9])")
_PIECES: Final = re.compile(rf"(?:[^\W_]|[{re.escape(_SIGNS)}])+")
#: Lengths of words that are looked at when masked; in longer ones than the second, two letters may be.
_SHORTEST_MASKED: Final = 4
_LONG_MASKED: Final = 5
_MASKED_CHARACTERS: Final = 24
#: Most pieces joined: the letters of the longest terms one by one, with some to spare for repeated ones.
MAX_PIECES: Final = 48
#: Words kept with their keys, by all matchers together.
_CACHED_WORDS: Final = 16_384
#: From this length on, a term may be split or run together elsewhere than between its words; shorter ones are found
#: in honest text that way ("pm me").
SPLIT_LENGTH: Final = 5
#: Least share of a term's letters that must be letters, and not digits or signs for them: people can still read
#: "5!9n4| m3".
LETTER_SHARE: Final = 0.2
_FEWEST_LETTERS: Final = 2


#: Kind of a phrase that is not looked for, but takes its words away from those that are.
ALLOWED: Final = -1


class Phrase(NamedTuple):
    """What is looked for: its kind (ALLOWED, or a number that the matcher's user knows), its words, and how it is
    reported.
    """

    kind: int
    words: tuple[str, ...]
    term: str


class Cut(NamedTuple):
    """A text in the form of :func:`unmask`, in pieces, each with its key."""

    is_ascii: bool
    """Whether it was ASCII before."""
    unmasked: str
    pieces: list[str]
    keys: list[str]


class _Entry(NamedTuple):
    phrase: Phrase
    letters: str
    """The words as one, in classes."""


def unmask(text: str) -> str:
    """Text in the Latin letters that it looks like, in lower case and without accents; other scripts keep what looks
    like no Latin letter.
    """
    if text.isascii():
        return text.lower()
    # Marks first: long runs of them take quadratic time to normalise.
    shown = _MARKS.sub("", visible(text)).translate(_LATIN)
    plain = unicodedata.normalize("NFKC", shown).translate(_LATIN)
    if plain.isascii():
        return plain.lower()
    bare = _MARKS.sub("", unicodedata.normalize("NFD", plain))
    return unicodedata.normalize("NFKC", bare).casefold().translate(_LATIN)


def pieces_of(unmasked: str) -> list[str]:
    """Runs of letters, digits and signs that stand for letters; an exclamation mark at the end is one more often."""
    pieces = unmasked.translate(_BLANKS).split() if unmasked.isascii() else _PIECES.findall(unmasked)
    if "!" in unmasked:
        # One that stands alone may be a letter of a word set apart.
        return [piece.rstrip("!") or "!" for piece in pieces]
    return pieces


def cut_up(text: str) -> Cut:
    """A text made ready to be searched."""
    unmasked = unmask(text)
    return Cut(text.isascii(), unmasked, *_pieces_and_keys(unmasked))


def _pieces_and_keys(unmasked: str) -> tuple[list[str], list[str]]:
    pieces = pieces_of(unmasked)
    return pieces, list(map(_key, pieces))


class Disguises:
    """Finds phrases whatever their disguise.

    Parameters
    ----------
    phrases
        What to find. Of those that fit at a place, the longest wins and takes its words away from others.
    """

    __slots__ = ("_entries", "_masked", "_prefixes")

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        entries: dict[str, list[_Entry]] = {}
        words: set[str] = set()
        for phrase in phrases:
            for spelling in _spellings("".join(phrase.words)):
                letters = spelling.translate(_CLASSES)
                entries.setdefault(_squeezed(letters), []).append(_Entry(phrase, letters))
            words.update(phrase.words)
        self._entries = {key: tuple(found) for key, found in entries.items()}
        self._prefixes = frozenset(key[:end] for key in entries for end in range(1, len(key) + 1))
        self._masked = _masked_words(words)

    def find(self, cut: Cut) -> list[Phrase]:
        """Phrases that a text has in disguise. Plain ones are left out of ASCII text; in other text they cannot be told
        from those in look-alike letters, and are among them.
        """
        unmasked = cut.unmasked
        if "*" in unmasked or "#" in unmasked:
            unmasked = self._uncovered(unmasked)
            found = self._found(*_pieces_and_keys(unmasked))
        else:
            found = self._found(cut.pieces, cut.keys)
        if cut.is_ascii:
            return [phrase for phrase, plain in found if not plain]
        whole = _INSIDE.sub("", unmasked)
        if whole != unmasked:
            found += self._found(*_pieces_and_keys(whole))
        return list(dict.fromkeys(phrase for phrase, _ in found))

    def _found(self, pieces: list[str], keys: list[str]) -> list[tuple[Phrase, bool]]:
        """Phrases from left to right, and whether each stands there as it is."""
        if self._prefixes.isdisjoint(keys):
            return []
        prefixes, entries = self._prefixes, self._entries
        found: list[tuple[Phrase, bool]] = []
        taken = 0
        last = len(keys) - 1
        for position, key in enumerate(keys):
            if key not in prefixes or position < taken:
                continue
            # Most words that begin a term are none themselves, and do not go on as one: no need to look further.
            if key not in entries and (position == last or _joined(key, keys[position + 1]) not in prefixes):
                continue
            phrase, plain, length = self._longest(pieces, keys, position)
            if phrase is not None:
                found.append((phrase, plain))
                taken = position + length
        return found

    def _longest(self, pieces: list[str], keys: list[str], start: int) -> tuple[Phrase | None, bool, int]:
        """The phrase of most pieces that begins at one of them, whether it is plain, and of how many it is."""
        prefixes, entries = self._prefixes, self._entries
        phrase: Phrase | None = None
        plain, length = False, 0
        joined = keys[start]
        for end in range(start + 1, min(len(keys), start + MAX_PIECES) + 1):
            for entry in entries.get(joined, ()):
                found = tuple(pieces[start:end])
                if found == entry.phrase.words:
                    phrase, plain, length = entry.phrase, True, end - start
                    break
                if _fits(entry, found):
                    phrase, plain, length = entry.phrase, False, end - start
            if end == len(keys):
                break
            joined = _joined(joined, keys[end])
            if joined not in prefixes:
                break
        return phrase, plain, length

    def _uncovered(self, text: str) -> str:
        """A text whose masked words ("r*plica") are those of the phrases that they fit."""
        parts = text.split()
        for index, part in enumerate(parts):
            if len(part) <= _MASKED_CHARACTERS and ("*" in part or "#" in part):
                shape = part.strip(".,;:!?()[]\"'").replace("#", "*").translate(_CLASSES)
                if (word := self._masked.get(shape)) is not None:
                    # A letter too many makes it differ from the plain word, so that it counts as disguised.
                    parts[index] = word[0] + word
        return " ".join(parts)


@lru_cache(maxsize=_CACHED_WORDS)
def _key(piece: str) -> str:
    """A piece in classes, with repeated characters once."""
    return _squeezed(piece.translate(_CLASSES))


def _joined(key: str, following: str) -> str:
    return key + following[1:] if key[-1] == following[0] else key + following


def _squeezed(text: str) -> str:
    return "".join(character for index, character in enumerate(text) if not index or character != text[index - 1])


def _spellings(word: str) -> set[str]:
    found = {word}
    for letter, pair in _PAIRS:
        if letter in word:
            found.add(word.replace(letter, pair))
    return found


def _masked_words(words: Iterable[str]) -> dict[str, str]:
    """Words by what is left of them when one letter after the first is masked, or two in long words."""
    masked: dict[str, str] = {}
    for word in sorted(words):
        if len(word) < _SHORTEST_MASKED or not word.isalpha():
            continue
        shape = word.translate(_CLASSES)
        for count in range(1, 3 if len(word) > _LONG_MASKED else 2):
            for places in combinations(range(1, len(word)), count):
                key = "".join("*" if place in places else letter for place, letter in enumerate(shape))
                masked.setdefault(key, word)
    return masked


def _fits(entry: _Entry, pieces: Sequence[str]) -> bool:
    """Whether pieces with the key of a phrase may be a disguise of it, and are no honest text.

    No letter that the phrase repeats is missing; enough of the letters are letters; no number is among the pieces; and
    a short phrase is cut where its own words are, or into single letters. An allowed phrase may
    be cut otherwise, but who writes it with other letters hides something.
    """
    raw = "".join(pieces)
    words = entry.phrase.words
    if entry.phrase.kind == ALLOWED:
        return raw == "".join(words)
    size = sum(map(len, words))
    aligned = list(map(_key, pieces)) == list(map(_key, words))
    letters = sum(map(str.isalpha, raw))
    if letters < max(_FEWEST_LETTERS, LETTER_SHARE * size):
        return False
    digits = "".join(filter(str.isdigit, "".join(words)))
    if digits:
        # Where digits belong to a term, they stand for no letters: in its words that have some, or else anywhere.
        if aligned:
            if any(piece != word for piece, word in zip(pieces, words, strict=True) if not _has_no_digit(word)):
                return False
        elif digits != "".join(filter(str.isdigit, raw)):
            return False
    elif not _digits_are_letters(pieces, aligned):
        return False
    if size < SPLIT_LENGTH and len(pieces) < size and not aligned:
        return False
    return _runs_suffice(raw.translate(_CLASSES), entry.letters)


def _has_no_digit(word: str) -> bool:
    return not any(map(str.isdigit, word))


def _digits_are_letters(pieces: Sequence[str], aligned: bool) -> bool:
    """Whether the pieces that are digits alone may be letters: one among letters set apart, or a word of a phrase whose
    other words have digits for letters, too.
    """
    numbers = [place for place, piece in enumerate(pieces) if piece.isdigit()]
    if not numbers or (aligned and any(not piece.isdigit() and not piece.isalpha() for piece in pieces)):
        return True
    return all(
        len(pieces[place]) == 1 and any(len(piece) == 1 for piece in (*pieces[:place][-1:], *pieces[place + 1 :][:1]))
        for place in numbers
    )


def _runs_suffice(text: str, letters: str) -> bool:
    """Whether each run of a letter in the text is as long as that of the phrase; both have the same runs in order."""
    place = 0
    for end in range(1, len(letters) + 1):
        if end < len(letters) and letters[end] == letters[end - 1]:
            continue
        start = place
        while place < len(text) and text[place] == letters[end - 1]:
            place += 1
        run = end - len(letters[:end].rstrip(letters[end - 1]))
        if place - start < run:
            return False
    return place == len(text)
