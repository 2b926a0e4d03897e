"""Titles in swapped categories: ours test-then-train, River's models in our place, and batch models retrained."""

import itertools
from collections.abc import Callable, Sequence
from math import log
from statistics import fmean
from time import perf_counter
from typing import Any, Final

import numpy as np
from river import linear_model, naive_bayes, optim, preprocessing
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from benchmarks.evaluation.pricerunner_rows import Offer, Placed, place
from detectors.category import CategoryModel
from detectors.evaluation.ranking import average_precision, roc_auc
from detectors.listing_category import DOUBT_WEIGHT, DOUBTED
from features.listing_words import listing_words

#: Share of the listings that stand in a wrong category.
SWAPPED: Final = 0.05
#: The first of the stream is not measured: nothing is known yet.
WARM_UP: Final = 0.2
#: How often the batch model is trained anew over what is measured.
RETRAININGS: Final = 8


def evaluate_categories(offers: Sequence[Offer], seeds: Sequence[int]) -> dict[str, Any]:
    """Average precision and area under the curve of swapped categories, the mean over seeds; what the rule's threshold
    finds; and the same of others.
    """
    runs = [_ours(place(offers, seed, SWAPPED)) for seed in seeds]
    first = place(offers, seeds[0], SWAPPED)
    as_given = _ours(place(offers, seeds[0], SWAPPED, shuffle=False))
    return {
        "category_swapped_ap": fmean(run["ap"] for run in runs),
        "category_swapped_auc": fmean(run["auc"] for run in runs),
        "category_swapped_ap_lowest": min(run["ap"] for run in runs),
        "category_swapped_ap_as_given": as_given["ap"],
        "category_rule_recall": fmean(run["rule_recall"] for run in runs),
        "category_rule_precision": fmean(run["rule_precision"] for run in runs),
        "category_us_per_listing": min(run["us"] for run in runs),
        "category_seeds": len(runs),
        "category_river": {name: _river(first, make) for name, make in _RIVER.items()},
        "category_yardstick": _batch(first),
    }


def _ours(placed: Sequence[Placed]) -> dict[str, float]:
    model = CategoryModel()
    scores = []
    start = perf_counter()
    for each in placed:
        words = listing_words(each.offer.title)
        found = model.mismatch(words, each.category)
        scores.append(0.0 if found is None else found.probability)
        model.learn(words, each.category, DOUBT_WEIGHT if scores[-1] >= DOUBTED else 1.0)
    seconds = perf_counter() - start
    labels, measured = _measured(placed, scores)
    hits = sum(label and score >= DOUBTED for label, score in zip(labels, measured, strict=True))
    named = sum(score >= DOUBTED for score in measured)
    return _ranked(labels, measured) | {
        "rule_recall": hits / max(1, sum(labels)),
        "rule_precision": hits / max(1, named),
        "us": seconds / len(placed) * 1e6,
    }


def _softmax() -> Any:
    return linear_model.SoftmaxRegression(optimizer=optim.SGD(0.5))


#: River's ComplementNB takes a hundred times as long as these.
_RIVER: Final[dict[str, Callable[[], Any]]] = {
    "multinomial_nb": lambda: naive_bayes.MultinomialNB(alpha=0.1),  # type: ignore[no-untyped-call]
    "softmax": lambda: preprocessing.Normalizer() | _softmax(),  # type: ignore[no-untyped-call]
}


def _river(placed: Sequence[Placed], make: Callable[[], Any]) -> dict[str, float]:
    """One of River's models on the same words, with their default settings but for what is said above."""
    model = make()
    scores = []
    start = perf_counter()
    for each in placed:
        words = dict.fromkeys(map(str, listing_words(each.offer.title)), 1)
        shares = model.predict_proba_one(words)
        others = [share for category, share in shares.items() if category != each.category]
        known = each.category in shares and others
        scores.append(_log(max(others)) - _log(shares[each.category]) if known else -1e9)
        model.learn_one(words, each.category)
    seconds = perf_counter() - start
    return _ranked(*_measured(placed, scores)) | {"us": seconds / len(placed) * 1e6}


def _log(share: float) -> float:
    return log(max(share, 1e-300))


def _batch(placed: Sequence[Placed]) -> dict[str, Any]:
    """TF-IDF and a linear support vector machine, trained anew on all before each eighth of what is measured, with
    the wrong categories among them as ours has.
    """
    start = round(len(placed) * WARM_UP)
    borders = [start + (len(placed) - start) * part // RETRAININGS for part in range(RETRAININGS + 1)]
    scores: list[float] = [0.0] * start
    for begin, end in itertools.pairwise(borders):
        vectors = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
        model = LinearSVC(random_state=0)
        with threadpool_limits(1):
            model.fit(
                vectors.fit_transform([each.offer.title for each in placed[:begin]]),
                [each.category for each in placed[:begin]],
            )
            margins = np.atleast_2d(
                model.decision_function(vectors.transform([each.offer.title for each in placed[begin:end]]))
            )
        if margins.shape[0] != end - begin:
            margins = np.column_stack([-margins[0], margins[0]])
        place_of = {category: index for index, category in enumerate(model.classes_)}
        for each, row in zip(placed[begin:end], margins, strict=True):
            own = place_of.get(each.category)
            scores.append(-1e9 if own is None else float(np.delete(row, own).max() - row[own]))
    return _ranked(*_measured(placed, scores)) | {"retrainings": RETRAININGS}


def _measured(placed: Sequence[Placed], scores: Sequence[float]) -> tuple[list[bool], list[float]]:
    start = round(len(placed) * WARM_UP)
    return [each.swapped for each in placed[start:]], list(scores[start:])


def _ranked(labels: Sequence[bool], scores: Sequence[float]) -> dict[str, float]:
    return {"ap": average_precision(labels, scores) or 0.0, "auc": roc_auc(labels, scores) or 0.0}
