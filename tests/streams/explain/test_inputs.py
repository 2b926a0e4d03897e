"""What is shown of input events."""

import pytest

from features.pseudonyms import Pseudonyms
from streams.explain.inputs import concerns, without_persons

PSEUDONYMS = Pseudonyms(b"a key for tests, and no other use")


def test_persons_are_keyed_hashes() -> None:
    """Buyers, devices, account values; the same device has one name wherever it stands."""
    order = {"type": "order.created", "buyer_id": "ann", "device_id": "phone", "total": 5}
    change = {"type": "merchant.account_changed", "what": "device", "value_hash": "phone"}
    bank = {"type": "merchant.account_changed", "what": "bank", "value_hash": "phone"}
    shown = [without_persons(one, PSEUDONYMS) for one in (order, change, bank)]
    assert "ann" not in str(shown) and "phone" not in str(shown)
    assert shown[0]["buyer_id"].startswith("buyer-")
    assert shown[0]["device_id"] == shown[1]["value_hash"] != shown[2]["value_hash"]
    assert shown[0]["total"] == 5
    assert order["buyer_id"] == "ann"


def test_without_a_key_they_are_hidden() -> None:
    """No hash without a key: anybody could try buyers out."""
    shown = without_persons({"type": "order.created", "buyer_id": "ann", "device_id": "phone"}, None)
    assert shown["buyer_id"] == shown["device_id"] == "(hidden: no pseudonym key is set)"


@pytest.mark.parametrize(
    ("kind", "field"), [("order.reviewed", "text"), ("order.cancelled", "reason"), ("order.disputed", "reason")]
)
def test_words_of_people_are_left_out(kind: str, field: str) -> None:
    """Only how many characters they had."""
    assert without_persons({"type": kind, field: "my name is Ann"}, PSEUDONYMS)[field] == "(14 characters)"


def test_codes_are_no_words() -> None:
    """The reason of a return is one of a list."""
    event = {"type": "order.return_requested", "reason": "counterfeit"}
    assert without_persons(event, PSEUDONYMS) == event


def test_what_concerns_a_subject() -> None:
    """An order's own events; a listing's, those of orders that hold it, and words about it."""
    order = {"order_id": "o1", "items": [{"listing_id": "l1"}, "odd", None]}
    assert concerns(order, "order", "o1") and not concerns(order, "order", "o2")
    assert concerns(order, "listing", "l1") and not concerns(order, "listing", "l2")
    review = {"subject": {"kind": "listing", "id": "l1"}}
    assert concerns(review, "listing", "l1") and not concerns(review, "order", "l1")
    assert concerns({}, "merchant", "m1")
    assert not concerns({"items": 3, "subject": "l1"}, "listing", "l1")
