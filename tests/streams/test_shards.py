import pytest
from faust.types import TP

from config.settings import Settings
from streams.policies.feed import PolicyFeed
from streams.policies.library import PolicyLibrary
from streams.shards import Shards
from streams.store import StoreError
from tests.streams.shard_fakes import TOPICS, make_judge


def test_a_topic_that_was_made_anew_is_a_failure() -> None:
    """The worker stops, and says which topic does not fit its checkpoint and what to do."""
    failures: list[BaseException] = []
    shards = Shards(Settings(), PolicyFeed(PolicyLibrary(make_judge()), {}, "policies"), TOPICS, failures.append)
    shards.made_anew(TP("orders", 3), 100, 40)
    (failure,) = failures
    with pytest.raises(StoreError, match=r"orders/3 ends at offset 40.*checkpoint is at 100.*worker\.namespace"):
        raise failure
