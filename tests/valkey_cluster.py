"""A real cluster of three local Valkey nodes, without replicas, whose nodes can be killed and started again."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

from streams.embedded import LOOPBACK, _store_binary, free_port
from streams.local_process import LocalProcess

NODES = 3
SLOTS = 16384
START_SECONDS = 30.0


class ValkeyCluster:
    """Three nodes for as long as a ``with`` block lasts. Each keeps an append-only file, synced at every write."""

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="shopwarden-cluster-"))
        self.ports = [free_port() for _ in range(NODES)]
        self._commands: list[list[str]] = []
        self.nodes = [LocalProcess(f"node{number}", self._root / f"node{number}") for number in range(NODES)]
        for node, port in zip(self.nodes, self.ports, strict=True):
            self._commands.append(
                [
                    _store_binary(node.folder),
                    "--bind", LOOPBACK,
                    "--port", str(port),
                    "--dir", str(node.folder),
                    "--save", "",
                    "--appendonly", "yes",
                    "--appendfsync", "always",
                    "--cluster-enabled", "yes",
                    "--cluster-port", str(free_port()),
                    "--cluster-node-timeout", "1500",
                ]
            )  # fmt: skip

    @property
    def url(self) -> str:
        """Address of the first node."""
        return f"redis://{LOOPBACK}:{self.ports[0]}/0"

    def __enter__(self) -> Self:
        try:
            for number in range(NODES):
                self.start(number, whole=False)
            self._unite()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._remove()

    def _remove(self) -> None:
        for node in self.nodes:
            node.end("kill")
        shutil.rmtree(self._root, ignore_errors=True)

    def client(self, number: int) -> "redis.Redis":
        """A client of one node."""
        return redis.Redis(host=LOOPBACK, port=self.ports[number], socket_timeout=2.0)

    def start(self, number: int, *, whole: bool = True) -> None:
        """Start a node on what it had; returns when it answers and, if so wanted, the cluster is whole again."""
        self.nodes[number].start(self._commands[number])
        _until(lambda: self._answers(number), f"node {number}")
        if whole:
            self._await_whole()

    def kill(self, number: int) -> None:
        """End a node as a crash would."""
        self.nodes[number].end("kill")

    def node_of(self, key: str) -> int:
        """Number of the node that holds a key."""
        with self.client(0) as client:
            slot = int(client.execute_command("CLUSTER KEYSLOT", key))
        return min(slot * NODES // SLOTS, NODES - 1)

    def _answers(self, number: int) -> bool:
        try:
            with self.client(number) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _unite(self) -> None:
        bounds = [-(-number * SLOTS // NODES) for number in range(NODES + 1)]
        for number in range(NODES):
            with self.client(number) as client:
                client.execute_command("CLUSTER ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1)
                bus = self._commands[0][self._commands[0].index("--cluster-port") + 1]
                if number:
                    client.execute_command("CLUSTER MEET", LOOPBACK, self.ports[0], bus)
        self._await_whole()

    def _await_whole(self) -> None:
        _until(lambda: all(map(self._whole, range(NODES))), "the cluster")

    def _whole(self, number: int) -> bool:
        try:
            with self.client(number) as client:
                info = client.execute_command("CLUSTER INFO")
        except redis.RedisError:
            return False
        if isinstance(info, bytes):
            info = dict(line.split(":") for line in info.decode().splitlines() if ":" in line)
        return info["cluster_state"] == "ok" and int(info["cluster_known_nodes"]) == NODES


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not come up within {START_SECONDS:.0f} s")
        time.sleep(0.05)
