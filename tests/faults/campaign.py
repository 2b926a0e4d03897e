"""One fault, time after time, in one long run on one broker, and the comparison at its end.

The order of input between the topics of a shard is input too: which of two records that lie in different topics comes
first depends on when they were fetched. It is kept in the journal. So the undisturbed run that a run under faults is
compared with is the core applied to the same topics *in the order of the journal*, from an empty state, in memory and
without any fault (:mod:`tests.faults.reference`). The journal of the whole run is read from the store's append-only
file, which has every entry (:mod:`tests.faults.history`). Then all must be equal: every stored value byte for byte, and
the outputs, ids and bytes. That the journal itself names every record of the topics once, and that every count of every
merchant is what an independent oracle makes of the records, is checked beside (:mod:`tests.faults.verdict`).

Records are fed at a steady rate while this goes on. A supervisor starts ended workers again after half a second. The
session timeout is 2 s (in production 30), so that a killed worker's shards are given away soon: recovery times include
it.
"""

import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from streams.embedded import EmbeddedServices
from streams.topics import create_topics
from tests.deployment import Deployment
from tests.faults.crew import Crew
from tests.faults.fault import Fault
from tests.faults.feeder import Feeder
from tests.faults.history import journals
from tests.faults.proxy import Proxy
from tests.faults.stage import Progress, Stage, StuckError
from tests.faults.store import Store
from tests.faults.stream import recorded_stream
from tests.faults.verdict import Verdict, judge
from tests.kafka_broker import KafkaNode

PARTITIONS = 6
SESSION_S = 2.0
START_S = 60.0


@dataclass
class Campaign:
    """What came of a fault on a broker. Times in seconds."""

    fault: str
    what: str
    broker: str
    tries: int = 0
    recoveries: list[float] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)
    exits: dict[int, int] = field(default_factory=dict)
    complaints: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    #: Why it could not be brought to its end.
    failure: str = ""

    @property
    def survived(self) -> bool:
        """Whether all was well in the end."""
        return not self.failure and self.verdict.sound


@dataclass(frozen=True)
class Load:
    """The stream and its pace."""

    seed: int = 1
    rate: float = 300.0
    olist: bool = True
    partitions: int = PARTITIONS


def run_campaign(fault: Fault, broker: str, tries: int, load: Load, logs: Path | None = None) -> Campaign:
    """Do it so many times and compare; the workers' logs stay in the folder ``logs``, if there is one."""
    campaign = Campaign(fault.name, fault.what, broker)
    began = time.monotonic()
    with ExitStack() as stack:
        folder = logs or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shopwarden-faults-")))
        stage = _set_up(stack, fault, broker, load, folder)
        try:
            _strike(stage, fault, tries, campaign)
            _finish(stage)
        except StuckError as error:
            campaign.failure = str(error)
        campaign.exits = dict(sorted(stage.crew.exits.items()))
        campaign.complaints = dict(stage.crew.complaints().most_common(12))
        if not campaign.failure:
            journal = journals(stage.store.history, stage.deployment.settings.worker.namespace)
            campaign.verdict = judge(stage.deployment, journal, stage.input_faults)
    campaign.seconds = time.monotonic() - began
    return campaign


def _set_up(stack: ExitStack, fault: Fault, broker: str, load: Load, folder: Path) -> Stage:
    random = Random(f"{load.seed} {fault.name} {broker}")
    store = stack.enter_context(Store(fault.fsync))
    kafka, kafka_proxy = None, None
    if broker == "kafka":
        kafka_proxy = stack.enter_context(Proxy()) if fault.proxied else None
        kafka = stack.enter_context(KafkaNode(kafka_proxy.address if kafka_proxy else None))
        brokers = kafka.address
        if kafka_proxy is not None:
            kafka_proxy.target = kafka.behind_proxy
    else:
        # It tells its clients one address, so they can't be led through a proxy: Redis's connections alone are cut.
        brokers = stack.enter_context(EmbeddedServices(redis_url=store.url)).brokers
    timeouts = {"session_timeout_s": SESSION_S, "rebalance_timeout_s": 3}
    deployment = Deployment(brokers, store.url, "faults-", "run", load.partitions, kafka=timeouts)
    create_topics(deployment.settings)
    environment = deployment.environment()
    redis_proxy = None
    if fault.proxied:
        redis_proxy = stack.enter_context(Proxy("{}:{}".format(*store.address)))
        environment["SHOPWARDEN_REDIS__URL"] = f"redis://{redis_proxy.address}/0"
        if kafka_proxy is not None:
            environment["SHOPWARDEN_KAFKA__BROKERS"] = kafka_proxy.address
    progress = stack.enter_context(Progress(deployment, store))
    stream = recorded_stream(load.seed, olist=load.olist)
    feeder = stack.enter_context(Feeder(deployment.settings, stream, load.rate))
    crew = stack.enter_context(Crew(environment, folder, fault.workers, load.partitions))
    return Stage(deployment, store, crew, feeder, progress, random, kafka, redis_proxy, kafka_proxy)


def _strike(stage: Stage, fault: Fault, tries: int, campaign: Campaign) -> None:
    if not stage.until(lambda: all(stage.progress.positions.values()), START_S):
        raise StuckError(f"the workers did not begin within {START_S:.0f} s\n{stage.crew.log_tails()}")
    stage.settle()
    while campaign.tries < tries:
        struck = False
        for hit in fault.strike(stage):
            campaign.recoveries.append(stage.recovery(hit))
            struck = True
        campaign.tries += struck


def _finish(stage: Stage) -> None:
    """Feed no more, let the workers do what is left, and stop them."""
    ends = stage.feeder.stop()
    deployment = stage.deployment
    if not stage.until(lambda: deployment.positions() == ends and deployment.settled(), 2 * START_S):
        raise StuckError(
            f"not everything was applied: at {deployment.positions()}, not {ends}\n{stage.crew.log_tails()}"
        )
    stage.crew.stop()
