"""Which attack of the simulator a rule is about."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from config.policies import PACKAGED, load_policies
from detectors.policy import compile_policies
from features.outputs import LEVELS, Level
from features.registry import FEATURES

#: Policies (their codes in the taxonomy) by the attack that breaks them. Goods that never come are a bust-out's harm.
ATTACK_POLICIES: Final[Mapping[str, frozenset[str]]] = {
    "bust_out": frozenset({"bust_out", "non_delivery"}),
    "counterfeit": frozenset({"counterfeit"}),
    "fake_tracking": frozenset({"fake_tracking"}),
    "brushing": frozenset({"brushing"}),
}
#: From this level on an assessment or an enforcement counts as naming a merchant.
FLAG_LEVEL: Final[Level] = "high"
FLAG_RANK: Final = LEVELS.index(FLAG_LEVEL)


class RuleInfo(Struct, frozen=True):
    """What the demo needs of a rule. ``rank`` is its severity's place among the levels, ``attack`` the attack of the
    simulator that it is about, if any.
    """

    rank: int
    attack: str | None


def read_rulebook(directory: Path | None = None) -> dict[str, RuleInfo]:
    """All rules by id. Raises config.policies.PolicyError, with all that is wrong, if a worker could not use them."""
    attack_of = {policy: attack for attack, policies in ATTACK_POLICIES.items() for policy in policies}
    compiled = compile_policies(load_policies(directory or PACKAGED), FEATURES)
    return {
        rule.id: RuleInfo(LEVELS.index(rule.severity), attack_of.get(rule.policy)) for rule in compiled.rules.values()
    }
