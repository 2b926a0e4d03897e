"""Which partition a key belongs to: as Kafka's clients say."""

from aiokafka.partitioner import murmur2 as aiokafka_murmur2
from hypothesis import given
from hypothesis import strategies as st

from features.partitions import murmur2, partition_of


@given(st.binary(max_size=64))
def test_as_another_client_hashes(data: bytes) -> None:
    """Any bytes of any length, words and rests alike, give the number that aiokafka gives."""
    assert murmur2(data) == aiokafka_murmur2(data) & 0xFFFFFFFF


def test_as_kafka_itself_hashes() -> None:
    """Test vectors of the Java client (UtilsTest.testMurmur2)."""
    vectors = {
        b"21": -973932308,
        b"foobar": -790332482,
        b"a-little-bit-long-string": -985981536,
        b"a-little-bit-longer-string": -1486304829,
        b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
        b"abc": 479470107,
    }
    for data, signed in vectors.items():
        assert murmur2(data) == signed & 0xFFFFFFFF


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.integers(1, 64))
def test_partitions_are_in_range(key: str, partitions: int) -> None:
    """Any key has one of the partitions, and always the same."""
    found = partition_of(key, partitions)
    assert 0 <= found < partitions
    assert found == (aiokafka_murmur2(key.encode()) & 0x7FFFFFFF) % partitions
