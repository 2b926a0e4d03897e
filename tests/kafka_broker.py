"""One real Apache Kafka broker (KRaft, one node, loopback) for tests, from jars that Maven fetches.

``python -m tests.kafka_broker`` fetches the jars ahead of a test run.
"""

import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.embedded import LOOPBACK, free_port
from streams.local_process import LocalProcess

POM = Path(__file__).parent / "kafka" / "pom.xml"
BUILD = Path(__file__).parents[1] / "build"
JAVA_NEEDED = 17
FETCH_SECONDS = 600
START_SECONDS = 90
#: Small and quick to start: the tests need Kafka's behaviour, not its throughput.
JVM_OPTIONS = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
QUIET = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://{address},PROXIED://{behind_proxy},CONTROLLER://{controller}
advertised.listeners=PLAINTEXT://{address},PROXIED://{proxied}
controller.listener.names=CONTROLLER
controller.quorum.voters=1@{controller}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/log
auto.create.topics.enable=false
default.replication.factor=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
num.partitions=1
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
"""


class KafkaUnavailableError(RuntimeError):
    """Java, Maven or the jars are missing; the message says which."""


def kafka_version() -> str:
    """The version that tests/kafka/pom.xml names."""
    found = re.search(r"<kafka\.version>(.+?)</kafka\.version>", POM.read_text())
    if found is None:
        raise KafkaUnavailableError(f"{POM} names no kafka.version")
    return found[1]


def java() -> str:
    """Path of a Java that is new enough."""
    home = os.environ.get("JAVA_HOME")
    path = shutil.which(f"{home}/bin/java") if home else shutil.which("java")
    if path is None:
        raise KafkaUnavailableError(f"Apache Kafka needs Java {JAVA_NEEDED} or newer, and there is no java")
    told = subprocess.run([path, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', told)
    if found is None or int(found[1]) < JAVA_NEEDED:
        raise KafkaUnavailableError(
            f"Apache Kafka needs Java {JAVA_NEEDED} or newer; {path} is {told.splitlines()[:1]}"
        )
    return path


def jars() -> Path:
    """The folder of the broker's jars, fetched with Maven the first time."""
    folder = BUILD / f"kafka-{kafka_version()}"
    if folder.is_dir():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailableError("the jars of Apache Kafka are fetched with Maven, and there is no mvn")
    BUILD.mkdir(exist_ok=True)
    # Fetched beside and renamed, so a broken-off run leaves no half-filled folder and two runs don't mix.
    fresh = Path(tempfile.mkdtemp(prefix="kafka-jars-", dir=BUILD))
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={fresh}"]
    try:
        done = subprocess.run(
            [maven, "-q", "-B", "-f", str(POM), *goal],
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
            check=False,
        )
        if done.returncode:
            raise KafkaUnavailableError(
                f"Maven could not fetch Apache Kafka:\n{done.stdout[-2000:]}{done.stderr[-500:]}"
            )
        if not folder.is_dir():
            fresh.rename(folder)
    except subprocess.TimeoutExpired as error:
        raise KafkaUnavailableError(f"Maven did not fetch Apache Kafka within {FETCH_SECONDS} s") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


class KafkaNode:
    """One broker for as long as a ``with`` block lasts; it may be stopped and started on the same data and ports.

    ``address`` is where clients find it. ``proxied`` is the ``host:port`` of a proxy of the caller's that passes on to
    ``behind_proxy``: clients that come by there are told the proxy's address.
    """

    def __init__(self, proxied: str | None = None) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="shopwarden-kafka-"))
        self._process = LocalProcess("kafka", self._root / "node")
        self._command = [java(), *JVM_OPTIONS, QUIET, "-cp", f"{jars()}/*"]
        # The first bit is 0, so that the id does not begin with a hyphen, which would be read as an option.
        self._cluster = base64.urlsafe_b64encode((uuid.uuid4().int >> 1).to_bytes(16, "big")).decode().rstrip("=")
        self.address, self.behind_proxy, controller = (f"{LOOPBACK}:{free_port()}" for _ in range(3))
        self._process.folder.mkdir()
        self._properties = self._process.folder / "server.properties"
        self._properties.write_text(
            PROPERTIES.format(
                address=self.address,
                behind_proxy=self.behind_proxy,
                proxied=proxied or self.behind_proxy,
                controller=controller,
                folder=self._process.folder,
            )
        )

    def __enter__(self) -> Self:
        try:
            storage = ["kafka.tools.StorageTool", "format", "--cluster-id", self._cluster]
            subprocess.run(
                [*self._command, *storage, "--config", str(self._properties)],
                check=True,
                capture_output=True,
                timeout=START_SECONDS,
            )
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._remove()

    def _remove(self) -> None:
        # Nothing on its disk is wanted again, so the orderly shutdown of some seconds is not waited for.
        self._process.end("kill")
        shutil.rmtree(self._root, ignore_errors=True)

    @property
    def pid(self) -> int:
        """Process id, for tests that pause it."""
        return self._process.pid

    def start(self) -> None:
        """Start it on what its disk holds, and return when it answers."""
        self._process.start([*self._command, "kafka.Kafka", str(self._properties)])
        _await_answer(self._process, self.address, self._cluster)

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.end("kill")

    def stop(self) -> None:
        """End it as an operator would."""
        self._process.end("stop")


@contextmanager
def running_kafka() -> Iterator[str]:
    """A node; its address, such as ``127.0.0.1:40123``, is good for as long as the block lasts."""
    with KafkaNode() as node:
        yield node.address


def _await_answer(broker: LocalProcess, address: str, cluster: str) -> None:
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            found = admin.list_topics(timeout=2.0)
            if str(found.cluster_id) == cluster:
                return
        except KafkaException:
            pass
        if not broker.running or time.monotonic() > until:
            state = "ended while starting" if not broker.running else f"did not answer within {START_SECONDS} s"
            raise RuntimeError(f"Apache Kafka {state}. Its last words:\n{broker.log_tail()}")
        time.sleep(0.1)


if __name__ == "__main__":
    java()
    sys.stdout.write(f"{jars()}\n")
