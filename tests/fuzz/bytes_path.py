"""Any bytes as records of a shard: what the coverage-guided fuzzer calls."""

import re
from hashlib import sha256
from pathlib import Path

import msgspec

from detectors.apply import Core
from detectors.flush import Flush
from detectors.judge import fresh_models
from features.decode import TOPIC_KINDS
from features.shard import Record, ShardState
from streams.snapshot import encode_ahead, take_changes
from tests.builders import make_judge
from tests.fuzz.live_path import check_finite

#: Records of one input at most; more would only be slower.
MOST_RECORDS = 6
#: Inputs between two fresh shards. Making one costs as much as a hundred inputs.
_INPUTS_PER_SHARD = 200
#: 2100-01-01: no event lies in the future of its record.
_TIMESTAMP = 4_102_444_800_000

_merchant = re.compile(rb'"merchant_id"\s*:\s*"([^"\\]*)"').findall


class BytesPath:
    """Feeds inputs to a shard; ``folder`` gets the inputs before one that raised, where it did not do so alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._judge = make_judge(publish_level=1, audit_rate=0.5, all_features=True)
        self._core = self._fresh()
        self._fed: list[bytes] = []
        self._offset = 0

    def feed(self, data: bytes) -> None:
        """Feed one input; what it raises is a defect."""
        if len(self._fed) >= _INPUTS_PER_SHARD:
            take_changes(self._core)
            self._core = self._fresh()
            self._fed = []
        self._fed.append(data)
        try:
            self._apply(data)
        except Exception:
            self._keep_history()
            raise

    def _fresh(self) -> Core:
        return Core(ShardState(0), fresh_models(42), self._judge)

    def _apply(self, data: bytes) -> None:
        core = self._core
        records = []
        for line in data.split(b"\n")[:MOST_RECORDS]:
            kind = TOPIC_KINDS[(line[0] if line else 0) % len(TOPIC_KINDS)]
            value = line[1:]
            found = _merchant(value)
            self._offset += 1
            records.append(Record(kind, kind, 0, self._offset, _TIMESTAMP, found[-1] if found else b"m1", value))
        flush = Flush(self._offset, records)
        events = core.decode(flush)
        core.needed(flush, events)
        for emit in core.apply(flush, events):
            if emit.stream != "dead_letters":
                check_finite(emit.value or b"")
        encode_ahead(core.state)
        state = core.state
        for touched in (
            state.touched_merchants,
            state.touched_orders,
            state.touched_listings,
            state.touched_buckets,
            state.touched_creators,
        ):
            for encoded in touched.values():
                check_finite(encoded or b"")
            touched.clear()

    def _keep_history(self) -> None:
        """Keep all inputs since the shard was made, unless the last one raises alone."""
        history, self._fed = self._fed, []
        self._core = self._fresh()
        try:
            self._apply(history[-1])
        except Exception:  # noqa: BLE001 - this is the defect, and raised by the caller
            return
        whole = b"\n".join(history)
        name = f"history-{sha256(whole).hexdigest()[:16]}.json"
        (self._folder / name).write_bytes(msgspec.json.encode([data.hex() for data in history]))
