"""When and where records went."""

from streams.demo.sent import Sent


def test_time_is_found_by_coordinates() -> None:
    """Each record's time is known by topic, partition and offset; others are not."""
    sent = Sent()
    sent.add("orders", 1, 0, 10.0)
    sent.add("orders", 1, 1, 11.0)
    sent.add("orders", 0, 0, 12.0)
    assert [sent.at("orders", 1, 0), sent.at("orders", 1, 1), sent.at("orders", 0, 0)] == [10.0, 11.0, 12.0]
    assert sent.at("orders", 1, 2) is None
    assert sent.at("orders", 1, -1) is None
    assert sent.at("tick", 1, 0) is None
    assert sent.total == 3


def test_gap_is_unknown() -> None:
    """A confirmation ahead of others leaves a gap whose times are not known until they come."""
    sent = Sent()
    sent.add("orders", 0, 2, 5.0)
    assert [sent.at("orders", 0, 1), sent.at("orders", 0, 2)] == [None, 5.0]
    sent.add("orders", 0, 1, 4.0)
    assert sent.at("orders", 0, 1) == 4.0


def test_ends_are_next_offsets() -> None:
    """The end of each partition is the offset that its next record will have."""
    sent = Sent()
    for offset in range(3):
        sent.add("orders", 0, offset, 1.0)
    sent.add("listings", 1, 0, 1.0)
    assert dict(sent.ends()) == {("orders", 0): 3, ("listings", 1): 1}
