import pytest

from streams.archive import ArchiveRecord, Headers
from streams.dead_letters import Coordinate, DeadLetter, Selection, send_back
from streams.printable import describe_bytes, hex_dump, printable

TOPIC = "governance-dead-letters"


def letter(offset: int = 7, reason: str = "invalid", topic: str = "orders", own: Headers = ()) -> DeadLetter:
    """A dead letter as the worker writes it."""
    headers = (
        *own,
        ("ce_id", b"orders-3-41-0"),
        ("dlq_reason", reason.encode()),
        ("dlq_detail", b"total is missing"),
        ("dlq_topic", topic.encode()),
        ("dlq_partition", b"3"),
        ("dlq_offset", b"41"),
        ("dlq_at", b"1704067200000"),
    )
    return DeadLetter(Coordinate(2, offset), b"m1", b'{"broken"', 1704067209999, headers)


def test_a_coordinate_reads_as_it_is_written() -> None:
    """PARTITION:OFFSET there and back."""
    assert str(Coordinate.parse("3:1042")) == "3:1042"


@pytest.mark.parametrize("text", ["", "3", "3:", ":4", "3:-1", "a:b", "3:4:5", "3: 4", "٣:٤"])
def test_a_wrong_coordinate_is_refused(text: str) -> None:
    """Anything else is an error that shows an example."""
    with pytest.raises(ValueError, match="such as 3:1042"):
        Coordinate.parse(text)


def test_what_is_put_back_is_the_original_record() -> None:
    """Key, value, own headers and timestamp are those of the record that failed; one header says where it was."""
    own = (("ce_id", b"own"), ("trace", b"1"), ("trace", None))
    assert letter(own=own).original(TOPIC) == ArchiveRecord(
        "orders",
        b"m1",
        b'{"broken"',
        1704067200000,
        (*own, ("dlq_resubmitted", b"governance-dead-letters:2:7")),
    )


def test_a_record_from_the_future_gets_the_present_time() -> None:
    """It was refused because of its timestamp; with the same one it would be refused for ever."""
    assert letter(reason="future").original(TOPIC).timestamp is None


def test_headers_that_a_sender_forged_do_not_count() -> None:
    """The worker's own headers stand last, so they decide."""
    forged = letter(own=(("dlq_reason", b"forged"), ("dlq_topic", b"elsewhere")))
    assert forged.reason == "invalid"
    assert forged.original(TOPIC).topic == "orders"


def test_a_letter_without_headers_is_shown_all_the_same() -> None:
    """Someone else's record in the topic has no reason and no source, and does not break the list."""
    bare = DeadLetter(Coordinate(0, 0), None, None, 5, ())
    assert (bare.reason, bare.source, bare.record_time) == ("", "?:?:?", None)


@pytest.mark.parametrize(
    ("selection", "selected"),
    [
        (Selection(), {1, 2, 3}),
        (Selection(reason="future"), {2}),
        (Selection(topic="orders"), {1, 2}),
        (Selection(reason="future", topic="listings"), set()),
        (Selection(coordinates=(Coordinate(2, 3), Coordinate(2, 9))), {3}),
        (Selection(reason="future", coordinates=(Coordinate(2, 3),)), set()),
    ],
)
def test_selections_narrow_down(selection: Selection, selected: set[int]) -> None:
    """All conditions given must hold."""
    letters = [letter(1), letter(2, reason="future"), letter(3, topic="listings")]
    assert {one.coordinate.offset for one in letters if selection.includes(one)} == selected


def test_letters_that_came_back_are_not_sent_round_again_unasked() -> None:
    """A record that failed twice is left, and counted, until someone insists."""
    back = letter(8, own=(("dlq_resubmitted", b"governance-dead-letters:0:1"),))
    sent: list[ArchiveRecord] = []
    result = send_back(iter([letter(), back]), TOPIC, sent.append, again=False)
    assert (len(sent), result.sent, sum(result.left.values())) == (1, {"orders": 1}, 1)
    result = send_back(iter([back]), TOPIC, sent.append, again=True)
    assert result.sent == {"orders": 1}
    assert sent[-1].headers == (("dlq_resubmitted", b"governance-dead-letters:2:8"),)


def test_letters_that_fail_again_meanwhile_do_not_make_a_loop() -> None:
    """A worker that rejects faster than we read must not keep us busy for ever, even with --again."""
    back = letter(8, own=(("dlq_resubmitted", b"governance-dead-letters:2:7"),))
    result = send_back(iter([letter(7), back]), TOPIC, lambda _record: None, again=True)
    assert result.sent == {"orders": 1}
    assert result.left == {"failed again while this was running": 1}


@pytest.mark.parametrize("topic", ["", TOPIC])
def test_letters_without_a_way_back_are_left(topic: str) -> None:
    """No topic, or the dead-letter topic itself, is nowhere to send a record."""
    sent: list[ArchiveRecord] = []
    result = send_back(iter([letter(topic=topic)]), TOPIC, sent.append, again=True)
    assert sent == []
    assert sum(result.left.values()) == 1


def test_nothing_from_outside_speaks_to_the_terminal() -> None:
    """Escape sequences, also in their one-byte form, and bidirectional overrides become visible text."""
    assert printable("a\x1b[2J\x9b31m\u202eb\nc") == r"a\x1b[2J\x9b31m\u202eb\nc"
    assert "\x1b" not in describe_bytes(b'{"a": "\\u001b[31m"}')
    assert "\x9b" not in describe_bytes('{"a": "\x9b31m"}'.encode())


def test_values_are_shown_as_json_text_or_bytes() -> None:
    """JSON is indented, text stays text, anything else is a hex dump; long values are cut and say so."""
    assert describe_bytes(b'{"a":1}') == '{\n  "a": 1\n}'
    assert describe_bytes(b"not json\x00") == r"not json\x00"
    assert describe_bytes(b"\xff\x00A") == "00000000  ff 00 41                                         |..A|"
    assert describe_bytes(None) == "(none)"
    assert describe_bytes(b"") == "(empty)"
    assert describe_bytes(b"x" * 5000).endswith("(904 bytes more)")
    assert describe_bytes("é".encode() * 10, limit=5) == "éé\n(15 bytes more)"


def test_a_hex_dump_has_sixteen_bytes_a_line() -> None:
    """Offsets are in hexadecimal."""
    lines = hex_dump(bytes(range(20)))
    assert [line[:8] for line in lines] == ["00000000", "00000010"]
