"""Which attacks a rule is about."""

from pathlib import Path

import pytest

from config.policies import PolicyError
from streams.demo.rulebook import FLAG_RANK, read_rulebook
from streams.simulator import ATTACK_NAMES


def test_rules_know_their_attacks() -> None:
    """Rules name attacks of the simulator alone, and the old four have a grave rule each."""
    rules = read_rulebook().values()
    assert all(rule.attacks <= set(ATTACK_NAMES) for rule in rules)
    grave = {attack for rule in rules if rule.rank >= FLAG_RANK for attack in rule.attacks}
    assert grave >= {"bust_out", "counterfeit", "fake_tracking", "brushing"}


def test_folder_without_policies(tmp_path: Path) -> None:
    """A folder that holds no policies is an error that names it."""
    with pytest.raises(PolicyError, match=str(tmp_path)):
        read_rulebook(tmp_path)
