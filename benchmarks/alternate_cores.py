"""Is the core faster than in another checkout? Both apply the same flushes in turn, each in a process of its own.

    python -m benchmarks.alternate_cores ../other            # EVENTS=60000 for more of them

On a machine on which other work runs, two runs after one another differ by more than most changes make. Here each flush
is applied by one core right after the other, which is given processor time alike; the median over all flushes of the
ratio of their processor times is good to about a per cent. Whether they give the same outputs is told as well.
"""

import os
import random
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final

_SEED: Final = 7
_FLUSH: Final = 1_000
#: Samples drawn with replacement for the interval of the median.
_DRAWS: Final = 400
_ROOT: Final = Path(__file__).parents[1]


class _Child:
    """One core at work in another process."""

    def __init__(self, tree: Path, events: int) -> None:
        # Imported is what the tree has, and not what is installed.
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, "--child", str(events)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree)},
        )
        self.answer()

    def ask(self) -> float:
        """Have it apply the next flush; returns the seconds that took."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self.answer())

    def answer(self) -> str:
        """A line of what it says."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"a core ended early, with exit code {self._process.wait()}")
        return line.strip()


def _work(events: int) -> None:
    """Apply a flush for each line that comes in, and say what processor time it took; last, say a digest of outputs."""
    # These are the modules of the tree in which this process was started.
    from benchmarks.deployment import benchmark_deployment
    from benchmarks.records import make_records
    from detectors.apply import Core
    from detectors.flush import Flush
    from detectors.judge import fresh_models
    from features.shard import Record, ShardState
    from streams.worker import make_judge

    offsets: Counter[str] = Counter()
    records = []
    for each in make_records(events, _SEED):
        topic: Any = each.topic
        records.append(Record(topic, topic, 0, offsets[topic], each.timestamp, each.key, each.value))
        offsets[topic] += 1
    settings = benchmark_deployment("none:1", "redis://none:1/0", "cores", "", 1).settings
    core = Core(ShardState(0), fresh_models(settings.worker.seed), make_judge(settings))
    digest = sha256()
    print("ready", flush=True)
    for sequence, first in enumerate(range(0, events, _FLUSH), 1):
        sys.stdin.readline()
        flush = Flush(sequence, records[first : first + _FLUSH])
        start = process_time()
        emits = core.apply(flush)
        print(process_time() - start, flush=True)
        digest.update(repr(emits).encode())
    print(digest.hexdigest(), flush=True)


def main(other: Path, events: int) -> None:
    """Compare and print."""
    children = _Child(other.resolve(), events), _Child(_ROOT, events)
    seconds: tuple[list[float], list[float]] = [], []
    for number in range(-(-events // _FLUSH)):
        for index in (0, 1) if number % 2 else (1, 0):
            seconds[index].append(children[index].ask())
    same = children[0].answer() == children[1].answer()
    ratios = [here / there for there, here in zip(*seconds, strict=True)]
    draw = random.Random(_SEED)
    medians = sorted(median(draw.choices(ratios, k=len(ratios))) for _ in range(_DRAWS))
    low, high = medians[_DRAWS // 20], medians[-_DRAWS // 20 - 1]
    print(f"{other}: {sum(seconds[0]) / events * 1e6:.1f} us an event; here: {sum(seconds[1]) / events * 1e6:.1f}")
    print(f"median ratio {median(ratios):.3f} (90 %: {low:.3f} to {high:.3f}); outputs {'alike' if same else 'differ'}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _work(int(sys.argv[2]))
    elif len(sys.argv) == 2:
        main(Path(sys.argv[1]), int(os.environ.get("EVENTS", "30000")))
    else:
        sys.exit(f"usage: python -m benchmarks.alternate_cores CHECKOUT\n\n{__doc__}")
