"""Run the evaluation, and write build/evaluation.json, .md and .html.

python -m benchmarks.evaluation [--data DIR] [--seeds 101,102] [--quick] [--out build]
"""

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from benchmarks.evaluation.experiments import Name, assemble, carry_out, plan
from benchmarks.evaluation.goals import judge, with_differences
from benchmarks.evaluation.pages import html_page, markdown_page
from benchmarks.evaluation.sections import sections
from benchmarks.evaluation.simulations import SEEDS
from benchmarks.machine import describe_machine

_DATA = Path(__file__).parents[3] / "shared" / "data"


def _seeds(text: str) -> list[int]:
    try:
        seeds = [int(each) for each in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of whole numbers such as 101,102") from None
    if len(set(seeds)) != len(seeds):
        raise argparse.ArgumentTypeError("a seed is named twice")
    return seeds


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make evaluate", description="How good the judgement is.")
    parser.add_argument("--data", type=Path, default=_DATA, help="folder laid out like ../shared/data, gzipped or not")
    parser.add_argument("--seeds", type=_seeds, help="seeds of the simulations, by default 101 to 110")
    parser.add_argument("--quick", action="store_true", help="a slice of each set and small simulations, for CI")
    parser.add_argument("--out", type=Path, default=Path("build"), help="folder of the reports")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    given = parser.parse_args(arguments)
    if given.data != _DATA and not given.data.is_dir():
        parser.error(f"there is no folder {given.data}")
    if given.processes < 1:
        parser.error("--processes must be at least 1")
    given.seeds = given.seeds or list(SEEDS[:1] if given.quick else SEEDS)
    return given


def main(arguments: list[str] | None = None) -> int:
    """Run, write the reports, and say which goals are missed; returns the exit code, 1 where an experiment failed."""
    given = _arguments(arguments)
    start = perf_counter()
    results: dict[Name, dict[str, Any]] = {}
    failed: list[str] = []
    count = 0
    # Fresh processes: a fork of one with the threads of numerical libraries may die.
    with TemporaryDirectory() as scratch, ProcessPoolExecutor(given.processes, get_context("spawn")) as pool:
        pieces, missing = plan(given.data, given.seeds, Path(scratch), quick=given.quick)
        for word in missing:
            print(f"left out: {word}", file=sys.stderr)
        for done in as_completed([pool.submit(carry_out, piece) for piece in pieces]):
            name, found, seconds = done.result()
            count += 1
            if isinstance(found, str):
                failed.append(f"{'/'.join(name)}: {found}")
                print(f"{count:3} of {len(pieces)}  failed: {failed[-1]}", file=sys.stderr, flush=True)
            else:
                results[name] = found
                print(f"{count:3} of {len(pieces)}  {'/'.join(name)}  {seconds:.1f} s", file=sys.stderr, flush=True)
    figures = with_differences(assemble(results))
    verdicts = judge(figures)
    report = figures | {
        "goals": [
            {"what": each.goal.words, "limit": each.goal.limit, "at_most": each.goal.at_most, "value": each.value,
             "verdict": each.words}
            for each in verdicts
        ],
        "run": {
            "quick": given.quick,
            "seconds": round(perf_counter() - start, 1),
            "left_out": missing,
            "failed": failed,
            "machine": describe_machine(None),
        },
    }  # fmt: skip
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "evaluation.json").write_text(json.dumps(report, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    parts = sections(report, verdicts)
    (given.out / "evaluation.md").write_text(markdown_page(parts), encoding="utf-8")
    (given.out / "evaluation.html").write_text(html_page(parts), encoding="utf-8")
    for each in verdicts:
        if each.value is not None:
            limit = f"at {'most' if each.goal.at_most else 'least'} {each.goal.limit:g}"
            print(f"{each.words:7} {each.value:7.3f}  {limit:15}  {each.goal.words}")
    print(f"{perf_counter() - start:.0f} s; {given.out / 'evaluation.html'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
