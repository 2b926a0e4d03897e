"""Checks that need no server."""

import importlib.metadata
from pathlib import Path

import pytest

from config.settings import Settings, load_settings
from streams.doctor.local import check_packages, check_policies, check_pseudonym_key, check_settings


def test_settings_are_shown_with_their_origin_and_without_secrets() -> None:
    """Who set what is the first question; the password is nobody's business."""
    settings = load_settings(redis__url="redis://:hush-hush@h:1/0", pseudonym_key="hush-hush-hush-hush")
    origins = {
        "redis.url": "x.toml",
        "redis.password": "environment Y",
        "pseudonym_key": ".env Z",
        "kafka": "environment K",
    }
    found = list(check_settings(settings, origins))
    assert [finding.text for finding in found] == [
        "kafka = {…} (environment K)",
        "pseudonym_key = [secret] (.env Z)",
        "redis.password = [secret] (environment Y)",
        "redis.url = redis://h:1/0 (x.toml)",
    ]
    (finding,) = check_settings(Settings(), {})
    assert finding.text == "all are defaults"


@pytest.mark.parametrize(
    ("key", "status"), [(None, "problem"), ("aaaaaaaaaaaaaaaaaaaa", "warning"), ("0f3b6a1c9d8e7f25", "ok")]
)
def test_pseudonym_key(key: str | None, status: str) -> None:
    """Missing: no worker. Easy to guess: pseudonyms that hide nobody. The key itself is never shown."""
    (finding,) = check_pseudonym_key(load_settings(pseudonym_key=key) if key else Settings())
    assert finding.status == status
    assert bool(finding.advice) is (status != "ok")
    assert str(key) not in finding.text + finding.advice


def test_packaged_policies_compile() -> None:
    """What comes along is in order."""
    (finding,) = check_policies(Settings())
    assert finding.status == "ok", finding
    assert "rules, version" in finding.text


def test_broken_policies_are_named(tmp_path: Path) -> None:
    """Every mistake is a line of its own, with file and line."""
    (tmp_path / "mine.yaml").write_text("rules:\n  - id: x\n    colour: red\n")
    found = list(check_policies(load_settings(policy_dir=tmp_path)))
    assert {finding.status for finding in found} == {"problem"}
    assert any("mine.yaml:" in finding.text for finding in found)


def test_packages_of_this_environment() -> None:
    """The locked environment is the supported one."""
    found = list(check_packages())
    assert {finding.status for finding in found} == {"ok"}, found


def test_wrong_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other versions, missing packages and another Python are problems; extras nobody asked for are none."""
    folder = tmp_path / "trial-1.0.dist-info"
    folder.mkdir()
    needs = ["click<2", "no-such-package>=1", "orjson>=3", "also-missing; extra == 'embedded'"]
    lines = ["Metadata-Version: 2.1", "Name: trial", "Version: 1.0", "Requires-Python: <3.0"]
    (folder / "METADATA").write_text("\n".join(lines + [f"Requires-Dist: {need}" for need in needs]))
    monkeypatch.syspath_prepend(tmp_path)
    problems = [finding.text for finding in check_packages("trial") if finding.status == "problem"]
    assert problems[0].startswith("Python 3.")
    assert problems[1:] == [
        f"click {importlib.metadata.version('click')}, but <2 is needed",
        "no-such-package is missing, but >=1 is needed",
    ]


def test_not_installed() -> None:
    """Run from a folder of files, versions can't be compared."""
    (finding,) = check_packages("no-such-distribution")
    assert finding.status == "warning"
