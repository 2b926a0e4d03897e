"""The demo from start to end: set up, play, wait until all is done, take down, sum up."""

import logging
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Final

from confluent_kafka import KafkaException, Producer
from redis.exceptions import RedisError

from config.settings import SettingsError
from streams.clients import producer_config
from streams.demo.attach import attach_words
from streams.demo.console import DemoConsole
from streams.demo.gauge import Gauge
from streams.demo.interrupts import Interrupts
from streams.demo.observer import Observer
from streams.demo.options import DemoOptions
from streams.demo.player import Player
from streams.demo.rulebook import RuleInfo
from streams.demo.screen import Screen
from streams.demo.sent import Sent
from streams.demo.stage import DemoError, Stage, set_up
from streams.demo.summary import Report
from streams.embedded import sender_linger_ms
from streams.local_process import EmbeddedServicesError
from streams.simulator import Simulation
from streams.topics import TopicsError

__all__ = ["DemoError", "run_demo"]

_LOOK_SECONDS: Final = 0.25
_CONNECT_SECONDS: Final = 15.0
#: How long the worker may need for what has piled up when playing ends.
_CATCH_UP_SECONDS: Final = 120.0
#: Outputs are all there when none has come for so long after the worker's end.
_QUIET_SECONDS: Final = 0.75
_DRAIN_SECONDS: Final = 15.0
#: Three threads share this process; a long turn of one would be measured as latency of the worker.
_SWITCH_SECONDS: Final = 0.0005


def run_demo(options: DemoOptions, rules: Mapping[str, RuleInfo], screen: Screen, say: Callable[[str], None]) -> Report:
    """Run a demo.

    Parameters
    ----------
    rules
        Of the policies in the options, see :func:`streams.demo.rulebook.read_rulebook`.
    screen
        Where progress is shown.
    say
        Prints a line for people.

    Raises
    ------
    DemoError
        Something failed; nothing that was started is left behind.
    KeyboardInterrupt
        Interrupted before there was anything to sum up, or twice.
    """
    # Clients of a broker that is being stopped complain; what matters here is raised.
    logging.getLogger("librdkafka").setLevel(logging.CRITICAL)
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        with Interrupts() as interrupts:
            return _run(options, rules, screen, say, interrupts)
    except (EmbeddedServicesError, TopicsError, SettingsError) as error:
        raise DemoError(str(error)) from error
    except KafkaException as error:
        raise DemoError(f"the embedded broker does not answer: {error.args[0].str()}") from error
    except RedisError as error:
        raise DemoError(f"the embedded store does not answer: {error}") from error
    finally:
        sys.setswitchinterval(before)


def _run(
    options: DemoOptions,
    rules: Mapping[str, RuleInfo],
    screen: Screen,
    say: Callable[[str], None],
    interrupts: Interrupts,
) -> Report:
    say("Starting a broker, a store and a worker …")
    with ExitStack() as stack:
        stage = stack.enter_context(set_up(options))
        settings = stage.settings
        simulation = Simulation(options.marketplace())
        # While the worker starts: its events are counted, because the simulation only promises about so many, and our
        # own clients find the broker, so that this is not measured as latency.
        producer: Any = Producer(producer_config(settings, linger_ms=sender_linger_ms(options.duration)))
        # The embedded broker takes its time to stop while clients are connected to it.
        stack.callback(producer.close)
        producer.list_topics(timeout=_CONNECT_SECONDS)
        sent = Sent()
        observer = Observer(settings, rules, sent)
        stack.callback(observer.stop)
        observer.start()
        total = sum(1 for _ in simulation)
        stage.await_worker()
        topics = {kind: settings.topics.name(kind) for kind in ("listings", "orders", "merchants")}
        player = Player(simulation, producer, topics, sent, total / options.duration)
        stack.callback(player.stop)
        gauge = Gauge(options, stage, simulation, player, observer, sent)
        say(attach_words(settings))
        if options.console:
            folder = stage.services.folder
            assert folder is not None  # noqa: S101 - for the type checker: it is there while services run
            say(stack.enter_context(DemoConsole(folder, stage.values)).await_address())
        interrupts.soften()
        player.start()
        with screen.shown():
            _play(stage, gauge, screen, interrupts)
            player.stop()
            _check(stage, gauge)
            _catch_up(stage, gauge, screen)
        _end(stage, gauge)
        return gauge.report()


def _play(stage: Stage, gauge: Gauge, screen: Screen, interrupts: Interrupts) -> None:
    while gauge.player.playing and not interrupts.asked:
        _check(stage, gauge)
        gauge.sample()
        screen.show(gauge, "playing")
        time.sleep(_LOOK_SECONDS)


def _catch_up(stage: Stage, gauge: Gauge, screen: Screen) -> None:
    """Wait until everything sent is in a checkpoint."""
    until = time.monotonic() + _CATCH_UP_SECONDS
    while True:
        _check(stage, gauge)
        gauge.sample()
        screen.show(gauge, "catching up")
        if not gauge.lag:
            gauge.done()
            return
        if time.monotonic() > until:
            raise DemoError(
                f"the worker was still {gauge.lag:,} events behind {_CATCH_UP_SECONDS:.0f} s after the last. Its last "
                f"words:\n{stage.worker.log_tail()}"
            )
        time.sleep(_LOOK_SECONDS / 2)


def _end(stage: Stage, gauge: Gauge) -> None:
    """Stop the worker, which must say that all went well, and read what it published last."""
    code = stage.worker.stop()
    if code != 0:
        told = "did not stop when told to" if code is None else f"ended with exit code {code}"
        raise DemoError(f"the worker {told}. Its last words:\n{stage.worker.log_tail()}")
    observer = gauge.observer
    ended = time.monotonic()
    while (now := time.monotonic()) < ended + _DRAIN_SECONDS:
        if now - max(observer.heard, ended) > _QUIET_SECONDS:
            break
        time.sleep(_LOOK_SECONDS / 2)
    _raise_errors(gauge)


def _check(stage: Stage, gauge: Gauge) -> None:
    stage.check()
    _raise_errors(gauge)


def _raise_errors(gauge: Gauge) -> None:
    for error in (gauge.player.error, gauge.observer.error):
        if error is not None:
            raise DemoError(str(error)) from error
