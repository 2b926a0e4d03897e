"""Devices of orders: what is kept, against a plain list."""

from hypothesis import given
from hypothesis import strategies as st

from features.devices import DAYS, LIMIT, note_device


class PlainDevices:
    """The same, entry by entry."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, int, int]] = []

    def note(self, day: int, device: int, buyer: int) -> bool:
        """Whether another buyer of this merchant has used the device."""
        who, shared, kept = buyer % 255 + 1, False, []
        latest = day
        recent = [entry for entry in self.entries if entry[2] > day - DAYS]
        if any(then >= day + DAYS for _, _, then in recent):
            return False
        for seen, by, then in recent:
            if seen == device & 0xFFFF:
                shared, latest = by != who, max(latest, then)
            else:
                kept.append((seen, by, then))
        self.entries = [*kept[-(LIMIT - 1) :], (device & 0xFFFF, 0 if shared else who, latest)]
        return shared


@given(
    st.lists(st.tuples(st.integers(20_000, 20_040), st.integers(0, 22), st.integers(0, 3)), max_size=60),
    st.booleans(),
)
def test_devices_are_kept_as_in_a_plain_list(orders: list[tuple[int, int, int]], in_order: bool) -> None:
    """Known, new, forgotten and late devices alike: the same are found to be shared, and the same are kept."""
    known, plain = "", PlainDevices()
    for day, device, buyer in sorted(orders, key=lambda each: each[0]) if in_order else orders:
        known, shared = note_device(known, day, device, buyer)
        assert shared == plain.note(day, device, buyer)
