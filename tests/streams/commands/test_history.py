"""import, produce, record and dead-letters against brokers: the embedded one and Apache Kafka."""

import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka.partitioner import DefaultPartitioner
from click.testing import CliRunner, Result
from confluent_kafka import Producer
from msgspec.structs import replace

from config.settings import Settings, load_settings
from streams.archive import ArchiveRecord, read_archive, write_archive
from streams.cli import main
from streams.clients import MAX_MESSAGE_BYTES, kafka_config, producer_config
from streams.reading import TopicReader, read_to_end
from streams.recording import archive_record, record_topics
from streams.topics import create_topics
from tests.streams.olist_files import data_set, write_files

PARTITIONS = 3
NOW = round(time.time() * 1000)


@pytest.fixture
def settings(any_broker: str, topic_prefix: str) -> Settings:
    """Settings with topics of this test's own, which exist."""
    settings = load_settings(kafka={"brokers": any_broker}, topics={"partitions": PARTITIONS, "prefix": topic_prefix})
    create_topics(settings)
    return settings


@pytest.fixture
def run(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run ``shopwarden`` with words in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOPWARDEN_KAFKA__BROKERS", settings.kafka.brokers)
    monkeypatch.setenv("SHOPWARDEN_TOPICS__PREFIX", settings.topics.prefix)

    def invoke(*words: object, code: int = 0) -> Result:
        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return invoke


def write(path: Path, records: list[ArchiveRecord]) -> Path:
    """Write an archive."""
    with write_archive(path) as archive:
        for record in records:
            archive.write(record)
    return path


def contents(settings: Settings, topic: str) -> list[tuple[int, ArchiveRecord]]:
    """All records of a topic, given its name in the contract, with their partitions."""
    with TopicReader(kafka_config(settings), [settings.topics.prefix + topic]) as reader:
        return [(message.partition() or 0, unplaced(archive_record(message))) for message in read_to_end(reader)]


def unplaced(record: ArchiveRecord) -> ArchiveRecord:
    """A record without where it lay."""
    return replace(record, partition=None, offset=None)


def kept(name: str) -> list[ArchiveRecord]:
    """The records of an archive, without where they lay."""
    return [unplaced(record) for record in read_archive(Path(name))]


def history(count: int = 300) -> list[ArchiveRecord]:
    """Records of two topics in the order of their times, with everything that a record may have."""
    return [
        ArchiveRecord(
            topic=("orders", "listings")[index % 2],
            key=f"m{index % 7}".encode(),
            value=orjson.dumps({"n": index, "text": "é" * (index % 5)}) if index % 50 else b"\xff\x00 no JSON",
            timestamp=NOW - (count - index) * 1000,
            headers=(("trace", str(index).encode()), ("trace", b"\xfe"), ("none", None)) if index % 3 == 0 else (),
        )
        for index in range(count)
    ]


def test_what_is_produced_is_recorded_again(run: Callable[..., Result], settings: Settings, tmp_path: Path) -> None:
    """An archive goes through the topics and comes back the same: bytes, headers, timestamps and order of time."""
    records = history()
    produced = run("produce", write(tmp_path / "a.jsonl.zst", records))
    assert "300 records delivered" in produced.stderr
    recorded = run("record", "--until-end", "--topics", "orders,listings", "--out", "b.jsonl.zst")
    assert "300 records written to b.jsonl.zst" in recorded.stderr
    assert kept("b.jsonl.zst") == records


def test_recorded_with_their_places(run: Callable[..., Result], settings: Settings, tmp_path: Path) -> None:
    """A recording says of each record which partition and offset it had, so that a replay names it alike."""
    run("produce", write(tmp_path / "a.jsonl", history()))
    run("record", "--out", "b.jsonl")
    with TopicReader(kafka_config(settings), settings.topics.inputs) as reader:
        there = {(message.partition(), message.offset(), message.value()) for message in read_to_end(reader)}
    assert {(each.partition, each.offset, each.value) for each in read_archive(Path("b.jsonl"))} == there


def test_keys_go_where_java_clients_send_them(run: Callable[..., Result], settings: Settings, tmp_path: Path) -> None:
    """A merchant's records land on the partition that Faust's and Kafka's own producers choose."""
    run("produce", write(tmp_path / "a.jsonl", history()))
    for partition, record in contents(settings, "orders"):
        assert partition == DefaultPartitioner()(record.key, list(range(PARTITIONS)), list(range(PARTITIONS)))


def test_record_takes_all_inputs_and_bounds(run: Callable[..., Result], tmp_path: Path) -> None:
    """Without words the four inputs are read up to their end; --max-records takes the first by time."""
    records = history()
    run("produce", write(tmp_path / "a.jsonl", records))
    run("record", "--out", "all.jsonl")
    assert kept("all.jsonl") == records
    run("record", "--out", "some.jsonl", "--max-records", 10)
    assert kept("some.jsonl") == records[:10]


def test_recording_stays_in_order_when_partitions_must_wait(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With buffers that are far too small partitions are paused and resumed, and nothing is lost or out of order."""
    monkeypatch.setattr("streams.recording._BUFFER", 8)
    # One merchant after the other: a partition must wait long for the others.
    records = [
        ArchiveRecord("orders", f"m{index // 100}".encode(), b"%d" % index, NOW - 1_000_000 + index)
        for index in range(1000)
    ]
    run("produce", write(tmp_path / "a.jsonl", records))
    run("record", "--topics", "orders", "--out", "b.jsonl")
    assert kept("b.jsonl") == records


def at_record(number: int, then: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have something happen in a recording when so many records were taken."""

    def recorded(reader: TopicReader, *, seconds: float | None = None) -> Iterator[ArchiveRecord]:
        for count, record in enumerate(record_topics(reader, seconds=seconds), 1):
            yield record
            if number == count:
                then()

    monkeypatch.setattr("streams.commands.record.record_topics", recorded)


def test_a_live_recording_takes_what_comes_meanwhile(
    run: Callable[..., Result], settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--duration goes on past the end of the topics, with what is written after all of it was read."""
    early = history(100)
    run("produce", write(tmp_path / "a.jsonl", early))
    late = [ArchiveRecord("orders", f"m{index}".encode(), b"%d" % index, NOW + index) for index in range(50)]

    def produce() -> None:
        producer = Producer(producer_config(settings))
        for record in late:
            producer.produce(settings.topics.orders, record.value, record.key, timestamp=record.timestamp or 0)
        producer.flush()

    at_record(len(early), produce, monkeypatch)
    run("record", "--duration", 600, "--max-records", len(early) + len(late), "--out", "b.jsonl")
    # On a busy machine some come too late for their place among the others.
    assert sorted(kept("b.jsonl"), key=lambda record: record.timestamp or 0) == early + late


def test_an_interrupted_recording_is_kept(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends a recording; the file is whole and holds what came until then."""
    records = history(100)
    run("produce", write(tmp_path / "a.jsonl", records))
    at_record(40, lambda: signal.raise_signal(signal.SIGINT), monkeypatch)
    told = run("record", "--out", "b.zst").stderr
    assert "interrupted; what has been recorded is kept" in told
    assert "40 records written to b.zst" in told
    assert kept("b.zst") == records[:40]


def test_an_import_goes_straight_into_the_topics(
    run: Callable[..., Result], settings: Settings, tmp_path: Path
) -> None:
    """``import olist --to kafka`` puts in the topics what ``--to FILE`` puts in the file."""
    folder = tmp_path / "olist"
    folder.mkdir()
    write_files(folder, data_set())
    result = run("import", "olist", folder, "--to", "kafka")
    run("import", "olist", folder, "--to", "a.jsonl")
    assert "11 records delivered" in result.stderr
    assert Path("olist.rejects.jsonl").read_bytes() == b""
    found = [record for topic in ("listings", "orders") for _, record in contents(settings, topic)]
    wanted = {(record.key, record.value, record.timestamp) for record in read_archive(Path("a.jsonl"))}
    assert {(record.key, record.value, record.timestamp) for record in found} == wanted
    assert len(found) == 11


@pytest.mark.kafka
def test_old_history_is_produced_with_a_warning(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """Kafka deletes by the records' own timestamps, so people are told, and may choose the present time."""
    settings = load_settings(kafka={"brokers": kafka}, topics={"partitions": 1, "prefix": topic_prefix})
    create_topics(settings)
    old = ArchiveRecord("orders", b"m", b"{}", NOW - 400 * 86_400_000)
    path = write(tmp_path / "a.jsonl", [old])
    env = {"SHOPWARDEN_KAFKA__BROKERS": kafka, "SHOPWARDEN_TOPICS__PREFIX": topic_prefix}
    warned = CliRunner(env=env).invoke(main, ["produce", str(path)])
    assert "keeps records for 30 days" in warned.stderr
    silent = CliRunner(env=env).invoke(main, ["produce", str(path), "--timestamps", "now"])
    assert "Warning" not in silent.stderr
    ages = sorted(NOW - (record.timestamp or 0) for _, record in contents(settings, "orders"))
    assert ages[0] < 86_400_000 < ages[1]


def test_the_rate_is_kept(run: Callable[..., Result], tmp_path: Path) -> None:
    """Thirty records at forty a second take 29 intervals at least."""
    path = write(tmp_path / "a.jsonl", history(30))
    run("produce", path)  # connects, loads modules
    started = time.monotonic()
    run("produce", path, "--rate", 40)
    assert time.monotonic() - started >= 29 / 40


def test_a_missing_topic_is_named(run: Callable[..., Result], tmp_path: Path) -> None:
    """A record for an unknown topic ends the command before a broker would make that topic."""
    path = write(tmp_path / "a.jsonl", [*history(2), ArchiveRecord("unheard-of", b"m", b"{}")])
    result = run("produce", path, code=1)
    assert "there is no topic 'unheard-of'" in result.stderr
    assert "2 records were delivered before" in result.stderr
    assert "there is no topic" in run("record", "--topics", "unheard-of", "--out", "b.jsonl", code=1).stderr


def test_a_record_that_is_too_large_fails_alone(run: Callable[..., Result], settings: Settings, tmp_path: Path) -> None:
    """What cannot be delivered is counted and makes exit code 1; the records around it arrive."""
    large = ArchiveRecord("orders", b"m", b"x" * (MAX_MESSAGE_BYTES + 1), NOW)
    first, second = history(4)[::2]
    result = run("produce", write(tmp_path / "a.jsonl", [first, large, second]), code=1)
    assert "2 records delivered" in result.stderr
    assert "1 records were not delivered" in result.stderr
    assert {record.value for _, record in contents(settings, "orders")} == {first.value, second.value}


# -- dead letters -----------------------------------------------------------------------------------------------------


def put_letters(settings: Settings, letters: list[dict[str, Any]]) -> None:
    """Write dead letters as the worker does; all of a merchant's land in one partition."""
    producer = Producer(producer_config(settings))
    for number, letter in enumerate(letters):
        headers = {
            "ce_id": f"orders-0-{number}-0",
            "dlq_reason": letter["reason"],
            "dlq_detail": letter.get("detail", "why"),
            "dlq_topic": settings.topics.prefix + letter.get("topic", "orders"),
            "dlq_partition": "0",
            "dlq_offset": str(number),
            "dlq_at": str(NOW - 5000),
        }
        own = letter.get("own", [])
        producer.produce(
            settings.topics.dead_letters,
            letter["value"],
            letter.get("key", b"m1"),
            timestamp=NOW + number,
            headers=[*own, *headers.items()],
        )
    assert producer.flush(30) == 0


LETTERS: list[dict[str, Any]] = [
    {"reason": "invalid", "value": b'{"type":"order.created"}', "own": [("trace", b"t1")]},
    {"reason": "undecodable", "value": b"\xff\xfe\x00"},
    {"reason": "oversize", "value": b"[" + b"1," * 150_000 + b"1]", "topic": "listings"},
    {"reason": "future", "value": b"{}"},
    {"reason": "invalid", "value": b'{"evil":1}', "detail": "\x1b[31mred"},
]


def listed(result: Result) -> list[dict[str, Any]]:
    """The objects of ``list --json``."""
    return [orjson.loads(line) for line in result.stdout.splitlines()]


def test_dead_letters_are_listed(run: Callable[..., Result], settings: Settings) -> None:
    """The list shows place, reason and source, narrows down, and counts."""
    assert "0 dead letters" in run("dead-letters", "list").stderr
    put_letters(settings, LETTERS)
    result = run("dead-letters", "list")
    assert "5 dead letters, invalid 2, " in result.stderr
    assert "\x1b" not in result.stdout
    assert f"{settings.topics.prefix}orders:0:0  m1  why" in result.stdout
    letters = listed(run("dead-letters", "list", "--json"))
    assert [letter["reason"] for letter in letters] == [letter["reason"] for letter in LETTERS]
    assert letters[2]["bytes"] == 300_003
    assert letters[0]["record_timestamp"] == NOW - 5000
    assert len(listed(run("dead-letters", "list", "--json", "--reason", "invalid"))) == 2
    listings = f"{settings.topics.prefix}listings"
    assert len(listed(run("dead-letters", "list", "--json", "--topic", listings))) == 1
    latest = run("dead-letters", "list", "--json", "--limit", "2")
    assert [letter["reason"] for letter in listed(latest)] == ["future", "invalid"]
    assert "the latest 2 are shown" in latest.stderr


def test_a_dead_letter_is_shown(run: Callable[..., Result], settings: Settings) -> None:
    """Headers, and the value as JSON or as a hex dump; a place without a letter is an error."""
    put_letters(settings, LETTERS)
    places = [letter["coordinate"] for letter in listed(run("dead-letters", "list", "--json"))]
    first = run("dead-letters", "show", places[0]).stdout
    assert "dlq_reason: invalid" in first
    assert "trace: t1" in first
    assert '  "type": "order.created"' in first
    assert "00000000  ff fe 00 " in run("dead-letters", "show", places[1]).stdout
    assert "bytes more)" in run("dead-letters", "show", places[2]).stdout
    assert len(run("dead-letters", "show", "--full", places[2]).stdout) > 300_000
    assert r"dlq_detail: \x1b[31mred" in run("dead-letters", "show", places[4]).stdout
    partition = places[0].partition(":")[0]
    assert "there is no dead letter" in run("dead-letters", "show", f"{partition}:99", code=1).stderr
    assert "has no partition 77" in run("dead-letters", "show", "77:0", code=1).stderr


def test_dead_letters_go_back_to_their_topics(run: Callable[..., Result], settings: Settings) -> None:
    """Key, value, own headers and time are the original ones; the header says which letter it was."""
    put_letters(settings, LETTERS)
    dry = run("dead-letters", "resubmit", "--all", "--dry-run").stdout
    assert f"4 would be resubmitted to {settings.topics.orders}" in dry
    assert contents(settings, "orders") == []
    places = [letter["coordinate"] for letter in listed(run("dead-letters", "list", "--json"))]
    assert f"1 resubmitted to {settings.topics.orders}" in run("dead-letters", "resubmit", places[0]).stdout
    ((_, record),) = contents(settings, "orders")
    mark = ("dlq_resubmitted", f"{settings.topics.dead_letters}:{places[0]}".encode())
    own = ("trace", b"t1")
    assert record == ArchiveRecord(settings.topics.orders, b"m1", LETTERS[0]["value"], NOW - 5000, (own, mark))
    run("dead-letters", "resubmit", "--reason", "invalid")
    assert Counter(record.value for _, record in contents(settings, "orders")) == {
        LETTERS[0]["value"]: 2,
        LETTERS[4]["value"]: 1,
    }
    run("dead-letters", "resubmit", "--all")
    values = Counter(record.value for topic in ("orders", "listings") for _, record in contents(settings, topic))
    assert values == Counter({letter["value"]: 1 for letter in LETTERS}) + Counter(
        {LETTERS[0]["value"]: 2, LETTERS[4]["value"]: 1}
    )


def test_a_letter_that_came_back_needs_to_be_asked_for(run: Callable[..., Result], settings: Settings) -> None:
    """A record that failed twice is seen as such, and goes round again only with --again."""
    put_letters(settings, [LETTERS[0] | {"own": [("dlq_resubmitted", f"{settings.topics.dead_letters}:0:5")]}])
    assert "came back from" in run("dead-letters", "list").stdout
    left = run("dead-letters", "resubmit", "--all").stdout
    assert "1 left: resubmitted before and failed again" in left
    assert contents(settings, "orders") == []
    run("dead-letters", "resubmit", "--all", "--again")
    ((_, record),) = contents(settings, "orders")
    assert [name for name, _ in record.headers] == ["dlq_resubmitted"]


def test_coordinates_without_a_letter_are_told(run: Callable[..., Result], settings: Settings) -> None:
    """Those that exist are resubmitted, the others make exit code 1."""
    put_letters(settings, LETTERS[:1])
    (place,) = [letter["coordinate"] for letter in listed(run("dead-letters", "list", "--json"))]
    partition = place.partition(":")[0]
    result = run("dead-letters", "resubmit", place, f"{partition}:50", code=1)
    assert "1 resubmitted" in result.stdout
    assert "1 of the coordinates hold no dead letter" in result.stderr


def test_records_keep_their_order_by_merchant(run: Callable[..., Result], settings: Settings, tmp_path: Path) -> None:
    """Producing fast and with many records in flight does not reorder a merchant's events."""
    records = [
        ArchiveRecord("orders", b"m%d" % (index % 11), b"%d" % index, NOW - 20_000 + index) for index in range(20_000)
    ]
    run("produce", write(tmp_path / "a.jsonl.zst", records))
    numbers: defaultdict[bytes | None, list[int]] = defaultdict(list)
    for _, record in contents(settings, "orders"):
        numbers[record.key].append(int(record.value or b""))
    assert sum(map(len, numbers.values())) == 20_000
    assert all(found == sorted(found) for found in numbers.values())
