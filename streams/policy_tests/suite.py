"""Runs files of policy tests against a folder of policies."""

from collections.abc import Sequence
from pathlib import Path

from config.policies import PolicyError, Problem, load_policies
from config.policy_tests import load_policy_tests
from config.settings import Settings
from detectors.judge import Judge
from detectors.policy import compile_policies
from features.registry import FEATURES
from streams.evaluation.archive_run import evaluation_judge
from streams.policy_tests.run import run_test
from streams.policy_tests.verdict import Verdict, check_names, judge_test

#: Folder of a policy folder that holds its tests.
TESTS = "tests"


def test_files(directory: Path) -> list[Path]:
    """The files of tests that a folder of policies brings along."""
    return sorted((directory / TESTS).glob("*.yaml"))


test_files.__test__ = False  # type: ignore[attr-defined]  # no test, for pytest


def run_files(settings: Settings, directory: Path, files: Sequence[Path]) -> list[tuple[Path, list[Verdict]]]:
    """Run every test of every file, by file.

    Raises
    ------
    PolicyError
        The policies, a file, or an event in one is wrong; names every problem.
    """
    policies = compile_policies(load_policies(directory), FEATURES)
    base = evaluation_judge(settings)
    judge = Judge(base.settings, policies, base.pseudonyms, base.signer)
    problems: list[Problem] = []
    results = []
    for file in files:
        verdicts = []
        for test in load_policy_tests(file):
            check_names(test, policies, problems)
            verdicts.append(judge_test(test, run_test(test, judge, problems)))
        results.append((file, verdicts))
    if problems:
        raise PolicyError(problems)
    return results
