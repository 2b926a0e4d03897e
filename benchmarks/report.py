"""The figures of a run: for people on the terminal, for programs as JSON."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.processes import Result

#: Key in the report -> what a row of the table says.
COMPETITORS: Final = {
    "plain_consume_decode": "(a) confluent-kafka and orjson, decoding only",
    "stock_faust": "(b) stock Faust agent, decoding only",
    "worker": "(c) shopwarden worker, the whole job",
    "apply": "(d) Core.apply in memory",
    "stock_faust_redis": "(e) by hand: stock Faust agent, Redis per event",
    "quix": "(f) by hand: Quix Streams, its own state",
}
#: Rows of the table.
ROWS: Final = {
    **COMPETITORS,
    "worker_4_partitions": "    the same with four partitions",
    "replay_1_process": "(g) shopwarden replay of two partitions",
    "replay_2_processes": "    the same in two processes",
}
#: Name of a ratio -> numerator, denominator, least value wanted.
RATIOS: Final = {
    "worker_to_stock_faust_redis": ("worker", "stock_faust_redis", 15.0),
    "worker_to_quix": ("worker", "quix", 1.5),
    "worker_to_apply": ("worker", "apply", 0.6),
}
GOALS: Final = {
    "worker": 30_000.0,
    "one_process": 30_000.0,
    "two_to_one": 1.8,
    "olist_seconds": 15.0,
    "latency_ms_p99_at_2000": 30.0,
    "state_bytes_per_merchant_median": 1024.0,
}


def rates(rounds: Mapping[str, Sequence[Result]]) -> dict[str, int]:
    """Median events a second of each competitor."""
    return {name: round(median(result.rate for result in results)) for name, results in rounds.items() if results}


def replay(figures: Mapping[str, int], measured: Mapping[str, Any]) -> dict[str, Any]:
    """The section about replay: events a second in one process and in two, and what was measured of Olist."""
    names = {"one_process": "replay_1_process", "two_processes": "replay_2_processes"}
    found = {short: figures[name] for short, name in names.items() if name in figures}
    found |= measured.get("replay", {})
    return {"replay": found} if found else {}


def ratios(figures: Mapping[str, int]) -> dict[str, float]:
    """The ratios of which both figures are there."""
    return {
        name: round(figures[above] / figures[below], 2)
        for name, (above, below, _) in RATIOS.items()
        if above in figures and below in figures
    }


def rounds_in_detail(rounds: Mapping[str, Sequence[Result]]) -> dict[str, Any]:
    """Each round's events a second, by the clock and by the processor time of the competitor's own process."""
    return {
        name: {
            "records": [result.records for result in results],
            "events_per_second": [round(result.rate) for result in results],
            "events_per_cpu_second": [
                round(result.records / result.cpu_seconds) if result.cpu_seconds else None for result in results
            ],
        }
        for name, results in rounds.items()
    }


def table(report: Mapping[str, Any]) -> list[str]:
    """The report as lines of text."""
    lines = [f"{'':<50} {'events/s':>9} {'per CPU s':>10}   rounds"]
    for name, words in ROWS.items():
        if name in report:
            detail = report["rounds"][name]
            single = " ".join(f"{rate:,}" for rate in detail["events_per_second"])
            cpu = [rate for rate in detail["events_per_cpu_second"] if rate]
            lines.append(f"{words:<50} {report[name]:>9,} {round(median(cpu)) if cpu else 0:>10,}   {single}")
    for name, value in report.get("ratios", {}).items():
        above, below, wanted = RATIOS[name]
        lines.append(f"{above} / {below}: {value:.2f}, {_verdict(value >= wanted)} (at least {wanted:g})")
    if "worker" in report:
        rate, wanted = report["worker"], GOALS["worker"]
        lines.append(f"worker: {rate:,} events/s, {_verdict(rate >= wanted)} (at least {wanted:,.0f})")
    lines += _replay_lines(report.get("replay", {}))
    if "latency_ms" in report:
        lines.append(_latency_line(report["latency_ms"]))
    if "state" in report:
        lines.append(_state_line(report["state"]))
    return lines


def _replay_lines(replay: Mapping[str, Any]) -> list[str]:
    lines = []
    if "one_process" in replay:
        rate, wanted = replay["one_process"], GOALS["one_process"]
        lines.append(f"replay: {rate:,} events/s, {_verdict(rate >= wanted)} (at least {wanted:,.0f})")
    if "two_processes" in replay and replay.get("one_process"):
        ratio, wanted = replay["two_processes"] / replay["one_process"], GOALS["two_to_one"]
        lines.append(
            f"replay in two processes / in one: {ratio:.2f}, {_verdict(ratio >= wanted)} (at least {wanted:g})"
        )
    if "olist_seconds" in replay:
        seconds, wanted = replay["olist_seconds"], GOALS["olist_seconds"]
        lines.append(f"replay of Olist: {seconds} s, {_verdict(seconds <= wanted)} (at most {wanted:g})")
    return lines


def _latency_line(latency: Mapping[str, Any]) -> str:
    wanted = GOALS["latency_ms_p99_at_2000"]
    figures = f"p50 {latency['p50']:.1f}, p95 {latency['p95']:.1f}, p99 {latency['p99']:.1f} ms"
    return (
        f"produce to output at {latency['offered_per_second']:,.0f} events/s: {figures} "
        f"of {latency['samples']:,} outputs, "
        f"{_verdict(latency['p99'] <= wanted)} (p99 at most {wanted:g})"
    )


def _state_line(state: Mapping[str, Any]) -> str:
    wanted = GOALS["state_bytes_per_merchant_median"]
    return (
        f"state of a merchant, median of {state['merchants']:,}: {state['record']:,.0f} bytes, "
        f"{_verdict(state['record'] <= wanted)} (at most {wanted:,.0f}); "
        f"with its orders and listings {state['with_entities']:,.0f}, with their keys {state['with_keys']:,.0f}"
    )


def write(report: Mapping[str, Any], path: Path) -> None:
    """Write the report as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_finite(report), indent=2) + "\n", encoding="utf-8")


def _finite(value: Any) -> Any:
    """JSON has no NaN: what could not be measured is null."""
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _verdict(met: bool) -> str:
    return "goal met" if met else "goal missed"
