"""Which attack a rule is about."""

from pathlib import Path

import pytest

from config.policies import PolicyError
from streams.demo.rulebook import ATTACK_POLICIES, FLAG_RANK, read_rulebook
from streams.simulator import ATTACK_NAMES


def test_every_attack_has_a_grave_rule() -> None:
    """Some rule can flag each attack of the simulator; without one its recall would be zero in any case."""
    grave = {rule.attack for rule in read_rulebook().values() if rule.rank >= FLAG_RANK}
    assert grave >= set(ATTACK_POLICIES)
    assert set(ATTACK_POLICIES) <= set(ATTACK_NAMES)


def test_no_policy_is_about_two_attacks() -> None:
    """A rule is about one attack at most."""
    policies = [policy for each in ATTACK_POLICIES.values() for policy in each]
    assert len(policies) == len(set(policies))


def test_folder_without_policies(tmp_path: Path) -> None:
    """A folder that holds no policies is an error that names it."""
    with pytest.raises(PolicyError, match=str(tmp_path)):
        read_rulebook(tmp_path)
