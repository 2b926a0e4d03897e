"""Which devices a merchant's orders came from lately, so that one device behind several buyers is seen.

Fake orders are placed through a few devices under many names; households share a device now and then. Kept are the
last :data:`LIMIT` devices of the last :data:`DAYS` days, four bytes each, in base64: the device (16 bits of its
pseudonym), its buyer (8 bits; 0 for several), the day (its lowest 8 bits). Two devices in 65,536 are taken for one,
which a share over many orders bears.
"""

from binascii import a2b_base64, b2a_base64
from typing import Final

#: Devices kept of a merchant, and days after which one is forgotten.
LIMIT: Final = 16
DAYS: Final = 14
_WIDTH: Final = 4


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
    today = day & 0xFF
    kept = []
    shared = False
    for start in range(0, len(data), _WIDTH):
        entry = data[start : start + _WIDTH]
        # A day to come (an event that is late) wraps around to a high age, and is young all the same.
        age = (today - entry[3]) & 0xFF
        if DAYS <= age < 256 - DAYS:
            continue
        if entry[:2] == name:
            shared = entry[2] != who
            if age >= 256 - DAYS:
                today = entry[3]
        else:
            kept.append(entry)
    kept.append(name + bytes((0 if shared else who, today)))
    return b2a_base64(b"".join(kept[-LIMIT:]), newline=False).decode(), shared
