"""docker-compose.yml and the Dockerfile name only commands, options, settings and files that exist."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from config.settings import load_settings
from streams.cli import main
from tests.kafka_broker import kafka_version

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docker-compose.yml"
OURS = ("topics", "worker", "simulator", "metrics", "console")
#: What would be a secret if it held a value of its own.
SECRET = re.compile(r"(?i)(password|secret|token|pseudonym_key)\b")


def substitute(text: str) -> str:
    """Replace ``${NAME:-default}`` as Compose does without an environment; without a default it may not stand."""
    replaced = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    assert "$" not in replaced, f"a variable without a default: a newcomer's first `up` would fail: {text}"
    return replaced


def load() -> dict[str, Any]:
    """The file with its defaults filled in."""
    loaded: dict[str, Any] = yaml.safe_load(substitute(FILE.read_text()))
    return loaded


def words(command: str | list[str]) -> list[str]:
    """A command in Compose's exec or shell form, as a list."""
    return shlex.split(command) if isinstance(command, str) else command


def parse(arguments: list[str]) -> click.Command:
    """Let click parse a command line without running it; wrong names and values raise click.UsageError."""
    context = click.Context(main, info_name="shopwarden")
    command: click.Command = main
    while isinstance(command, click.Group):
        name, found, arguments = command.resolve_command(context, arguments)
        assert found is not None
        command = found
        context = click.Context(command, info_name=name, parent=context)
    command.parse_args(context, arguments)
    return command


def shopwarden_commands() -> Iterator[tuple[str, list[str]]]:
    """Every command line of ours in the two files, with where it stands."""
    services = load()["services"]
    for name in OURS:
        yield name, words(services[name]["command"])
    for name, service in services.items():
        test = service.get("healthcheck", {}).get("test", [])
        if test[1:2] == ["shopwarden"]:
            yield f"{name}'s health check", test[2:]
    dockerfile = (ROOT / "Dockerfile").read_text()
    health, command = re.findall(r"^.*CMD (\[.*\])$", dockerfile, re.MULTILINE)
    assert yaml.safe_load(health)[0] == "shopwarden"
    yield "the image's health check", yaml.safe_load(health)[1:]
    yield "the image's command", yaml.safe_load(command)


@pytest.mark.parametrize("arguments", [pytest.param(line, id=name) for name, line in shopwarden_commands()])
def test_commands_exist(arguments: list[str]) -> None:
    """Each of our commands is one, with options that it has and values that these take."""
    parse(arguments)


@pytest.mark.parametrize("line", ["simulat", "worker --parallel 3", "topics drop", "simulate --rate fast"])
def test_a_wrong_command_would_be_found(line: str) -> None:
    """The check above refuses unknown commands, options and values."""
    with pytest.raises(click.UsageError):
        parse(shlex.split(line))


def test_settings_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The variables given to our containers are settings, and valid."""
    key = tmp_path / "pseudonym.key"
    key.write_text("0" * 64)
    services = load()["services"]
    for name in OURS:
        for variable, value in services[name]["environment"].items():
            monkeypatch.setenv(variable, str(key) if variable.endswith("_FILE") else value)
    settings = load_settings()
    assert settings.kafka.brokers == "kafka:19092"
    assert settings.redis.url == "redis://valkey:6379/0"


def test_ports_are_on_loopback() -> None:
    """Nothing is published to the network: an unauthenticated Kafka or Valkey there would be open to all."""
    ports = [port for service in load()["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_secrets() -> None:
    """No variable that is a secret holds a value; keys come from files."""
    for service in load()["services"].values():
        for name in service.get("environment", {}):
            assert name.endswith("_FILE") or not SECRET.search(name), name


def test_the_worker_scales() -> None:
    """`--scale worker=4` works: no fixed container name, no published port."""
    worker = load()["services"]["worker"]
    assert "container_name" not in worker
    assert "ports" not in worker


def test_the_store_keeps_what_it_has() -> None:
    """Valkey writes its append-only file into a volume and evicts nothing."""
    valkey = load()["services"]["valkey"]
    assert "--appendonly yes" in valkey["command"]
    assert "--maxmemory-policy noeviction" in valkey["command"]
    assert valkey["volumes"] == ["valkey:/data"]


def test_everything_is_waited_for() -> None:
    """Whatever a service depends on has a health check, or runs to its end."""
    services = load()["services"]
    for service in services.values():
        for name, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "test" in services[name]["healthcheck"]
            else:
                assert how["condition"] == "service_completed_successfully"
                assert "restart" not in services[name]


def test_what_is_mounted_exists() -> None:
    """Files of this repository that services are given are there, and can't be changed by them."""
    mounted = [
        volume.split(":")
        for service in load()["services"].values()
        for volume in service.get("volumes", [])
        if volume.startswith("./")
    ]
    assert len(mounted) == 4
    for source, _, mode in mounted:
        assert (ROOT / source).exists(), source
        assert mode == "ro"


def test_prometheus_scrapes_where_the_image_serves() -> None:
    """The port of metrics is one and the same in the image and in Prometheus's configuration."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    port = re.findall(r"SHOPWARDEN_TELEMETRY__PORT=(\d+)", dockerfile)[0]
    assert f"EXPOSE {port}" in dockerfile
    scraped = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    ours = [place for job in scraped for place in job.get("dns_sd_configs", [])]
    assert {place["port"] for place in ours} == {int(port)}
    assert {name for place in ours for name in place["names"]} <= load()["services"].keys()


def test_kafka_is_the_version_that_is_tested() -> None:
    """The image and tests/kafka/pom.xml name one version."""
    assert load()["services"]["kafka"]["image"] == f"apache/kafka:{kafka_version()}"


def test_the_image_gets_its_files() -> None:
    """What the Dockerfile copies exists and is let through by .dockerignore."""
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        source
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from=" not in line
        for source in line.split()[1:-1]
    }
    assert {"requirements.lock", "streams"} <= copied
    assert copied <= let_through
    assert all((ROOT / name).exists() for name in copied)


COMPOSE = (["docker-compose"], ["docker", "compose"])


def _works(command: list[str]) -> bool:
    return (
        shutil.which(command[0]) is not None
        and not subprocess.run(command, capture_output=True, check=False).returncode
    )


def test_compose_accepts_the_file(tmp_path: Path) -> None:
    """`docker-compose config` (or the plugin) finds no fault; needs no Docker engine."""
    command = next((found for found in COMPOSE if _works([*found, "version"])), None)
    if command is None:
        pytest.skip("Compose is not installed")
    done = subprocess.run(
        [*command, "--project-directory", str(tmp_path), "-f", str(FILE), "config"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert set(yaml.safe_load(done.stdout)["services"]) == set(load()["services"])
