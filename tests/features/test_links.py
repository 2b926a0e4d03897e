"""Links and matches: bounded, and no more than what is in common."""

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from features.exchange import COMMON_KINDS, CommonKind
from features.links import BITS, LINKS_LIMIT, MATCHES_LIMIT, Link, Match, link, note_match, unlink

kinds = st.sampled_from(COMMON_KINDS)


def test_every_kind_has_a_bit() -> None:
    """Bits are stored, so their order is for good; a new kind goes to the end."""
    assert set(BITS) == set(get_args(CommonKind))
    assert BITS == {
        "bank": 1,
        "address": 2,
        "phone": 4,
        "email": 8,
        "owner": 16,
        "device": 32,
        "image": 64,
        "title": 128,
    }


def test_a_link_is_new_once() -> None:
    """One more thing in common makes no second link."""
    links: list[Link] = []
    first, new = link(links, "b", 1, "bank")
    assert (new, first.common) == (True, 1)
    again, new = link(links, "b", 1, "phone")
    assert (new, again is first, first.common) == (False, True, 5)


@given(st.lists(st.tuples(st.integers(0, 40), kinds), max_size=80))
def test_links_are_bounded(pairs: list[tuple[int, CommonKind]]) -> None:
    """However many others there are, so many links are kept; each other merchant has one."""
    links: list[Link] = []
    for other, kind in pairs:
        link(links, str(other), 0, kind)
    assert len(links) <= LINKS_LIMIT
    assert len({each.other for each in links}) == len(links)


def test_the_least_link_makes_room() -> None:
    """A merchant under enforcement, or with more in common, stays."""
    links: list[Link] = []
    for number in range(LINKS_LIMIT):
        link(links, f"m{number:02}", 0, "bank")
        link(links, f"m{number:02}", 0, "phone")
    links[3].common = BITS["title"]
    links[4].common = BITS["title"]
    links[4].flagged = True
    link(links, "new", 0, "bank")
    assert {"m03"} == {f"m{number:02}" for number in range(LINKS_LIMIT)} - {each.other for each in links}


def test_what_means_nothing_is_taken_back() -> None:
    """A hub's bit goes from each link; a link that rested on it alone goes with it."""
    links: list[Link] = []
    link(links, "b", 0, "bank")
    link(links, "c", 0, "bank")
    link(links, "c", 0, "device")
    assert unlink(links, ["b", "c"], "bank")
    assert [(each.other, each.common) for each in links] == [("c", BITS["device"])]
    assert not unlink(links, ["b", "c"], "bank")


def test_matches_tell_what_is_new() -> None:
    """A listing matches another one once for each kind; beyond the limit nothing more is noted."""
    matches: list[Match] = []
    assert note_match(matches, "b", "l1", "title", True) == "new"
    assert note_match(matches, "b", "l1", "title", True) == "known"
    assert note_match(matches, "b", "l1", "image", True) == "more"
    for number in range(MATCHES_LIMIT - 1):
        assert note_match(matches, "b", f"n{number}", "title", True) == "new"
    assert note_match(matches, "b", "one more", "title", True) == "known"
    assert len(matches) == MATCHES_LIMIT
