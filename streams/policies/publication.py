"""One publication of a policy set: a record of the compacted topic ``governance-policies``.

A record holds a whole set, file by file. Its key is the publication's number and version, so compaction keeps every one
and the topic is the history. The latest that can be used and is for everybody is in force; one after it for a share of
the merchants and creators is beside it, until another publication widens, promotes or ends that roll-out. A rollback is
a publication too, of an earlier set.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from config.policies import PolicyError, parse_policies
from detectors.policy import PolicySet, compile_policies
from features.policy_notices import Rollout
from features.registry import FEATURES

#: Brokers take 1 MiB by default; headers, key and the rest of the record need some of it.
MAX_BYTES: Final = 900 * 1024
#: Characters of what is wrong that an event and a table show.
MAX_WHY: Final = 1_000


#: What a publication was made for: recorded for people; ``percent`` alone decides who is judged by it.
Act: TypeAlias = Literal["publish", "roll_out", "widen", "promote", "roll_back"]
#: Share for which a set is everybody's.
EVERYBODY: Final = 100.0


class Publication(Struct, frozen=True, kw_only=True):
    """A policy set, when (ms), by whom and why it was published.

    ``version`` is the set's own as who published it compiled it; ``rolls_back_to`` the number of the publication whose
    set it brings back. ``percent`` is the share of merchants and creators that it judges: 100 puts it in force, less
    rolls it out to those that are drawn under ``salt``, and 0 ends its roll-out.
    """

    number: Annotated[int, Meta(ge=1)]
    version: str
    published_at: int
    by: str
    why: str
    files: Annotated[dict[str, str], Meta(min_length=1)]
    rolls_back_to: int | None = None
    act: Act = "publish"
    percent: Annotated[float, Meta(ge=0, le=EVERYBODY)] = EVERYBODY
    salt: str = ""

    @property
    def key(self) -> bytes:
        """The key of its record."""
        return f"{self.number:06}-{self.version}".encode()


class KnownPublication(Struct, frozen=True):
    """A record of the topic as this version sees it: ``policies`` is the set; where it is None, ``why`` says what is
    wrong.
    """

    offset: int
    publication: Publication | None
    policies: PolicySet | None
    why: str = ""


class Force(Struct, frozen=True):
    """What a history of publications comes to: the one in force for everybody but those of a roll-out (None: the
    folder of each worker), the roll-out under way, and the latest publication that can be used.
    """

    base: KnownPublication | None
    rollout: Rollout | None
    latest: KnownPublication | None


_decode: Final = msgspec.json.Decoder(Publication).decode


def encode(publication: Publication) -> bytes:
    """The value of a publication's record.

    Raises
    ------
    ValueError
        The set is too large for one.
    """
    value = msgspec.json.encode(publication)
    if len(value) > MAX_BYTES:
        raise ValueError(
            f"the policies take {len(value):,} bytes and at most {MAX_BYTES:,} fit into a record: shorten term lists "
            "and comments"
        )
    return value


def read_publication(offset: int, value: bytes | None) -> KnownPublication | None:
    """A record of the topic, compiled; None for one that was deleted."""
    if value is None:
        return None
    try:
        publication = _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return KnownPublication(offset, None, None, f"the record is no publication of policies: {error}"[:MAX_WHY])
    try:
        policies = compile_files(publication.files)
    except PolicyError as error:
        return KnownPublication(offset, publication, None, str(error)[:MAX_WHY])
    return KnownPublication(offset, publication, policies)


def in_force(history: Sequence[KnownPublication]) -> Force:
    """Which of some publications, in their order, are in force."""
    base = latest = None
    rollout = None
    for each in history:
        made = each.publication
        if made is None or each.policies is None:
            continue
        latest = each
        if made.percent >= EVERYBODY:
            base, rollout = each, None
        else:
            rollout = Rollout(each.policies.version, made.percent, made.salt) if made.percent > 0 else None
    return Force(base, rollout, latest)


def compile_files(files: Mapping[str, str]) -> PolicySet:
    """The policy set of some files, by their names. Raises PolicyError with everything that is wrong."""
    return _compiled(tuple(sorted(files.items())))


@lru_cache(maxsize=16)
def _compiled(files: tuple[tuple[str, str], ...]) -> PolicySet:
    """Kept, as roll-outs and rollbacks publish the same set again."""
    return compile_policies(parse_policies("policies", dict(files)), FEATURES)
