"""The coverage-guided fuzzer: bytes as records through the live path, with nothing but rejections expected.

``python -m tests.fuzz.target FOLDER [libFuzzer's options]`` runs until it is told to stop or something raises; what
raised is kept in FOLDER. ``python -m tests.fuzz.target FILE`` feeds such a file once. An input is a few records, one a
line: the first byte chooses the topic, the rest is the value. The key follows from the value, so that a record is not
refused for it alone.

Atheris (https://github.com/google/atheris) instruments our modules while they are imported, and libFuzzer keeps the
inputs that reach something new. Its ``-help=1`` lists the options.
"""

import sys
from pathlib import Path

import atheris


def main() -> None:
    """Fuzz, or feed a file."""
    with atheris.instrument_imports(include=["features", "detectors"]):
        from tests.fuzz.bytes_path import BytesPath
    from tests.fuzz.lines import mutate

    where = Path(sys.argv[1])
    path = BytesPath(where if where.is_dir() else where.parent)
    if where.is_file():
        path.feed(where.read_bytes())
        return

    def mutate_either_way(data: bytes, max_size: int, seed: int) -> bytes:
        """Bytes for bytes as libFuzzer does it, or event for event."""
        changed: bytes = mutate(data, seed)[:max_size] if seed % 2 else atheris.Mutate(data, max_size)
        return changed

    arguments = [sys.argv[0], str(where / "corpus"), *sys.argv[2:]]
    atheris.Setup(arguments, path.feed, custom_mutator=mutate_either_way, enable_python_coverage=True)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
