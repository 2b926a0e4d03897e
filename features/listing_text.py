"""What a listing's text and category say about it: terms per policy, protected brands, prohibited and restricted
categories.

Text is compared in the normal form of :func:`features.text.fold` and by whole words: "replica" does not hit
"replicate". A text is cut into words once and each word is looked up in one table for all lists, longest phrase first,
so that an allowed phrase ("scale replica") takes its words away from the term inside it. Terms with other characters
than letters, digits and blanks ("1:1"), or in scripts without blanks between words, are looked up as they stand.
:mod:`features.disguise` finds the words of terms that are spelt to escape this, :mod:`features.contact_text` contact
details and :mod:`features.brand_names` brands.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from config.policies import did_you_mean
from config.policy_specs import TermListSpec, TermsSpec
from features.brand_names import Brands, brand_name
from features.contact_text import PATTERNS, Finder
from features.disguise import ALLOWED, Cut, Disguises, Phrase, cut_up, pieces_of
from features.events import ListingVersion
from features.text import fold, title_similarity, words_of

__all__ = ["LISTS", "PATTERNS", "ListingText", "Terms", "compile_terms", "listing_signals", "title_similarity"]

#: The term lists, in the order of the counts in ListingText.
LISTS: Final = ("replica", "contact", "prohibited", "claims")
#: Hints of a list have this added to its kind: they count beside a term of the list or a protected brand alone.
_HINT: Final = len(LISTS)
#: Terms with a sign that are looked for in disguise as well; in others ("1:1") there is too little to go by.
_DISGUISABLE: Final = re.compile(r"(?=.*[a-z]{4})[a-z0-9% ]+").fullmatch
#: What may stand before the name in an authorization, as in "brand:solenne".
_PREFIXES: Final = ("brand", "permit", "category")


class ListingText(Struct, frozen=True, gc=False):
    """Signals of one version of a listing; counts are of distinct terms, a built-in pattern counting as one."""

    replica_terms: int = 0
    contact_terms: int = 0
    prohibited_terms: int = 0
    claim_terms: int = 0
    brand_unauthorised: bool = False
    category_prohibited: bool = False
    category_restricted: bool = False
    disguised_terms: int = 0
    brand_lookalike: bool = False


class _Symbol(NamedTuple):
    text: str
    kind: int
    search: Finder


class Terms:
    """Compiled term lists, brands and categories; :func:`compile_terms` makes one."""

    __slots__ = ("_brands", "_disguises", "_finders", "_phrases", "_prohibited", "_restricted", "_symbols")

    def __init__(self, spec: TermsSpec) -> None:
        phrases: set[Phrase] = set()
        hidden: set[Phrase] = set()
        self._symbols: list[_Symbol] = []
        self._finders: list[tuple[str, int, Finder]] = []
        for kind, name in enumerate(LISTS):
            terms: TermListSpec = getattr(spec, name)
            allowed = [fold(phrase) for phrase in terms.allow]
            phrases.update(Phrase(ALLOWED, tuple(words_of(phrase)), phrase) for phrase in allowed)
            for counted, listed in ((kind, terms.terms), (kind + _HINT, terms.hints)):
                for term in map(fold, listed):
                    if _is_symbol(term):
                        inside = [phrase for phrase in allowed if term in phrase]
                        self._symbols.append(_Symbol(term, counted, _symbol_finder(term, inside)))
                        if _DISGUISABLE(term):
                            hidden.add(Phrase(counted, tuple(pieces_of(term)), term))
                    else:
                        phrases.add(Phrase(counted, tuple(words_of(term)), term))
            self._finders += [(pattern, kind, PATTERNS[pattern]) for pattern in terms.patterns]
        self._phrases = _by_first_word(phrases)
        self._disguises = Disguises(phrases | hidden)
        self._brands = Brands(spec.brands)
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
        cut = cut_up(title)
        brands = self._brands.find(title_words, cut, brand)
        prohibited, permit = self._category(category)
        suspected = brands.named | brands.lookalike
        held = _held(authorizations) if authorizations and (suspected or permit) else frozenset()
        plain, disguised = self._hits(text, title_words, cut, description)
        counts = [0, 0, 0, 0]
        for kind in _counted(plain | disguised if disguised else plain, not suspected <= held):
            counts[kind] += 1
        return ListingText(
            replica_terms=counts[0],
            contact_terms=counts[1],
            prohibited_terms=counts[2],
            claim_terms=counts[3],
            brand_unauthorised=not brands.named <= held,
            category_prohibited=prohibited,
            category_restricted=permit is not None and held.isdisjoint(_held([permit])),
            disguised_terms=sum(kind < _HINT for kind, _ in disguised),
            brand_lookalike=not brands.lookalike <= held,
        )

    def hits(self, title: str, description: str | None = None) -> dict[str, list[str]]:
        """The terms found, in disguise or not, by list, sorted: what a reviewer wants to see. Hints are left out."""
        found: dict[str, list[str]] = {}
        text = fold(title)
        plain, disguised = self._hits(text, words_of(text), cut_up(title), description)
        for kind, term in sorted(plain | disguised):
            if kind < _HINT:
                found.setdefault(LISTS[kind], []).append(term)
        return found

    def _hits(
        self, text: str, title_words: list[str], cut: Cut, description: str | None
    ) -> tuple[set[tuple[int, str]], set[tuple[int, str]]]:
        """Kind and term of what is found as it is, and of what is found only in disguise, in a folded title, its words,
        the title cut up, and a description.
        """
        words, unmasked = title_words, cut.unmasked
        hidden = self._disguises.find(cut)
        if description:
            folded = fold(description)
            text = f"{text}\n{folded}"
            # The mark keeps a phrase from reaching across.
            words = [*title_words, "\n", *words_of(folded)]
            rest = cut_up(description)
            unmasked = f"{unmasked}\n{rest.unmasked}"
            hidden += self._disguises.find(rest)
        found: set[tuple[int, str]] = set()
        if not self._phrases.keys().isdisjoint(words):
            found.update((phrase.kind, phrase.term) for phrase in _phrases_in(words, self._phrases))
        self._search(text, found)
        disguised = {(phrase.kind, phrase.term) for phrase in hidden if phrase.kind != ALLOWED}
        if unmasked != text:
            self._search(unmasked, disguised)
        if disguised:
            disguised -= found
        return found, disguised

    def _search(self, text: str, found: set[tuple[int, str]]) -> None:
        """Add what is looked up as it stands."""
        if " : " in text:
            text = text.replace(" : ", ":")
        for symbol in self._symbols:
            if symbol.text in text and symbol.search(text):
                found.add((symbol.kind, symbol.text))
        for name, kind, finder in self._finders:
            if finder(text):
                found.add((kind, name))

    def _category(self, category: str) -> tuple[bool, str | None]:
        """Whether a category or one above it is prohibited, and the permit that the closest restricted one needs."""
        path = category.lower() if category.isascii() else fold(category)
        prohibited, permit = False, None
        while path:
            prohibited = prohibited or path in self._prohibited
            permit = permit or self._restricted.get(path)
            path = path.rpartition("/")[0]
        return prohibited, permit


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
        _need_words(name, (*terms.terms, *terms.allow, *terms.hints))
    _need_words("brands", (*spec.brands.protected, *spec.brands.contexts, *spec.brands.known))
    return Terms(spec)


def listing_signals(listing: ListingVersion, terms: Terms) -> ListingText:
    """Signals of a version of a listing as it was sent."""
    return terms.scan(listing.title, listing.description, listing.category, listing.brand, listing.authorizations)


def _need_words(name: str, terms: Iterable[str]) -> None:
    for term in terms:
        if not words_of(fold(term)):
            raise ValueError(f"{name}: {term!r} has no letter or digit")


def _by_first_word(phrases: Iterable[Phrase]) -> dict[str, tuple[Phrase, ...]]:
    """Phrases by their first word, the longest first. At equal length the allowed one, whose kind is the least, comes
    first.
    """
    found: dict[str, list[Phrase]] = {}
    for phrase in sorted(phrases, key=lambda phrase: (-len(phrase.words), phrase.kind, phrase.words)):
        found.setdefault(phrase.words[0], []).append(phrase)
    return {first: tuple(group) for first, group in found.items()}


def _counted(found: Iterable[tuple[int, str]], unauthorised: bool) -> Iterable[int]:
    """The list of each term that counts: hints do beside a term of their list, or a brand without authorisation."""
    lists = {kind for kind, _ in found if kind < _HINT}
    for kind, _ in found:
        if kind < _HINT:
            yield kind
        elif unauthorised or kind - _HINT in lists:
            yield kind - _HINT


def _phrases_in(words: Sequence[str], table: Mapping[str, tuple[Phrase, ...]]) -> Iterable[Phrase]:
    """Phrases that count, from left to right; each word belongs to the longest phrase that begins first."""
    position = 0
    while position < len(words):
        for phrase in table.get(words[position], ()):
            length = len(phrase.words)
            if tuple(words[position : position + length]) == phrase.words:
                if phrase.kind != ALLOWED:
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
        held.add(brand_name(rest if rest and prefix in _PREFIXES else authorization))
    return frozenset(held)
