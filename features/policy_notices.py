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
        Version of the set that judged before; empty if that is not known.
    detail
        Why it was left alone; empty where it was taken up.
    """

    publication: int
    version: str
    previous: str = ""
    detail: str = ""
