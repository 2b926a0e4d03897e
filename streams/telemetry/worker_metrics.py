"""A worker's metrics, read when they are scraped from what the worker counts and knows anyway.

Labels are bounded: topics, shards, codes, policies and kinds; never a merchant, creator, order, listing or buyer.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias, get_args

from msgspec import Struct
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from detectors.drift import WATCHED
from features.decode import RejectionCode
from features.shard import ShardState
from streams.shard import ShardRunner
from streams.telemetry.families import by_label, counter, gauge, histogram
from streams.telemetry.meter import WorkerMeter
from streams.watchdog import Beat

#: Told as 0 from the start: of a counter that begins at 1, Prometheus does not see that it has risen.
_REASONS: Final = dict.fromkeys(get_args(RejectionCode), 0)
_FIGURES: Final = dict.fromkeys((figure.name for figure in WATCHED), 0)
_SHARD: Final = ("shard",)
_MODEL: Final = ("model", "shard")

ByShard: TypeAlias = list[tuple[tuple[str, ...], float]]


class WorkerView(Struct):
    """What is known of a worker at a moment.

    ``runners`` are the shards that it owns, ``shards`` how many there are in all; ``away`` the services that it waits
    for. ``policies`` is the version of the set in force. ``late`` is by how many seconds the event loop was late.
    """

    ready: bool
    runners: dict[int, ShardRunner]
    shards: int
    policies: str
    beat: Beat | None
    away: list[str]
    redis_errors: int
    producer_errors: int
    consumer_errors: int
    late: float


class WorkerMetrics(Collector):
    """Gives a worker's metrics.

    Parameters
    ----------
    meter
        What it counts.
    view
        Looks at it.
    clock
        Seconds since the epoch.
    """

    def __init__(
        self, meter: WorkerMeter, view: Callable[[], WorkerView], clock: Callable[[], float] = time.time
    ) -> None:
        self._meter = meter
        self._view = view
        self._clock = clock

    def collect(self) -> Iterable[Metric]:
        """All families."""
        view = self._view()
        yield from _worker(view)
        yield from self._work()
        yield from self._judgement()
        yield from _positions(view.beat)
        runners = sorted(view.runners.items())
        yield from _writing(runners)
        yield from self._times([(number, runner.core.state) for number, runner in runners])
        yield from _models(runners)

    def _work(self) -> Iterator[Metric]:
        meter = self._meter
        yield counter(
            "shopwarden_records",
            "Records applied, by input topic; records applied again after a takeover count again.",
            by_label(meter.records.copy()),
            ("topic",),
        )
        yield histogram(
            "shopwarden_flush_duration_seconds",
            "Time of a flush, from decoding its records to handing its outputs to the producer.",
            meter.flushes,
        )
        yield counter(
            "shopwarden_flush_stage_seconds",
            "Time within flushes: waiting for the journal and what they read (Redis), and applying (processor).",
            [(("journal",), meter.journal_seconds), (("apply",), meter.apply_seconds)],
            ("stage",),
        )
        yield histogram(
            "shopwarden_checkpoint_duration_seconds",
            "Time of a checkpoint, from its cut until Redis has it; confirmation of outputs by Kafka included.",
            meter.checkpoints,
        )
        yield histogram(
            "shopwarden_recovery_duration_seconds",
            "Time from taking a shard over until its journal was applied again.",
            meter.recoveries,
        )
        yield counter(
            "shopwarden_flushes_recovered", "Journalled flushes that were applied again.", meter.flushes_recovered
        )
        yield counter("shopwarden_rebalances", "Times that the group gave this worker its shards.", meter.rebalances)
        yield counter(
            "shopwarden_outputs",
            "Messages handed to the producer, by CloudEvents type or by what they are.",
            by_label(meter.outputs.copy()),
            ("type",),
        )

    def _judgement(self) -> Iterator[Metric]:
        meter, statistics = self._meter, self._meter.statistics()
        counts = (
            ("events", "Events applied: records that were understood, repeats not counted.", statistics.events),
            ("duplicate_events", "Events that had come before.", statistics.duplicates),
            ("records_rejected", "Records that could not be used.", statistics.rejected),
            ("records_missed", "Records that were gone from Kafka before they were read.", statistics.missed),
            ("assessments", "Judgements of merchants, creators, orders and listings.", statistics.assessments),
            ("timers_fired", "Event-time timers that fired.", statistics.timers),
            ("labels_learned", "Outcomes of orders that the models learned.", statistics.labels),
            ("outcomes_revised", "Outcomes that changed after they were learned.", statistics.revisions),
            ("shard_messages", "Messages of other shards that were applied.", statistics.messages),
        )
        for name, meaning, count in counts:
            yield counter(f"shopwarden_{name}", meaning, count)
        yield counter(
            "shopwarden_dead_letters",
            "Records put among the dead letters, by reason.",
            by_label(_REASONS | meter.dead_letters),
            ("reason",),
        )
        yield counter(
            "shopwarden_decisions",
            "Enforcement decisions, by policy, action and whether a person must agree.",
            [
                ((each.policy, each.action, str(each.requires_review).lower()), count)
                for each, count in meter.decisions.copy().items()
            ],
            ("policy", "action", "requires_review"),
        )
        yield counter(
            "shopwarden_shadow_matches",
            "Matches of rules in shadow mode.",
            by_label(statistics.shadow),
            ("policy",),
        )
        yield counter(
            "shopwarden_drift_alarms",
            "Lasting changes of what the models see or say.",
            by_label(_FIGURES | statistics.drifts),
            ("figure",),
        )

    def _times(self, states: list[tuple[int, ShardState]]) -> Iterator[Metric]:
        now = self._clock()
        lag: ByShard = []
        age: ByShard = []
        opened: ByShard = []
        taken: ByShard = []
        cached = dict.fromkeys(("merchants", "orders", "listings", "buckets", "creators"), 0)
        for number, state in states:
            shard = (str(number),)
            if state.clock.highest:
                lag.append((shard, max(0.0, now - state.clock.highest / 1000)))
                age.append((shard, max(0.0, now - state.clock.watermark / 1000)))
            breaker = state.governance.breaker
            opened.append((shard, float(breaker.until > state.clock.highest)))
            taken.append((shard, len(breaker.taken)))
            for kind in cached:
                cached[kind] += len(getattr(state, kind))
        yield gauge(
            "shopwarden_event_time_lag_seconds",
            "How far the latest order's event time lies behind the clock; of history that is played back, its age.",
            lag,
            _SHARD,
        )
        yield gauge(
            "shopwarden_watermark_age_seconds",
            "How far the watermark, by which timers fire, lies behind the clock; at least worker.allowed_lateness_s.",
            age,
            _SHARD,
        )
        yield gauge(
            "shopwarden_severe_cap_open",
            "1 while the circuit breaker turns severe actions into requests for a review.",
            opened,
            _SHARD,
        )
        yield gauge(
            "shopwarden_severe_cap_actions",
            "Severe actions without a person within the circuit breaker's interval.",
            taken,
            _SHARD,
        )
        yield gauge("shopwarden_cached_records", "Records kept decoded in memory.", by_label(cached), ("kind",))


def _worker(view: WorkerView) -> Iterator[Metric]:
    yield gauge("shopwarden_ready", "1 if /ready says that the process is ready.", float(view.ready))
    yield gauge("shopwarden_shards", "Shards that there are: partitions of the input topics.", view.shards)
    yield gauge("shopwarden_shards_assigned", "Shards that this worker owns.", len(view.runners))
    recovering = sum(runner.recovering for runner in view.runners.values())
    yield gauge("shopwarden_shards_recovering", "Shards whose journal is being applied again.", recovering)
    policies = [((view.policies,), 1.0)] if view.policies else []
    yield gauge("shopwarden_policies_info", "Version of the policy set in force; always 1.", policies, ("version",))
    yield gauge(
        "shopwarden_event_loop_delay_seconds", "By how much the event loop was late, at its latest beat.", view.late
    )
    yield gauge(
        "shopwarden_service_away",
        "1 while a service does not answer.",
        [((name.lower(),), float(name in view.away)) for name in ("Kafka", "Redis")],
        ("service",),
    )
    yield counter("shopwarden_redis_errors", "Tries of Redis operations that failed.", view.redis_errors)
    yield counter(
        "shopwarden_kafka_errors",
        "Errors that the Kafka clients told of, and commits that failed.",
        [(("producer",), view.producer_errors), (("consumer",), view.consumer_errors)],
        ("client",),
    )


def _positions(beat: Beat | None) -> Iterator[Metric]:
    behind: ByShard = []
    for tp, progress in sorted({} if beat is None else beat.partitions.items()):
        if progress.end is not None:
            reached = progress.applied if progress.applied is not None else progress.position or 0
            behind.append(((tp.topic, str(tp.partition)), max(0, progress.end - reached)))
    yield gauge(
        "shopwarden_consumer_lag_records",
        "Offsets between the end of an input partition, as last fetched, and what was applied.",
        behind,
        ("topic", "shard"),
    )


def _writing(runners: list[tuple[int, ShardRunner]]) -> Iterator[Metric]:
    yield gauge(
        "shopwarden_buffered_records",
        "Records fetched and not yet applied.",
        [((str(number),), len(runner.intake)) for number, runner in runners],
        _SHARD,
    )
    yield gauge(
        "shopwarden_uncheckpointed_seconds",
        "For how long the oldest applied flush has been waiting for its checkpoint.",
        [((str(number),), runner.protocol.unwritten_seconds()) for number, runner in runners],
        _SHARD,
    )
    yield gauge(
        "shopwarden_uncheckpointed_flushes",
        "Flushes applied since the cut of the last checkpoint: entries of the journal, about.",
        [((str(number),), runner.protocol.sequence - runner.protocol.position.sequence) for number, runner in runners],
        _SHARD,
    )


def _models(runners: list[tuple[int, ShardRunner]]) -> Iterator[Metric]:
    found = [
        ((model, str(number)), metrics)
        for number, runner in runners
        for model, metrics in runner.core.models.metrics().items()
    ]
    yield gauge(
        "shopwarden_model_labels",
        "Labels that a model has learned, ever.",
        [(labels, metrics.labels) for labels, metrics in found],
        _MODEL,
    )
    figures = (
        ("base_rate", "Share of bad orders among its latest labels.", [m.base_rate for _, m in found]),
        ("log_loss", "Log loss of its probabilities, test-then-train.", [m.log_loss for _, m in found]),
        ("auc", "Area under its ROC curve, test-then-train.", [m.auc for _, m in found]),
        (
            "calibration_error",
            "Mean distance of predicted and observed shares, test-then-train.",
            [m.calibration_error for _, m in found],
        ),
    )
    for name, meaning, values in figures:
        yield gauge(
            f"shopwarden_model_{name}",
            meaning,
            [(labels, value) for (labels, _), value in zip(found, values, strict=True) if value is not None],
            _MODEL,
        )
