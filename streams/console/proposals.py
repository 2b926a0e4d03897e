"""Acts that take a second person: proposed by one, agreed to by another, in time."""

from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from streams.console.acts.act import Act
from streams.console.trail import Trail

State: TypeAlias = Literal["open", "agreed", "refused", "withdrawn", "lapsed"]
_COLUMNS: Final = "number, at, actor, act, why, lapses, state, second, settled"


class ProposalError(Exception):
    """The proposal can't be settled like this; the message says why."""


class Proposal(Struct, frozen=True):
    """An act that waits for a second person, or did. ``why`` says why it takes one; times in ms by the wall clock."""

    number: int
    at: int
    actor: str
    act: Act
    why: str
    lapses: int
    state: State
    second: str | None
    settled: int | None


class Proposals:
    """The proposals beside a trail: what becomes of each is an entry there, in the same transaction."""

    def __init__(self, trail: Trail, hours: float) -> None:
        self._trail = trail
        self._lasts = round(hours * 3_600_000)

    def make(self, actor: str, act: Act, why: str) -> int:
        """Propose an act; returns its number."""
        now = self._trail.now()
        with self._trail.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO proposal (at, actor, act, why, lapses, state) VALUES (?, ?, ?, ?, ?, 'open')",
                (now, actor, msgspec.json.encode(act).decode(), why, now + self._lasts),
            )
            number = int(cursor.lastrowid or 0)
            self._trail.add_in(connection, actor, "proposed", act.subject, proposal=number, act=act.what, why=why)
        return number

    def open(self) -> list[Proposal]:
        """Those that wait, oldest first; those whose time has passed lapse."""
        self._lapse()
        with self._trail.transaction() as connection:
            return [_proposal(row) for row in connection.execute(_OPEN)]

    def latest(self, most: int = 50) -> list[Proposal]:
        """The latest that were settled."""
        with self._trail.transaction() as connection:
            return [_proposal(row) for row in connection.execute(_SETTLED, (most,))]

    def get(self, number: int) -> Proposal | None:
        """One of them."""
        with self._trail.transaction() as connection:
            row = connection.execute(f"SELECT {_COLUMNS} FROM proposal WHERE number = ?", (number,)).fetchone()  # noqa: S608
        return None if row is None else _proposal(row)

    def settle(self, number: int, second: str, state: Literal["agreed", "refused", "withdrawn"]) -> Proposal:
        """Agree to an act, refuse or withdraw it: once, and only the first withdraws and only another one agrees.

        Raises
        ------
        ProposalError
            It is settled or has lapsed, or this person may not.
        """
        self._lapse()
        with self._trail.transaction() as connection:
            row = connection.execute(f"SELECT {_COLUMNS} FROM proposal WHERE number = ?", (number,)).fetchone()  # noqa: S608
            if row is None:
                raise ProposalError(f"there is no proposal {number}")
            proposal = _proposal(row)
            if proposal.state != "open":
                by = f" by {proposal.second}" if proposal.second else ""
                raise ProposalError(f"proposal {number} was {proposal.state} before{by}")
            if state == "agreed" and second == proposal.actor:
                raise ProposalError("a second person has to agree: you proposed it yourself")
            if state == "withdrawn" and second != proposal.actor:
                raise ProposalError(f"only {proposal.actor} can withdraw it; you can refuse it")
            connection.execute(
                "UPDATE proposal SET state = ?, second = ?, settled = ? WHERE number = ?",
                (state, second, self._trail.now(), number),
            )
            self._trail.add_in(
                connection,
                second,
                state,
                proposal.act.subject,
                proposal=number,
                act=proposal.act.what,
                of=proposal.actor,
            )
        return msgspec.structs.replace(proposal, state=state, second=second)

    def _lapse(self) -> None:
        now = self._trail.now()
        with self._trail.transaction() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM proposal WHERE state = 'open' AND lapses <= ?",  # noqa: S608
                (now,),
            ).fetchall()
            for proposal in map(_proposal, rows):
                connection.execute(
                    "UPDATE proposal SET state = 'lapsed', settled = ? WHERE number = ?", (now, proposal.number)
                )
                self._trail.add_in(
                    connection, proposal.actor, "lapsed", proposal.act.subject, proposal=proposal.number,
                    act=proposal.act.what,
                )  # fmt: skip


def _proposal(row: tuple[object, ...]) -> Proposal:
    fields = dict(zip(Proposal.__struct_fields__, row, strict=True))
    return msgspec.convert(fields | {"act": msgspec.json.decode(str(fields["act"]))}, Proposal)


_OPEN: Final = f"SELECT {_COLUMNS} FROM proposal WHERE state = 'open' ORDER BY number"  # noqa: S608
_SETTLED: Final = f"SELECT {_COLUMNS} FROM proposal WHERE state != 'open' ORDER BY number DESC LIMIT ?"  # noqa: S608
