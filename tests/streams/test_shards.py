from types import SimpleNamespace
from typing import Any, cast

import pytest
from faust.types import TP

from config.settings import Settings
from streams.intake import Intake
from streams.shards import Shards
from streams.store import StoreError
from tests.streams.shard_fakes import TOPICS, Fetched, make_judge

ORDERS = TP("orders", 0)


@pytest.mark.parametrize(("end", "fails"), [(40, True), (100, False), (120, False), (None, False)])
def test_a_topic_that_was_made_anew_is_noticed(end: int | None, fails: bool) -> None:
    """Where the checkpoint is ahead of the whole topic, its records would be dropped as repeats: that is a failure."""
    failures: list[BaseException] = []
    shards = Shards(Settings(), make_judge(), TOPICS, failures.append)
    intake = Intake(TOPICS, 0, 1000, lambda _: 0)
    intake.next_offset["orders"] = 100
    shards._runners[0] = cast(Any, SimpleNamespace(intake=intake, offer=intake.offer))
    shards.consumer = cast(Any, SimpleNamespace(known_highwater=lambda _: end))
    shards.offer(ORDERS, [Fetched(offset, 0) for offset in range(30, 40)])
    assert len(intake) == 0
    assert [type(each) for each in failures] == ([StoreError] if fails else [])
    shards.offer(ORDERS, [Fetched(100, 0)])
    assert len(intake) == 1
    shards.offer(TP("orders", 7), [Fetched(0, 0)])
