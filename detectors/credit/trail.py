"""The looks at a party since the first violation that still counts, so that tiers can be gone through without one.

A tier depends on the tiers before it: how long a party was there, when it came out of probation. So when a decision was
wrong, what it would be now follows only from going through every look since again, with what was seen then and the
ledger as it would have been then. Looks that there were because of that decision alone are left out.
"""

from collections.abc import Sequence, Set
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from detectors.credit import ledger
from detectors.credit.placement import Placed, Seen, place
from detectors.credit.policy import CreditPolicy
from features.credit import CreditState, LedgerEntry, Look

#: Cause of a look at the end of the time that probation takes at most: there is none once a party has come out of it.
PROBATION: Final = "probation"


class _SeenThen(Struct, frozen=True):
    """What was seen at a look, with the points as they would have been."""

    points: int
    score: int | None
    lower: float
    upper: float
    proven: bool
    recalled: bool


def note(
    state: CreditState, was: Placed, seen: Seen, causes: Sequence[str], earned: int, now: int, *, entered: bool
) -> None:
    """Keep a look at a party that was placed so before it, if there are violations that may turn out to be none.

    ``causes`` are the decisions without which there would have been none, ``entered`` says that the first of them came
    into the ledger.
    """
    if not state.ledger:
        state.trail = []
        return
    known = {each.decision for each in state.ledger}
    counting = {each.decision for each in state.ledger if not each.ended}
    # A bad week may bring thousands of violations. A full ledger forgets some of them, and so are their looks.
    trail = [
        *(look for look in state.trail if not look.causes or _stands(look, known)),
        Look(
            now,
            list(causes),
            entered,
            earned,
            seen.score is not None,
            seen.proven,
            seen.recalled,
            seen.lower,
            seen.upper,
            *was,
        ),
    ]
    # What was before the first violation that counts is not gone through again.
    first = next((at for at, look in enumerate(trail) if not counting.isdisjoint(look.causes)), len(trail))
    state.trail = trail[first:]


def retrace(state: CreditState, policy: CreditPolicy, decision: str) -> Placed:
    """Where a party is placed when a decision has left its ledger; the trail is then as if it had never been."""
    now = Placed(state.tier, state.since, state.graduated)
    # One whose points count no longer may have made later ones cost more: then all that is kept is gone through again.
    first = next((at for at, look in enumerate(state.trail) if look.entered and look.causes[0] == decision), 0)
    entries: dict[str, list[LedgerEntry]] = {}
    for entry in state.ledger:
        entries.setdefault(entry.decision, []).append(entry)
    # Of a decision that was made and later confirmed there are two entries, each with a look of its own.
    entered = {name: len(found) for name, found in entries.items()}
    for look in state.trail:
        if _enters(look, entries):
            entered[look.causes[0]] -= 1
    kept = []
    placed = now
    for at, look in enumerate(state.trail):
        if at == first:
            placed = Placed(look.tier, look.since, look.graduated)
        if _enters(look, entries):
            entered[look.causes[0]] += 1
        if at < first:
            kept.append(look)
            continue
        causes = [each for each in look.causes if each in entries or each == PROBATION]
        if look.causes and (not causes or (causes == [PROBATION] and placed.graduated)):
            continue
        then = [each for found, count in ((entries[name], entered[name]) for name in entries) for each in found[:count]]
        points = ledger.score(_as_of(then, look.at), policy, look.earned, look.at)
        kept.append(replace(look, causes=causes, tier=placed.tier, since=placed.since, graduated=placed.graduated))
        score = points if look.scored else None
        seen = _SeenThen(points, score, look.lower, look.upper, look.proven, look.recalled)
        placed = place(policy, placed, seen, look.at)
    counting = {each.decision for each in state.ledger if not each.ended}
    begin = next((at for at, look in enumerate(kept) if not counting.isdisjoint(look.causes)), len(kept))
    state.trail = kept[begin:]
    return placed


def _stands(look: Look, known: Set[str]) -> bool:
    """Whether any of a look's causes is still known, or none of them is a decision."""
    return PROBATION in look.causes or not known.isdisjoint(look.causes)


def _enters(look: Look, entries: dict[str, list[LedgerEntry]]) -> bool:
    """Whether a decision that is still in the ledger came into it at a look."""
    return look.entered and look.causes[0] in entries


def _as_of(entries: Sequence[LedgerEntry], now: int) -> list[LedgerEntry]:
    """Entries without what was put right later."""
    return [each if each.corrected <= now else replace(each, corrected=0, returned=0) for each in entries]
