"""What is kept of the law's duties about a merchant: what it gave, and the clocks that run."""

from typing import Final

from msgspec import Struct, field

from features.outputs import DutyName, StandingDuty

#: How a duty stands.
DUE: Final = 1
OVERDUE: Final = 2
MET: Final = 3


class Clock(Struct, array_like=True, gc=False):
    """A duty: when it is due, or when it was met, ms; and :data:`DUE`, :data:`OVERDUE` or :data:`MET`."""

    at: int
    state: int

    @property
    def open(self) -> bool:
        """Whether it is still to be done."""
        return self.state != MET


class LawState(Struct, omit_defaults=True, rename={"since": "s", "clocks": "c", "certified": "y", "notice": "n"}):
    """A law that is about a merchant since a time, ms."""

    since: int = 0
    #: By duty.
    clocks: dict[DutyName, Clock] = field(default_factory=dict)
    #: When everything was last verified or certified.
    certified: int = 0
    #: When the notice ends that was given after a duty was overdue, ms; 0 while none was.
    notice: int = 0


class DutyState(Struct, omit_defaults=True, rename={"unverified": "u", "laws": "l", "look_at": "t"}):
    """All laws about a merchant, and what it gave and nobody has verified, or not since it changed."""

    unverified: list[str] = []
    laws: dict[str, LawState] = field(default_factory=dict)
    #: When the next clock of any law runs out, ms; 0 if none runs.
    look_at: int = 0

    @property
    def unmet(self) -> int:
        """Laws under which the merchant is to be suspended."""
        return sum("suspend" in law.clocks for law in self.laws.values())

    @property
    def open(self) -> int:
        """Duties that are due or overdue."""
        return sum(clock.open for law in self.laws.values() for clock in law.clocks.values())


def open_duties(duties: DutyState) -> list[StandingDuty]:
    """Duties that are due or overdue, as a standing shows them."""
    return [
        StandingDuty(name, duty, "due" if clock.state == DUE else "overdue", clock.at)
        for name, law in duties.laws.items()
        for duty, clock in law.clocks.items()
        if clock.open
    ]
