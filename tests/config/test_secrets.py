"""Secrets: where they may come from, and that nothing prints them."""

import logging
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings, SettingsError, load_settings

SECRET = "correct-horse-battery"  # noqa: S105
SASL = {"security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN", "sasl_username": "user"}


def with_secrets() -> Settings:
    """Settings with a secret in every place that takes one."""
    return load_settings(
        kafka={**SASL, "sasl_password": SECRET, "ssl_key_password": SECRET},
        redis__url=f"redis://user:{SECRET}@store:6379/0",
        pseudonym_key=SECRET,
    )


def test_secrets_are_kept() -> None:
    """Each is there for who asks for it by name."""
    settings = with_secrets()
    for secret in (settings.kafka.sasl_password, settings.redis.password, settings.pseudonym_key):
        assert secret is not None
        assert secret.get_secret_value() == SECRET


def test_secrets_are_not_printed(caplog: pytest.LogCaptureFixture) -> None:
    """repr, str, dumps as Python and JSON, and logging show none."""
    settings = with_secrets()
    with caplog.at_level(logging.INFO):
        logging.getLogger("x").info("starting with %s %r", settings, settings.redis)
    shown = [repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json(), caplog.text]
    assert not any(SECRET in text for text in shown)


@pytest.mark.parametrize(
    "overrides",
    [
        {"kafka": {**SASL, "sasl_password": [SECRET]}},
        {"kafka": {"sasl_password": SECRET}},
        {"kafka": {**SASL, "sasl_password": SECRET, "linger_ms": "x"}},
        {"redis": {"url": f"redis://:{SECRET}@h:1/x"}},
        {"redis": {"url": f"redis://:{SECRET}@h:1/0", "password": SECRET}},
        {"redis": f"redis://:{SECRET}@h:1/0"},
        {"pseudonym_key": SECRET[:15]},
    ],
)
def test_secrets_are_not_in_error_messages(overrides: dict[str, Any]) -> None:
    """A refused secret, or one beside a refused value, stays out of the message."""
    with pytest.raises(SettingsError) as caught:
        load_settings(**overrides)
    assert SECRET[:15] not in str(caught.value)


def test_secrets_from_files() -> None:
    """NAME_file is read; one line break at its end is dropped, spaces are kept."""
    Path("key").write_text(" a key with spaces \n")
    Path("password").write_text("pass\r\n")
    settings = load_settings(
        pseudonym_key_file="key", redis={"password_file": "password"}, kafka={**SASL, "sasl_password_file": "password"}
    )
    assert settings.require_pseudonym_key() == b" a key with spaces "
    assert settings.redis.password is not None
    assert settings.redis.password.get_secret_value() == "pass"
    assert settings.kafka.sasl_password is not None
    assert settings.kafka.sasl_password.get_secret_value() == "pass"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"pseudonym_key_file": "gone"}, "can't read gone (No such file or directory)"),
        ({"redis__password_file": "empty"}, "empty is empty"),
        ({"redis__password_file": "binary"}, "can't read binary (not UTF-8 text)"),
        ({"redis__password_file": "empty", "redis__password": "x"}, "both password and password_file are given"),
        ({"redis__password_file": "empty", "redis__url": "redis://:x@h:1/0"}, "keep one of them"),
    ],
)
def test_wrong_secret_files(overrides: dict[str, Any], message: str) -> None:
    """A file that is not there, empty or no text is named."""
    Path("empty").write_text("")
    Path("binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError) as caught:
        load_settings(**overrides)
    assert message in str(caught.value)


def test_stronger_source_replaces_a_secret_in_either_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password in the environment replaces the password file of the TOML file, and the other way round."""
    Path("p").write_text("from-file")
    Path("shopwarden.toml").write_text("[redis]\npassword_file = 'p'\n")
    monkeypatch.setenv("SHOPWARDEN_REDIS__PASSWORD", "from-environment")
    redis = load_settings().redis
    assert redis.password is not None
    assert redis.password.get_secret_value() == "from-environment"
    redis = load_settings(redis={"password_file": "p"}).redis
    assert redis.password is not None
    assert redis.password.get_secret_value() == "from-file"


def test_url_credentials_are_decoded() -> None:
    """Percent-encoded characters in a URL's password arrive as they are meant."""
    redis = load_settings(redis__url="redis://us%40er:p%2Fw%3A@h:1/0").redis
    assert (redis.url, redis.username) == ("redis://h:1/0", "us@er")
    assert redis.password is not None
    assert redis.password.get_secret_value() == "p/w:"
