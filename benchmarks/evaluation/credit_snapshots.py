"""What credit the core gives to each merchant at times, and what its orders did afterwards."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from benchmarks.evaluation.order_outcomes import WAYS, OrderOutcomes
from detectors.apply import Core
from detectors.credit.assessment import credit_view
from detectors.credit.policy import CreditPolicy
from detectors.evaluation.scorecard import ScoredParty
from detectors.flush import Emit
from features.events import InputEvent
from features.merchant_conduct import merchant_conduct
from features.priors import DEFAULT_PRIORS
from features.shrinkage import posterior_mean
from features.windows import DAY_MS

#: The header of a changed credit.
_CREDIT_CHANGED: Final = ("ce_type", b"shopwarden.credit.changed.v1")
#: How long after a snapshot orders are watched.
HORIZON_DAYS: Final = 60
_HORIZON_MS: Final = HORIZON_DAYS * DAY_MS
_WINDOW_MS: Final = 90 * DAY_MS
#: Half-life of what the batch model is told of a merchant's past.
_HALF_LIFE_MS: Final = 180 * DAY_MS


class Snapshot(Struct, frozen=True, kw_only=True):
    """A merchant's credit at a time, what it did afterwards, and what else could have told.

    The row has the credit as it would be if it were looked at just then; ``published`` is the probability as it was
    last published, which may be long ago where nothing was sold, and ``relative`` the probability as a multiple of that
    of all merchants, which tiers rest on. ``raw_late``: share of its orders delivered late, of
    all that were due; ``None`` of none. ``shrunk``: posterior mean of its bad-order rate of 90 days. ``history``: for
    each way in which orders go bad, decayed counts of orders and of bad ones. ``truth``: where it is known, the share
    of its ordinary orders that go bad, as it serves at that time.
    """

    row: ScoredParty
    published: float
    relative: float
    raw_late: float | None
    shrunk: float
    history: dict[str, tuple[float, float]]
    truth: float | None = None


class _Pending(Struct):
    merchant: str
    at: int
    tier: str
    points: int | None
    probability: float
    published: float
    relative: float
    raw_late: float | None
    shrunk: float
    history: dict[str, tuple[float, float]]
    truth: float | None


class CreditSnapshots:
    """Watches a run, and notes the credit of all merchants every ``every`` days from ``first`` days after the start.

    ``truth`` tells of each merchant which share of its ordinary orders goes bad now. Nothing of the core is changed.

    Attributes
    ----------
    told
        Changes of credit that were published from the first time on.
    """

    def __init__(
        self,
        policy: CreditPolicy,
        first: float,
        every: float,
        *,
        histories: bool = False,
        truth: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        self.told = 0
        self._truth = truth
        self._policy = policy
        self._first = int(first * DAY_MS)
        self._every = int(every * DAY_MS)
        self._histories = histories
        self._next: int | None = None
        self._cores: Sequence[Core] = ()
        self._outcomes = OrderOutcomes()
        self._pending: list[_Pending] = []
        self._last = 0

    def begun(self, cores: Sequence[Core]) -> None:
        """The cores that the run uses."""
        self._cores = cores

    def event(self, event: InputEvent, time: int) -> None:
        """An event that the core is about to apply."""
        if self._next is None:
            self._next = time + self._first
        while time >= self._next:
            self._take(self._next)
            self._next += self._every
        self._outcomes.event(event)
        self._last = time

    def outputs(self, emits: Sequence[Emit], time: int) -> None:
        """What the core published."""
        if self._pending:
            self.told += sum(_CREDIT_CHANGED in each.headers for each in emits)

    def _take(self, now: int) -> None:
        truth = self._truth()
        for core in self._cores:
            prior = core.state.population.priors.get("bad_order", DEFAULT_PRIORS["bad_order"])
            for merchant_id, merchant in core.state.merchants.items():
                credit = merchant.record.credit
                if credit is None or not credit.tier:
                    continue
                conduct = merchant_conduct(merchant, core.state.population, now, self._policy.probation.established)
                view = credit_view(credit, conduct, self._policy, now)
                late = [late for _, late in self._outcomes.known(merchant_id, "late_delivery", now)]
                recent = [
                    bad for since, bad in self._outcomes.known(merchant_id, "bad", now) if since > now - _WINDOW_MS
                ]
                self._pending.append(
                    _Pending(
                        merchant=merchant_id,
                        at=now,
                        tier=credit.tier,
                        points=view.score,
                        probability=view.harm.mean,
                        # Of whom nothing was ever told, what all have is all that a subscriber can know.
                        published=credit.probability or view.harm.of_all,
                        relative=view.harm.mean / view.harm.of_all,
                        raw_late=sum(late) / len(late) if late else None,
                        shrunk=posterior_mean(sum(recent), len(recent), prior),
                        history=self._history(merchant_id, now) if self._histories else {},
                        truth=truth.get(merchant_id),
                    )
                )

    def _history(self, merchant: str, now: int) -> dict[str, tuple[float, float]]:
        found = {}
        for way in WAYS:
            orders = bad = 0.0
            for since, was_bad in self._outcomes.known(merchant, way, now):
                weight = 0.5 ** ((now - since) / _HALF_LIFE_MS)
                orders += weight
                bad += weight * was_bad
            found[way] = orders, bad
        return found

    def snapshots(self) -> list[Snapshot]:
        """All snapshots with the orders of the days after them whose outcome is due by the end of the run."""
        found = []
        for each in self._pending:
            orders, bad = self._outcomes.between(each.merchant, each.at, each.at + _HORIZON_MS, self._last)
            row = ScoredParty(
                party=each.merchant,
                at=each.at,
                tier=each.tier,
                points=each.points,
                probability=each.probability,
                orders=orders,
                bad=bad,
            )
            found.append(
                Snapshot(
                    row=row,
                    published=each.published,
                    relative=each.relative,
                    raw_late=each.raw_late,
                    shrunk=each.shrunk,
                    history=each.history,
                    truth=each.truth,
                )
            )
        return found
