"""The registry of named features: what policies may name, what outputs show, what docs/features.md is made from.

A feature is a function of a :class:`Context`: a merchant at its as-of time, the shard's population, and the order or
listing at hand. ``None`` means null: not known, or not defined for this merchant; a rule that names a null feature
does not fire.
"""

from typing import Final

from features.creator_features import CREATOR_FEATURES, PROMOTER_FEATURES
from features.credit_features import CREATOR_CREDIT_FEATURES, CREDIT_FEATURES
from features.duty_features import DUTY_FEATURES
from features.feature import Context, Entity, Feature, Getter, of_creator
from features.joint_features import JOINT_FEATURES
from features.link_features import CLAIM_FEATURES, LINK_FEATURES, MATCH_FEATURES
from features.merchant_features import MERCHANT_FEATURES
from features.priors import DEFAULT_PRIORS
from features.rate_features import RATE_FEATURES
from features.subject_features import LISTING_FEATURES, ORDER_FEATURES

__all__ = ["DEFAULT_PRIORS", "FEATURES", "FEATURES_VERSION", "Context", "Entity", "Feature", "Getter", "of_creator"]

#: Version of the feature contract: raised when a definition changes.
FEATURES_VERSION: Final = "1"

#: Every feature by name, in the order of the documentation.
FEATURES: Final[dict[str, Feature]] = {
    feature.name: feature
    for feature in (
        *RATE_FEATURES,
        *MERCHANT_FEATURES,
        *DUTY_FEATURES,
        *CREDIT_FEATURES,
        *LINK_FEATURES,
        *JOINT_FEATURES,
        *PROMOTER_FEATURES,
        *ORDER_FEATURES,
        *CLAIM_FEATURES,
        *LISTING_FEATURES,
        *MATCH_FEATURES,
        *CREATOR_FEATURES,
        *CREATOR_CREDIT_FEATURES,
    )
}
