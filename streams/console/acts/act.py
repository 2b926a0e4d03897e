"""What a person does about a decision or a party, and the feedback event that says so."""

from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from features.decode import InputLimits, Rejection, decode
from features.events import FeedbackInput
from streams.console.index.parties import PartyKind
from streams.console.users import Role

ActKind: TypeAlias = Literal["verdict", "appeal", "appeal_decision", "lift", "snooze", "allow", "take"]
#: The least role that may do each. Reviewers judge what is there; only administrators act without a decision.
ROLE_OF: Final[dict[ActKind, Role]] = {
    "verdict": "reviewer",
    "appeal": "reviewer",
    "appeal_decision": "reviewer",
    "lift": "reviewer",
    "snooze": "reviewer",
    "allow": "admin",
    "take": "admin",
}


class ActError(Exception):
    """The act can't be done; the message says why and what to do."""


class Act(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One act, as it was filled in; which fields count depends on ``kind``.

    ``until`` is event time in ms; ``policy`` a rule (snooze) or a policy (allow, take).
    """

    kind: ActKind
    party_kind: PartyKind
    party: str
    decision_id: str = ""
    verdict: Literal["violation", "clean"] | None = None
    outcome: Literal["upheld", "overturned"] | None = None
    action: str = ""
    policy: str = ""
    until: int | None = None
    why: str = ""

    @property
    def subject(self) -> str:
        """What it is about: the decision, else the party."""
        return self.decision_id or f"{self.party_kind} {self.party}"

    @property
    def what(self) -> str:
        """The act in a few words."""
        match self.kind:
            case "verdict":
                return f"verdict: {self.verdict}"
            case "appeal":
                return "appeal filed"
            case "appeal_decision":
                return f"appeal {self.outcome}"
            case "lift":
                return "decision set aside" + ("" if self.until is None else " for a time")
            case "snooze":
                return f"rule {self.policy} snoozed"
            case "allow":
                return f"allowed under {self.policy}"
            case "take":
                return f"action {self.action} taken"


def encode_act(act: Act, actor: str, event_id: str, time: int) -> bytes:
    """The feedback event of an act, as the worker will read it.

    Parameters
    ----------
    time
        Event time of the act, ms.

    Raises
    ------
    ActError
        Something is missing or can't be meant: the event is not what the contract asks for.
    """
    event = {
        "event_id": event_id,
        "occurred_at": time,
        "merchant_id": act.party,
        **({"creator_id": act.party} if act.party_kind == "creator" else {}),
        **_fields(act, actor),
    }
    encoded = msgspec.json.encode({name: value for name, value in event.items() if value not in (None, "")})
    found = decode("feedback", act.party.encode(), encoded, time, InputLimits())
    if isinstance(found, Rejection):
        raise ActError(f"this can't be sent: {found.detail}")
    if not isinstance(found, FeedbackInput):  # never: the topic's types are these
        raise ActError("this is no feedback")
    return encoded


def _fields(act: Act, actor: str) -> dict[str, Any]:
    decision = act.decision_id
    match act.kind:
        case "verdict":
            return {
                "type": "review.decided", "decision_id": _needed(decision, "a decision"), "verdict": act.verdict,
                "source": "human", "by": actor,
            }  # fmt: skip
        case "appeal":
            return {"type": "appeal.filed", "decision_id": _needed(decision, "a decision"), "by": actor}
        case "appeal_decision":
            return {
                "type": "appeal.decided", "decision_id": _needed(decision, "a decision"), "outcome": act.outcome,
                "by": actor,
            }  # fmt: skip
    override = {"type": "enforcement.overridden", "by": actor, "why": _needed(act.why.strip(), "a reason")}
    override |= {} if act.until is None else {"until": act.until}  # type: ignore[dict-item]
    match act.kind:
        case "lift":
            return override | {"action": "lift", "decision_id": _needed(decision, "a decision")}
        case "snooze" | "allow":
            if act.until is None:
                raise ActError("say until when: nobody is left alone for good")
            what = "a rule" if act.kind == "snooze" else "a policy"
            return override | {"action": act.kind, "policy": _needed(act.policy, what)}
        case "take":
            return override | {"action": _needed(act.action, "an action"), "policy": _needed(act.policy, "a policy")}
    raise ActError(f"there is no act called {act.kind!r}")


def _needed(value: str, what: str) -> str:
    if not value:
        raise ActError(f"{what} is missing")
    return value
