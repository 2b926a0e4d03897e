"""Enforcement: which action follows when a rule fires, for how long, and when it ends.

Each rule names a ladder: steps from mild to harsh, taken by the number of strikes that the merchant has under the
rule's policy on subjects of the same kind. :func:`propose` changes nothing; the others change the state that they are
given and nothing else.
"""

from typing import TypeAlias

from msgspec import Struct

from detectors.actions import HARSHNESS, INSTANT, NO_STRIKE, STRIKE_RETENTION, Ladder, Limits
from detectors.policy import PolicySet
from detectors.rules import Rule
from features.enforcement_state import (
    MAX_ACTIVE,
    MAX_QUIET,
    ActiveEnforcement,
    EnforcementState,
    Strike,
    quiet_key,
    strike_key,
)
from features.events import SubjectKind
from features.outputs import Action, Level

#: Kind and id of what a rule fired on.
SubjectRef: TypeAlias = tuple[SubjectKind, str]


class Decision(Struct, frozen=True, kw_only=True, gc=False):
    """An action that was decided on; times in ms, ``expires_at`` None means until it is reversed."""

    decision_id: str
    rule: str
    policy: str
    action: Action
    severity: Level
    subject_kind: SubjectKind
    subject_id: str
    starts_at: int
    expires_at: int | None
    requires_review: bool
    #: Number of the ladder's step, from 0.
    step: int
    #: Strikes under the policy, on subjects of this kind, with this one, and when the last of them counted; unchanged
    #: by a request for review.
    strike: Strike | None
    #: Until when the rule leaves the subject alone.
    quiet_until: int
    appeal_until: int
    #: Id of a milder decision under the same policy that this one takes the place of.
    supersedes: str | None


def decide(
    rule: Rule, subject: SubjectRef, standing: EnforcementState, now: int, policies: PolicySet, decision_id: str
) -> Decision | None:
    """Decide on the action that follows from a fired rule, and record it in the merchant's state.

    None, and nothing recorded, where :func:`propose` says so.
    """
    decision = propose(rule, subject, standing, now, policies, decision_id)
    if decision is not None:
        record(standing, decision)
    return decision


def propose(
    rule: Rule, subject: SubjectRef, standing: EnforcementState, now: int, policies: PolicySet, decision_id: str
) -> Decision | None:
    """The action that follows from a fired rule, or None.

    There is none if the rule has no ladder or isn't enforced, while the rule is in its cool-down for this subject (it
    begins when the action ends), and while an action as harsh or harsher is in force against the subject under the
    same policy.
    """
    if rule.action is None or rule.mode != "enforce":
        return None
    kind, subject_id = subject
    if standing.quiet and now < standing.quiet.get(quiet_key(rule.id, kind, subject_id), now):
        return None
    ladder = policies.ladders[rule.action]
    previous = standing.strikes.get(strike_key(rule.policy, kind))
    prior, strike = _count(previous, now, ladder, policies.limits)
    number = min(prior, len(ladder.steps) - 1)
    step = ladder.steps[number]
    supersedes = None
    for active in standing.active:
        if active.policy != rule.policy or active.subject_id != subject_id or active.subject_kind != kind:
            continue
        if not active.in_force(now):
            continue
        if HARSHNESS[active.action] >= HARSHNESS[step.action]:
            return None
        supersedes = active.decision_id
    expires_at = None if step.duration is None else now + step.duration
    return Decision(
        decision_id=decision_id,
        rule=rule.id,
        policy=rule.policy,
        action=step.action,
        severity=rule.severity,
        subject_kind=kind,
        subject_id=subject_id,
        starts_at=now,
        expires_at=expires_at,
        requires_review=step.requires_review,
        step=number,
        strike=previous if step.action in NO_STRIKE else strike,
        quiet_until=(expires_at or now) + ladder.cool_down,
        appeal_until=now + policies.limits.appeal,
        supersedes=supersedes,
    )


def _count(previous: Strike | None, now: int, ladder: Ladder, limits: Limits) -> tuple[int, Strike]:
    """Strikes before this one, and the strike to record.

    Strikes within the merge window count as one: many orders of one bad week are one finding.
    """
    if previous is None or now - previous.last_at > ladder.look_back:
        return 0, Strike(1, now)
    if now - previous.last_at < limits.strike_merge:
        return previous.count - 1, previous
    return previous.count, Strike(previous.count + 1, now)


def record(standing: EnforcementState, decision: Decision) -> None:
    """Put a decision into the merchant's state."""
    _be_quiet(standing, decision, decision.quiet_until)
    if decision.strike is not None:
        standing.strikes[strike_key(decision.policy, decision.subject_kind)] = decision.strike
    if decision.supersedes is not None:
        standing.active = [active for active in standing.active if active.decision_id != decision.supersedes]
    if decision.action in INSTANT:
        return
    standing.active.append(
        ActiveEnforcement(
            decision.decision_id,
            decision.rule,
            decision.policy,
            decision.action,
            decision.subject_kind,
            decision.subject_id,
            decision.starts_at,
            decision.expires_at,
            decision.requires_review,
        )
    )
    if len(standing.active) > MAX_ACTIVE:
        _forget_oldest(standing)


def withhold(standing: EnforcementState, decision: Decision, until: int) -> None:
    """Leave a decision undone: no action and no strike, but the rule leaves the subject alone until a time (ms), at
    most as long as it would have.
    """
    _be_quiet(standing, decision, min(until, decision.quiet_until))


def _be_quiet(standing: EnforcementState, decision: Decision, until: int) -> None:
    if until <= decision.starts_at:
        return
    quiet = standing.quiet
    quiet[quiet_key(decision.rule, decision.subject_kind, decision.subject_id)] = until
    while len(quiet) > MAX_QUIET:
        del quiet[min(quiet, key=lambda key: (quiet[key], key))]


def _forget_oldest(standing: EnforcementState) -> None:
    """Drop the oldest action that never expires by itself and isn't against the merchant."""
    for index, active in enumerate(standing.active):
        if active.expires_at is None and active.subject_kind != "merchant":
            del standing.active[index]
            return


def expire(standing: EnforcementState, now: int) -> list[ActiveEnforcement]:
    """Take out what has ended by a time, and return the actions that did, in the order in which they ended."""
    ended = [active for active in standing.active if not active.in_force(now)]
    if ended:
        standing.active = [active for active in standing.active if active.in_force(now)]
        ended.sort(key=lambda active: (active.expires_at or 0, active.decision_id))
    if standing.quiet:
        standing.quiet = {key: until for key, until in standing.quiet.items() if now < until}
    oldest = now - STRIKE_RETENTION
    if any(strike.last_at < oldest for strike in standing.strikes.values()):
        standing.strikes = {code: strike for code, strike in standing.strikes.items() if strike.last_at >= oldest}
    return ended


def lift(standing: EnforcementState, decision_id: str, *, forgive: bool) -> ActiveEnforcement | None:
    """End an action before its time; with ``forgive`` (an appeal was right) the latest strike of its policy goes as
    well.

    The rule stays quiet for as long as it was going to: the same facts shall not be enforced twice. Returns the
    action, or None if no such action is in force.
    """
    found = next((active for active in standing.active if active.decision_id == decision_id), None)
    if found is None:
        return None
    standing.active = [active for active in standing.active if active is not found]
    key = strike_key(found.policy, found.subject_kind)
    strike = standing.strikes.get(key)
    if forgive and strike is not None and found.action not in NO_STRIKE:
        if strike.count > 1:
            standing.strikes[key] = Strike(strike.count - 1, strike.last_at)
        else:
            del standing.strikes[key]
    return found
