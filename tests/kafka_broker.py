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
listeners=PLAINTEXT://{address},CONTROLLER://{controller}
advertised.listeners=PLAINTEXT://{address}
controller.listener.names=CONTROLLER
controller.quorum.voters=1@{controller}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/log
auto.create.topics.enable=false
default.replication.factor=1
group.initial.rebalance.delay.ms=0
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


@contextmanager
def running_kafka() -> Iterator[str]:
    """Format and start a node; its address, such as ``127.0.0.1:40123``, is good for as long as the block lasts."""
    command = [java(), *JVM_OPTIONS, QUIET, "-cp", f"{jars()}/*"]
    # The first bit is 0, so that the id does not begin with a hyphen, which would be read as an option.
    cluster = base64.urlsafe_b64encode((uuid.uuid4().int >> 1).to_bytes(16, "big")).decode().rstrip("=")
    root = Path(tempfile.mkdtemp(prefix="shopwarden-kafka-"))
    broker = LocalProcess("kafka", root / "node")
    try:
        broker.folder.mkdir()
        address, controller = (f"{LOOPBACK}:{free_port()}" for _ in range(2))
        properties = broker.folder / "server.properties"
        properties.write_text(PROPERTIES.format(address=address, controller=controller, folder=broker.folder))
        subprocess.run(
            [*command, "kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--config", str(properties)],
            check=True,
            capture_output=True,
            timeout=START_SECONDS,
        )
        broker.start([*command, "kafka.Kafka", str(properties)])
        _await_answer(broker, address, cluster)
        yield address
    finally:
        # Nothing on its disk is wanted again, so the orderly shutdown of some seconds is not waited for.
        broker.end("kill")
        shutil.rmtree(root, ignore_errors=True)


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
