"""One worker process from start to exit: checks, the Faust app, signals, and a deadline for stopping.

Exit codes: 0 after a clean stop, 1 after a failure (a supervisor should start a new worker), 70 when a stop was cut
off by its deadline or an outage, 71 when the worker was stuck (streams.watchdog). None of them loses anything: the
successor applies the journalled flushes again.
"""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import msgspec
import uvloop

from config.policies import load_policies
from config.settings import Settings
from detectors.judge import Judge, JudgeSettings
from detectors.policy import PolicySet, compile_policies
from detectors.signing import Signer
from features.decode import RECORD_KINDS, InputLimits
from features.outputs import LEVELS
from features.pseudonyms import Pseudonyms
from features.registry import FEATURES
from streams.app import WorkerApp, beat_of, create_app
from streams.clients import kafka_config
from streams.patience import OutageError
from streams.policies.feed import PolicyFeed
from streams.policies.library import PolicyLibrary
from streams.reading import ReadError
from streams.startup import await_services
from streams.telemetry.worker_telemetry import WorkerTelemetry
from streams.watchdog import EXIT_STUCK, BrokerEnds, Watchdog, stacks

logger = logging.getLogger("shopwarden.worker")

T = TypeVar("T")

#: Exit code of a stop that was cut off (EX_SOFTWARE).
EXIT_CUT_OFF = 70
#: Loggers of Faust's services: of its own modules, of those that subclass them, and of what they use.
_SERVICE_LOGGERS = ("faust", "mode", "aiokafka", "streams.app", "streams.transport")
_WATCH_S = 0.25
#: How long a worker that was told to stop waits for Redis or Kafka where they are away, seconds at most.
_GRACE_S = 8.0
#: How long it waits to be let go by the group when all shards are given up.
_LEAVE_S = 5.0
_SAME_REQUEST_S = 1.0
#: Allocations between young collections, and of those between older ones.
_GC_THRESHOLDS = (50_000, 20, 1_000)


def compiled_policies(settings: Settings) -> PolicySet:
    """The policy set of the settings. Raises config.policies.PolicyError with everything that is wrong."""
    return compile_policies(load_policies(settings.policies_path), FEATURES)


def judge_settings(settings: Settings) -> JudgeSettings:
    """What the core needs to know of the settings."""
    worker = settings.worker
    return JudgeSettings(
        mode=worker.mode,
        publish_level=LEVELS.index(worker.publish_level),
        audit_rate=worker.audit_rate,
        audit_score_rate=worker.audit_score_rate,
        holdout_rate=worker.holdout_rate,
        allowed_lateness=worker.allowed_lateness_s * 1000,
        retention_days=settings.retention.order_days,
        removed_listing_days=settings.retention.removed_listing_days,
        idle_listing_days=settings.retention.idle_listing_days,
        idle_merchant_days=settings.retention.idle_merchant_days,
        all_features=worker.features_in_output == "all",
        limits=InputLimits(worker.max_record_bytes, round(worker.future_tolerance_h * 3_600_000)),
    )


def make_judge(settings: Settings) -> Judge:
    """The judge of a worker. Raises SettingsError if there is no pseudonym key."""
    pseudonyms = Pseudonyms(settings.require_pseudonym_key())
    key = settings.model_key
    signer = None if key is None else Signer(key.get_secret_value().encode())
    return Judge(judge_settings(settings), compiled_policies(settings), pseudonyms, signer)


def run_worker(settings: Settings) -> int:
    """Run a worker until it is told to stop or fails; returns the exit code.

    Raises
    ------
    config.settings.SettingsError, config.policies.PolicyError, streams.topics.TopicsError,
    streams.startup.ServicesAwayError, streams.patience.RefusedError, streams.telemetry.server.TelemetryError
        It could not start.
    """
    judge = make_judge(settings)
    _tune_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(settings, judge))


def _tune_collector() -> None:
    """Let the garbage collector look at the state rarely: it is large, lives long and has no cycles.

    With Python's defaults, a full collection over some hundred thousand records holds up a flush by tens of ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


async def _run(settings: Settings, judge: Judge) -> int:
    telemetry = WorkerTelemetry(settings)
    with telemetry.served():
        return await _work(settings, judge, telemetry)


async def _work(settings: Settings, judge: Judge, telemetry: WorkerTelemetry) -> int:
    stop = asyncio.Event()
    deadline = settings.worker.shutdown_deadline_s
    _on_signals(stop, deadline)
    report = await _unless(stop, await_services(settings))
    if report is None:
        logger.info("worker stopped before it had begun")
        # Not returned: a thread that still waits for Kafka would be waited for.
        _exit(0)
        return 0
    names = {kind: settings.topics.name(kind) for kind in RECORD_KINDS}
    judge.settings = msgspec.structs.replace(judge.settings, shards=report.shards)
    policies = PolicyFeed(PolicyLibrary(judge), kafka_config(settings), settings.topics.policies)
    with contextlib.suppress(ReadError):  # who takes shards over reads again, and waits
        await policies.catch_up()
    # Merchants and feedback are optional topics.
    topics = {kind: name for kind, name in names.items() if name in report.inputs}
    app = create_app(settings, policies, topics, telemetry.instruments)
    telemetry.attach(app, policies, report.shards)
    started = asyncio.create_task(app.start())
    logger.info(
        "worker started",
        extra={
            "group": settings.worker.group_id,
            "policies": policies.library.judge.policies.version,
            "mode": settings.worker.mode,
        },
    )
    with _followed(policies), _watched(settings, app):
        while not stop.is_set() and not app.crashed and app.shopwarden_failure is None:
            if started.done():
                # Start-up ends when everything runs; an error in it must not be left unseen.
                started.result()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _WATCH_S)
    telemetry.readiness.stopping = True
    if not stop.is_set():
        _arm(deadline)
        logger.error("worker failed; stopping: %s", app.shopwarden_failure or app.crash_reason)
        # What Faust's services say of being ended in the midst would hide that line.
        for name in _SERVICE_LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
    code = await _stop(app, deadline, told=stop.is_set())
    if code:
        # Faust may leave threads behind after a crash; nothing of ours is unsaved.
        _exit(code)
    logger.info("worker stopped")
    return code


async def _stop(app: WorkerApp, deadline: float, *, told: bool) -> int:
    """End the shards, then Faust; returns the exit code."""
    shards = app.shopwarden_reader
    # An outage is waited for no longer than half of the time; then the journal has what was begun.
    shards.end(min(_GRACE_S, deadline / 2))
    stopping = asyncio.create_task(app.stop())
    while not stopping.done():
        await asyncio.wait([stopping], timeout=_WATCH_S if not shards.closed else _LEAVE_S)
        if shards.closed:
            break
    failure: object = app.shopwarden_failure or (app.crash_reason if app.crashed else None)
    if stopping.done() and (error := stopping.exception()) is not None:
        failure = failure or error
    if failure is None:
        if not stopping.done():
            logger.warning("the shards are given up, but Kafka is not there to be told; leaving without a word")
            _exit(0)
        return 0
    if told and isinstance(failure, OutageError):
        logger.error("stopped without a checkpoint; the journal has what was begun: %s", failure)
        return EXIT_CUT_OFF
    if told:
        logger.error("worker failed while it stopped: %s", failure)
    return 1


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of some work, or ``None`` if the worker is told to stop before."""
    working = asyncio.create_task(work)
    told = asyncio.create_task(stop.wait())
    await asyncio.wait([working, told], return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if working.done():
        return working.result()
    working.cancel()
    return None


@contextlib.contextmanager
def _followed(policies: PolicyFeed) -> Iterator[None]:
    """Hear of published policies while the block lasts."""
    following = asyncio.create_task(policies.follow(), name="policies")
    try:
        yield
    finally:
        following.cancel()


@contextlib.contextmanager
def _watched(settings: Settings, app: WorkerApp) -> Iterator[None]:
    """Have the watchdog look at the app while the block lasts."""
    stuck_after = settings.worker.stuck_after_s
    if not stuck_after:
        yield
        return
    # A join waits until members that died are given up and for the slowest member, and may have to be repeated once.
    joining = stuck_after + settings.kafka.session_timeout_s + 2 * settings.kafka.rebalance_timeout_s
    watchdog = Watchdog(stuck_after, joining, BrokerEnds(settings), _bite)

    async def beating() -> None:
        while True:
            watchdog.beat(beat_of(app))
            await asyncio.sleep(watchdog.every / 2)

    beats = asyncio.create_task(beating(), name="heartbeat")
    watchdog.start()
    try:
        yield
    finally:
        watchdog.stop()
        beats.cancel()


def _bite(reason: str) -> None:
    logger.error("worker is stuck and ends, so that another begins: %s", reason, extra={"stacks": stacks()})
    _exit(EXIT_STUCK)


def _on_signals(stop: asyncio.Event, deadline: float) -> None:
    loop = asyncio.get_running_loop()

    first: list[float] = []

    def told() -> None:
        if stop.is_set():
            # Ctrl-C in a pipeline, or `timeout`, signals process and group: that is one request.
            if loop.time() - first[0] < _SAME_REQUEST_S:
                return
            logger.warning("told to stop again: leaving at once; the journal has what was begun")
            _exit(EXIT_CUT_OFF)
        logger.info("told to stop: finishing the flush and writing a checkpoint")
        first.append(loop.time())
        stop.set()
        _arm(deadline)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)


def _arm(deadline: float) -> None:
    asyncio.get_running_loop().call_later(deadline, _exit, EXIT_CUT_OFF)


def _exit(code: int) -> None:
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
