import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from config.settings import load_settings
from streams.embedded import EmbeddedServices, EmbeddedServicesError

pytestmark = pytest.mark.broker
Start = Callable[..., EmbeddedServices]


def exists(pid: int) -> bool:
    """True while process ``pid`` runs; one that nobody has waited for yet (a zombie) has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Wait for ``true``; False if it does not come."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_stops_and_removes_everything(own_services: Start) -> None:
    """After stop() neither process runs and the temporary folder is gone; a second stop() does no harm."""
    services = own_services()
    assert services.broker is not None and services.store is not None and services.folder is not None
    pids, folder = (services.broker.pid, services.store.pid), services.folder
    assert all(exists(pid) for pid in pids) and folder.is_dir()
    services.stop()
    assert not any(exists(pid) for pid in pids)
    assert not folder.exists()
    services.stop()


def test_only_loopback_is_listened_on(own_services: Start) -> None:
    """Neither service can be reached from another machine."""
    services = own_services()
    ports = {int(services.brokers.rpartition(":")[2]), int(services.redis_url.split(":")[2].partition("/")[0])}
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    listening = {row[1] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) in ports}
    assert listening == {f"0100007F:{port:04X}" for port in ports}


def test_settings_take_the_environment(own_services: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """environment() holds variables that load_settings() knows and that lead to these services."""
    services = own_services()
    for name, value in services.environment().items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.kafka.brokers == services.brokers
    assert settings.redis.url == services.redis_url
    assert settings.kafka.rebalance_timeout_s < 10


def test_given_addresses_are_used_instead() -> None:
    """What is given is not started, and keeps the timeouts that its settings say."""
    with EmbeddedServices(brokers="broker.example:9092", redis_url="redis://store.example:6379/0") as services:
        assert services.broker is None and services.store is None
        assert services.environment() == {
            "SHOPWARDEN_KAFKA__BROKERS": "broker.example:9092",
            "SHOPWARDEN_REDIS__URL": "redis://store.example:6379/0",
        }


def test_the_store_survives_a_kill_with_its_file(own_services: Start) -> None:
    """With an append-only file, what was written over a second before a SIGKILL is there after a restart."""
    services = own_services(brokers="unused.example:9092", append_only=True)
    with redis.Redis.from_url(services.redis_url) as client:
        client.set("key", "value")
        time.sleep(1.5)  # fsync every second
        services.kill_store()
        assert "store ended by itself" in (services.dead() or "")
        services.restart_store()
        assert client.get("key") == b"value"
        assert services.dead() is None


def test_a_taken_port_is_named() -> None:
    """A fixed port that is in use is refused with its number, and nothing is left running."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        services = EmbeddedServices(store_port=port)
        with pytest.raises(EmbeddedServicesError, match=rf"127\.0\.0\.1:{port}: the port is taken"):
            services.start()
    assert services.broker is None and services.folder is None


def test_a_service_that_ends_at_once_is_told_with_its_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message has the last lines of the service's own log."""
    fake = tmp_path / "tansu"
    fake.write_text("#!/bin/sh\necho no luck today\nexit 3\n")
    fake.chmod(0o755)
    monkeypatch.setenv("CALF_TANSU_BIN", str(fake))
    services = EmbeddedServices(redis_url="redis://store.example:6379/0")
    with pytest.raises(EmbeddedServicesError, match=r"broker .* ended while starting(.|\n)*no luck today"):
        services.start()
    assert services.folder is None


def test_a_service_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The deadline holds, and the silent process is ended."""
    fake = tmp_path / "tansu"
    pid_file = tmp_path / "pid"
    fake.write_text(f"#!/bin/sh\necho $$ > {pid_file}\nexec sleep 600\n")
    fake.chmod(0o755)
    monkeypatch.setenv("CALF_TANSU_BIN", str(fake))
    services = EmbeddedServices(redis_url="redis://store.example:6379/0", deadline_s=1.5)
    before = time.monotonic()
    with pytest.raises(EmbeddedServicesError, match=r"did not answer on .* within 1\.5 s"):
        services.start()
    assert time.monotonic() - before < 10
    assert not exists(int(pid_file.read_text()))


def test_a_missing_binary_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unusable CALF_TANSU_BIN is an error that names the extra and the variables to set instead."""
    monkeypatch.setenv("CALF_TANSU_BIN", "/nowhere/tansu")
    with pytest.raises(EmbeddedServicesError, match=r"shopwarden\[embedded\].*SHOPWARDEN_KAFKA__BROKERS"):
        EmbeddedServices().start()


def test_home_need_not_be_writable(monkeypatch: pytest.MonkeyPatch, own_services: Start) -> None:
    """The packaged binaries run where they are: nothing is written into HOME."""
    monkeypatch.setenv("HOME", "/proc/nowhere")
    assert own_services().dead() is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_dev_up_leaves_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    """However `shopwarden dev up` ends, both services end and its folder goes; SIGINT and SIGTERM are a clean exit."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SHOPWARDEN_")}
    with subprocess.Popen(
        [Path(sys.executable).with_name("shopwarden"), "dev", "up", "--aof"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment | {"TMPDIR": str(tmp_path)},
    ) as up:
        assert up.stdout is not None
        told: list[str] = []
        for line in up.stdout:
            told.append(line)
            if "Ctrl-C stops" in line:
                break
        variables = dict(line.removeprefix("export ").strip().split("=") for line in told if line.startswith("export "))
        url = variables["SHOPWARDEN_REDIS__URL"]
        with redis.Redis.from_url(url) as client:
            store = client.info("server")["process_id"]
        assert exists(store)
        (folder,) = tmp_path.glob("shopwarden-*")
        up.send_signal(number)
        assert up.wait(20) == (-signal.SIGKILL if number is signal.SIGKILL else 0)
    assert until(lambda: not exists(store))
    assert until(lambda: not folder.exists())


def test_dev_up_fails_when_a_service_dies(tmp_path: Path) -> None:
    """A store that dies ends `shopwarden dev up` with exit code 1 and its log, not with silence."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SHOPWARDEN_")}
    with subprocess.Popen(
        [Path(sys.executable).with_name("shopwarden"), "dev", "up"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment,
    ) as up:
        assert up.stdout is not None and up.stderr is not None
        url = next(line for line in up.stdout if "REDIS__URL" in line).strip().partition("=")[2]
        with redis.Redis.from_url(url) as client:
            os.kill(client.info("server")["process_id"], signal.SIGKILL)
        assert up.wait(20) == 1
        assert "store ended by itself" in up.stderr.read()
