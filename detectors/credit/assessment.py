"""A party's credit worked out from its ledger and its conduct, without changing either."""

from collections.abc import Sequence
from typing import Final

import msgspec

from detectors.credit import ledger
from detectors.credit.harm import Posterior, posterior, put_away
from detectors.credit.policy import CreditPolicy
from features.credit import Conduct, CreditState, LedgerEntry
from features.windows import DAY_MS, WINDOWS

#: Weeks after which a week's orders are put away: what is heard of an order later than that changes them no more. A
#: conduct has orders of 90 days, and a party is looked at every four weeks at least.
OPEN_WEEKS: Final = 6


class Assessment:
    """What follows for a party. The probability of harm is worked out when it is asked for.

    Attributes
    ----------
    score
        0 to 1000; None below the minimum volume.
    points
        The score even where too few orders are known to call it one.
    earned
        Points that clean orders earn.
    matured
        Orders whose outcome is known.
    counted
        Clean orders that were counted in the window.
    """

    __slots__ = ("_conduct", "_harm", "_now", "_policy", "_state", "counted", "earned", "matured", "points", "score")

    def __init__(self, state: CreditState, conduct: Conduct, policy: CreditPolicy, now: int) -> None:
        self._state = state
        self._conduct = conduct
        self._policy = policy
        self._now = now
        self._harm: Posterior | None = None
        self.earned = ledger.earned(state.clean, policy)
        self.points = ledger.score(state.ledger, policy, self.earned, now)
        # Of older orders only the clean ones are kept.
        self.counted = sum(state.clean)
        self.matured = max(conduct.matured, self.counted + sum([bad for _, _, bad in conduct.outcomes]))
        self.score = self.points if self.matured >= policy.minimum_orders else None

    @property
    def harm(self) -> Posterior:
        """Probability that the next orders go bad."""
        if self._harm is None:
            state, harm = self._state, self._policy.harm
            cases = found_cases(state.ledger, self._policy, self._now)
            since_day = first_open(state.week)
            self._harm = posterior(self._conduct, state.past, since_day, self._evidence(), cases, harm)
        return self._harm

    @property
    def lower(self) -> float:
        """Lower credible bound of the bad rate, as a multiple of the rate of all."""
        return self.harm.lowest_rate / self.harm.of_all

    @property
    def upper(self) -> float:
        """Upper credible bound of the bad rate, as a multiple of the rate of all."""
        return self.harm.highest_rate / self.harm.of_all

    def _evidence(self) -> float:
        """Share of evidence that its orders are, 0 to 1: what was counted of the clean ones."""
        state = self._state
        clean = self._conduct.clean_by_week()
        counted = total = 0
        for index, each in enumerate(reversed(state.clean)):
            known = clean.get(state.week - index)
            if known:
                counted += min(each, known)
                total += known
        return counted / total if total else self._conduct.spread


def found_cases(ledger: Sequence[LedgerEntry], policy: CreditPolicy, now: int) -> dict[str, int]:
    """Cases of the last time that tell of harm to come, by the class of their violation."""
    harm = policy.harm
    found: dict[str, int] = {}
    for each in ledger:
        violation = policy.violations.get(each.code)
        if violation is None or not harm.cases.get(violation.kind) or now >= each.at + harm.cases_within:
            continue
        if each.counts and each.points:
            found[violation.kind] = found.get(violation.kind, 0) + 1
    return found


def count_weeks(state: CreditState, conduct: Conduct, policy: CreditPolicy) -> None:
    """Take in the weeks that have ended since the last time, and correct those that are still open.

    Where most orders come from few buyers, clean ones count as many times as a buyer counted once would leave. A week
    that was counted can only lose orders, as more is heard of them.
    """
    last = conduct.day // 7 - 1
    clean = conduct.clean_by_week()
    counted = dict(enumerate(state.clean, state.week - len(state.clean) + 1))
    first_known = (conduct.day - WINDOWS[-1]) // 7 + 1
    for week in range(max(state.week + 1, first_known), last + 1):
        counted[week] = int(clean.get(week, 0) * conduct.spread + 0.5)
    for week in range(last - OPEN_WEEKS, last + 1):
        if week in counted:
            counted[week] = min(counted[week], clean.get(week, 0))
    weeks = range(last + 1 - policy.window // (7 * DAY_MS), last + 1)
    found = [counted.get(week, 0) for week in weeks]
    while found and not found[0]:
        del found[0]
    if last > state.week:
        first = max(first_open(state.week), conduct.day - WINDOWS[-1] + 1) if state.week else conduct.day - WINDOWS[-1]
        after = first_open(last)
        if state.past or any(day < after for day, _, _ in conduct.outcomes):
            state.past = put_away(state.past, conduct.ways(), first, after, policy.harm)
        state.week = last
    state.clean = found


def first_open(week: int) -> int:
    """First day that is not put away when a week was the last that was counted."""
    return (week - OPEN_WEEKS + 1) * 7 if week else 0


def credit_view(state: CreditState | None, conduct: Conduct, policy: CreditPolicy, now: int) -> Assessment:
    """The credit that a party would have if it were looked at now; nothing is changed."""
    copy = CreditState() if state is None else msgspec.structs.replace(state)
    count_weeks(copy, conduct, policy)
    return Assessment(copy, conduct, policy, now)
