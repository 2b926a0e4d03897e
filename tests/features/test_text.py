import unicodedata
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.text import LONGEST_RUN, fold, title_similarity, words_of

ANY_TEXT = st.text(max_size=120)


@given(ANY_TEXT)
def test_folding_twice_changes_nothing(text: str) -> None:
    """The normal form is one: folding a folded text gives the same text."""
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("WhatsApp", "whatsapp"),
        ("ｗｈａｔｓａｐｐ", "whatsapp"),
        ("what\u200bs\u00adapp", "whatsapp"),
        ("𝓻𝓮𝓹𝓵𝓲𝓬𝓪", "replica"),
        ("STRASSE ẞ", "strasse ss"),
        ("1：1", "1:1"),
        ("rep\U000e0020lica", "replica"),
    ],
)
def test_differences_that_do_not_show_are_taken_out(text: str, folded: str) -> None:
    """Wide and ornamental letters, case and invisible characters make no difference."""
    assert fold(text) == folded


@pytest.mark.parametrize("between", ["", "\u200b", "\u0344\u0f73\uff9e"])
def test_long_runs_of_combining_marks_cost_no_quadratic_time(between: str) -> None:
    """A text of nothing but marks is cut to as many as any language needs; sorting them would take 0.4 s."""
    text = "a" + ("\u0301" * 50 + "\u0316" * 50 + between) * 195
    taken = []
    for _ in range(3):
        began = perf_counter()
        fold(text)
        taken.append(perf_counter() - began)
    assert min(taken) < 0.05
    assert (folded := fold(text)) == fold(text[: LONGEST_RUN + 1])
    assert any(map(unicodedata.combining, folded))


@pytest.mark.parametrize("text", ["Việt Nam ", "हिन्दी में शीर्षक ", "ผ้าไหมไทย ", "שָׁלוֹם ", "e\u0301" * 10])
def test_marks_that_languages_use_are_kept(text: str) -> None:
    """Long texts in scripts with many marks fold as their words do."""
    assert fold(text * 100) == fold(text) * 100


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=120))
def test_words_of_ascii_text_equal_those_of_any_text(text: str) -> None:
    """The fast way to cut ASCII text finds the same words as the general way."""
    general = [word for word in words_of(fold(text) + " é") if word != "é"]
    assert words_of(fold(text)) == general


@given(ANY_TEXT, ANY_TEXT)
def test_similarity_is_symmetric_and_between_0_and_1(first: str, second: str) -> None:
    """Likeness does not depend on the order of the titles, and a title is like itself."""
    similarity = title_similarity(first, second)
    assert 0 <= similarity <= 1
    assert similarity == title_similarity(second, first)
    assert title_similarity(first, first) == 1


def test_small_changes_keep_titles_alike_and_other_products_do_not() -> None:
    """A corrected letter, a changed order or an added word leaves titles alike; another product shares next to
    nothing.
    """
    title = "Women's Running Shoes, Breathable Mesh, Navy"
    assert title_similarity(title, "womens running shoes - breathable mesh NAVY") > 0.8
    assert title_similarity(title, "Navy Breathable Mesh Women's Running Shoes") > 0.7
    assert title_similarity(title, "Women's Running Shoe, Breathable Mesh, Navy Blue") > 0.7
    assert title_similarity(title, "Wireless Earbuds with Charging Case") < 0.1
    assert title_similarity("", "") == 1
    assert title_similarity("", title) == 0
