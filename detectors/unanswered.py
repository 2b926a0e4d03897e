"""Clocks of what waits for a person: when it is pointed out that nobody has decided, and when it falls away.

A decision that has an end of its own, such as a hold of a week, ends with that as before; one that would last until it
is reversed, such as a suspension, has no other end than this one. All times are event time, ms.
"""

from msgspec.structs import replace

from detectors.actions import Ladder, Limits, Unanswered
from detectors.policy import PolicySet
from features.enforcement_state import ActiveEnforcement, EnforcementState, Waiting


def clock_of(ladder: Ladder | None, limits: Limits) -> Unanswered:
    """The clock that a ladder's decisions have while they wait."""
    return limits.unanswered if ladder is None or ladder.unanswered is None else ladder.unanswered


def begin(clock: Unanswered, now: int, expires_at: int | None) -> Waiting | None:
    """The clock of a decision that waits from ``now`` on; None where it ends before anybody need be reminded."""
    lapses_at = None if clock.lapse is None or expires_at is not None else now + clock.lapse
    ends = expires_at if lapses_at is None else lapses_at
    remind_at = now + clock.remind
    if ends is not None and ends <= remind_at:
        return None if lapses_at is None else Waiting(None, lapses_at)
    return Waiting(remind_at, lapses_at)


def lapsed(standing: EnforcementState, now: int) -> list[ActiveEnforcement]:
    """Take out what nobody answered in time, and return it, the earliest first; what it rested on was never used."""
    gone = {
        decision_id: waiting.lapses_at
        for decision_id, waiting in standing.waiting.items()
        if waiting.lapses_at is not None and waiting.lapses_at <= now
    }
    if not gone:
        return []
    ended = [active for active in standing.active if active.decision_id in gone]
    standing.active = [active for active in standing.active if active.decision_id not in gone]
    standing.facts = [since for since in standing.facts if since.decision_id not in gone]
    standing.forget_answered()
    ended.sort(key=lambda active: (gone[active.decision_id] or 0, active.decision_id))
    return ended


def overdue(standing: EnforcementState, policies: PolicySet, now: int) -> list[tuple[ActiveEnforcement, int]]:
    """What is to be pointed out by now, with how often it is with this; its clock goes on."""
    found = []
    for active in standing.active:
        waiting = standing.waiting.get(active.decision_id)
        if waiting is None or waiting.remind_at is None or waiting.remind_at > now:
            continue
        rule = policies.rule(active.rule)
        ladder = None if rule is None or rule.action is None else policies.ladders.get(rule.action)
        every = clock_of(ladder, policies.limits).remind
        following = waiting.remind_at + every
        while following <= now:
            # Not one reminder for each week of a gap in time.
            following += every
        ends = active.expires_at if waiting.lapses_at is None else waiting.lapses_at
        next_at = None if ends is not None and following >= ends else following
        standing.waiting[active.decision_id] = replace(waiting, remind_at=next_at, reminded=waiting.reminded + 1)
        found.append((active, waiting.reminded + 1))
    return found
