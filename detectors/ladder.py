"""Enforcement: which action follows when a rule fires, for how long, and when it ends.

Each rule names a ladder: steps from mild to harsh, taken by the number of strikes that the party has under the rule's
policy on subjects of the same kind. Strikes count for the ladder's look-back, each for itself, so that who keeps to the
rules comes down a step at a time; up it goes at once. :func:`propose` changes nothing; the others change the state that
they are given and nothing else. What people change of decisions is in :mod:`detectors.reversal`.
"""

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct

from detectors.actions import HARSHNESS, INSTANT, NO_STRIKE, STRIKE_RETENTION, Ladder, Step
from detectors.circumstances import UNKNOWN, Circumstances
from detectors.fresh_facts import FACTS_KEPT, begin, is_fresh, scope_of
from detectors.policy import PolicySet
from detectors.relief import look_at
from detectors.rules import Rule
from detectors.severe import review_reason
from detectors.unanswered import begin as begin_waiting
from detectors.unanswered import clock_of
from features.enforcement_state import (
    MAX_ACTIVE,
    MAX_FACTS,
    MAX_QUIET,
    MAX_STRIKES,
    ActiveEnforcement,
    EnforcementState,
    Strike,
    Waiting,
    quiet_key,
    strike_key,
)
from features.events import SubjectKind
from features.facts import FreshFacts
from features.outputs import Action, Level, ReviewReason

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
    #: What it counts as when the next step is chosen; None for a request for review, and for what waits for a person.
    strike: Strike | None
    #: Until when the rule leaves the subject alone.
    quiet_until: int
    appeal_until: int
    #: Id of a decision under the same policy, milder or ending sooner, that this one takes the place of.
    supersedes: str | None
    #: Why a person is asked, where one is.
    review_reason: ReviewReason | None = None
    #: When it is looked at whether the action is still needed, ms.
    relief_at: int | None = None
    #: Where the facts begin that a repeat must rest on; None for decisions on orders and listings.
    facts: FreshFacts | None = None
    #: Its clock while it waits for a person.
    waiting: Waiting | None = None


def decide(
    rule: Rule,
    subject: SubjectRef,
    standing: EnforcementState,
    now: int,
    policies: PolicySet,
    decision_id: str,
    circumstances: Circumstances = UNKNOWN,
) -> Decision | None:
    """Decide on the action that follows from a fired rule, and record it in the party's state.

    None, and nothing recorded, where :func:`propose` says so.
    """
    decision = propose(rule, subject, standing, now, policies, decision_id, circumstances)
    if decision is not None:
        record(standing, decision)
    return decision


def propose(
    rule: Rule,
    subject: SubjectRef,
    standing: EnforcementState,
    now: int,
    policies: PolicySet,
    decision_id: str,
    circumstances: Circumstances = UNKNOWN,
) -> Decision | None:
    """The action that follows from a fired rule, or None.

    There is none if the rule has no ladder or isn't enforced, or leaves the party alone; while the rule is in its
    cool-down for this subject (it begins when the action ends); while too little has happened since the policy was last
    enforced; where there is not the evidence for any step; and while an action as harsh or harsher is in force against
    the subject under the same policy, but for one of another rule that ends sooner. What waits for a person stands in
    the way of nothing but what would wait as well.
    """
    if rule.action is None or rule.mode != "enforce":
        return None
    if is_quiet(rule, subject, standing, now):
        return None
    kind, subject_id = subject
    if is_exempt(rule, standing, now) or policies.allowances.cover(circumstances.party, rule, now):
        return None
    about_party = kind in ("merchant", "creator")
    if about_party and standing.facts and not is_fresh(rule, kind, standing, now, circumstances):
        return None
    ladder = policies.ladders[rule.action]
    strikes = standing.strikes.get(strike_key(rule.policy, kind), ())
    number = _step_number(ladder, count_strikes(strikes, now, ladder, policies.limits.strike_merge), circumstances)
    if number is None:
        return None
    step = ladder.steps[number]
    expires_at = None if step.duration is None else now + step.duration
    reason = review_reason(rule, kind, step, standing, now, policies, circumstances)
    supersedes = None
    for active in standing.active:
        if active.policy != rule.policy or active.subject_id != subject_id or active.subject_kind != kind:
            continue
        if not active.in_force(now):
            continue
        if active.requires_review and reason is None:
            # What waits for a person holds nothing back that need not, and goes where that is as harsh.
            if HARSHNESS[step.action] >= HARSHNESS[active.action]:
                supersedes = active.decision_id
            continue
        if not _takes_over(step, expires_at, rule, active):
            return None
        # Nor does it end anything that is in force.
        if reason is None or active.requires_review:
            supersedes = active.decision_id
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
        requires_review=reason is not None,
        step=number,
        strike=None
        if reason is not None or step.action in NO_STRIKE
        else Strike(now, decision_id, rule.id, number, step.action, subject_id),
        quiet_until=(expires_at or now) + ladder.cool_down,
        appeal_until=now + policies.limits.appeal,
        supersedes=supersedes,
        review_reason=reason,
        relief_at=look_at(now, expires_at, ladder.relief) if about_party and reason is None else None,
        facts=begin(rule, scope_of(rule, kind, step.action), decision_id, now, circumstances) if about_party else None,
        waiting=None if reason is None else begin_waiting(clock_of(ladder, policies.limits), now, expires_at),
    )


def is_quiet(rule: Rule, subject: SubjectRef, standing: EnforcementState, now: int) -> bool:
    """Whether a rule is in its cool-down for a subject."""
    return bool(standing.quiet) and now < standing.quiet.get(quiet_key(rule.id, *subject), now)


def is_exempt(rule: Rule, standing: EnforcementState, now: int) -> bool:
    """Whether a person has told a rule, its policy or all of them to leave the party alone for now."""
    exempt = standing.exempt
    return bool(exempt) and any(now < exempt.get(name, now) for name in (rule.id, rule.policy, "*"))


def count_strikes(strikes: Sequence[Strike], now: int, ladder: Ladder, merge: int) -> int:
    """Strikes before one that counts at ``now``.

    Actions milder than the ladder's first step are none for it: who was warned three times has still to be limited for
    the first time. Those within the merge window, ms, of the first of them count as one: many orders of one bad week
    are one finding.
    """
    count, first = 0, None
    mildest = HARSHNESS[ladder.steps[0].action]
    for strike in strikes:
        if now - strike.at > ladder.look_back or strike.at > now:
            continue
        if strike.action is not None and HARSHNESS[strike.action] < mildest:
            continue
        if first is None or strike.at - first >= merge:
            count, first = count + 1, strike.at
    return count - 1 if first is not None and now - first < merge else count


def _step_number(ladder: Ladder, prior: int, circumstances: Circumstances) -> int | None:
    """Number of the step to take after so many strikes: the harshest up to there that there is the evidence for."""
    for number in range(min(prior, len(ladder.steps) - 1), -1, -1):
        evidence = ladder.steps[number].evidence
        if all((value := circumstances.value(name)) is not None and value >= least for name, least in evidence.items()):
            return number
    return None


def _takes_over(step: Step, expires_at: int | None, rule: Rule, active: ActiveEnforcement) -> bool:
    """Whether a step takes the place of an action under the same policy: harsher, or another rule's and longer."""
    if HARSHNESS[step.action] != HARSHNESS[active.action]:
        return HARSHNESS[step.action] > HARSHNESS[active.action]
    if active.rule == rule.id or active.expires_at is None:
        return False
    return expires_at is None or expires_at > active.expires_at


def record(standing: EnforcementState, decision: Decision) -> None:
    """Put a decision into the party's state."""
    _be_quiet(standing, decision, decision.quiet_until)
    if decision.strike is not None:
        key = strike_key(decision.policy, decision.subject_kind)
        standing.strikes[key] = [*standing.strikes.get(key, ())[1 - MAX_STRIKES :], decision.strike]
    if decision.facts is not None:
        standing.facts = [*standing.facts[1 - MAX_FACTS :], decision.facts]
    if decision.supersedes is not None:
        standing.active = [active for active in standing.active if active.decision_id != decision.supersedes]
        standing.forget_answered()
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
            decision.relief_at,
        )
    )
    if decision.waiting is not None:
        standing.waiting[decision.decision_id] = decision.waiting
    if len(standing.active) > MAX_ACTIVE:
        _forget_oldest(standing)
        standing.forget_answered()


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
        standing.forget_answered()
    if standing.quiet:
        standing.quiet = {key: until for key, until in standing.quiet.items() if now < until}
    if standing.exempt:
        standing.exempt = {name: until for name, until in standing.exempt.items() if now < until}
    if standing.facts:
        # What waited for a person and was not answered was never enforced: its facts have not been used.
        unanswered = {active.decision_id for active in ended if active.requires_review}
        standing.facts = [
            since for since in standing.facts if now - since.at < FACTS_KEPT and since.decision_id not in unanswered
        ]
    oldest = now - STRIKE_RETENTION
    if any(strikes[0].at < oldest for strikes in standing.strikes.values()):
        standing.strikes = {
            key: kept
            for key, strikes in standing.strikes.items()
            if (kept := [strike for strike in strikes if strike.at >= oldest])
        }
    return ended
