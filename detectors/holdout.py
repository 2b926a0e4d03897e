"""Hold-out from enforcement: which decisions may be left undone in a small random share of the cases, and for how long.

An action changes the outcomes that it is judged by: orders of a limited merchant are never placed, a warned one mends
its ways. Labels of merchants that were acted against therefore say too little about what they would have done, and
those of the others are of merchants that looked harmless (selective labels). A merchant that is left alone by chance,
with a known probability, gives labels of both kinds.

References
----------
H. Lakkaraju, J. Kleinberg, J. Leskovec, J. Ludwig, S. Mullainathan: The selective labels problem: evaluating
algorithmic predictions in the presence of unobservables. KDD 2017.
"""

from typing import Final

from msgspec import Struct

from detectors.levels import LEVEL_RANK
from detectors.rules import Rule
from features.outputs import Action
from features.windows import DAY_MS

#: Actions that a policy file may hold out: minor ones that end or can be made good. Leaving money, goods or accounts
#: where a buyer may lose them for good is not for experiments.
HOLDABLE: Final[frozenset[Action]] = frozenset({"warn", "demote_listing", "limit_orders", "block_new_listings"})
#: Rules of this severity and above are always enforced.
_SEVERE: Final = LEVEL_RANK["high"]


class Holdout(Struct, frozen=True):
    """Policies and actions that may be held out, and for how long a merchant stays in its arm, ms."""

    policies: frozenset[str] = frozenset()
    actions: frozenset[Action] = frozenset()
    period: int = 60 * DAY_MS

    def covers(self, rule: Rule, action: Action) -> bool:
        """Whether an action that follows from a rule may be left undone."""
        return rule.policy in self.policies and action in self.actions and LEVEL_RANK[rule.severity] < _SEVERE

    def arm(self, merchant_id: str, policy: str, at: int) -> str:
        """What is drawn: a merchant under a policy for the period that a time (ms) lies in."""
        return f"{at // self.period}:{policy}:{merchant_id}"

    def end(self, at: int) -> int:
        """When the period that a time lies in ends, ms; all merchants' periods are the same."""
        return (at // self.period + 1) * self.period
