"""What a listing's text and category say about it: terms per policy, protected brands, prohibited and restricted
categories.

Text is compared in the normal form of :func:`features.text.fold` and by whole words: "replica" does not hit
"replicate". A text is cut into words once and each word is looked up in one table for all lists, longest phrase first,
so that an allowed phrase ("scale replica") takes its words away from the term inside it. Terms with other characters
than letters, digits and blanks ("1:1"), or in scripts without blanks between words, are looked up as they stand.

Brands are looked for in the title and the brand field alone: what a description names is more often what the product
fits.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from msgspec import Struct

from config.policies import did_you_mean
from config.policy_specs import TermListSpec, TermsSpec
from features.events import ListingVersion
from features.text import fold, title_similarity, words_of

__all__ = ["LISTS", "PATTERNS", "ListingText", "Terms", "compile_terms", "listing_signals", "title_similarity"]

#: The term lists, in the order of the counts in ListingText.
LISTS: Final = ("replica", "contact", "prohibited", "claims")
_ALLOWED: Final = -1
#: What may stand before the name in an authorization, as in "brand:solenne".
_PREFIXES: Final = ("brand", "permit", "category")
#: Words that may stand between a context ("case for") and the brand that it excuses.
CONTEXT_REACH: Final = 2

Words: TypeAlias = tuple[str, ...]
Finder: TypeAlias = Callable[[str], bool]


class ListingText(Struct, frozen=True, gc=False):
    """Signals of one version of a listing; counts are of distinct terms, a built-in pattern counting as one."""

    replica_terms: int = 0
    contact_terms: int = 0
    prohibited_terms: int = 0
    claim_terms: int = 0
    brand_unauthorised: bool = False
    category_prohibited: bool = False
    category_restricted: bool = False


# Each pattern runs in linear time, and only on text with the plain words that it needs.
_INTERNATIONAL = re.compile(r"\+\d[\d ().-]{7,20}\d").search
_ANNOUNCED = re.compile(
    r"\b(?:(?:tel|call|text|sms|viber|whatsapp)\b\W{0,3}(?:(?:me|us|at|on)\W{1,3}){0,3}"
    r"|(?:phone|mobile|cell)(?: ?(?:no|number)\b\W{0,3}| ?[:#] ?))\d[\d ().-]{5,20}\d"
).search
_ANNOUNCEMENTS = ("tel", "call", "text", "sms", "viber", "whatsapp", "phone", "mobile", "cell")
_DOMAIN = re.compile(r"\.(?<=\w\.)(?:com|net|org|ru|cn|xyz|biz)\b").search
_EMAIL = re.compile(r"[\w.+-]{1,64}@\w[\w-]{0,60}\.\w").search
_HANDLE = re.compile(r"(?:^|[\s(:,])@\w[\w.]{2,30}").search


def _phone(text: str) -> bool:
    """International numbers, and others that are announced as one; bare digits are mostly sizes and article numbers."""
    return _INTERNATIONAL(text) is not None or (
        any(word in text for word in _ANNOUNCEMENTS) and _ANNOUNCED(text) is not None
    )


#: Ways to name a contact outside the marketplace, by the name that term files use.
PATTERNS: Final[dict[str, Finder]] = {
    "phone": _phone,
    "url": lambda text: "://" in text or "www." in text or _DOMAIN(text) is not None,
    "email": lambda text: "@" in text and _EMAIL(text) is not None,
    "handle": lambda text: "@" in text and _HANDLE(text) is not None,
}


class _Phrase(NamedTuple):
    words: Words
    kind: int
    """Index into LISTS, or _ALLOWED."""
    term: str


class _Symbol(NamedTuple):
    text: str
    kind: int
    search: Finder


class Terms:
    """Compiled term lists, brands and categories; :func:`compile_terms` makes one."""

    __slots__ = ("_brands", "_contexts", "_finders", "_phrases", "_prohibited", "_restricted", "_symbols")

    def __init__(self, spec: TermsSpec) -> None:
        phrases: dict[str, list[_Phrase]] = {}
        self._symbols: list[_Symbol] = []
        self._finders: list[tuple[str, int, Finder]] = []
        for kind, name in enumerate(LISTS):
            terms: TermListSpec = getattr(spec, name)
            allowed = [fold(phrase) for phrase in terms.allow]
            for phrase in allowed:
                _add(phrases, _Phrase(tuple(words_of(phrase)), _ALLOWED, phrase))
            for term in map(fold, terms.terms):
                if _is_symbol(term):
                    inside = [phrase for phrase in allowed if term in phrase]
                    self._symbols.append(_Symbol(term, kind, _symbol_finder(term, inside)))
                else:
                    _add(phrases, _Phrase(tuple(words_of(term)), kind, term))
            self._finders += [(pattern, kind, PATTERNS[pattern]) for pattern in terms.patterns]
        self._phrases = {first: _longest_first(group) for first, group in phrases.items()}
        brands: dict[str, list[_Phrase]] = {}
        for brand in spec.brands.protected:
            _add(brands, _Phrase(tuple(words_of(fold(brand))), 0, _name(brand)))
        self._brands = {first: _longest_first(group) for first, group in brands.items()}
        #: By their last word: most words before a brand end none.
        self._contexts: dict[str, list[Words]] = {}
        for context in spec.brands.contexts:
            words = tuple(words_of(fold(context)))
            self._contexts.setdefault(words[-1], []).append(words)
        self._prohibited = frozenset(map(_path, spec.categories.prohibited))
        self._restricted = {_path(path): permit for path, permit in spec.categories.restricted.items()}

    def scan(
        self,
        title: str,
        description: str | None = None,
        category: str = "",
        brand: str | None = None,
        authorizations: Sequence[str] | None = None,
    ) -> ListingText:
        """Signals of a listing. ``authorizations`` are brands and permits, bare or as
        ``brand:…``, ``permit:…`` or ``category:…``.
        """
        text = fold(title)
        title_words = words_of(text)
        counts = [0, 0, 0, 0]
        for kind, _ in self._hits(text, title_words, description):
            counts[kind] += 1
        prohibited, permit = self._category(category)
        named = self._named_brand(title_words, brand)
        held = _held(authorizations) if authorizations and (named or permit) else frozenset()
        return ListingText(
            replica_terms=counts[0],
            contact_terms=counts[1],
            prohibited_terms=counts[2],
            claim_terms=counts[3],
            brand_unauthorised=bool(named - held) if named else False,
            category_prohibited=prohibited,
            category_restricted=permit is not None and held.isdisjoint(_held([permit])),
        )

    def hits(self, title: str, description: str | None = None) -> dict[str, list[str]]:
        """The terms found, by list, sorted: what a reviewer wants to see."""
        found: dict[str, list[str]] = {}
        text = fold(title)
        for kind, term in sorted(self._hits(text, words_of(text), description)):
            found.setdefault(LISTS[kind], []).append(term)
        return found

    def _hits(self, text: str, title_words: list[str], description: str | None) -> Collection[tuple[int, str]]:
        words = title_words
        if description:
            folded = fold(description)
            text = f"{text}\n{folded}"
            # The mark keeps a phrase from reaching across.
            words = [*title_words, "\n", *words_of(folded)]
        found: set[tuple[int, str]] = set()
        if not self._phrases.keys().isdisjoint(words):
            found.update((phrase.kind, phrase.term) for phrase in _phrases_in(words, self._phrases))
        for symbol in self._symbols:
            if symbol.text in text and symbol.search(text):
                found.add((symbol.kind, symbol.text))
        for name, kind, finder in self._finders:
            if finder(text):
                found.add((kind, name))
        return found

    def _category(self, category: str) -> tuple[bool, str | None]:
        """Whether a category or one above it is prohibited, and the permit that the closest restricted one needs."""
        path = category.lower() if category.isascii() else fold(category)
        prohibited, permit = False, None
        while path:
            prohibited = prohibited or path in self._prohibited
            permit = permit or self._restricted.get(path)
            path = path.rpartition("/")[0]
        return prohibited, permit

    def _named_brand(self, title_words: list[str], brand: str | None) -> frozenset[str]:
        """Protected brands that a listing sells under: its brand field, and its title outside of "case for" and the
        like.
        """
        found: set[str] = set()
        if brand:
            words = words_of(fold(brand))
            if words and words[0] in self._brands:
                found.update(phrase.term for phrase in _phrases_in(words, self._brands))
        if not self._brands.keys().isdisjoint(title_words):
            for position, word in enumerate(title_words):
                for phrase in self._brands.get(word, ()):
                    if tuple(title_words[position : position + len(phrase.words)]) == phrase.words:
                        if not self._excused(title_words, position):
                            found.add(phrase.term)
                        break
        return frozenset(found)

    def _excused(self, words: list[str], position: int) -> bool:
        """Whether a context ends at most CONTEXT_REACH words before a position."""
        for end in range(position, max(0, position - CONTEXT_REACH - 1), -1):
            for context in self._contexts.get(words[end - 1], ()):
                if tuple(words[max(0, end - len(context)) : end]) == context:
                    return True
        return False


def compile_terms(spec: TermsSpec) -> Terms:
    """A matcher for the terms of a policy set.

    Raises
    ------
    ValueError
        A term has no letter or digit, or a pattern is not one of PATTERNS.
    """
    lists = {name: getattr(spec, name) for name in LISTS}
    for name, terms in lists.items():
        for pattern in terms.patterns:
            if pattern not in PATTERNS:
                hint = did_you_mean(pattern, PATTERNS) or f"; known are {', '.join(PATTERNS)}"
                raise ValueError(f'{name}: unknown pattern "{pattern}"{hint}')
        _need_words(name, (*terms.terms, *terms.allow))
    _need_words("brands", (*spec.brands.protected, *spec.brands.contexts))
    return Terms(spec)


def listing_signals(listing: ListingVersion, terms: Terms) -> ListingText:
    """Signals of a version of a listing as it was sent."""
    return terms.scan(listing.title, listing.description, listing.category, listing.brand, listing.authorizations)


def _need_words(name: str, terms: Iterable[str]) -> None:
    for term in terms:
        if not words_of(fold(term)):
            raise ValueError(f"{name}: {term!r} has no letter or digit")


def _add(table: dict[str, list[_Phrase]], phrase: _Phrase) -> None:
    table.setdefault(phrase.words[0], []).append(phrase)


def _longest_first(phrases: Iterable[_Phrase]) -> tuple[_Phrase, ...]:
    # At equal length the allowed phrase, whose kind is the least, comes first.
    return tuple(sorted(set(phrases), key=lambda phrase: (-len(phrase.words), phrase.kind, phrase.words)))


def _phrases_in(words: Sequence[str], table: Mapping[str, tuple[_Phrase, ...]]) -> Iterable[_Phrase]:
    """Phrases that count, from left to right; each word belongs to the longest phrase that begins first."""
    position = 0
    while position < len(words):
        for phrase in table.get(words[position], ()):
            length = len(phrase.words)
            if tuple(words[position : position + length]) == phrase.words:
                if phrase.kind != _ALLOWED:
                    yield phrase
                position += length
                break
        else:
            position += 1


def _is_symbol(term: str) -> bool:
    """Whether a term cannot be found by words: other characters than letters, digits, blanks; or Chinese, Japanese,
    Thai.
    """
    return any(
        not (character.isalnum() or character == " ") or "\u0e00" <= character <= "\u0eff" or character >= "\u2e80"
        for character in term
    )


def _symbol_finder(term: str, allowed: Sequence[str]) -> Finder:
    """Finds a term as it stands, not in the middle of a Latin word or number, and not inside an allowed phrase."""
    left = r"(?<![a-z0-9])" if term[0].isascii() and term[0].isalnum() else ""
    right = r"(?![a-z0-9])" if term[-1].isascii() and term[-1].isalnum() else ""
    search = re.compile(f"{left}{re.escape(term)}{right}").search
    if not allowed:
        return lambda text: search(text) is not None
    excuses = re.compile("|".join(re.escape(phrase) for phrase in sorted(allowed, key=len, reverse=True)))
    return lambda text: search(excuses.sub(" ", text)) is not None


def _path(path: str) -> str:
    return fold(path).strip("/")


def _held(authorizations: Iterable[str]) -> frozenset[str]:
    held = set()
    for authorization in authorizations:
        prefix, _, rest = fold(authorization).partition(":")
        held.add(_name(rest if rest and prefix in _PREFIXES else authorization))
    return frozenset(held)


def _name(text: str) -> str:
    return " ".join(fold(text).split())
