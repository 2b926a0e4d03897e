from streams.console.buckets import Buckets


def test_a_bucket_gives_so_many_and_refills() -> None:
    """Three at once, then one in twenty seconds; another key has its own."""
    now = [0.0]
    buckets = Buckets(3, 60, lambda: now[0])
    assert [buckets.take("a") for _ in range(4)] == [True, True, True, False]
    assert buckets.take("b")
    now[0] += 20
    assert buckets.take("a") and not buckets.take("a")
    now[0] += 1_000
    assert buckets.left("a") == 3


def test_full_buckets_are_forgotten() -> None:
    """Many addresses that try once don't fill the memory."""
    now = [0.0]
    buckets = Buckets(3, 60, lambda: now[0], keys=10)
    for number in range(100):
        now[0] += 100
        assert buckets.take(str(number))
    assert len(buckets._left) <= 11
