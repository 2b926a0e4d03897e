"""A party's credit worked out from its ledger and its conduct, without changing either."""

from typing import Final

import msgspec
from msgspec import Struct

from detectors.credit import ledger
from detectors.credit.harm import Posterior, posterior, put_away
from detectors.credit.policy import CreditPolicy
from detectors.credit.tiers import Standing
from features.credit import Conduct, CreditState
from features.windows import DAY_MS, WINDOWS

#: Weeks after which a week's orders are put away: what is heard of an order later than that changes them no more.
OPEN_WEEKS: Final = 9


class Assessment(Struct, frozen=True, gc=False):
    """What follows for a party. ``points`` is its score even where too few orders are known to call it one."""

    score: int | None
    points: int
    earned: int
    matured: int
    harm: Posterior

    @property
    def standing(self) -> Standing:
        """What decides about its tier."""
        return Standing(self.score, self.harm.lower / self.harm.of_all, self.harm.upper / self.harm.of_all)


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
        first = max(_first_open(state.week), conduct.day - WINDOWS[-1] + 1) if state.week else conduct.day - WINDOWS[-1]
        state.past = put_away(state.past, conduct.components, first, _first_open(last), policy.harm)
        state.week = last
    state.clean = found


def _first_open(week: int) -> int:
    """First day that is not put away when a week was the last that was counted."""
    return (week - OPEN_WEEKS + 1) * 7 if week else 0


def assess(state: CreditState, conduct: Conduct, policy: CreditPolicy, now: int) -> Assessment:
    """Score, probability and what they rest on, of a state whose weeks are counted."""
    clean = conduct.clean_by_week()
    counted = total = 0
    for index, each in enumerate(reversed(state.clean)):
        known = clean.get(state.week - index)
        if known:
            counted += min(each, known)
            total += known
    cases = sum(1 for each in state.ledger if each.counts and each.points and now < each.at + policy.harm.cases_within)
    earned = ledger.earned(state.clean, policy)
    points = ledger.score(state.ledger, policy, earned, now)
    # Of older orders only the clean ones are kept.
    matured = max(conduct.matured, sum(state.clean) + sum([bad for _, _, bad in conduct.outcomes]))
    return Assessment(
        score=points if matured >= policy.minimum_orders else None,
        points=points,
        earned=earned,
        matured=matured,
        harm=posterior(
            conduct,
            state.past,
            _first_open(state.week),
            counted / total if total else conduct.spread,
            cases,
            policy.harm,
        ),
    )


def credit_view(state: CreditState | None, conduct: Conduct, policy: CreditPolicy, now: int) -> Assessment:
    """The credit that a party would have if it were looked at now; nothing is changed."""
    copy = CreditState() if state is None else msgspec.structs.replace(state)
    count_weeks(copy, conduct, policy)
    return assess(copy, conduct, policy, now)
