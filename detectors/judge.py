"""Who judges: settings and policies shared by all shards, and the models of one."""

from msgspec import Struct

from detectors.anomaly import BehaviourAnomaly
from detectors.bad_order import BadOrderModel
from detectors.policy import PolicySet
from features.decode import InputLimits
from features.outputs import Mode
from features.pseudonyms import Pseudonyms
from features.registry import FEATURES_VERSION
from features.windows import DAY_MS


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


__all__ = ["FEATURES_VERSION", "Judge", "JudgeSettings", "Models"]
