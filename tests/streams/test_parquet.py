"""Archives as Parquet, written by us and by others."""

import sys
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from streams.archive import ArchiveError, ArchiveRecord, read_archive, write_archive
from streams.cli import main
from tests.streams.test_archive import RECORDS, records


def write(path: Path, given_in: list[ArchiveRecord]) -> Path:
    """Write an archive."""
    with write_archive(path, overwrite=True) as archive:
        for record in given_in:
            archive.write(record)
        assert archive.count == len(given_in)
    return path


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(records, max_size=5))
def test_records_survive_byte_for_byte(tmp_path: Path, given_in: list[ArchiveRecord]) -> None:
    """Whatever their bytes, as in an archive of lines."""
    assert list(read_archive(write(tmp_path / "a.parquet", given_in))) == given_in


def test_places_and_repeated_headers_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also over several row groups; progress adds up to the file."""
    monkeypatch.setattr("streams.parquet._ROWS", 10)
    headers = (("trace", b"1"), ("trace", b"\xfe"), ("none", None))
    given_in = [ArchiveRecord("orders", b"m", b"%d" % n, n, headers, n % 3, n) for n in range(95)]
    path = write(tmp_path / "a.parquet", given_in)
    read: list[int] = []
    assert list(read_archive(path, read.append)) == given_in
    assert parquet.ParquetFile(path).num_row_groups == 10  # type: ignore[no-untyped-call]
    assert 0.9 < sum(read) / path.stat().st_size <= 1


def test_files_of_others_are_read(tmp_path: Path) -> None:
    """Keys and values as text, times in other units, more columns, and no columns that may be absent."""
    path = tmp_path / "others.parquet"
    table = pyarrow.table(
        {
            "value": ['{"a":1}', None],
            "key": pyarrow.array(["m1", "m2"]).dictionary_encode(),
            "topic": pyarrow.array(["orders", "orders"]).dictionary_encode(),
            "timestamp": pyarrow.array([1_500_000, 2_000_000], pyarrow.timestamp("us")),
            "comment": ["x", "y"],
        }
    )
    parquet.write_table(table, path)  # type: ignore[no-untyped-call]
    assert list(read_archive(path)) == [
        ArchiveRecord("orders", b"m1", b'{"a":1}', 1_500),
        ArchiveRecord("orders", b"m2", None, 2_000),
    ]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"topic": ["orders"], "value": ["x"]}, "no column key"),
        ({"topic": [None], "key": ["x"], "value": ["x"]}, "has no topic"),
        ({"topic": ["orders"], "key": [3], "value": ["x"]}, "the column key is neither bytes nor text"),
        ({"topic": ["orders"], "key": ["m"], "value": ["x"], "offset": ["first"]}, "offset|parse|string|first"),
        ({"topic": ["orders"], "key": ["m"], "value": ["x"], "headers": [["a", "b"]]}, "headers is no list of name"),
        (
            {"topic": ["orders"], "key": ["m"], "value": ["x"], "headers": [[{"key": "a"}]]},
            "headers is no list of name",
        ),
    ],
)
def test_what_is_no_archive_is_told(tmp_path: Path, columns: dict[str, Any], told: str) -> None:
    """With the file's name and what is missing."""
    path = tmp_path / "other.parquet"
    parquet.write_table(pyarrow.table(columns), path)  # type: ignore[no-untyped-call]
    with pytest.raises(ArchiveError, match=told) as found:
        list(read_archive(path))
    assert "other.parquet" in str(found.value)


def test_damage_is_noticed(tmp_path: Path) -> None:
    """A file that is cut off, or is something else, is no archive."""
    path = write(tmp_path / "a.parquet", RECORDS)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ArchiveError, match=r"a\.parquet: "):
        list(read_archive(path))
    path.write_bytes(b"PAR1 or not")
    with pytest.raises(ArchiveError, match=r"a\.parquet: "):
        list(read_archive(path))


def test_without_pyarrow_it_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading and writing name the extra, and leave nothing behind; archives of lines need no pyarrow."""
    path = write(tmp_path / "a.parquet", RECORDS)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ArchiveError, match=r"shopwarden\[parquet\]"):
        list(read_archive(path))
    with pytest.raises(ArchiveError, match=r"b\.parquet .*shopwarden\[parquet\]"):
        write(tmp_path / "b.parquet", RECORDS)
    assert list(read_archive(write(tmp_path / "b.jsonl", RECORDS))) == RECORDS
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.parquet", "b.jsonl"]


def test_a_replay_reads_and_writes_it(tmp_path: Path) -> None:
    """The same outputs from lines and from Parquet, and into either."""
    lines, columns = tmp_path / "a.jsonl", tmp_path / "a.parquet"
    simulated = CliRunner().invoke(main, ["simulate", "--events", "5000", "--out", str(lines)])
    assert simulated.exit_code == 0, simulated.output
    write(columns, list(read_archive(lines)))
    outs = []
    for source, out in ((lines, "one.parquet"), (columns, "two.jsonl.zst"), (columns, "three.parquet")):
        result = CliRunner().invoke(main, ["replay", str(source), "--shards", "2", "--out", str(tmp_path / out)])
        assert result.exit_code == 0, result.output
        outs.append(list(read_archive(tmp_path / out)))
    assert outs[0] == outs[1] == outs[2]
    assert len(outs[0]) > 20
