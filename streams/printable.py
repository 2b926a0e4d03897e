"""Show bytes from outside on a terminal, without letting them speak to it."""

import contextlib
from typing import Final

import orjson

_HEX_WIDTH: Final = 16


def printable(text: str) -> str:
    r"""The text with control characters, such as those that move a cursor or colour a screen, written as escapes.

    >>> printable("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def describe_bytes(data: bytes | None, limit: int = 4096) -> str:
    """Bytes for people: indented JSON, else text, else a hex dump; cut after ``limit`` bytes."""
    if data is None:
        return "(none)"
    if not data:
        return "(empty)"
    with contextlib.suppress(orjson.JSONDecodeError):
        data = orjson.dumps(orjson.loads(data), option=orjson.OPT_INDENT_2)
    shown, rest = data[:limit], len(data) - limit
    try:
        data.decode()
        lines = [printable(line) for line in shown.decode(errors="ignore").split("\n")]  # the cut may split a character
    except UnicodeDecodeError:
        lines = hex_dump(shown)
    return "\n".join([*lines, f"({rest:,} bytes more)"] if rest > 0 else lines)


def hex_dump(data: bytes) -> list[str]:
    """Lines of offset, sixteen bytes in hexadecimal and their ASCII characters.

    >>> hex_dump(b"abc")
    ['00000000  61 62 63                                         |abc|']
    """
    lines = []
    for offset in range(0, len(data), _HEX_WIDTH):
        row = data[offset : offset + _HEX_WIDTH]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{offset:08x}  {row.hex(' '):<{_HEX_WIDTH * 3}} |{text}|")
    return lines
