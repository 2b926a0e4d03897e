"""What packing costs, measured on two merchants."""

import pytest

from benchmarks import packing_costs
from features.bucket_text import pack_buckets
from features.merchant import Merchant, MerchantRecord


def test_the_changed_days_are_what_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each merchant trades between two writings, what is stored is what all its buckets say, and each figure is one."""
    merchants = [Merchant(name, MerchantRecord(as_of=1_750_000_000_000)) for name in ("m1", "m2")]
    monkeypatch.setattr(packing_costs, "_merchants", lambda _: merchants)
    count, *figures = packing_costs.measure(1)
    assert count == 2
    assert all(0.0 <= figure < float("inf") for figure in figures)
    for merchant in merchants:
        assert merchant.record.placed == pack_buckets(merchant.placed.buckets) != ""
        assert merchant.record.buyers == pack_buckets(merchant.buyers.buckets(), lists=True) != ""
