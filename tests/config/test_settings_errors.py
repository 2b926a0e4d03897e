"""What a person reads when settings are wrong."""

from pathlib import Path
from typing import Any

import pytest

from config.settings import SettingsError, load_settings


def problems(config_file: Path | None = None, **overrides: Any) -> list[str]:
    """The problems that loading finds, at least one."""
    with pytest.raises(SettingsError) as caught:
        load_settings(config_file, **overrides)
    assert caught.value.__cause__ is None
    assert "pydantic" not in str(caught.value)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SHOPWARDEN_KAFKA__BROKER", "SHOPWARDEN_KAFKA__BROKERS"),
        ("SHOPWARDEN_KAFKA_BROKERS", "SHOPWARDEN_KAFKA__BROKERS"),
        ("SHOPWARDEN_BROKERS", "SHOPWARDEN_KAFKA__BROKERS"),
        ("SHOPWARDEN_WORKER__MAX_POL_RECORDS", "SHOPWARDEN_WORKER__MAX_POLL_RECORDS"),
        ("SHOPWARDEN_PSEUDONYMKEY", "SHOPWARDEN_PSEUDONYM_KEY"),
        ("SHOPWARDEN_REDIS__URL__X", "SHOPWARDEN_REDIS__URL"),
    ],
)
def test_unknown_variable_is_an_error_with_a_suggestion(name: str, meant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt variable must not leave a default in force unnoticed."""
    monkeypatch.setenv(name, "1")
    assert problems() == [f"environment: there is no setting {name}; did you mean {meant}?"]


def test_unknown_name_in_dotenv_names_the_file() -> None:
    """Also in .env; lines of other programs there are none of our business."""
    Path(".env").write_text("COMPOSE_PROJECT_NAME=x\nSHOPWARDEN_WORKER__SEEED=1\n")
    assert problems() == [".env: there is no setting SHOPWARDEN_WORKER__SEEED; did you mean SHOPWARDEN_WORKER__SEED?"]


def test_unknown_name_in_toml_names_the_file() -> None:
    """Also in TOML: misspelt keys, misspelt tables, keys in the wrong place, and something like nothing."""
    Path("s.toml").write_text(
        'brokers = "h:1"\nwhat = 1\n[kafka]\nbroker = "h:1"\n[worker.deep]\nseed = 1\n[redi]\nurl = ""\n'
    )
    assert sorted(problems(Path("s.toml"))) == [
        "s.toml: there is no setting brokers; did you mean kafka.brokers?",
        "s.toml: there is no setting kafka.broker; did you mean kafka.brokers?",
        "s.toml: there is no setting redi; did you mean redis?",
        "s.toml: there is no setting what",
        "s.toml: there is no setting worker.deep; did you mean worker.seed?",
    ]


def test_unknown_argument() -> None:
    """Also in code."""
    assert problems(kafka={"brokerz": "h:1"}, worker__sed=1) == [
        "argument: there is no setting kafka.brokerz; did you mean kafka.brokers?",
        "argument: there is no setting worker.sed; did you mean worker.seed?",
    ]


def test_all_problems_come_in_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to mend one mistake to see the next; values out of range say where they were written."""
    Path("shopwarden.toml").write_text("[worker]\naudit_rate = 2\nlog_format = 'xml'\n")
    monkeypatch.setenv("SHOPWARDEN_WORKER__SEED", "abc")
    monkeypatch.setenv("SHOPWARDEN_SEED", "1")
    found = problems(pseudonym_key="short")
    assert [line.partition(":")[0] for line in found] == [
        "environment",
        "worker.audit_rate = 2 (shopwarden.toml)",
        "worker.log_format = 'xml' (shopwarden.toml)",
        "worker.seed = 'abc' (environment SHOPWARDEN_WORKER__SEED)",
        "pseudonym_key (argument)",
    ]
    assert "less than or equal to 1" in found[1]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"kafka__brokers": "localhost"}, "is not host:port"),
        ({"kafka__brokers": "kafka://h:1"}, "has a scheme"),
        ({"kafka__brokers": " , "}, "at least one broker"),
        ({"kafka__security_protocol": "SASL_SSL"}, "also needs sasl_mechanism, sasl_username, sasl_password"),
        ({"kafka__sasl_username": "u"}, "security_protocol is PLAINTEXT"),
        ({"kafka__ssl_cafile": "none.pem", "kafka__security_protocol": "SSL"}, "there is no file none.pem"),
        ({"kafka__session_timeout_s": 60}, "request_timeout_s must be at least session_timeout_s"),
        ({"redis__url": "localhost:6379"}, "not a Redis address"),
        ({"redis__url": "redis://h:99999/0"}, "bad port"),
        ({"redis__url": "redis://h:1/zero"}, "database number"),
        ({"redis__url": "redis://h:1/0?socket_timeout=9"}, "options after '?'"),
        ({"redis__url": "redis://h:1/2", "redis__cluster": True}, "only database 0"),
        ({"worker__namespace": "a:b"}, "letters, digits"),
        ({"topics__orders": "my orders"}, "a topic name has"),
        ({"topics__orders": "listings"}, "two topics have the same name: listings"),
        ({"policy_dir": "nowhere"}, "there is no folder nowhere"),
    ],
)
def test_wrong_values(overrides: dict[str, Any], message: str) -> None:
    """Every check says what was wrong."""
    (line,) = problems(**overrides)
    assert message in line


def test_broken_files() -> None:
    """A missing or malformed configuration file is named, with the line."""
    assert problems(Path("gone.toml")) == ["there is no configuration file gone.toml"]
    Path("bad.toml").write_text("[kafka\n")
    (line,) = problems(Path("bad.toml"))
    assert line.startswith("bad.toml is not valid TOML:")
    assert "line 1" in line


def test_section_variable_that_is_no_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """SHOPWARDEN_KAFKA=host:port is a likely mistake."""
    monkeypatch.setenv("SHOPWARDEN_KAFKA", "h:1")
    (line,) = problems()
    assert line == "environment SHOPWARDEN_KAFKA: not a JSON object; set SHOPWARDEN_KAFKA__… instead"
