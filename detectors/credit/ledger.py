"""The ledger of points: what a violation costs, what comes back, and what the score is.

Pure functions of the entries and the policy. An entry's points follow from the entries before it alone, so that the
ledger without an entry is the ledger in which it never was (:func:`pardon`).

A case of a code costs its base times the factor of its repetition within the window. Those that follow within the
merge window are the same case: together they cost what the worst of them costs. A class of violations costs no more in
a day (UTC) than its cap.
"""

from collections.abc import Sequence

from detectors.credit.policy import HIGHEST, CreditPolicy, round_points
from features.credit import LEDGER_LIMIT, LedgerEntry
from features.windows import DAY_MS


def enter(ledger: list[LedgerEntry], policy: CreditPolicy, entry: LedgerEntry) -> None:
    """Put a violation into the ledger, behind the others, and find what it costs. Makes room where needed."""
    entry.counts, entry.points = _cost(ledger, policy, entry)
    ledger.append(entry)
    if len(ledger) > LEDGER_LIMIT:
        # One that cost nothing, as others of its case stand for it; else the oldest.
        del ledger[next((i for i, each in enumerate(ledger[:-1]) if not each.counts and not each.points), 0)]


def pardon(ledger: list[LedgerEntry], policy: CreditPolicy, decision: str) -> list[tuple[LedgerEntry, LedgerEntry]]:
    """Take the entries of a decision out, as if they had never been, and see what the others of their code and class
    cost without them.

    Returns
    -------
    list
        (as it was, as it is) of each entry that was taken out or changed; one taken out is with 0 points then.
    """
    first = next((index for index, each in enumerate(ledger) if each.decision == decision), None)
    if first is None:
        return []
    before = ledger[first:]
    del ledger[first:]
    changed = []
    for old in before:
        new = _copy(old)
        if old.decision == decision:
            new.points = new.returned = 0
        else:
            new.counts, new.points = _cost(ledger, policy, new)
            new.returned = _returned(policy, new)
            ledger.append(new)
        if (new.points, new.returned) != (old.points, old.returned):
            changed.append((old, new))
    return changed


def _copy(entry: LedgerEntry) -> LedgerEntry:
    return LedgerEntry(
        entry.code,
        entry.points,
        entry.at,
        entry.decision,
        entry.subject,
        entry.base,
        entry.counts,
        entry.confirmed,
        entry.corrected,
        entry.returned,
        entry.ended,
    )


def _cost(earlier: Sequence[LedgerEntry], policy: CreditPolicy, entry: LedgerEntry) -> tuple[bool, int]:
    """Whether an entry is a case of its own, and its points (0 or less), by the entries before it."""
    cases = [each.at for each in earlier if each.code == entry.code and each.counts]
    merged = bool(cases) and entry.at - cases[-1] < policy.merge
    begun = cases.pop() if merged else entry.at
    repeated = sum(1 for at in cases if begun - at < policy.window)
    factor = policy.repetition[min(repeated, len(policy.repetition) - 1)]
    loss = round_points(entry.base * factor)
    if merged:
        loss += sum(each.points for each in earlier if each.code == entry.code and each.at >= begun)
    violation = policy.violations.get(entry.code)
    if violation is not None:
        day = entry.at // DAY_MS
        kinds = policy.violations
        lost = -sum(
            each.points
            for each in earlier
            if each.at // DAY_MS == day and each.code in kinds and kinds[each.code].kind == violation.kind
        )
        loss = min(loss, policy.daily_loss[violation.kind] - lost)
    return not merged, -max(0, loss)


def correct(ledger: Sequence[LedgerEntry], policy: CreditPolicy, subject: str, at: int) -> list[LedgerEntry]:
    """What a party was found to have done wrong on a subject was put right at a time: part of the loss comes back,
    once. Returns the entries concerned, which now say so.
    """
    found = []
    for entry in ledger:
        if entry.subject != subject or entry.corrected or not entry.points:
            continue
        violation = policy.violations.get(entry.code)
        if violation is None or violation.kind not in policy.correction.kinds:
            continue
        if at - entry.at > policy.correction.within:
            continue
        entry.corrected = at
        entry.returned = _returned(policy, entry)
        found.append(entry)
    return found


def _returned(policy: CreditPolicy, entry: LedgerEntry) -> int:
    return int(-entry.points * policy.correction.share) if entry.corrected else 0


def expire(ledger: list[LedgerEntry], policy: CreditPolicy, now: int) -> list[LedgerEntry]:
    """Entries that stop counting by ``now``, ms, each told once; those of two windows ago leave the ledger.

    An entry that no longer counts is kept for another window, since those after it were repetitions of it.
    """
    ended = [each for each in ledger if not each.ended and each.at + policy.window <= now]
    for each in ended:
        each.ended = True
    ledger[:] = [each for each in ledger if now < each.at + 2 * policy.window]
    return ended


def next_expiry(ledger: Sequence[LedgerEntry], policy: CreditPolicy, now: int) -> int | None:
    """When the next entry stops counting, or leaves the ledger, ms; None without any."""
    window = policy.window
    ends = [end for each in ledger for end in (each.at + window, each.at + 2 * window) if end > now]
    return min(ends, default=None)


def lost(ledger: Sequence[LedgerEntry], policy: CreditPolicy, now: int) -> int:
    """Points that the entries cost together at a time, less what came back."""
    return -sum(each.points + each.returned for each in ledger if now < each.at + policy.window)


def at_most(ledger: Sequence[LedgerEntry], policy: CreditPolicy, now: int) -> int:
    """Highest score that the gravest entries allow: those against the party itself, or confirmed by a person."""
    limit = HIGHEST
    for each in ledger:
        violation = policy.violations.get(each.code)
        if violation is None or violation.at_most is None or now >= each.at + policy.window:
            continue
        if each.confirmed or not each.subject:
            limit = min(limit, violation.at_most)
    return limit


def score(ledger: Sequence[LedgerEntry], policy: CreditPolicy, earned: int, now: int) -> int:
    """The score, 0 to 1000."""
    points = policy.start + earned - lost(ledger, policy, now)
    return max(0, min(points, at_most(ledger, policy, now)))


def cases(ledger: Sequence[LedgerEntry], code: str, since: int) -> int:
    """Cases of a code since a time, ms; those within the merge window of another are no case of their own."""
    return sum(1 for each in ledger if each.code == code and each.counts and each.at > since)


def earned(clean: Sequence[int], policy: CreditPolicy) -> int:
    """Points that clean orders earn, by week; the weeks are those of the window."""
    rule = policy.earning
    counted = sum([min(each, rule.weekly) for each in clean])
    return min(rule.at_most, counted * rule.points // rule.orders)
