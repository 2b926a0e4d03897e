"""Where settings come from and which wins."""

import pickle
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from config.settings import PACKAGED_POLICIES, Settings, SettingsError, load_settings, load_with_origins
from config.worker import PublishLevel
from features.outputs import LEVELS


def test_defaults_need_no_source() -> None:
    """Without any source the settings are the documented defaults."""
    assert load_settings() == Settings()


def test_sources_in_order(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument beats the environment, that .env, that the TOML file; what one does not set, the next may."""
    Path("shopwarden.toml").write_text(
        '[kafka]\nclient_id = "toml"\nbrokers = "toml:1"\nlinger_ms = 7\ncompression = "zstd"\n'
    )
    Path(".env").write_text(
        "SHOPWARDEN_KAFKA__CLIENT_ID=dotenv\nSHOPWARDEN_KAFKA__BROKERS=dotenv:1\nSHOPWARDEN_KAFKA__LINGER_MS=8\n"
    )
    monkeypatch.setenv("SHOPWARDEN_KAFKA__CLIENT_ID", "environment")
    monkeypatch.setenv("SHOPWARDEN_KAFKA__BROKERS", "environment:1")
    kafka = load_settings(kafka__client_id="argument").kafka
    assert (kafka.client_id, kafka.brokers, kafka.linger_ms, kafka.compression) == (
        "argument",
        "environment:1",
        8,
        "zstd",
    )


def test_toml_file_is_the_argument_then_the_variable_then_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """--config wins over SHOPWARDEN_CONFIG, which wins over ./shopwarden.toml."""
    for name, seed in (("shopwarden.toml", 1), ("named.toml", 2), ("given.toml", 3)):
        Path(name).write_text(f"[worker]\nseed = {seed}\n")
    assert load_settings().worker.seed == 1
    monkeypatch.setenv("SHOPWARDEN_CONFIG", "named.toml")
    assert load_settings().worker.seed == 2
    assert load_settings(Path("given.toml")).worker.seed == 3


def test_origins_name_the_place_of_each_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """For every value that is no default the loader knows where it was written."""
    Path("shopwarden.toml").write_text("[worker]\nseed = 1\naudit_rate = 0.5\n")
    monkeypatch.setenv("SHOPWARDEN_WORKER__SEED", "2")
    _, origins = load_with_origins(topics={"prefix": "x-"})
    assert origins == {
        "worker.audit_rate": "shopwarden.toml",
        "worker.seed": "environment SHOPWARDEN_WORKER__SEED",
        "topics.prefix": "argument",
    }


def test_section_as_json_variable_and_nested_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A section may be one JSON variable; a variable of its own for a field wins over it."""
    monkeypatch.setenv("SHOPWARDEN_WORKER", '{"seed": 1, "group_id": "g"}')
    monkeypatch.setenv("SHOPWARDEN_WORKER__SEED", "2")
    worker = load_settings().worker
    assert (worker.seed, worker.group_id) == (2, "g")


def test_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files pass variables that nobody set as empty ones."""
    monkeypatch.setenv("SHOPWARDEN_KAFKA__SASL_USERNAME", "")
    settings, origins = load_with_origins()
    assert settings.kafka.sasl_username is None
    assert origins == {}


def test_variables_of_kubernetes_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Kubernetes service called shopwarden-worker must not stop the pods that run beside it."""
    monkeypatch.setenv("SHOPWARDEN_WORKER_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("SHOPWARDEN_WORKER_SERVICE_PORT_METRICS", "9000")
    monkeypatch.setenv("SHOPWARDEN_PORT_9000_TCP_ADDR", "10.0.0.1")
    assert load_settings() == Settings()


def test_settings_are_frozen() -> None:
    """No part of the program can change them under another."""
    settings = Settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.pseudonym_key_id = "k2"
    with pytest.raises(ValidationError, match="frozen"):
        settings.worker.seed = 1


def test_settings_survive_pickling() -> None:
    """Benchmarks and tests hand them to other processes."""
    settings = load_settings(topics__prefix="x-", pseudonym_key="k" * 16)
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301


def test_prefix_is_part_of_every_topic_name_once() -> None:
    """The fields hold the real names; a name that has the prefix already does not get it again."""
    topics = load_settings(topics={"prefix": "eu-", "orders": "eu-shop-orders", "listings": "items"}).topics
    assert topics.inputs == ("eu-items", "eu-shop-orders", "eu-merchants", "eu-feedback")
    assert topics.name("dead_letters") == "eu-governance-dead-letters"
    assert load_settings(topics=topics.model_dump()).topics == topics


def test_publish_levels_are_those_of_the_outputs() -> None:
    """Config may not import features, so its copy of the levels is compared here."""
    assert get_args(PublishLevel) == LEVELS


def test_policies_path(tmp_path: Path) -> None:
    """Rules come from the package unless a folder is named."""
    assert Settings().policies_path == PACKAGED_POLICIES
    assert load_settings(policy_dir=tmp_path).policies_path == tmp_path


@pytest.mark.parametrize("given", ["b1:9092, b2:9093 ,", ["b1:9092", "b2:9093"]])
def test_brokers_as_text_or_list(given: object) -> None:
    """Both ways of writing brokers give what librdkafka takes."""
    assert load_settings(kafka={"brokers": given}).kafka.brokers == "b1:9092,b2:9093"


def test_redis_address_parts() -> None:
    """Host, port and database are read from the URL, with Redis' defaults."""
    redis = load_settings(redis__url="rediss://store").redis
    assert (redis.host, redis.port, redis.database, redis.uses_tls) == ("store", 6379, 0, True)
    redis = load_settings(redis__url="redis://[::1]:7000/3").redis
    assert (redis.host, redis.port, redis.database, redis.uses_tls) == ("::1", 7000, 3, False)


def test_missing_pseudonym_key_says_how_to_make_one() -> None:
    """The worker's first start tells what to do."""
    with pytest.raises(SettingsError, match=r"pseudonym_key is missing; make one with .*token_hex"):
        Settings().require_pseudonym_key()
    assert load_settings(pseudonym_key="0123456789abcdef").require_pseudonym_key() == b"0123456789abcdef"


def test_a_setting_called_port_is_no_variable_of_kubernetes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of both end in PORT; ours is read."""
    monkeypatch.setenv("SHOPWARDEN_TELEMETRY__PORT", "9464")
    assert load_settings().telemetry.port == 9464


@pytest.mark.parametrize("what", ["KAFKA", "CHROMIUM", "NODE", "PROMTOOL"])
def test_switches_of_the_test_suite_are_no_settings(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What CI requires must not stop the commands that its tests run."""
    monkeypatch.setenv(f"SHOPWARDEN_REQUIRE_{what}", "1")
    assert load_settings() == Settings()
