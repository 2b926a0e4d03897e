"""Who judges: settings and policies shared by all shards, and the models of one."""

from typing import Final

from msgspec import Struct

from detectors.anomaly import BehaviourAnomaly
from detectors.bad_order import BadOrderModel
from detectors.inputs import Input
from detectors.policy import PolicySet
from features.decode import InputLimits
from features.outputs import Mode
from features.pseudonyms import Pseudonyms
from features.vectors import BEHAVIOUR_INPUTS, ORDER_INPUTS
from features.windows import DAY_MS

#: Ten trees instead of the paper's 25: a third of the time, for a little less accuracy (docs/detectors.md).
ANOMALY_TREES: Final = 10
#: Share of orders that go wrong in some way before any outcome is known: about what Olist's late and low-rated orders
#: come to.
BAD_ORDER_PRIOR: Final = 0.1


class JudgeSettings(Struct, frozen=True, kw_only=True):
    """What the core needs to know from the settings.

    ``publish_level`` indexes :data:`features.outputs.LEVELS`; ``audit_rate`` is a probability; times are in ms.
    """

    mode: Mode = "live"
    publish_level: int = 2
    audit_rate: float = 0.005
    allowed_lateness: int = 3_600_000
    retention_days: int = 60
    assess_every: int = 3_600_000
    #: Quiet for as long as this, a merchant counts as dormant when it becomes active again.
    dormant_after: int = 14 * DAY_MS
    all_features: bool = False
    limits: InputLimits = InputLimits()


class Judge:
    """Settings, policies and pseudonyms: everything about judging that is not learned."""

    __slots__ = ("policies", "pseudonyms", "settings")

    def __init__(self, settings: JudgeSettings, policies: PolicySet, pseudonyms: Pseudonyms) -> None:
        self.settings = settings
        self.policies = policies
        self.pseudonyms = pseudonyms


class Models:
    """The models of one shard: they learn in the order of its events."""

    __slots__ = ("anomaly", "bad_order")

    def __init__(self, anomaly: BehaviourAnomaly, bad_order: BadOrderModel) -> None:
        self.anomaly = anomaly
        self.bad_order = bad_order

    @property
    def version(self) -> str:
        """Versions of all models, for the outputs."""
        return f"{self.anomaly.name}-{self.anomaly.version}+{self.bad_order.name}-{self.bad_order.version}"


def fresh_models(seed: int) -> Models:
    """Untrained models of the present shape."""
    return Models(
        BehaviourAnomaly([Input(*given) for given in BEHAVIOUR_INPUTS], seed=seed, n_trees=ANOMALY_TREES),
        BadOrderModel([Input(*given) for given in ORDER_INPUTS], prior=BAD_ORDER_PRIOR),
    )
