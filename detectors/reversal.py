"""What people change of decisions: ended before their time, taken back, confirmed, thought over again; and whom rules
leave alone.

Each function changes the state that it is given and nothing else.
"""

from collections.abc import Callable

from msgspec.structs import replace

from detectors.actions import INSTANT
from detectors.circumstances import UNKNOWN, Circumstances
from detectors.fresh_facts import is_fresh
from detectors.ladder import Decision, count_strikes
from detectors.policy import PolicySet
from detectors.relief import look_at
from detectors.rules import Rule
from features.enforcement_state import (
    MAX_NOTICES,
    MAX_STRIKES,
    ActiveEnforcement,
    EnforcementState,
    Known,
    Notice,
    Strike,
    quiet_key,
    strike_key,
)
from features.events import ReportReceived, SubjectKind
from features.party import Party


def lift(standing: EnforcementState, decision_id: str) -> ActiveEnforcement | None:
    """End an action before its time; returns it, or None if no such action is in force.

    The decision counts as before, and the rule stays quiet for as long as it was going to.
    """
    found = next((active for active in standing.active if active.decision_id == decision_id), None)
    if found is not None:
        standing.active = [active for active in standing.active if active is not found]
        standing.forget_answered()
    return found


def forgive(standing: EnforcementState, decision_id: str) -> ActiveEnforcement | None:
    """Take a decision back as if it had never been made, its action and its strike; returns the action, or None if none
    is in force.

    The facts of an order or listing are taken back with it. Those of a decision on the party itself still count in its
    windows: there the rule stays quiet for as long as it was going to, and they count as used.
    """
    known = standing.known(decision_id)
    found = lift(standing, decision_id)
    if known is None:
        return None
    key = strike_key(known.policy, known.subject_kind)
    strikes = [each for each in standing.strikes.get(key, ()) if each.decision_id != decision_id]
    if strikes:
        standing.strikes[key] = strikes
    else:
        standing.strikes.pop(key, None)
    # What the rule decided later about the subject keeps it quiet on its own account.
    later = (each for each in strikes if each.at > known.starts_at and each.rule == known.rule)
    if known.subject_kind in ("order", "listing") and all(each.subject_id != known.subject_id for each in later):
        standing.quiet.pop(quiet_key(known.rule, known.subject_kind, known.subject_id), None)
    return found


def confirm(
    standing: EnforcementState, decision_id: str, confirmed_id: str, now: int, policies: PolicySet
) -> ActiveEnforcement | None:
    """Carry a decision out that waited for a person, under a new id: it lasts as long as it would have, from now on,
    and counts as a strike.

    Returns the action as it is in force now, or None if no such decision waits.
    """
    waiting = next((each for each in standing.active if each.decision_id == decision_id and each.requires_review), None)
    if waiting is None:
        return None
    duration = None if waiting.expires_at is None else waiting.expires_at - waiting.starts_at
    action = replace(
        waiting,
        decision_id=confirmed_id,
        starts_at=now,
        expires_at=None if duration is None else now + duration,
        requires_review=False,
        relief_at=_looked_at(waiting, now, duration, policies),
    )
    standing.active = [action if each is waiting else each for each in standing.active]
    standing.forget_answered()
    standing.rename(decision_id, confirmed_id)
    _strike(standing, action, _step_taken(action, policies))
    for since in standing.facts:
        if since.decision_id == decision_id:
            since.decision_id = confirmed_id
    quiet = quiet_key(waiting.rule, waiting.subject_kind, waiting.subject_id)
    if quiet in standing.quiet:
        standing.quiet[quiet] += now - waiting.starts_at
    return action


def _looked_at(waiting: ActiveEnforcement, now: int, duration: int | None, policies: PolicySet) -> int | None:
    """When an action that begins now is looked at first, ms; None for one on an order or listing."""
    rule = policies.rule(waiting.rule)
    if rule is None or rule.action is None or waiting.subject_kind in ("order", "listing"):
        return None
    return look_at(now, None if duration is None else now + duration, policies.ladders[rule.action].relief)


def answer(standing: EnforcementState, request: Known) -> None:
    """A request for review was answered: it ends, and keeps neither its rule nor its facts back."""
    lift(standing, request.decision_id)
    standing.quiet.pop(quiet_key(request.rule, request.subject_kind, request.subject_id), None)
    standing.facts = [since for since in standing.facts if since.decision_id != request.decision_id]


def _step_taken(active: ActiveEnforcement, policies: PolicySet) -> int:
    """Number of the step of its rule's ladder that an action is; 0 where the ladder has no such step any more."""
    rule = policies.rule(active.rule)
    steps = () if rule is None or rule.action is None else policies.ladders[rule.action].steps
    duration = None if active.expires_at is None else active.expires_at - active.starts_at
    return next((n for n, step in enumerate(steps) if (step.action, step.duration) == (active.action, duration)), 0)


def _strike(standing: EnforcementState, active: ActiveEnforcement, step: int) -> None:
    strike = Strike(active.starts_at, active.decision_id, active.rule, step, active.action, active.subject_id)
    key = strike_key(active.policy, active.subject_kind)
    standing.strikes[key] = [*standing.strikes.get(key, ())[1 - MAX_STRIKES :], strike]


def rejudge(
    standing: EnforcementState, policies: PolicySet, known: Known, now: int, next_id: Callable[[], str]
) -> list[tuple[ActiveEnforcement, Decision | None]]:
    """Actions in force that were harsher because of a decision which has been taken back since, and what they would
    have been: a milder step under a new id, or None where that would have ended by now.

    Puts these into the party's state in the place of those that they were.
    """
    key = strike_key(known.policy, known.subject_kind)
    changed: list[tuple[ActiveEnforcement, Decision | None]] = []
    for index, strike in enumerate(standing.strikes.get(key, ())):
        rule = policies.rule(strike.rule)
        active = next((each for each in standing.active if each.decision_id == strike.decision_id), None)
        if strike.at < known.starts_at or active is None or rule is None or rule.action is None:
            continue
        ladder = policies.ladders[rule.action]
        before = standing.strikes[key][:index]
        number = min(count_strikes(before, strike.at, ladder, policies.limits.strike_merge), len(ladder.steps) - 1)
        if number >= strike.step:
            continue
        changed.append((active, _soften(standing, key, index, active, rule, number, policies, now, next_id)))
    return changed


def _soften(
    standing: EnforcementState,
    key: str,
    index: int,
    active: ActiveEnforcement,
    rule: Rule,
    number: int,
    policies: PolicySet,
    now: int,
    next_id: Callable[[], str],
) -> Decision | None:
    """Put a milder step in the place of an action, from when that began; None if it would have ended by now."""
    ladder = policies.ladders[rule.action or ""]
    step = ladder.steps[number]
    strike = standing.strikes[key][index]
    expires_at = None if step.duration is None else strike.at + step.duration
    over = step.action in INSTANT or (expires_at is not None and expires_at <= now)
    identifier = strike.decision_id if over else next_id()
    milder = replace(strike, decision_id=identifier, step=number, action=step.action)
    standing.strikes[key] = [milder if at == index else each for at, each in enumerate(standing.strikes[key])]
    for since in standing.facts:
        if since.decision_id == strike.decision_id:
            since.decision_id = identifier
    quiet_until = (expires_at or strike.at) + ladder.cool_down
    quiet = quiet_key(rule.id, active.subject_kind, active.subject_id)
    if quiet in standing.quiet:
        standing.quiet[quiet] = quiet_until
    looked_at = look_at(strike.at, expires_at, ladder.relief)
    kept = replace(active, decision_id=identifier, action=step.action, expires_at=expires_at, relief_at=looked_at)
    standing.active = [kept if each is active else each for each in standing.active if each is not active or not over]
    if over:
        return None
    standing.rename(active.decision_id, identifier)
    return Decision(
        decision_id=identifier,
        rule=rule.id,
        policy=rule.policy,
        action=step.action,
        severity=rule.severity,
        subject_kind=active.subject_kind,
        subject_id=active.subject_id,
        starts_at=strike.at,
        expires_at=expires_at,
        requires_review=False,
        step=number,
        strike=milder,
        quiet_until=quiet_until,
        appeal_until=now + policies.limits.appeal,
        supersedes=active.decision_id,
    )


def fresh(rule: Rule, party: Party, circumstances: Circumstances = UNKNOWN) -> bool:
    """Whether enough has happened to a party, since what was decided before, for a rule to decide again."""
    standing = party.record.enforcement
    return standing is None or is_fresh(rule, party.kind, standing, party.record.as_of, circumstances)


def exempt(standing: EnforcementState, name: str, until: int) -> None:
    """Have a rule or policy (or ``*``, all of them) leave the party alone until a time, ms."""
    standing.exempt[name] = until


def note_verdict(standing: EnforcementState, policy: str, kind: SubjectKind, verdict: str, at: int) -> None:
    """Note what a person found about a policy: a violation allows severe actions under it for a while, that all is
    well takes that back.
    """
    key = strike_key(policy, kind)
    if verdict == "violation":
        standing.verdicts[key] = max(at, standing.verdicts.get(key, 0))
    else:
        standing.verdicts.pop(key, None)


def note_report(standing: EnforcementState, report: ReportReceived) -> None:
    """Keep a report, so that a decision about its subject can say what led to it."""
    notice = Notice(report.occurred_at, report.by, report.subject.kind, report.subject.id, report.policy or "")
    standing.notices = [*standing.notices[1 - MAX_NOTICES :], notice]
