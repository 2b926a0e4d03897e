"""Checks of Redis: reachable, version, durability, memory, cluster, clock."""

import time
from collections.abc import Iterator
from typing import Any

import redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from config.settings import Settings
from streams.clients import redis_client
from streams.doctor.findings import Finding

#: Tested with these and later; Valkey counts by the Redis version it is compatible with.
_TESTED = (7, 2)
_SKEW_MS = 2_000


def check_redis(settings: Settings, timeout_s: float) -> Iterator[Finding]:
    """One node answers, keeps what it is given, and its clock agrees with ours; in a cluster, all slots are served."""
    # One node, one attempt, short waits: what a worker would retry the doctor reports.
    patient = {"socket_timeout_s": timeout_s, "connect_timeout_s": timeout_s, "retries": 0, "cluster": False}
    client = redis_client(settings.model_copy(update={"redis": settings.redis.model_copy(update=patient)}))
    assert isinstance(client, redis.Redis)  # noqa: S101  (cluster is off)
    with client:
        try:
            info: dict[str, Any] = client.info()
        except RedisError as error:
            yield _unreachable(settings, error)
            return
        yield _version(settings, info)
        yield _encryption(settings)
        yield from _persistence(info)
        yield from _memory(info)
        yield from _scripts(client)
        yield _clock(client)
        yield from _cluster(settings, client, info)


def _unreachable(settings: Settings, error: RedisError) -> Finding:
    section = settings.redis
    if isinstance(error, AuthenticationError) or "NOAUTH" in str(error):
        advice = "Set redis.username and redis.password (or password_file) to an ACL user of that server."
        return Finding("problem", "redis", f"{section.url} refuses the login: {error}", advice)
    if isinstance(error, NoPermissionError):
        return Finding("problem", "redis", f"{section.url}: {error}", "Allow the ACL user the command INFO.")
    advice = "Is it running, and is redis.url right? `shopwarden dev up` starts a store for trials."
    return Finding("problem", "redis", f"{section.url} does not answer: {error}", advice)


def _version(settings: Settings, info: dict[str, Any]) -> Finding:
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = info.get("valkey_version") or info.get("redis_version", "?")
    compatible = tuple(int(part) for part in str(info.get("redis_version", "0")).split(".")[:2] if part.isdigit())
    text = f"{settings.redis.url} answers: {name} {version}"
    if compatible < _TESTED:
        advice = f"Use Redis {'.'.join(map(str, _TESTED))} or later, or Valkey; nothing older was tested."
        return Finding("warning", "redis", text, advice)
    return Finding("ok", "redis", text)


def _encryption(settings: Settings) -> Finding:
    section = settings.redis
    if section.uses_tls:
        return Finding("ok", "redis", "the connection is encrypted")
    if section.host in ("127.0.0.1", "localhost", "::1"):
        return Finding("ok", "redis", "the connection stays on this machine")
    return Finding(
        "warning", "redis", "the connection is not encrypted", "Use rediss://, unless the network is trusted."
    )


def _persistence(info: dict[str, Any]) -> Iterator[Finding]:
    if not info.get("aof_enabled"):
        advice = (
            "Set appendonly yes, appendfsync everysec. (After a loss a worker starts again at the beginning of the "
            "topics, or where their retention ends.)"
        )
        yield Finding("warning", "redis", "no append-only file: a restart of the store loses state and offsets", advice)
    elif info.get("aof_last_write_status", "ok") != "ok":
        yield Finding("problem", "redis", "the append-only file can't be written", "Look at the disk of the store.")
    else:
        yield Finding("ok", "redis", "state is kept in an append-only file")
    if info.get("loading"):
        yield Finding("warning", "redis", "it is still loading its data", "Wait.")
    if info.get("role") == "slave":
        yield Finding("problem", "redis", "this is a replica, which takes no writes", "Set redis.url to its primary.")


def _memory(info: dict[str, Any]) -> Iterator[Finding]:
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        advice = "Set maxmemory-policy noeviction: a store that drops keys drops merchants."
        yield Finding("problem", "redis", f"maxmemory-policy is {policy}", advice)
    used, limit = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if limit and used > 0.8 * limit:
        advice = "Raise maxmemory, or writes will fail and workers stop."
        yield Finding("warning", "redis", f"{used / limit:.0%} of its memory is used", advice)
    elif policy == "noeviction":
        bound = f" of {limit / 2**20:.0f}" if limit else ""
        yield Finding("ok", "redis", f"it evicts nothing and uses {used / 2**20:.0f}{bound} MiB")


def _scripts(client: redis.Redis) -> Iterator[Finding]:
    try:
        client.eval("return 1", 0)
    except RedisError as error:
        yield Finding("problem", "redis", f"scripts can't be run: {error}", "Allow the ACL user @scripting.")


def _clock(client: redis.Redis) -> Finding:
    before = time.time_ns()
    try:
        seconds, microseconds = client.time()
    except RedisError as error:
        return Finding("warning", "clock", f"the store does not tell its time: {error}", "Allow the ACL user TIME.")
    after = time.time_ns()
    # The answer was given somewhere between; only what lies outside is surely a difference.
    there = seconds * 1_000_000_000 + microseconds * 1_000
    skew_ms = max(before - there, there - after, 0) / 1e6
    if skew_ms > _SKEW_MS:
        return Finding(
            "warning", "clock", f"the store's clock differs by {skew_ms / 1000:.0f} s", "Synchronise them (NTP)."
        )
    return Finding("ok", "clock", "the store's clock agrees with this machine's")


def _cluster(settings: Settings, client: redis.Redis, info: dict[str, Any]) -> Iterator[Finding]:
    mode = info.get("server_mode") or info.get("redis_mode")
    if (mode == "cluster") != settings.redis.cluster:
        advice = f"Set redis.cluster to {'true' if mode == 'cluster' else 'false'}."
        is_or_not = "is" if mode == "cluster" else "is not"
        yield Finding("problem", "redis", f"the server {is_or_not} a cluster, redis.cluster says otherwise", advice)
        return
    if mode == "cluster":
        state: dict[str, Any] = client.execute_command("CLUSTER INFO")  # type: ignore[no-untyped-call]
        if state.get("cluster_state") != "ok":
            advice = "Look at CLUSTER INFO and CLUSTER NODES there."
            yield Finding("problem", "redis", f"the cluster is in state {state.get('cluster_state')}", advice)
        else:
            yield Finding("ok", "redis", f"the cluster of {state.get('cluster_known_nodes')} nodes serves all slots")
