"""Relief: a restriction ends before its time where what it was for has been put right.

It begins at once, when a rule fires, and ends by figures that are better than those that it began by: so it does not
flicker, and who mends its ways need not wait for the end (as TikTok Shop lifts an order limit when the late dispatch
rate is below 4 % within 7 days).
"""

from collections.abc import Callable

from msgspec.structs import replace

from detectors.actions import Ladder, Relief
from detectors.expressions import Expression
from detectors.rule_code import Condition, compile_conditions
from features.enforcement_state import ActiveEnforcement, EnforcementState, quiet_key
from features.windows import DAY_MS


def compile_relief(after: int, when: Expression) -> Relief:
    """Relief by a checked expression."""
    return Relief(after, when.names, compile_conditions([Condition(True, when, {}, {})], when.names))


def look_at(starts_at: int, expires_at: int | None, relief: Relief | None) -> int | None:
    """When an action is looked at first, ms; None if it ends before."""
    if relief is None:
        return None
    first = starts_at + relief.after
    return first if expires_at is None or first < expires_at else None


def relieve(
    standing: EnforcementState,
    ladders: Callable[[ActiveEnforcement], Ladder | None],
    value: Callable[[str], float | None],
    now: int,
) -> list[ActiveEnforcement]:
    """End the actions whose time to be looked at has come and that are no longer needed, and return them; the others
    are looked at again a day later. An action's rule is in its cool-down from then on.
    """
    ended, kept = [], []
    for active in standing.active:
        if active.relief_at is None or active.relief_at > now:
            kept.append(active)
            continue
        ladder = ladders(active)
        relief = None if ladder is None else ladder.relief
        if ladder is None or relief is None:
            kept.append(replace(active, relief_at=None))
        elif relief.holds(value):
            ended.append(active)
            standing.quiet[quiet_key(active.rule, active.subject_kind, active.subject_id)] = now + ladder.cool_down
        else:
            kept.append(replace(active, relief_at=now + DAY_MS))
    standing.active = kept
    return ended
