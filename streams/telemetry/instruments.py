"""What watches a shard at work."""

from msgspec import Struct, field

from streams.telemetry.meter import WorkerMeter
from streams.telemetry.tracing import Tracing


class Instruments(Struct, frozen=True):
    """``meter`` counts what is done, ``tracing`` makes spans of it; ``None`` where nobody traces."""

    meter: WorkerMeter = field(default_factory=WorkerMeter)
    tracing: Tracing | None = None
