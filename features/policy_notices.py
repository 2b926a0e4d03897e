"""What a shard took note of: policy sets that were published while it worked."""

from msgspec import Struct


class PolicyNotice(Struct, frozen=True, array_like=True):
    """A publication that a shard took up, or left alone as this version can't use it.

    Attributes
    ----------
    publication
        Its offset in the topic of policies.
    version
        Of the set that judges from now on; empty where it was left alone.
    previous
        Version of the set that judged before; empty if that is not known. It goes on judging the others where
        ``percent`` is below 100.
    detail
        Why it was left alone; empty where it was taken up.
    percent
        Share of the merchants and creators that the set judges from now on, over 0, at most 100.
    """

    publication: int
    version: str
    previous: str = ""
    detail: str = ""
    percent: float = 100.0


class Rollout(Struct, frozen=True, array_like=True):
    """A policy set that judges a share of the merchants and creators, beside the one in force.

    Attributes
    ----------
    version
        Of the set.
    percent
        The share, over 0 and below 100.
    salt
        Under which they are drawn (:mod:`detectors.assignment`): whoever is drawn stays so when the share grows.
    """

    version: str
    percent: float
    salt: str
