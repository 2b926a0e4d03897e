"""Parties: those who have credit and can be enforced against, merchants and creators."""

from typing import Literal, Protocol, TypeAlias

from features.credit import CreditState
from features.enforcement_state import EnforcementState

PartyKind: TypeAlias = Literal["merchant", "creator"]


class PartyRecord(Protocol):
    """What the stored records of merchants and creators have in common; times in ms."""

    #: Highest event time seen, timers included.
    as_of: int
    #: Number of the latest output about the party.
    sequence: int
    #: Rank of the level that it was last assessed at, the rules that stood against it then, and the assessment's id.
    level: int
    fired: list[str]
    assessment: str
    enforcement: EnforcementState | None
    credit: CreditState | None
    timer: int


class Party(Protocol):
    """A merchant or a creator in use."""

    @property
    def id(self) -> str:
        """Its id, which is the key of its records and outputs."""

    @property
    def kind(self) -> PartyKind:
        """What it is."""

    @property
    def record(self) -> PartyRecord:
        """What is stored of it."""

    def advance(self, time: int) -> bool:
        """Move its as-of time on to ``time``, ms; true when that began a new day."""


def merchant_id(party: Party) -> str:
    """What outputs about a party have for a merchant: its id, or nothing for a creator."""
    return party.id if party.kind == "merchant" else ""


def creator_id(party: Party) -> str | None:
    """What outputs about a party have for a creator: its id, or nothing for a merchant."""
    return party.id if party.kind == "creator" else None


def timer_key(party: Party) -> str:
    """Key of a party's timer in the shard's calendar."""
    return f"{party.kind[0]}{party.id}"
