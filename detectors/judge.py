"""Who judges: settings and policies shared by all shards, and the models of one."""

from math import log
from typing import Final

from msgspec import Struct

from detectors.anomaly import BehaviourAnomaly
from detectors.bad_order import BadOrderModel
from detectors.breaker import Breaker
from detectors.calibration import Metrics
from detectors.category import CategoryModel
from detectors.challenger import Challenger
from detectors.drift import DriftWatch
from detectors.examples import Examples
from detectors.inputs import Input
from detectors.known_effects import KnownEffect
from detectors.merchant_timers import EMPTY_DAYS
from detectors.policy import PolicySet
from detectors.signing import Signer
from features.decode import InputLimits
from features.order import LONGEST_PROMISE_DAYS, OUTCOME_DAYS
from features.outputs import Mode
from features.pseudonyms import Pseudonyms
from features.stage_vectors import DELIVERY_INPUTS, DISPATCH_INPUTS
from features.vectors import BEHAVIOUR_INPUTS, ORDER_INPUTS
from features.windows import DAY_MS

#: Ten trees instead of the paper's 25: half of the time, and with tails beside them hardly less accurate
#: (``benchmarks.evaluation.anomaly_adbench --trees 25``).
ANOMALY_TREES: Final = 10
#: Share of orders that go wrong in some way before any outcome is known: about what Olist's late and low-rated orders
#: come to.
BAD_ORDER_PRIOR: Final = 0.1


class JudgeSettings(Struct, frozen=True, kw_only=True):
    """What the core needs to know from the settings.

    ``publish_level`` indexes :data:`features.outputs.LEVELS`; ``audit_rate`` and ``holdout_rate`` are probabilities,
    ``audit_score_rate`` is that of a score of 1000; times are in ms where their names do not say days.
    ``retention_days`` is that of orders.
    """

    mode: Mode = "live"
    publish_level: int = 2
    audit_rate: float = 0.005
    audit_score_rate: float = 0.0
    holdout_rate: float = 0.01
    allowed_lateness: int = 3_600_000
    retention_days: int = 60
    removed_listing_days: int = 90
    idle_listing_days: int = 365
    idle_merchant_days: int = 400
    #: Between two assessments of a merchant at which nothing went wrong: of one that gets orders just now, and of one
    #: where hardly anything can have changed.
    assess_every: int = 3_600_000
    assess_quiet_every: int = 12 * 3_600_000
    #: How many shards there are.
    shards: int = 1
    #: Quiet for as long as this, a merchant counts as dormant when it becomes active again.
    dormant_after: int = 14 * DAY_MS
    all_features: bool = False
    limits: InputLimits = InputLimits()

    @property
    def rest_days(self) -> int:
        """Days after which an idle merchant is laid to rest: as set, but not before its windows are empty and its
        orders and listings are gone.
        """
        orders = LONGEST_PROMISE_DAYS + 1 + OUTCOME_DAYS + self.retention_days
        listings = max(self.idle_listing_days, self.removed_listing_days)
        return max(self.idle_merchant_days, 1 + max(EMPTY_DAYS, orders, listings))


class Judge:
    """Settings, policies and pseudonyms: everything about judging that is not learned."""

    __slots__ = ("breaker", "policies", "pseudonyms", "settings", "signer")

    def __init__(
        self, settings: JudgeSettings, policies: PolicySet, pseudonyms: Pseudonyms, signer: Signer | None = None
    ) -> None:
        self.settings = settings
        self.policies = policies
        #: Caps the severe actions of a shard.
        self.breaker = policies.breaker
        self.pseudonyms = pseudonyms
        #: Signs the snapshots of models; unless told otherwise, under a key derived from that of the pseudonyms.
        self.signer = signer or Signer(pseudonyms.derived("model snapshots"))

    def capped_by(self, breaker: Breaker | None) -> "Judge":
        """The same judge under another circuit breaker."""
        judge = Judge(self.settings, self.policies, self.pseudonyms, self.signer)
        judge.breaker = breaker
        return judge


class Models:
    """The models of one shard: they learn in the order of its events."""

    __slots__ = ("anomaly", "bad_order", "category", "challenger", "delivery", "dispatch", "drift", "examples")

    def __init__(
        self,
        anomaly: BehaviourAnomaly,
        stages: tuple[BadOrderModel, BadOrderModel, BadOrderModel],
        category: CategoryModel,
        challenger: Challenger | None = None,
    ) -> None:
        self.anomaly = anomaly
        self.bad_order, self.dispatch, self.delivery = stages
        self.category = category
        #: Whether they, or what they judge, have changed.
        self.drift = DriftWatch()
        #: Judges a sample of orders beside :attr:`bad_order`, where it is switched on.
        self.challenger = challenger
        #: What they learned and is not stored yet.
        self.examples = Examples()

    @property
    def stages(self) -> tuple[BadOrderModel, BadOrderModel, BadOrderModel]:
        """The bad-order models at purchase, at dispatch and at delivery."""
        return self.bad_order, self.dispatch, self.delivery

    def metrics(self) -> dict[str, Metrics]:
        """Test-then-train metrics of the models of orders, decayed; with a challenger, both on the orders it saw."""
        found = {model.name: model.metrics() for model in self.stages}
        if self.challenger is not None:
            compared = self.challenger.comparison()
            found[f"{self.bad_order.name} beside the forest"] = compared.champion
            found[self.challenger.name + (" (published)" if compared.serving else " (in shadow)")] = compared.challenger
        return found

    @property
    def version(self) -> str:
        """Versions of all models, for the outputs."""
        return "+".join(f"{each.name}-{each.version}" for each in (self.anomaly, self.bad_order, self.category))


def bad_order_models() -> tuple[BadOrderModel, BadOrderModel, BadOrderModel]:
    """Untrained models of an order at purchase, at dispatch and at delivery.

    What was judged at purchase is worth half of its log-odds later, until labels say more; the other half is what has
    happened since. Labels of delivery are few where few buyers rate, so that model learns faster.
    """
    middle = log(BAD_ORDER_PRIOR / (1.0 - BAD_ORDER_PRIOR))
    return (
        BadOrderModel([Input(*given) for given in ORDER_INPUTS], prior=BAD_ORDER_PRIOR),
        BadOrderModel(
            [Input(*given) for given in DISPATCH_INPUTS],
            name="bad-order-dispatch",
            prior=BAD_ORDER_PRIOR,
            known={"purchase_log_odds": KnownEffect(0.5, middle), "days_left_margin": KnownEffect(-0.8, 1.0)},
        ),
        BadOrderModel(
            [Input(*given) for given in DELIVERY_INPUTS],
            name="bad-order-delivery",
            prior=BAD_ORDER_PRIOR,
            known={"purchase_log_odds": KnownEffect(0.5, middle)},
            rate=0.03,
            floor=0.006,
            l2=0.01,
        ),
    )


def fresh_models(seed: int, *, challenger: bool = False) -> Models:
    """Untrained models of the present shape."""
    order_inputs = [Input(*given) for given in ORDER_INPUTS]
    return Models(
        BehaviourAnomaly([Input(*given) for given in BEHAVIOUR_INPUTS], seed=seed, n_trees=ANOMALY_TREES),
        bad_order_models(),
        CategoryModel(),
        Challenger(order_inputs, seed=seed) if challenger else None,
    )
