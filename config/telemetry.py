"""Settings of what operators watch: metrics, health and traces."""

from pydantic import Field, model_validator

from config.fields import Section


class TelemetrySettings(Section):
    """Metrics, health and readiness over HTTP, and traces."""

    # None: several workers of one machine would want the same port, and nobody should listen who was not asked to. The
    # image sets 9464, which is where OpenTelemetry's exporters for Prometheus listen.
    port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port of `/metrics`, `/health` and `/ready`, of a worker, a replay and the console; 0 takes a free "
        "one, which the log names; unset: there is none.",
    )
    # What is told there has no personal data, but it has no password either.
    address: str = Field(
        default="127.0.0.1",
        min_length=1,
        max_length=253,
        description="Address to listen on; `0.0.0.0` is all of IPv4, `::` all of IPv6.",
    )
    # Half of worker.stuck_after_s: whoever looks from outside should know before the worker ends itself.
    alive_within_s: float = Field(
        default=30,
        gt=0,
        le=3600,
        description="Seconds that the event loop may stand still before `/health` says that the process is not well.",
    )
    # A rebalance takes up to kafka.rebalance_timeout_s; partitions of a lost broker have a new leader within seconds.
    ready_grace_s: float = Field(
        default=30,
        ge=0,
        le=3600,
        description="Seconds for which a worker that was ready stays so while shards move, or Redis or Kafka is away.",
    )
    # Each look is one small request to Kafka and one to Redis.
    reach_every_s: float = Field(
        default=10, gt=0, le=3600, description="Seconds between two looks at whether Kafka and Redis can be reached."
    )
    traces_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="Where traces go, by OTLP over HTTP: `http://collector:4318/v1/traces`; unset: there are none. "
        "Needs the extra `tracing`.",
    )
    # At 50 flushes a second, one trace in two seconds a shard.
    traces_ratio: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Share of flushes and checkpoints that are traced. An event whose `traceparent` is sampled is "
        "traced in any case, up to `traces_events` a flush.",
    )
    # A flood of sampled events must not become a flood of spans.
    traces_events: int = Field(default=16, ge=0, le=10_000, description="Most events of one flush that are traced.")

    @model_validator(mode="after")
    def _has_the_extra(self) -> "TelemetrySettings":
        if self.traces_endpoint is not None and not _installed():
            raise ValueError(
                "traces_endpoint is set, but OpenTelemetry is not installed: pip install 'shopwarden[tracing]'"
            )
        return self


def _installed() -> bool:
    from importlib.util import find_spec

    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False
