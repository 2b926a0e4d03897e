"""The doctor's look at Redis."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from config.settings import load_settings
from streams.clients import async_redis_client, redis_client
from streams.doctor.findings import Finding
from streams.doctor.redis import _clock, _encryption, _memory, _persistence, _version, check_redis
from streams.embedded import _store_binary, free_port
from streams.local_process import LocalProcess
from tests.streams.tls import TlsFront, make_certificate

pytestmark = pytest.mark.broker


def problems(found: list[Finding]) -> list[Finding]:
    """The findings that stop a worker."""
    return [finding for finding in found if finding.status == "problem"]


def look(url: str, timeout_s: float = 2, **redis: Any) -> list[Finding]:
    """All findings about one address."""
    return list(check_redis(load_settings(redis={"url": url, **redis}), timeout_s))


class Store:
    """A Valkey server with options of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process = LocalProcess("store", folder)
        # The default port of a cluster's bus, 10,000 higher, may be taken or beyond the last port there is.
        if "--cluster-enabled" in options:
            options += ("--cluster-port", str(free_port()))
        fixed = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(folder), "--save", "")
        self.process.start([_store_binary(folder), *fixed, *options])
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        pytest.fail(f"the store did not start:\n{self.process.log_tail()}")


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store started with the options of the test's parameter."""
    started = Store(tmp_path / "store", *getattr(request, "param", ()))
    yield started
    started.process.end()


@pytest.mark.parametrize("store", [("--appendonly", "yes")], indirect=True)
def test_a_store_in_order(store: Store) -> None:
    """Append-only file, no eviction, on loopback, same clock: nothing to say but ok."""
    found = look(store.url)
    assert {finding.status for finding in found} == {"ok"}, found
    assert any("Valkey" in finding.text for finding in found)


def test_a_store_without_file_is_a_warning(store: Store) -> None:
    """Fine for trials; the consequence is named."""
    (warning,) = [finding for finding in look(store.url) if finding.status != "ok"]
    assert (warning.status, "loses state" in warning.text) == ("warning", True)


@pytest.mark.parametrize("store", [("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")], indirect=True)
def test_a_store_that_evicts_is_a_problem(store: Store) -> None:
    """It would drop merchants."""
    (problem,) = problems(look(store.url))
    assert problem.text == "maxmemory-policy is allkeys-lru"
    assert "noeviction" in problem.advice


@pytest.mark.parametrize("store", [("--requirepass", "open-sesame")], indirect=True)
def test_login(store: Store) -> None:
    """No password and a wrong one are told apart from no server; the right one works; none is shown."""
    (missing,) = look(store.url)
    (wrong,) = look(store.url, password="wrong-sesame")  # noqa: S106
    for finding in (missing, wrong):
        assert "refuses the login" in finding.text
        assert "sesame" not in finding.text + finding.advice
    assert not problems(look(store.url, password="open-sesame"))  # noqa: S106


def test_acl_user_without_scripts(store: Store) -> None:
    """A user that may do nothing but look is a problem before the worker meets it."""
    with redis.Redis(port=store.port) as admin:
        admin.execute_command("ACL", "SETUSER", "looker", "on", ">look", "~*", "+ping", "+info", "+time", "+client")
    (problem,) = problems(look(store.url.replace("//", "//looker:look@")))
    assert problem.text.startswith("scripts can't be run")


def take_all_slots(port: int) -> None:
    """Make a cluster of this one node, and wait until it is in order."""
    with redis.Redis(port=port) as admin:
        admin.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
        until = time.monotonic() + 10
        while admin.execute_command("CLUSTER INFO")["cluster_state"] != "ok" and time.monotonic() < until:
            time.sleep(0.05)


@pytest.mark.parametrize("store", [("--cluster-enabled", "yes")], indirect=True)
async def test_cluster(store: Store) -> None:
    """A cluster must be called one in the settings, and serve all slots; both clients work with it then."""
    (problem,) = problems(look(store.url))
    assert problem.advice == "Set redis.cluster to true."
    (down,) = problems(look(store.url, cluster=True))
    assert down.text == "the cluster is in state fail"
    take_all_slots(store.port)
    assert not problems(look(store.url, cluster=True))
    settings = load_settings(redis={"url": store.url, "cluster": True})
    client = redis_client(settings)
    client.mset({"{p1}a": b"\xff", "{p1}b": b"2"})
    client.close()
    async_client = async_redis_client(settings)
    assert await async_client.mget("{p1}a", "{p1}b") == [b"\xff", b"2"]
    await async_client.aclose()


def test_single_server_called_a_cluster(store: Store) -> None:
    """The other way round."""
    (problem,) = problems(look(store.url, cluster=True))
    assert problem.advice == "Set redis.cluster to false."


async def test_tls(store: Store, tmp_path: Path) -> None:
    """rediss:// with the right authorities works, for both clients; with the system's it is refused."""
    certificate, key = make_certificate(tmp_path)
    with TlsFront(("127.0.0.1", store.port), certificate, key) as front:
        url = f"rediss://127.0.0.1:{front.port}/0"
        found = look(url, tls_ca_file=certificate)
        assert not problems(found), found
        assert any(finding.text == "the connection is encrypted" for finding in found)
        (refused,) = look(url)
        assert "CERTIFICATE_VERIFY_FAILED" in refused.text
        client = async_redis_client(load_settings(redis={"url": url, "tls_ca_file": certificate}))
        assert await client.ping()
        await client.aclose()


def test_nobody_there() -> None:
    """The address, the reason and what to do."""
    (problem,) = look(f"redis://127.0.0.1:{free_port()}/0")
    assert "does not answer" in problem.text
    assert "Connection refused" in problem.text
    assert "redis.url" in problem.advice


def test_a_server_that_says_nothing_does_not_hang_the_doctor() -> None:
    """A connection that is taken and never answered ends at the time-out, once, not after redis-py's ten tries."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        (problem,) = look(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", timeout_s=0.3)
        assert time.monotonic() - started < 1.5
    assert "does not answer" in problem.text


def test_old_version_is_a_warning() -> None:
    """Redis 6 may work, but nobody tried."""
    settings = load_settings()
    assert _version(settings, {"redis_version": "6.2.14"}).status == "warning"
    assert _version(settings, {"redis_version": "7.2.0"}).status == "ok"
    assert _version(settings, {"redis_version": "8.4"}).status == "ok"
    assert "Valkey 9.1.2" in _version(settings, {"redis_version": "7.2.4", "valkey_version": "9.1.2"}).text


def test_encryption_beyond_this_machine() -> None:
    """Unencrypted is fine on loopback and worth a warning elsewhere."""
    status = [
        _encryption(load_settings(redis__url=u)).status for u in ("redis://localhost", "redis://r:1", "rediss://r:1")
    ]
    assert status == ["ok", "warning", "ok"]


@pytest.mark.parametrize(
    ("info", "status", "text"),
    [
        ({"aof_enabled": 1, "aof_last_write_status": "err"}, "problem", "can't be written"),
        ({"aof_enabled": 1, "role": "slave"}, "problem", "replica"),
        ({"aof_enabled": 1, "loading": 1}, "warning", "loading"),
    ],
)
def test_persistence(info: dict[str, Any], status: str, text: str) -> None:
    """Other states in which writes fail."""
    assert any(finding.status == status and text in finding.text for finding in _persistence(info))


def test_memory_nearly_full() -> None:
    """Before writes fail there is a warning; without a bound there is none."""
    found = list(_memory({"maxmemory_policy": "noeviction", "used_memory": 90, "maxmemory": 100}))
    assert [(finding.status, finding.text) for finding in found] == [("warning", "90% of its memory is used")]
    assert [f.status for f in _memory({"maxmemory_policy": "noeviction", "used_memory": 90, "maxmemory": 0})] == ["ok"]


class _Clock:
    """A client whose server's clock is off."""

    def __init__(self, offset_s: float) -> None:
        self._offset_s = offset_s

    def time(self) -> tuple[int, int]:
        """What TIME answers."""
        seconds, rest = divmod(time.time() + self._offset_s, 1)
        return int(seconds), int(rest * 1e6)


@pytest.mark.parametrize(("offset_s", "status"), [(0, "ok"), (1, "ok"), (60, "warning"), (-60, "warning")])
def test_clock_skew(offset_s: float, status: str) -> None:
    """Seconds apart is worth a look, the way of the answer is not."""
    client: Any = _Clock(offset_s)
    assert _clock(client).status == status
