"""What is kept of a party's enforcement: actions in force, strikes, what happened since, and what leaves it alone.

Stored in the merchant's state as JSON, so field names are short and structs that come in numbers are arrays; a
merchant without any history takes two bytes. Times are event time in ms.
"""

from typing import Final, Literal, get_args

from msgspec import Struct, field

from features.events import SubjectKind
from features.facts import FreshFacts
from features.outputs import Action

#: Removals of listings never expire, and a merchant may have thousands; the oldest beyond this are forgotten here (the
#: decision itself stands in the output topic).
MAX_ACTIVE: Final = 200
#: Likewise for subjects that a rule must leave alone for a while.
MAX_QUIET: Final = 500
#: Strikes kept of a policy and kind of subject: more than any ladder has steps. One bad week may bring hundreds.
MAX_STRIKES: Final = 16
#: Decisions since which facts are counted, and reports that are kept.
MAX_FACTS: Final = 12
MAX_NOTICES: Final = 8
#: Earlier ids of decisions that are kept.
MAX_RENAMED: Final = 64
_KINDS: Final[dict[str, SubjectKind]] = {kind[0]: kind for kind in get_args(SubjectKind)}
_WEEK_MS: Final = 7 * 86_400_000


class Known(Struct, frozen=True, kw_only=True, gc=False):
    """A decision that is remembered: in force, or ended and counting as a strike."""

    decision_id: str
    rule: str
    policy: str
    action: Action
    subject_kind: SubjectKind
    subject_id: str
    starts_at: int


class ActiveEnforcement(Struct, frozen=True, array_like=True, gc=False):
    """An action in force; ``expires_at`` None means until it is reversed."""

    decision_id: str
    rule: str
    policy: str
    action: Action
    subject_kind: SubjectKind
    subject_id: str
    starts_at: int
    expires_at: int | None
    requires_review: bool
    #: When it is looked at whether it is still needed, ms.
    relief_at: int | None = None

    def in_force(self, now: int) -> bool:
        """Whether the action has not expired at a time (its last moment is the one before ``expires_at``)."""
        return self.expires_at is None or now < self.expires_at

    def as_known(self) -> Known:
        """The decision that it follows from."""
        return Known(
            decision_id=self.decision_id,
            rule=self.rule,
            policy=self.policy,
            action=self.action,
            subject_kind=self.subject_kind,
            subject_id=self.subject_id,
            starts_at=self.starts_at,
        )


class Strike(Struct, frozen=True, array_like=True, gc=False):
    """A decision that counts when the next one under its policy is taken: carried out, or confirmed by a person.

    ``rule`` is the rule that it followed from and ``step`` the number of its ladder's step, from 0; ``action`` is None
    where it is not known, in what earlier versions stored.
    """

    at: int
    decision_id: str
    rule: str
    step: int
    action: Action | None = None
    subject_id: str = ""


class CountedStrikes(Struct, frozen=True, array_like=True, gc=False):
    """How strikes were kept before each of them was: how many there were, and when the last of them counted."""

    count: int
    last_at: int


class Notice(Struct, frozen=True, array_like=True, gc=False):
    """Somebody reported a subject; ``policy`` is empty where the report names none."""

    at: int
    by: Literal["buyer", "brand", "regulator"]
    subject_kind: SubjectKind
    subject_id: str
    policy: str


class Appeal(Struct, frozen=True, array_like=True, gc=False):
    """Appeals against a decision: how many, until when the open one is to be decided (ms; 0 where none is open), and
    whether it was pointed out that nobody did.
    """

    number: int = 0
    due_at: int = 0
    overdue: bool = False


class Waiting(Struct, frozen=True, array_like=True, gc=False):
    """The clock of a decision that waits for a person, ms: when it is pointed out next that nobody has decided, and
    when it falls away, both None for never; and how often it was pointed out.
    """

    remind_at: int | None
    lapses_at: int | None
    reminded: int = 0

    @property
    def due(self) -> int | None:
        """When anything is due next."""
        return min((at for at in (self.remind_at, self.lapses_at) if at is not None), default=None)


class Lifted(Struct, frozen=True, array_like=True, gc=False):
    """An action that a person set aside until a time, ms."""

    action: ActiveEnforcement
    until: int


_STORED_AS: Final = {
    "active": "a",
    "counted": "s",
    "strikes": "t",
    "quiet": "q",
    "facts": "f",
    "exempt": "e",
    "verdicts": "v",
    "notices": "n",
    "appeals": "p",
    "lifted": "l",
    "pardons": "o",
    "renamed": "r",
    "waiting": "w",
}


class EnforcementState(Struct, omit_defaults=True, rename=_STORED_AS):
    """A merchant's or creator's enforcement history, as far as later decisions need it."""

    active: list[ActiveEnforcement] = field(default_factory=list)
    #: As kept by earlier versions; read, and turned into strikes.
    counted: dict[str, CountedStrikes] = field(default_factory=dict)
    #: By :func:`strike_key`, the latest last.
    strikes: dict[str, list[Strike]] = field(default_factory=dict)
    #: When a rule may enforce again on a subject, by :func:`quiet_key`.
    quiet: dict[str, int] = field(default_factory=dict)
    #: What happened since each decision against the party itself.
    facts: list[FreshFacts] = field(default_factory=list)
    #: Rules, policies, or everything (``*``) that the party is left alone by, and until when.
    exempt: dict[str, int] = field(default_factory=dict)
    #: When a person last found a violation, by :func:`strike_key`.
    verdicts: dict[str, int] = field(default_factory=dict)
    #: Latest reports about the party and what is its, the latest last.
    notices: list[Notice] = field(default_factory=list)
    #: Appeals by decision, the latest last.
    appeals: dict[str, Appeal] = field(default_factory=dict)
    lifted: list[Lifted] = field(default_factory=list)
    #: Rules on the party itself that an appeal showed to be wrong, and when; they are left alone until there are new
    #: facts.
    pardons: dict[str, int] = field(default_factory=dict)
    #: Ids that decisions had before they were announced anew (confirmed, made milder, brought back), and their ids now.
    renamed: dict[str, str] = field(default_factory=dict)
    #: Clocks of what waits for a person, by decision.
    waiting: dict[str, Waiting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Turn strikes that were only counted into strikes a week apart, the last of them when it was counted."""
        for key, old in self.counted.items():
            self.strikes[key] = [
                Strike(old.last_at - back * _WEEK_MS, "", "", old.count - back - 1)
                for back in reversed(range(min(old.count, MAX_STRIKES)))
            ]
        self.counted = {}

    def next_expiry(self) -> int | None:
        """When something is due next, ms: an action in force ends or is looked at, an appeal or what waits for a person
        is to be decided, or what was set aside comes back; None if nothing is.
        """
        due = [active.expires_at for active in self.active if active.expires_at is not None]
        due.extend([active.relief_at for active in self.active if active.relief_at is not None])
        if self.appeals:
            due.extend([each.due_at for each in self.appeals.values() if each.due_at and not each.overdue])
        due.extend([each.until for each in self.lifted])
        if self.waiting:
            due.extend([at for each in self.waiting.values() if (at := each.due) is not None])
        return min(due, default=None)

    def note(self, raised: int, cleared: int, buyer: int) -> None:
        """Count the flags of an order that were raised, or cleared, since each decision."""
        for each in self.facts:
            each.note(raised, cleared, buyer)

    def known(self, decision_id: str) -> Known | None:
        """What is remembered of a decision, by its id or one that it had before; None if nothing is."""
        decision_id = self.renamed.get(decision_id, decision_id)
        for active in (*self.active, *(each.action for each in self.lifted)):
            if active.decision_id == decision_id:
                return active.as_known()
        for key, strikes in self.strikes.items():
            for strike in strikes:
                if strike.decision_id == decision_id and strike.action is not None:
                    policy, kind = policy_and_kind(key)
                    return Known(
                        decision_id=decision_id,
                        rule=strike.rule,
                        policy=policy,
                        action=strike.action,
                        subject_kind=kind,
                        subject_id=strike.subject_id,
                        starts_at=strike.at,
                    )
        return None

    def forget_answered(self) -> None:
        """Forget the clocks of what waits no more."""
        if self.waiting:
            still = {active.decision_id for active in self.active if active.requires_review}
            self.waiting = {key: each for key, each in self.waiting.items() if key in still}

    def rename(self, before: str, now: str) -> None:
        """A decision is announced anew, under another id."""
        renamed = {old: now if new == before else new for old, new in self.renamed.items()}
        renamed[before] = now
        while len(renamed) > MAX_RENAMED:
            del renamed[next(iter(renamed))]
        self.renamed = renamed

    def names(self, decision_id: str) -> list[str]:
        """All ids that a decision had, the present one first: credit and creators know it by that which cost them."""
        return [decision_id, *(old for old, new in self.renamed.items() if new == decision_id)]

    @property
    def outlasts_rest(self) -> bool:
        """Whether anything here must be kept of a party that has been laid to rest."""
        return bool(self.active or self.strikes or self.exempt or self.verdicts or self.appeals or self.lifted)


def strike_key(policy: str, kind: SubjectKind) -> str:
    """Key of a policy in ``strikes``; findings on orders and on listings are counted apart from those on the merchant.

    Forty held orders of one bad week must not make the first finding against the merchant itself look like a repeat.
    """
    return policy if kind == "merchant" else f"{policy} {kind[0]}"


def policy_and_kind(key: str) -> tuple[str, SubjectKind]:
    """The policy and the kind of subject that a :func:`strike_key` is of."""
    policy, _, letter = key.partition(" ")
    return policy, _KINDS.get(letter, "merchant")


def quiet_key(rule: str, kind: SubjectKind, subject_id: str) -> str:
    """Key of a rule and subject in ``quiet``; the merchant itself needs no id in its own state."""
    return rule if kind == "merchant" else f"{rule} {kind[0]} {subject_id}"
