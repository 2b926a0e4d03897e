"""One worker process from start to exit: checks, the Faust app, signals, and a deadline for stopping.

Exit codes: 0 after a clean stop, 1 after a failure (a supervisor should start a new worker), 70 when the stop took
longer than its deadline. A stop that is cut off loses nothing: the successor applies the journalled flushes again.
"""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import Mapping

import uvloop

from config.policies import load_policies
from config.settings import Settings
from detectors.judge import Judge, JudgeSettings
from detectors.policy import PolicySet, compile_policies
from features.decode import TOPIC_KINDS, InputLimits, TopicKind
from features.outputs import LEVELS
from features.pseudonyms import Pseudonyms
from features.registry import FEATURES
from streams.app import create_app
from streams.topics import check_topics

logger = logging.getLogger("shopwarden.worker")

#: Exit code of a stop that was cut off (EX_SOFTWARE).
EXIT_CUT_OFF = 70
_WATCH_S = 0.25
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
    return Judge(judge_settings(settings), compiled_policies(settings), pseudonyms)


def run_worker(settings: Settings) -> int:
    """Run a worker until it is told to stop or fails; returns the exit code.

    Raises
    ------
    config.settings.SettingsError, config.policies.PolicyError, streams.topics.TopicsError
        It could not start.
    """
    judge = make_judge(settings)
    _tune_collector()
    report = check_topics(settings)
    report.raise_problems()
    # Merchants and feedback are optional topics.
    names = {kind: settings.topics.name(kind) for kind in TOPIC_KINDS}
    topics = {kind: name for kind, name in names.items() if name in report.inputs}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(settings, judge, topics))


def _tune_collector() -> None:
    """Let the garbage collector look at the state rarely: it is large, lives long and has no cycles.

    With Python's defaults, a full collection over some hundred thousand records holds up a flush by tens of ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


async def _run(settings: Settings, judge: Judge, topics: Mapping[TopicKind, str]) -> int:
    app = create_app(settings, judge, topics)
    stop = asyncio.Event()
    deadline = settings.worker.shutdown_deadline_s
    _on_signals(stop, deadline)
    started = asyncio.create_task(app.start())
    logger.info(
        "worker started",
        extra={"group": settings.worker.group_id, "policies": judge.policies.version, "mode": settings.worker.mode},
    )
    while not stop.is_set() and not app.crashed and app.shopwarden_failure is None:
        if started.done():
            # Start-up ends when everything runs; an error in it must not be left unseen.
            started.result()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _WATCH_S)
    failed = app.crashed or app.shopwarden_failure is not None
    if failed:
        _arm(deadline)
        logger.error("worker failed; stopping: %s", app.shopwarden_failure or app.crash_reason)
    try:
        await app.stop()
    except Exception:
        if not failed:
            raise
        logger.debug("stopping after a failure", exc_info=True)
    logger.info("worker stopped")
    if failed:
        # Faust may leave threads behind after a crash; nothing of ours is unsaved.
        _exit(1)
    return 0


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
