from typing import Any

import msgspec
import pytest

from config.policies import load_policies
from detectors.apply import Core
from detectors.flush import Emit, Flush
from detectors.judge import Judge, JudgeSettings, fresh_models
from detectors.policy import compile_policies
from features.pseudonyms import Pseudonyms
from features.registry import FEATURES
from features.shard import Record, ShardState

START = 1_780_000_000_000
HOUR = 3_600_000


class Shop:
    """One merchant's events, applied one by one."""

    def __init__(self, **settings: Any) -> None:
        policies = compile_policies(load_policies(), FEATURES)
        judge = Judge(JudgeSettings(**settings), policies, Pseudonyms(b"a key for tests, and no other use"))
        self.core = Core(ShardState(0), fresh_models(42), judge)
        self._offset = 0

    def event(self, topic: Any, kind: str, hour: int = 0, **fields: Any) -> list[Emit]:
        """What follows from one event, so many hours after the start."""
        self._offset += 1
        at = START + hour * HOUR
        event = {"event_id": f"e{self._offset}", "type": kind, "occurred_at": at, "merchant_id": "m", **fields}
        record = Record(topic, topic, 0, self._offset, at, b"m", msgspec.json.encode(event))
        return self.core.apply(Flush(self._offset, [record]))

    def listing(self, kind: str, title: str, hour: int) -> list[Emit]:
        """A version of the one listing."""
        fields = {"listing_id": "l", "category": "fashion/bags", "price": 4_000, "currency": "USD"}
        return self.event("listings", kind, hour, title=title, **fields)


def bodies(emits: list[Emit], stream: str, kind: str = "") -> list[Any]:
    """Decoded values of the messages of a stream, and of a type of event where one is given."""
    values = [msgspec.json.decode(emit.value or b"null") for emit in emits if emit.stream == stream]
    return [value for value in values if not kind or value["type"] == kind]


@pytest.fixture
def shop() -> Shop:
    """A shop without audit samples."""
    return Shop(audit_rate=0.0)


def test_the_standing_names_every_action_in_force(shop: Shop) -> None:
    """An action against a listing is in the merchant's standing at once, not with the merchant's next change."""
    emits = shop.listing("listing.created", "Replica handbag, 1:1 mirror quality, AAA superfake", 0)
    decided = bodies(emits, "events", "shopwarden.enforcement.decided.v1")
    standing = bodies(emits, "standing")
    assert decided
    assert [each["decision_id"] for each in standing[-1]["enforcements"]] == [each["decision_id"] for each in decided]
    assert standing[-1]["sequence"] == decided[-1]["sequence"]


def test_the_end_of_a_published_level_is_published(shop: Shop) -> None:
    """Who was told that a listing is risky is told when an edit puts it right; a clean edit after that is no news."""
    kind = "shopwarden.risk.assessed.v1"
    (risky,) = bodies(shop.listing("listing.created", "Replica handbag, 1:1 mirror quality", 0), "events", kind)
    (right,) = bodies(shop.listing("listing.updated", "Leather handbag", 1), "events", kind)
    assert (risky["level"], right["level"]) == ("high", "low")
    assert not bodies(shop.listing("listing.updated", "Leather handbag, brown", 2), "events", kind)


def test_a_merchant_with_nothing_to_expire_has_no_stored_timer(shop: Shop) -> None:
    """When the last action that ends by itself has ended, the store forgets the merchant's timer."""
    emits = shop.listing("listing.created", "Solenne handbag", 0)
    (decided,) = bodies(emits, "events", "shopwarden.enforcement.decided.v1")
    assert shop.core.state.timers.changed == {"mm": decided["expires_at"]}
    emits = shop.event("orders", "order.delivered", 24 * 30, order_id="o")
    assert bodies(emits, "events", "shopwarden.enforcement.reversed.v1")
    assert shop.core.state.timers.changed["mm"] == 0
