"""The W3C Trace Context that a record may carry: which trace its producer saw it in.

https://www.w3.org/TR/trace-context/; over Kafka its fields are headers of the same names.
"""

import re
from collections.abc import Iterable
from typing import Final

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"

#: Version 00; of a later version more may follow.
_PARENT: Final = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[ -~]{0,200})?"
)
#: Longer ones may be dropped (section 3.3.1.5).
_MOST_STATE_BYTES: Final = 512


def trace_headers(headers: Iterable[tuple[str, bytes | None]]) -> tuple[tuple[str, bytes], ...]:
    """The headers that say to which trace a record belongs, to be passed on as they are; none if they are malformed.

    >>> trace_headers([("x", b"1"), ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")])
    (('traceparent', b'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),)
    """
    parent = state = None
    for name, value in headers:
        if name == TRACEPARENT:
            parent = value
        elif name == TRACESTATE:
            state = value
    if parent is None or _PARENT.fullmatch(parent) is None:
        return ()
    found = ((TRACEPARENT, parent),)
    return (*found, (TRACESTATE, state)) if state and len(state) <= _MOST_STATE_BYTES else found
