"""Features of credit: the score as it was last published, for rules of one's own."""

from typing import Final

from features.feature import Context, Feature


def _score(c: Context) -> float | None:
    credit = c.merchant.record.credit
    return None if credit is None else credit.score


def _in_probation(c: Context) -> float:
    credit = c.merchant.record.credit
    return 0 if credit is None or credit.graduated else 1


def _creator_score(c: Context) -> float | None:
    credit = None if c.creator is None else c.creator.record.credit
    return None if credit is None else credit.score


#: Features of merchants.
CREDIT_FEATURES: Final = (
    Feature(
        "credit_score",
        "merchant",
        "0 to 1000",
        "180 d",
        "credit score as last published (docs/credit.md)",
        "too few orders for a score",
        _score,
    ),
    Feature(
        "in_probation",
        "merchant",
        "0 or 1",
        "now",
        "whether the merchant is new and has not yet shown how it serves",
        "never",
        _in_probation,
    ),
)
#: Features of creators.
CREATOR_CREDIT_FEATURES: Final = (
    Feature(
        "creator_credit_score",
        "creator",
        "0 to 1000",
        "180 d",
        "credit score of the creator as last published",
        "too few orders for a score",
        _creator_score,
    ),
)
