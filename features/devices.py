"""Which devices a merchant's orders came from lately, so that one device behind several buyers is seen.

Fake orders are placed through a few devices under many names; households share a device now and then. Kept are the
last :data:`LIMIT` devices of the last :data:`DAYS` days, five bytes each, in base64: the device (16 bits of its
pseudonym), its buyer (8 bits; 0 for several), the day (16 bits). Two devices in 65,536 are taken for one,
which a share over many orders bears.
"""

from binascii import a2b_base64, b2a_base64
from struct import Struct
from typing import Final

#: Devices kept of a merchant, and days after which one is forgotten.
LIMIT: Final = 16
DAYS: Final = 14
#: A device, its buyer and the day.
_ENTRY: Final = Struct(">HBH")


def note_device(known: str, day: int, device: int, buyer: int) -> tuple[str, bool]:
    """Note an order's device.

    Parameters
    ----------
    known
        What this function gave the last time, at first the empty string.
    day
        Day of the order.
    device, buyer
        Their pseudonyms.

    Returns
    -------
    tuple[str, bool]
        What is known now, and whether another buyer of this merchant has used the device.
    """
    data = a2b_base64(known)
    name = device & 0xFFFF
    who = buyer % 255 + 1
    today = max(0, min(day, 0xFFFF))
    kept = []
    shared = False
    for entry in _ENTRY.iter_unpack(data):
        seen, buyers, then = entry
        if then <= today - DAYS:
            continue
        if then >= today + DAYS:
            # News of an order so late that what is kept is not of its time.
            return known, False
        if seen == name:
            shared = buyers != who
            today = max(today, then)
        else:
            kept.append(entry)
    latest = _ENTRY.pack(name, 0 if shared else who, today)
    if len(kept) * _ENTRY.size < len(data):
        data = b"".join([_ENTRY.pack(*entry) for entry in kept])
    start = max(0, len(data) - (LIMIT - 1) * _ENTRY.size)
    return b2a_base64(data[start:] + latest, newline=False).decode(), shared
