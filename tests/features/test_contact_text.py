from time import process_time

import pytest

from features.contact_text import PATTERNS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name at gmail dot com", ["email", "url"]),
        ("name (at) gmail (dot) com", ["email", "url"]),
        ("name[at]gmail.com", ["email", "url"]),
        ("name @ gmail . com", ["email", "url"]),
        ("sales at myshop dot net", ["email", "url"]),
        ("myshop dot com", ["url"]),
        ("myshop(.)com", ["url"]),
        ("myshop [dot] shop", ["url"]),
        ("myshop . com", ["url"]),
        ("wa.me/4915112345", ["url"]),
        ("hxxp myshop", ["url"]),
        ("zero seven nine one one two two three four five six", ["phone"]),
        ("call nine one seven, 5 5 5, zero one zero zero", ["phone"]),
        ("0 7 9 1 1 2 2 3 4 5 6", ["phone"]),
        ("0.7.9.1.1.2.2.3.4.5.6", ["phone"]),
        ("ig: some.name", ["handle"]),
        ("wechat id: seller_99", ["handle"]),
        ("snap=coolshop", ["handle"]),
    ],
)
def test_contacts_that_are_spelt_out_are_found(text: str, expected: list[str]) -> None:
    """Addresses, links, numbers and handles in words, or with their signs set apart."""
    assert sorted(name for name, finder in PATTERNS.items() if finder(f"nice bag {text}")) == expected


@pytest.mark.parametrize(
    "text",
    [
        "sizes 1 2 3 4 5 6 7 8 9 10",
        "counting book: one two three four five six seven eight nine",
        "2 x 100 ml at 20 each. commerce. network",
        "polka dot co-ord set, dot matrix",
        "dotted line: black",
        "microdot com port",
        "1.2.3 version, 10.4.0.1",
        "ean 4006381333931, 0.5 / 1.0 / 2.0",
        "big sig: none",
        "for one or two, three at most",
        "resolution 1920 x 1080 @ 60 hz",
        "made at home. compact",
    ],
)
def test_sizes_counts_and_dots_are_no_contacts(text: str) -> None:
    """Rows of sizes, counting, versions, polka dots and rates are left alone."""
    assert [name for name, finder in PATTERNS.items() if finder(text)] == []


@pytest.mark.parametrize(
    "piece",
    ["1 ", "1.", "1", "one ", "one", "a at ", "at ", "@", "dot ", " dot com", "(.", " . ", "ig:", "ig: @", "a@a", ". ",
     "- ", "+1 ", "call ", "ig id "],
)  # fmt: skip
def test_mess_of_any_length_takes_linear_time(piece: str) -> None:
    """The longest text that the contract allows takes at most a little more than ten times a tenth of it."""

    def seconds(characters: int) -> float:
        text = piece * (characters // len(piece))
        taken = []
        for _ in range(5):
            began = process_time()
            for finder in PATTERNS.values():
                finder(text)
            taken.append(process_time() - began)
        return min(taken)

    assert seconds(20_000) < 25 * seconds(2_000) + 0.002
