import re
from pathlib import Path

import orjson
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from streams.archive import (
    ArchiveError,
    ArchiveRecord,
    decode_record,
    encode_record,
    read_archive,
    write_archive,
)

EVENT = b'{"event_id":"e1","type":"order.delivered","occurred_at":1514764800000,"merchant_id":"m1","order_id":"o1"}'
RECORDS = [
    ArchiveRecord("orders", b"m1", EVENT, 1514764800000, (("ce_type", b"x"),)),
    ArchiveRecord("orders", None, b"\xff\x00 not JSON", None),
    ArchiveRecord("merchant-standing", b"m2", None),
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
values = (
    st.none()
    | st.binary()
    | json_values.map(orjson.dumps)
    | json_values.map(lambda value: orjson.dumps(value, option=orjson.OPT_INDENT_2))
    | json_values.map(lambda value: b" " + orjson.dumps(value) + b"\t")
)
header_names = st.sampled_from(["a", "b", "c"])
records = st.builds(
    ArchiveRecord,
    topic=st.text(min_size=1),
    key=st.none() | st.binary() | st.text().map(str.encode),
    value=values,
    timestamp=st.none() | st.integers(0, 2**53),
    headers=st.dictionaries(header_names, st.none() | st.binary() | st.text().map(str.encode)).map(
        lambda headers: tuple(headers.items())
    ),
)


@given(records)
def test_a_record_survives_its_line_byte_for_byte(record: ArchiveRecord) -> None:
    """Key, value, timestamp and headers come back as they went in, on one line, whatever their bytes."""
    line = encode_record(record)
    assert line.count(b"\n") == 1
    assert decode_record(line) == record


def test_json_stands_readable_in_the_line() -> None:
    """A JSON value is an object of the line, with its own spelling, so that people and jq can read it."""
    line = encode_record(ArchiveRecord("orders", b"m1", b'{"total": 1.50, "big": 123456789012345678901234567890}'))
    assert orjson.loads(line)["value"]["total"] == 1.5
    assert b'"value":{"total": 1.50, "big": 123456789012345678901234567890}' in line


def test_a_repeated_header_keeps_all_its_values_in_order() -> None:
    """Kafka allows a header name more than once."""
    headers = (("trace", b"1"), ("trace", None), ("trace", b"\xff"), ("other", b"x"))
    assert decode_record(encode_record(ArchiveRecord("orders", b"m", b"{}", headers=headers))).headers == headers


def test_a_value_of_null_is_not_a_missing_value() -> None:
    """A tombstone and the four bytes of JSON null are told apart."""
    for value in (None, b"null"):
        assert decode_record(encode_record(ArchiveRecord("orders", b"m", value))).value == value


def test_json_nested_deeper_than_parsers_follow_is_kept() -> None:
    """Hostile nesting is stored as bytes instead of breaking the reader."""
    value = b"[" * 900 + b"]" * 900
    assert decode_record(encode_record(ArchiveRecord("orders", b"m", value))).value == value


@pytest.mark.parametrize("name", ["history.jsonl", "history.jsonl.zst"])
def test_a_file_holds_what_was_written(tmp_path: Path, name: str) -> None:
    """Plain and compressed files give the records back in order."""
    path = tmp_path / name
    with write_archive(path) as writer:
        for record in RECORDS * 2000:
            writer.write(record)
    assert writer.count == len(RECORDS) * 2000
    assert list(read_archive(path)) == RECORDS * 2000
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_the_suffix_chooses_the_compression(tmp_path: Path) -> None:
    """A .zst file is an ordinary Zstandard file of the same lines."""
    for name in ("a.jsonl", "a.jsonl.zst"):
        with write_archive(tmp_path / name) as writer:
            writer.write(RECORDS[0])
    plain = (tmp_path / "a.jsonl").read_bytes()
    assert orjson.loads(plain)["key"] == "m1"
    compressed = (tmp_path / "a.jsonl.zst").read_bytes()
    assert zstandard.ZstdDecompressor().decompressobj().decompress(compressed) == plain


def test_files_put_one_after_the_other_are_read_through(tmp_path: Path) -> None:
    """``cat a.zst b.zst`` makes an archive of both."""
    for name in ("a.zst", "b.zst"):
        with write_archive(tmp_path / name) as writer:
            writer.write(RECORDS[0])
    both = tmp_path / "both.zst"
    both.write_bytes((tmp_path / "a.zst").read_bytes() + (tmp_path / "b.zst").read_bytes())
    assert list(read_archive(both)) == [RECORDS[0], RECORDS[0]]


def test_a_hand_made_file_is_read(tmp_path: Path) -> None:
    """Blank lines, spaces, unknown fields and a missing last line feed do no harm."""
    path = tmp_path / "hand.jsonl"
    path.write_bytes(
        b'\n{"topic": "orders", "key": "m1", "value": {"a": 1}, "note": 1}\n\n {"topic":"t","key":null,"value":1}'
    )
    assert list(read_archive(path)) == [ArchiveRecord("orders", b"m1", b'{"a": 1}'), ArchiveRecord("t", None, b"1")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{broken", "malformed"),
        (b'{"key": "m", "value": {}}', "topic"),
        (b'{"topic": "", "key": "m", "value": {}}', "topic"),
        (b'{"topic": "orders", "value": {}}', "'key' is missing"),
        (b'{"topic": "orders", "key": "m"}', "'value' is missing"),
        (b'{"topic": "orders", "key": 5, "value": {}}', "key"),
        (b'{"topic": "orders", "key": "m", "value": {}, "timestamp": "now"}', "timestamp"),
        (b'{"topic": "orders", "key": "m", "value_base64": "#"}', "value_base64"),
        (b"[1]", "object"),
        (b"\xff\xfe", "malformed"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: bytes, message: str) -> None:
    """The error says file, line number and what was wrong, and the lines before it are delivered."""
    path = tmp_path / "bad.jsonl"
    path.write_bytes(encode_record(RECORDS[0]) + line + b"\n")
    reader = read_archive(path)
    assert next(reader) == RECORDS[0]
    with pytest.raises(ArchiveError, match=re.escape(f"{path}, line 2: ")) as error:
        next(reader)
    assert message in str(error.value)


def test_a_cut_off_file_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    """A compressed file without its end is an error, even where the cut falls between two lines."""
    path = tmp_path / "a.zst"
    with write_archive(path) as writer:
        for _ in range(1000):
            writer.write(RECORDS[0])
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ArchiveError, match="cut off"):
        list(read_archive(path))


def test_damage_is_noticed(tmp_path: Path) -> None:
    """A changed byte in a compressed file is an error, because frames carry a checksum."""
    path = tmp_path / "a.zst"
    with write_archive(path) as writer:
        writer.write(RECORDS[0])
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match=re.escape(str(path))):
        list(read_archive(path))


def test_a_file_that_is_not_compressed_but_says_so(tmp_path: Path) -> None:
    """Plain text under a .zst name is refused with its name, not decoded into nonsense."""
    path = tmp_path / "a.zst"
    path.write_bytes(encode_record(RECORDS[0]))
    with pytest.raises(ArchiveError, match=re.escape(str(path))):
        list(read_archive(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Opening what is not there is a readable error."""
    with pytest.raises(ArchiveError, match="No such file"):
        next(read_archive(tmp_path / "none.jsonl"))


def test_an_endless_line_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without line feeds does not fill the memory."""
    monkeypatch.setattr("streams.archive.MAX_LINE_BYTES", 1000)
    path = tmp_path / "big.jsonl"
    path.write_bytes(b"x" * 5000)
    with pytest.raises(ArchiveError, match="longer than"):
        list(read_archive(path))


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    """A file appears when it is complete; after an exception neither it nor a temporary file is there."""

    def fail_halfway() -> None:
        with write_archive(tmp_path / "a.jsonl") as writer:
            writer.write(RECORDS[0])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_kept_unless_told(tmp_path: Path) -> None:
    """History is not overwritten by accident, neither by a second run nor by a race of two."""
    path = tmp_path / "a.jsonl"
    path.write_text("mine")
    with pytest.raises(ArchiveError, match="exists already"), write_archive(path):
        pass
    assert path.read_text() == "mine"
    with write_archive(path, overwrite=True) as writer:
        writer.write(RECORDS[0])
    assert list(read_archive(path)) == [RECORDS[0]]
    racing = tmp_path / "b.jsonl"
    with pytest.raises(ArchiveError, match="meanwhile"), write_archive(racing):
        racing.write_text("theirs")
    assert racing.read_text() == "theirs"


@pytest.mark.parametrize(("target", "message"), [("none/a.jsonl", "does not exist"), (".", "folder")])
def test_an_impossible_target_is_refused_at_once(tmp_path: Path, target: str, message: str) -> None:
    """A wrong folder shows before the work, not after it."""
    with pytest.raises(ArchiveError, match=message), write_archive(tmp_path / target):
        pytest.fail("the work began")
