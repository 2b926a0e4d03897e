"""Three ways from the bytes of a record to an event: what they cost.

    python -m benchmarks.decoding [--events N]

(1) msgspec straight into the typed union of the topic, as the worker does; (2) ``orjson.loads``, then
``msgspec.convert`` into the type that the record names, with the same checks; (3) ``orjson.loads`` alone, which checks
nothing. On records of the simulator, in flushes as the worker has them, without garbage collections; in microseconds
of processor time a record, the best of several rounds in turns.
"""

import argparse
import gc
from collections.abc import Callable, Sequence
from time import process_time
from typing import Any, Final, get_args

import msgspec
import orjson

from benchmarks.machine import describe_machine
from benchmarks.records import make_records
from features.events import FeedbackInput, ListingInput, MerchantInput, OrderInput
from streams.simulator import SimulatedRecord

_UNIONS: Final[dict[str, Any]] = {
    "merchants": MerchantInput,
    "listings": ListingInput,
    "orders": OrderInput,
    "feedback": FeedbackInput,
}
_DECODERS: Final = {topic: msgspec.json.Decoder(union) for topic, union in _UNIONS.items()}
#: Type of event -> its struct. Given the union itself, ``convert`` would work out what is in it for every record.
_STRUCTS: Final = {struct.__struct_config__.tag: struct for union in _UNIONS.values() for struct in get_args(union)}
_SHOWN: Final = ("order.created", "order.tracked", "listing.created")
_ROUNDS: Final = 7
#: What a flush holds at most (worker.max_flush_records); its events are dropped before the next.
_FLUSH: Final = 4_000


def decode(records: Sequence[SimulatedRecord]) -> list[Any]:
    """(1) In one step."""
    return [_DECODERS[record.topic].decode(record.value) for record in records]


def load_and_convert(records: Sequence[SimulatedRecord]) -> list[Any]:
    """(2) In two steps."""
    documents = (orjson.loads(record.value) for record in records)
    return [msgspec.convert(document, _STRUCTS[document["type"]]) for document in documents]


def load(records: Sequence[SimulatedRecord]) -> list[Any]:
    """(3) Into dictionaries."""
    return [orjson.loads(record.value) for record in records]


WAYS: Final[tuple[Callable[[Sequence[SimulatedRecord]], list[Any]], ...]] = (decode, load_and_convert, load)


def measure(records: Sequence[SimulatedRecord], rounds: int = _ROUNDS) -> list[float]:
    """Microseconds a record of each way."""
    flushes = [records[start : start + _FLUSH] for start in range(0, len(records), _FLUSH)]
    best = [float("inf")] * len(WAYS)
    gc.disable()
    try:
        for _ in range(rounds):
            for number, way in enumerate(WAYS):
                begun = process_time()
                for flush in flushes:
                    way(flush)
                best[number] = min(best[number], process_time() - begun)
    finally:
        gc.enable()
    return [seconds / len(records) * 1e6 for seconds in best]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Decoding of input records.")
    parser.add_argument("--events", type=int, default=50_000, help="simulated records")
    arguments = parser.parse_args()
    records = make_records(arguments.events, seed=7)
    if decode(records) != load_and_convert(records):
        raise SystemExit("the two typed ways differ")
    by_type: dict[str, list[SimulatedRecord]] = {}
    for record in records:
        by_type.setdefault(orjson.loads(record.value)["type"], []).append(record)
    machine = describe_machine(None)
    versions = machine["versions"]
    print(", ".join((machine["processor"], *(f"{name} {versions[name]}" for name in ("msgspec", "orjson")))))
    print(f"{'microseconds a record':<18} {'records':>8}  {'bytes':>5}  msgspec  orjson+convert  orjson  factor")
    for name, group in (("all", records), *((name, by_type[name]) for name in _SHOWN if name in by_type)):
        one, two, three = measure(group)
        size = sum(len(record.value) for record in group) / len(group)
        print(f"{name:<21} {len(group):>8}  {size:5.0f}  {one:7.2f}  {two:14.2f}  {three:6.2f}  {two / one:6.1f}")


if __name__ == "__main__":
    main()
