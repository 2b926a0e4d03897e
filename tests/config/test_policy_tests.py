from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.policies import PolicyError
from config.policy_tests import PolicyTest, load_policy_tests, milliseconds

GOOD = """
tests:
  - name: One
    given:
      - {type: order.created, order_id: "o{n}", at: 1d, every: 6h, times: 3}
    until: 10d
    expect:
      - {rule: late-dispatch, after: 2d, count: 2}
    end: {shop: {level: low, in_force: []}}
"""


def load(tmp_path: Path, text: str) -> list[PolicyTest]:
    """Tests of a file with that text."""
    (tmp_path / "t.yaml").write_text(text, encoding="utf-8")
    return load_policy_tests(tmp_path / "t.yaml")


def test_a_test_is_read(tmp_path: Path) -> None:
    """With its lines, so that a failure can say where it stands."""
    (test,) = load(tmp_path, GOOD)
    assert (test.name, test.place.line, test.until, test.only) == ("One", 3, 864_000_000, False)
    (events,) = test.given
    assert (events.at, events.every, events.times, events.place.line) == (86_400_000, 21_600_000, 3, 5)
    assert events.fields == {"type": "order.created", "order_id": "o{n}"}
    assert (test.expect[0].rule, test.expect[0].count, test.end["shop"].in_force) == ("late-dispatch", 2, [])


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("tests:", "test:", 'unknown key "test"; did you mean "tests"?'),
        ("tests:\n", "tests: 5\nother:\n", 'unknown key "other"'),
        ("name: One", "name: 5", "t.yaml:3: test number 1: name: Expected `str`, got `int`"),
        ("until: 10d", "until: later", "t.yaml:6: test number 1: until"),
        ("rule: late", "rul: late", "t.yaml:7: test number 1: expect[0]: Object contains unknown field `rul`"),
        ("times: 3", "times: 0", "t.yaml:5: test \"One\": times must be 1 to"),
        (", every: 6h, times: 3", ", every: 6h", "every and times go together"),
        ("at: 1d", "at: soon", 'at: "soon" is no length of time'),
        ("at: 1d", "at: -1d", "cannot be before the start"),
        ("given:", "gven:", "unknown field `gven`"),
        ("- name: One", "- One\n  - name: One", "test number 1: a mapping of keys was expected"),
    ],
)  # fmt: skip
def test_mistakes_are_named(tmp_path: Path, before: str, after: str, words: str) -> None:
    """With file and line."""
    assert before in GOOD
    with pytest.raises(PolicyError) as caught:
        load(tmp_path, GOOD.replace(before, after, 1))
    assert words in str(caught.value)


def test_a_test_must_expect_something(tmp_path: Path) -> None:
    """Or it could not fail."""
    text = GOOD[: GOOD.index("    expect:")]
    with pytest.raises(PolicyError, match="expects nothing"):
        load(tmp_path, text)


def test_names_are_unique(tmp_path: Path) -> None:
    """Two tests of one name could not be told apart in the output."""
    with pytest.raises(PolicyError, match='two tests have the name "One"'):
        load(tmp_path, GOOD + GOOD.removeprefix("\ntests:\n"))


def test_files_that_are_none(tmp_path: Path) -> None:
    """A file that is not there, is no text, or has no tests."""
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy_tests(tmp_path / "nowhere.yaml")
    (tmp_path / "t.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(PolicyError, match="no UTF-8"):
        load_policy_tests(tmp_path / "t.yaml")
    with pytest.raises(PolicyError, match='has no list "tests"'):
        load(tmp_path, "tests: []")


@given(st.integers(-10_000, 10_000), st.sampled_from(("ms", "s", "min", "h", "d")))
def test_lengths_of_time(number: int, unit: str) -> None:
    """A number and a unit, with or without a sign."""
    size = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}[unit]
    assert milliseconds(f"{number}{unit}") == number * size
    if number > 0:
        assert milliseconds(f"+{number}{unit}") == number * size
