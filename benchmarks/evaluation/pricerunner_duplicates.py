"""The same product at several merchants, by titles alone: fingerprints and bands against the canonical product.

Judged are pairs of offers of different merchants whose titles are nearly equal: their sets of words have a Jaccard
index of at least 0.8. A title that some merchant uses for several products tells no product apart, whoever compares
(processors as upgrade kits for different servers); pairs with such a title are counted apart.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from math import ceil
from time import perf_counter
from typing import Any, Final, TypeAlias

from benchmarks.evaluation.pricerunner_rows import Offer
from features.fingerprints import title_bands, title_fingerprint, titles_alike
from features.text import fold, words_of

#: Jaccard index of the words from which two titles are nearly equal.
NEAR: Final = 0.8

Pair: TypeAlias = tuple[int, int]
Words: TypeAlias = frozenset[str]


def evaluate_duplicates(offers: Sequence[Offer]) -> dict[str, Any]:
    """Precision and recall over nearly equal pairs of titles that tell products apart, over all nearly equal ones, and
    of everything that is called alike.
    """
    words = [frozenset(words_of(fold(offer.title))) for offer in offers]
    near = [pair for pair in near_pairs(words) if _apart(offers, pair)]
    start = perf_counter()
    called = {pair for pair in called_alike([offer.title for offer in offers]) if _apart(offers, pair)}
    seconds = perf_counter() - start
    used = Counter((offer.merchant, key) for offer, key in zip(offers, words, strict=True))
    several = {key for (_, key), count in used.items() if count > 1}
    clear = [pair for pair in near if words[pair[0]] not in several and words[pair[1]] not in several]
    found = _figures(offers, clear, called)
    all_called = [pair for pair in called if words[pair[0]] not in several and words[pair[1]] not in several]
    return {
        "duplicates_pairs": len(clear),
        "duplicates_same_product": sum(_same(offers, pair) for pair in clear),
        "duplicates_precision": found["precision"],
        "duplicates_recall": found["recall"],
        "duplicates_by_name": _figures(offers, clear, called, by_name=True),
        "duplicates_all_near": _figures(offers, near, called) | {"pairs": len(near)},
        "duplicates_equal_words_precision": _share(
            _same(offers, pair) for pair in near if words[pair[0]] == words[pair[1]]
        ),
        "duplicates_called": len(all_called),
        "duplicates_called_precision": _share(_same(offers, pair) for pair in all_called),
        "duplicates_us_per_listing": seconds / max(1, len(offers)) * 1e6,
    }


def called_alike(titles: Sequence[str]) -> set[Pair]:
    """Pairs that share a band and are alike by their fingerprints: what a registry of bands finds."""
    prints = [title_fingerprint(title) for title in titles]
    buckets: dict[int, list[int]] = defaultdict(list)
    for index, fingerprint in enumerate(prints):
        for band in title_bands(fingerprint):
            buckets[band].append(index)
    return {
        pair
        for members in buckets.values()
        for pair in combinations(members, 2)
        if titles_alike(prints[pair[0]], prints[pair[1]])
    }


def near_pairs(words: Sequence[Words]) -> Iterable[Pair]:
    """Pairs with a Jaccard index of at least :data:`NEAR`, all of them: such a pair shares one of the rarest words of
    each (prefix filtering, Chaudhuri et al. 2006).
    """
    frequency = Counter(word for each in words for word in each)
    holders: dict[str, list[int]] = defaultdict(list)
    for index, each in enumerate(words):
        ordered = sorted(each, key=lambda word: (frequency[word], word))
        rarest = ordered[: len(ordered) - ceil(NEAR * len(ordered)) + 1]
        seen = {other for word in rarest for other in holders[word]}
        for other in sorted(seen):
            common = len(each & words[other])
            if common >= NEAR * (len(each) + len(words[other]) - common):
                yield other, index
        for word in rarest:
            holders[word].append(index)


def _figures(offers: Sequence[Offer], judged: Sequence[Pair], called: set[Pair], *, by_name: bool = False) -> Any:
    hits = [pair for pair in judged if pair in called]
    right = sum(_same(offers, pair, by_name=by_name) for pair in hits)
    same = sum(_same(offers, pair, by_name=by_name) for pair in judged)
    return {"precision": right / len(hits) if hits else None, "recall": right / same if same else None}


def _share(found: Iterable[bool]) -> float | None:
    listed = list(found)
    return sum(listed) / len(listed) if listed else None


def _apart(offers: Sequence[Offer], pair: Pair) -> bool:
    return offers[pair[0]].merchant != offers[pair[1]].merchant


def _same(offers: Sequence[Offer], pair: Pair, *, by_name: bool = False) -> bool:
    """Whether two offers are of one canonical product, or of products of one name: the site lists some twice."""
    first, second = offers[pair[0]], offers[pair[1]]
    if by_name:
        return first.product_name.lower() == second.product_name.lower()
    return first.product == second.product
