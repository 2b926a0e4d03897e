"""Which attacks of the simulator a rule is about."""

from pathlib import Path
from typing import Final

from msgspec import Struct

from config.policies import PACKAGED, load_policies
from detectors.policy import compile_policies
from features.outputs import LEVELS, Level
from features.registry import FEATURES
from streams.evaluation.patterns import PATTERN_POLICIES, patterns_of_policy

#: From this level on an assessment or an enforcement counts as naming a merchant.
FLAG_LEVEL: Final[Level] = "high"
FLAG_RANK: Final = LEVELS.index(FLAG_LEVEL)


class RuleInfo(Struct, frozen=True):
    """What the demo needs of a rule. ``rank`` is its severity's place among the levels, ``attacks`` those of the
    simulator that it is about.
    """

    rank: int
    attacks: frozenset[str] = frozenset()


def read_rulebook(directory: Path | None = None) -> dict[str, RuleInfo]:
    """All rules by id. Raises config.policies.PolicyError, with all that is wrong, if a worker could not use them."""
    compiled = compile_policies(load_policies(directory or PACKAGED), FEATURES)
    return {
        rule.id: RuleInfo(LEVELS.index(rule.severity), patterns_of_policy(rule.policy) & PATTERN_POLICIES.keys())
        for rule in compiled.rules.values()
    }
