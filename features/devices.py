"""Which devices a merchant's orders came from lately, so that one device behind several buyers is seen.

Fake orders are placed through a few devices under many names; households share a device now and then. Kept are the
last :data:`LIMIT` devices of the last :data:`DAYS` days, five bytes each, in base64: the device (16 bits of its
pseudonym), its buyer (8 bits; 0 for several), the day (16 bits). Two devices in 65,536 are taken for one,
which a share over many orders bears.
"""

from binascii import a2b_base64, b2a_base64
from typing import Final

#: Devices kept of a merchant, and days after which one is forgotten.
LIMIT: Final = 16
DAYS: Final = 14
_WIDTH: Final = 5


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
    name = (device & 0xFFFF).to_bytes(2, "big")
    who = buyer % 255 + 1
    today = max(0, min(day, 0xFFFF))
    kept = []
    shared = False
    for start in range(0, len(data), _WIDTH):
        entry = data[start : start + _WIDTH]
        then = entry[3] << 8 | entry[4]
        if then <= today - DAYS:
            continue
        if then >= today + DAYS:
            # News of an order so late that what is kept is not of its time.
            return known, False
        if entry[:2] == name:
            shared = entry[2] != who
            today = max(today, then)
        else:
            kept.append(entry)
    kept.append(name + bytes((0 if shared else who, today >> 8, today & 0xFF)))
    return b2a_base64(b"".join(kept[-LIMIT:]), newline=False).decode(), shared
