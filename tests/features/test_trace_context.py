"""Which trace a record belongs to."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.trace_context import TRACEPARENT, TRACESTATE, trace_headers

GOOD = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_it_is_passed_on_as_it_is() -> None:
    """The parent, with the vendors' state where there is one; no other header."""
    parent, state = (TRACEPARENT, GOOD), (TRACESTATE, b"congo=t61rcWkgMzE")
    assert trace_headers([("x", b"y"), state, parent]) == (parent, state)
    assert trace_headers([parent]) == (parent,)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        GOOD.upper(),
        GOOD[:-1],
        GOOD + b"0",
        b"ff" + GOOD[2:],
        b"00-" + b"0" * 32 + GOOD[35:],
        GOOD[:36] + b"0" * 16 + b"-01",
        GOOD.replace(b"-", b"_"),
        GOOD + b"\n",
        None,
    ],
)
def test_what_is_malformed_is_dropped(value: bytes | None) -> None:
    """By the rules of the recommendation: lengths, lower case, no zero ids, no version ff."""
    assert trace_headers([(TRACEPARENT, value), (TRACESTATE, b"a=b")]) == ()


def test_later_versions_may_say_more() -> None:
    """What follows the fields that are known is passed on as well."""
    later = b"01" + GOOD[2:] + b"-what-comes-later"
    assert trace_headers([(TRACEPARENT, later)]) == ((TRACEPARENT, later),)


def test_state_that_is_too_long_is_dropped_alone() -> None:
    """The parent stays."""
    assert trace_headers([(TRACEPARENT, GOOD), (TRACESTATE, b"x" * 513)]) == ((TRACEPARENT, GOOD),)


@given(st.lists(st.tuples(st.sampled_from([TRACEPARENT, TRACESTATE, "x"]), st.none() | st.binary(max_size=80))))
def test_nothing_else_gets_through(headers: list[tuple[str, bytes | None]]) -> None:
    """Whatever bytes a producer sends, outputs carry a well-formed parent or none."""
    found = dict(trace_headers(headers))
    assert not found or re.fullmatch(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?", found[TRACEPARENT])
