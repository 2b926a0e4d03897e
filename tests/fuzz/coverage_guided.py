"""Runs the coverage-guided fuzzer for a bounded time, from a corpus that is made anew of valid events."""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec
import orjson
from msgspec import Struct

from features import events
from features.decode import EVENT_TYPES
from tests.features.example_events import FIELDS, example
from tests.fuzz.lines import line_of
from tests.fuzz.valid_events import valid_events

#: Longest input, bytes. What is longer takes longer and reaches nothing else.
_MAX_LEN = 4_096
#: An input that takes as long as this, in seconds, is a defect too.
_SLOW_S = 10


class Report(Struct, frozen=True):
    """What a run did; ``crashes`` are the files that hold what raised, and ``log`` is all that was said."""

    seconds: int
    inputs: int
    #: Places of the code reached, as libFuzzer counts them, and inputs kept because they reached something new.
    coverage: int
    kept: int
    crashes: list[str]
    log: str


def available() -> bool:
    """True where Atheris is installed: it has wheels for Linux on x86-64."""
    return importlib.util.find_spec("atheris") is not None


def fuzz(folder: Path, seconds: int, seed: int = 1) -> Report:
    """Fuzz for some seconds; everything is kept in the folder."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds()):
        (corpus / f"seed-{number:03}").write_bytes(data)
    dictionary = folder / "dictionary"
    dictionary.write_text("".join(f'"{_quoted(word)}"\n' for word in words()))
    before = set(folder.iterdir())
    command = [sys.executable, "-m", "tests.fuzz.target", str(folder), f"-max_total_time={seconds}", f"-seed={seed}"]
    command += [f"-dict={dictionary}", f"-max_len={_MAX_LEN}", f"-timeout={_SLOW_S}", f"-artifact_prefix={folder}/"]
    # Long inputs at once: a history of several events is no shorter.
    command += ["-len_control=0", "-print_final_stats=1", "-rss_limit_mb=2048", "-report_slow_units=5"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    log = done.stderr + done.stdout
    crashes = sorted(str(path) for path in set(folder.iterdir()) - before if not path.name.startswith("slow-unit"))
    if done.returncode and not crashes:
        raise RuntimeError(f"the fuzzer ended with exit code {done.returncode}:\n{log[-4_000:]}")
    return Report(
        seconds,
        _number(r"stat::number_of_executed_units:\s*(\d+)", log),
        _number(r"cov: (\d+)", log),
        _number(r"corp: (\d+)", log),
        crashes,
        log,
    )


def _number(pattern: str, log: str) -> int:
    found = re.findall(pattern, log)
    return int(found[-1]) if found else 0


def seeds() -> Iterator[bytes]:
    """Inputs to start from: an example of every type, and stretches of a marketplace."""
    for kind in FIELDS:
        yield line_of(example(kind))
    stream = valid_events(1)
    for _ in range(40):
        yield b"\n".join(line_of(event) for event in islice(stream, 4))


def words() -> list[str]:
    """Names and values that no fuzzer would guess: types, fields, enumerations, limits."""
    found = {f'"{kind}"' for kinds in EVENT_TYPES.values() for kind in kinds}
    schema = orjson.dumps(msgspec.json.schema(events.InputEvent)).decode()
    found |= set(re.findall(r'"[a-z_]{2,30}"', schema))
    found |= {"946684800000", "4102444800000", "1000000000000", "1e400", "-0", "null", "\\ud800", "}\n2{", "}\n1{"}
    return sorted(found)


def _quoted(word: str) -> str:
    return "".join(c if c.isalnum() or c in "_.-{}" else f"\\x{ord(c):02x}" for c in word)
