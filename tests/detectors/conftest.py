"""Fixtures of the detectors' tests."""

import pytest

from config.policies import load_policies
from detectors.policy import PolicySet, compile_policies
from features.registry import FEATURES


@pytest.fixture(scope="session")
def packaged() -> PolicySet:
    """The policies that come along."""
    return compile_policies(load_policies(), FEATURES)
