"""Where acts are done: checks who may, asks for a second person where it takes one, sends, and writes the trail."""

import time
import uuid
from collections.abc import Callable
from typing import Final, Literal

import msgspec
from msgspec import Struct

from config.console import ConsoleSettings
from streams.console.acts.act import ROLE_OF, Act, ActError, encode_act
from streams.console.acts.second_person import Decided, why_second
from streams.console.acts.sender import FeedbackSender
from streams.console.buckets import Buckets
from streams.console.index.harm import Harm
from streams.console.index.reading import IndexReader, Row
from streams.console.proposals import Proposals
from streams.console.trail import Trail
from streams.console.users import User

_DAY: Final = 86_400_000


class RefusedError(ActError):
    """The person may not do this; the message says why."""


class Done(Struct, frozen=True):
    """What became of an act: the event that was sent, or the proposal that waits for a second person."""

    event_id: str = ""
    proposal: int = 0
    why: str = ""


class Desk:
    """Does acts, for any thread.

    Parameters
    ----------
    settings, index, trail, proposals, sender, harm
        Of the console.
    clock
        Seconds since the epoch.
    """

    def __init__(
        self,
        settings: ConsoleSettings,
        index: IndexReader,
        trail: Trail,
        proposals: Proposals,
        sender: FeedbackSender,
        harm: Harm,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._above = settings.second_person_above
        self._index = index
        self._trail = trail
        self.proposals = proposals
        self._sender = sender
        self._harm = harm
        self._clock = clock
        self._buckets = Buckets(settings.acts_per_minute, 60)

    def now(self) -> int:
        """Event time of what is done now, ms: the wall clock, unless the stream lies more than a day behind it.

        A stream that is played again, or simulated, has a time of its own, and an appeal must not come months after
        the decision that it is about. A marketplace where nothing at all happens for a day is none that is live.
        """
        wall, stream = round(self._clock() * 1000), self._index.latest()
        return stream if stream and wall - stream > _DAY else wall

    def do(self, user: User, act: Act) -> Done:
        """Do an act, or propose it where it takes a second person.

        Raises
        ------
        RefusedError
            The person may not, or does too much at once.
        ActError
            It can't be meant, or could not be sent.
        """
        act = self._checked(user, act)
        decision = self._decision(act)
        # Before anybody is asked to agree to it: what can't be meant is said at once.
        encode_act(act, user.name, "check", self.now())
        why = why_second(act, decision, self._above)
        if why is not None:
            return Done(proposal=self.proposals.make(user.name, act, why), why=why)
        return self._send(act, user.name)

    def agree(self, user: User, number: int) -> Done:
        """Agree to a proposal of somebody else, and do it.

        Raises
        ------
        RefusedError, ActError, streams.console.proposals.ProposalError
            As :meth:`do`; or it was settled before, or is one's own.
        """
        proposal = self.proposals.get(number)
        if proposal is not None:
            self._checked(user, proposal.act)
            if proposal.state == "open":
                self._decision(proposal.act)
        settled = self.proposals.settle(number, user.name, "agreed")
        return self._send(settled.act, f"{settled.actor} and {user.name}")

    def turn_down(self, user: User, number: int, answer: Literal["refused", "withdrawn"]) -> None:
        """Refuse a proposal, or withdraw one's own: for whoever might do the act.

        Raises
        ------
        RefusedError, streams.console.proposals.ProposalError
            As :meth:`agree`.
        """
        proposal = self.proposals.get(number)
        if proposal is not None:
            self._may(user, proposal.act)
        self.proposals.settle(number, user.name, answer)

    def _may(self, user: User, act: Act) -> None:
        needed = ROLE_OF[act.kind]
        if not user.may(needed):
            self._trail.add(user.name, "refused", act.subject, act=act.what, why=f"takes the role {needed}")
            raise RefusedError(f"{act.what} takes the role {needed}; you are {user.role}")

    def _checked(self, user: User, act: Act) -> Act:
        self._may(user, act)
        if act.kind == "appeal_decision" and self._confirmed(user.name, act.decision_id):
            self._trail.add(user.name, "refused", act.subject, act=act.what, why="confirmed the decision before")
            raise RefusedError(
                "you confirmed this decision yourself: another person has to decide the appeal against it"
            )
        if not self._buckets.take(user.name):
            self._trail.add(user.name, "refused", act.subject, act=act.what, why="too many acts at once")
            raise RefusedError("too many acts in a minute; wait a little")
        return act

    def _decision(self, act: Act) -> Decided | None:
        if not act.decision_id:
            return None
        row: Row | None = self._index.decision(act.decision_id)
        if row is None:
            raise ActError(f"no decision {act.decision_id!r} is known")
        if (row["party_kind"], row["party_name"]) != (act.party_kind, act.party):
            raise ActError(f"decision {act.decision_id!r} is not about {act.party_kind} {act.party!r}")
        at_risk = self._harm.at_risk(
            self._index.rows, row["party"], row["subject_kind"], row["subject"], self._index.latest()
        )
        return Decided(row["action"], row["state"], at_risk)

    def _confirmed(self, name: str, decision_id: str) -> bool:
        """Whether a person found the decision right, or the one that it carries out."""
        row = self._index.decision(decision_id)
        names = {decision_id} | ({row["supersedes"]} if row is not None and row["supersedes"] else set())
        return any(
            name in entry.actor.split(" and ") and '"verdict: violation"' in entry.detail
            for each in names
            # All of them: who tries a hundred times must not push the confirmation out of what is looked at.
            for entry in self._trail.entries(subject=each, what="sent", most=-1)
        )

    def _send(self, act: Act, actor: str) -> Done:
        event_id = f"console-{uuid.uuid4().hex}"
        value = encode_act(act, actor, event_id, self.now())
        # First the intention: what may have been sent must be in the trail, whatever happens next.
        self._trail.add(actor, "sending", act.subject, act=act.what, event=event_id, content=msgspec.to_builtins(act))
        try:
            partition, offset = self._sender.send(act.party, value)
        except ActError as error:
            self._trail.add(actor, "not sent", act.subject, act=act.what, event=event_id, why=str(error))
            raise
        self._trail.add(
            actor, "sent", act.subject, act=act.what, event=event_id, partition=partition, offset=offset
        )  # fmt: skip
        return Done(event_id=event_id)
