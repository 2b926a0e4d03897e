"""Experiments: who is in which arm, and what became of the arms.

The unit of chance is a merchant, or a cluster of linked merchants, which would carry a policy's effect from one arm to
the other. Where merchants of different arms are found to be linked later, their units are left out and counted.

Looking every day at an interval that is made to be looked at once finds effects that are not there. So as long as an
experiment runs, it may be ended only by the interval that holds at all times
(:mod:`detectors.evaluation.policy_experiments`); the narrower one is for the planned end.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final, Literal

from msgspec import Struct
from scipy.special import chdtrc

from config.experiment_specs import ExperimentMetric, ExperimentSpec, GuardrailSpec
from detectors.assignment import Arm, arm_of
from detectors.evaluation.policy_experiments import Effect, Outcome, compare_arms
from detectors.metrics.facts import State
from detectors.metrics.linked import clusters
from detectors.metrics.slices import main_currency
from features.windows import DAY_MS

HOLDOUT: Final = "holdout"
OUTSIDE: Final = "outside"
#: Below this the arms are not of the sizes that were drawn: something else decides who is in them (R. Kohavi, D. Tang,
#: Y. Xu: Trustworthy Online Controlled Experiments, 2020, chapter 21).
MISMATCH: Final = 0.001
#: Figures of which more is better.
_MORE_IS_BETTER: Final = frozenset({"orders_per_merchant", "gmv_per_merchant", "active_share"})
#: Quantiles of 95 % confidence and 80 % power.
_POWER: Final = 1.959963984540054 + 0.8416212335729143

Verdict = Literal["better", "worse", "no difference shown", "keep running", "too little"]
RailState = Literal["held", "open", "breached", "too little"]


class Comparison(Struct, frozen=True, kw_only=True):
    """An arm against the control by one metric, with the difference as the metric counts it (treated less control)."""

    metric: ExperimentMetric
    arm: str
    effect: Effect


class Primary(Struct, frozen=True, kw_only=True):
    """What is known of an arm by the primary metric. ``relied_on``: which interval the verdict rests on."""

    comparison: Comparison
    verdict: Verdict
    relied_on: Literal["all times", "planned end"]


class Guardrail(Struct, frozen=True, kw_only=True):
    """A guardrail: ``limit`` is the difference beyond which it is broken, by the interval for all times."""

    comparison: Comparison
    limit: float | None
    state: RailState


class ArmSize(Struct, frozen=True):
    """Units and merchants of an arm that were there in the experiment's time."""

    name: str
    units: int
    merchants: int


class Reading(Struct, frozen=True, kw_only=True):
    """An experiment as it stands; times in ms.

    ``crossed``: units left out, as their merchants are in different arms and linked. ``mismatch``: how likely sizes as
    unequal as these are; below MISMATCH nothing else here can be believed. ``completeness``: share of the orders whose
    outcome is known.
    """

    id: str
    title: str
    start: int
    end: int
    now: int
    ended: bool
    arms: list[ArmSize]
    outside: int
    crossed: int
    mismatch: float | None
    completeness: float
    primary: list[Primary]
    guardrails: list[Guardrail]
    long_run: list[Comparison]


def start_of(day: date) -> int:
    """The beginning of a day, UTC, ms."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


class Assignment:
    """Who is in which arm, for good.

    Parameters
    ----------
    spec
        The experiment.
    clusters_then
        The cluster of each linked merchant when the experiment started; others are alone.
    """

    def __init__(self, spec: ExperimentSpec, clusters_then: dict[str, str] | None = None) -> None:
        self._salt = spec.salt or spec.id
        self._clusters = clusters_then or {} if spec.unit == "cluster" else {}
        named = [Arm(arm.name, arm.share) for arm in spec.arms]
        if spec.holdout:
            named.append(Arm(HOLDOUT, spec.holdout))
        rest = 1.0 - sum(arm.share for arm in named)
        # What rounding leaves is nobody.
        self._arms = [*named, Arm(OUTSIDE, rest)] if rest > 1e-9 else named

    def unit(self, merchant: str) -> str:
        """What is drawn for a merchant: itself, or its cluster."""
        return self._clusters.get(merchant, merchant)

    def arm(self, merchant: str) -> str:
        """The merchant's arm."""
        return arm_of(self._salt, self.unit(merchant), self._arms)


class _Sums(Struct):
    """What became of one unit in the experiment's time."""

    merchants: int = 0
    orders: int = 0
    due: int = 0
    bad: int = 0
    gmv: int = 0
    due_gmv: int = 0
    bad_gmv: int = 0
    late_orders: int = 0
    restricted: bool = False
    wronged: bool = False
    restrictions: int = 0
    appeals: int = 0
    requests: int = 0


_COUNTS: Final = (
    "merchants", "orders", "due", "bad", "gmv", "due_gmv", "bad_gmv", "late_orders", "restrictions", "appeals",
    "requests",
)  # fmt: skip
#: What a metric is a ratio of, per unit: (denominator, numerator).
_RATIOS: Final[dict[ExperimentMetric, Callable[[_Sums], Outcome]]] = {
    "bad_order_rate": lambda each: Outcome(each.due, each.bad),
    "bad_order_rate_by_gmv": lambda each: Outcome(each.due_gmv, each.bad_gmv),
    "restriction_rate": lambda each: Outcome(1, each.restricted),
    "wrong_restriction_rate": lambda each: Outcome(1, each.wronged),
    "appeal_rate": lambda each: Outcome(each.restrictions, each.appeals),
    "review_requests": lambda each: Outcome(each.merchants, each.requests),
    "orders_per_merchant": lambda each: Outcome(each.merchants, each.orders),
    "gmv_per_merchant": lambda each: Outcome(each.merchants, each.gmv),
    "active_share": lambda each: Outcome(1, each.late_orders > 0),
}


def read_experiment(spec: ExperimentSpec, state: State, now: int) -> Reading:
    """How an experiment stands, by what is known of its merchants up to ``now`` (ms)."""
    start, end = start_of(spec.starts), start_of(spec.ends)
    assignment = Assignment(spec, clusters(state, start))
    sums, outside, crossed = _sums(spec, state, assignment, start, min(end, now))
    ended = now >= end
    control = sums[spec.control]
    orders = sum(each.orders for units in sums.values() for each in units)
    due = sum(each.due for units in sums.values() for each in units)
    treated = [arm.name for arm in spec.arms if arm.name != spec.control]

    def comparison(metric: ExperimentMetric, arm: str) -> Comparison:
        ratio = _RATIOS[metric]
        return Comparison(metric=metric, arm=arm, effect=compare_arms(map(ratio, sums[arm]), map(ratio, control)))

    return Reading(
        id=spec.id,
        title=spec.title,
        start=start,
        end=end,
        now=now,
        ended=ended,
        arms=[ArmSize(name, len(units), sum(each.merchants for each in units)) for name, units in sums.items()],
        outside=outside,
        crossed=crossed,
        mismatch=_mismatch(spec, sums),
        completeness=due / orders if orders else 0.0,
        primary=[_primary(comparison(spec.primary, arm), ended=ended) for arm in treated],
        guardrails=[_guardrail(each, comparison(each.metric, arm)) for each in spec.guardrails for arm in treated],
        long_run=[comparison(spec.primary, HOLDOUT)] if spec.holdout else [],
    )


def _by_merchant(state: State, start: int, end: int) -> dict[str, _Sums]:
    """What became of each merchant that was known by the end, those included that sold nothing: a policy may well be
    why.
    """
    currency = main_currency(state)
    found = {name: _Sums(1) for name, facts in sorted(state.merchants.items()) if facts.first_day * DAY_MS < end}
    late = end - (end - start) // 4
    for (day, merchant, _, _), cell in state.cells.items():
        each = found.get(merchant)
        if each is None or not start <= day * DAY_MS < end:
            continue
        each.orders += cell.orders
        each.due += cell.due
        each.bad += cell.bad
        each.late_orders += cell.orders if day * DAY_MS >= late else 0
        if state.merchants[merchant].currency == currency:
            each.gmv += cell.gmv
            each.due_gmv += cell.due_gmv
            each.bad_gmv += cell.bad_gmv
    for key, ruling in state.rulings.items():
        each = found.get(ruling.merchant)
        if each is None or not start <= ruling.at < end:
            continue
        each.requests += ruling.waiting
        if ruling.restricts and not ruling.waiting:
            each.restricted = True
            each.wronged |= ruling.wrong
            each.restrictions += 1
            each.appeals += key in state.appeals
    return found


def _sums(
    spec: ExperimentSpec, state: State, assignment: Assignment, start: int, end: int
) -> tuple[dict[str, list[_Sums]], int, int]:
    """What became of the units of each arm; how many merchants are in none, and how many units are left out."""
    merchants = _by_merchant(state, start, end)
    linked = clusters(state, end)
    arms_of_cluster: dict[str, set[str]] = defaultdict(set)
    for merchant in merchants:
        arms_of_cluster[linked.get(merchant, merchant)].add(assignment.arm(merchant))
    sums: dict[str, dict[str, _Sums]] = {arm.name: {} for arm in spec.arms}
    if spec.holdout:
        sums[HOLDOUT] = {}
    outside = 0
    crossed: set[str] = set()
    for merchant, each in merchants.items():
        arm = assignment.arm(merchant)
        if arm == OUTSIDE:
            outside += 1
        elif len(arms_of_cluster[linked.get(merchant, merchant)]) > 1:
            crossed.add(assignment.unit(merchant))
        else:
            _add(sums[arm].setdefault(assignment.unit(merchant), _Sums()), each)
    return {arm: list(units.values()) for arm, units in sums.items()}, outside, len(crossed)


def _add(into: _Sums, each: _Sums) -> None:
    into.restricted |= each.restricted
    into.wronged |= each.wronged
    for name in _COUNTS:
        setattr(into, name, getattr(into, name) + getattr(each, name))


def _primary(found: Comparison, *, ended: bool) -> Primary:
    effect = found.effect
    better_sign = 1 if found.metric in _MORE_IS_BETTER else -1
    verdict: Verdict
    low, high = (effect.low, effect.high) if ended else (effect.always_low, effect.always_high)
    if low is None or high is None:
        verdict = "too little"
    elif low > 0 or high < 0:
        verdict = "better" if (low > 0) == (better_sign > 0) else "worse"
    else:
        verdict = "no difference shown" if ended else "keep running"
    return Primary(comparison=found, verdict=verdict, relied_on="planned end" if ended else "all times")


def _guardrail(rail: GuardrailSpec, found: Comparison) -> Guardrail:
    effect = found.effect
    control = effect.control.rate
    if effect.always_low is None or effect.always_high is None or control is None:
        return Guardrail(comparison=found, limit=None, state="too little")
    limit = rail.worse_by * control if rail.relative else rail.worse_by
    # How much worse it is, at least and at most.
    least, most = effect.always_low, effect.always_high
    if found.metric in _MORE_IS_BETTER:
        least, most = -most, -least
    state: RailState = "breached" if least > limit else "held" if most <= limit else "open"
    return Guardrail(comparison=found, limit=-limit if found.metric in _MORE_IS_BETTER else limit, state=state)


def _mismatch(spec: ExperimentSpec, sums: dict[str, list[_Sums]]) -> float | None:
    """Probability of sizes at least as far from the shares as these, by chi-squared."""
    shares = {arm.name: arm.share for arm in spec.arms} | ({HOLDOUT: spec.holdout} if spec.holdout else {})
    units = sum(len(sums[name]) for name in shares)
    if not units:
        return None
    whole = sum(shares.values())
    statistic = sum(
        (len(sums[name]) - units * share / whole) ** 2 / (units * share / whole) for name, share in shares.items()
    )
    return float(chdtrc(len(shares) - 1, statistic))


def detectable(spec: ExperimentSpec, state: State, now: int) -> dict[str, tuple[float, float]]:
    """For each treated arm the primary metric's rate among all merchants of late, and the least difference from the
    control that would be found with a probability of 80 % at the planned end, if merchants go on as they do.

    Of late is as long before ``now`` (ms) as the experiment is to take. Empty where too little is known.
    """
    length = start_of(spec.ends) - start_of(spec.starts)
    merchants = _by_merchant(state, now - length, now)
    rate = compare_arms((), map(_RATIOS[spec.primary], merchants.values())).control
    if rate.rate is None or rate.standard_error is None:
        return {}
    control = next(arm.share for arm in spec.arms if arm.name == spec.control)
    return {
        arm.name: (rate.rate, _POWER * rate.standard_error * (1 / arm.share + 1 / control) ** 0.5)
        for arm in spec.arms
        if arm.name != spec.control
    }
