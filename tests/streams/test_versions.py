"""Stored records of other versions: older ones are upgraded, newer ones refused, damaged ones named."""

import msgspec
import pytest
from msgspec import Struct

from features.listing import LISTING_VERSION, ListingRecord
from features.merchant import STATE_VERSION, MerchantRecord
from features.order import ORDER_VERSION, OrderRecord
from features.population import POPULATION_VERSION, Population
from features.timers import UNKNOWN
from streams.store import StoreError
from streams.versions import LISTINGS, MERCHANTS, ORDERS, POPULATIONS, Kind, Raw

KINDS = [
    pytest.param(MERCHANTS, MerchantRecord, STATE_VERSION, id="merchant"),
    pytest.param(ORDERS, OrderRecord, ORDER_VERSION, id="order"),
    pytest.param(LISTINGS, ListingRecord, LISTING_VERSION, id="listing"),
    pytest.param(POPULATIONS, Population, POPULATION_VERSION, id="population"),
]


@pytest.mark.parametrize(("kind", "record", "version"), KINDS)
def test_the_present_version_is_read_as_it_is(kind: Kind[MerchantRecord], record: type, version: int) -> None:
    """What this version stores comes back."""
    value = msgspec.json.encode(record(version=version))
    assert kind.read("k", value) == record(version=version)


@pytest.mark.parametrize(("kind", "record", "version"), KINDS)
def test_a_newer_version_is_refused(kind: Kind[MerchantRecord], record: type, version: int) -> None:
    """By name, with what to do; also where its form no longer fits this version's."""
    newer = msgspec.json.encode(record(version=version + 1))
    strange = newer[:-1] + b',"timer":"later","moments":[],"created":"once"}'
    for value in (newer, strange):
        with pytest.raises(StoreError, match=rf"was stored by a newer version .*{version + 1}.* upgrade this worker"):
            kind.read("k1", value)


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b'{"timer":"x"}', b'{"v":"x","version":"x"}', b"\xff"])
def test_what_is_damaged_is_named(value: bytes) -> None:
    """The message says which record, and what to do."""
    with pytest.raises(StoreError, match=r"merchant m1 can't be read: .*restore Redis from a backup"):
        MERCHANTS.read("m1", value)


def test_version_1_gets_timers() -> None:
    """Listings and merchants of version 1 know no timer of their own; a merchant that has one keeps it."""
    listing = LISTINGS.read("m:l", b'{"created":5,"version_at":9,"title":"Mug","price":3}')
    assert (listing.version, listing.active_at, listing.timer, listing.title) == (2, 9, UNKNOWN, "Mug")
    assert MERCHANTS.read("m", b'{"since":3}').timer == UNKNOWN
    assert MERCHANTS.read("m", b'{"since":3,"timer":77}').timer == 77


class Third(Struct):
    """A record that has changed its form twice."""

    cents: int
    version: int = 1


def test_upgrades_follow_one_another() -> None:
    """Each step makes the next version's form, whatever version the record begins with."""

    def renamed(raw: Raw) -> Raw:
        return {"price": raw["cost"]}

    def in_cents(raw: Raw) -> Raw:
        return {"cents": round(raw["price"] * 100)}

    kind = Kind("thing", Third, 3, "version", {1: renamed, 2: in_cents})
    assert kind.read("a", b'{"cost":1.5}') == Third(150, 3)
    assert kind.read("a", b'{"price":1.5,"version":2}') == Third(150, 3)
    assert kind.read("a", b'{"cents":150,"version":3}') == Third(150, 3)
