"""Reasons in words: figures and quoted texts."""

import pytest

from detectors.reason_text import TemplateError, parse_reason


def test_figures_and_texts_are_put_in() -> None:
    """A feature takes a format, a text none; only features are asked for as such."""
    reason = parse_reason("belongs to {category_suggested} ({category_mismatch:.1%})", {"category_mismatch"})
    assert (reason.names, reason.texts) == (("category_mismatch",), ("category_suggested",))
    filled = reason.fill({"category_mismatch": 0.973}, {"category_suggested": "toys"})
    assert filled == "belongs to toys (97.3%)"


def test_what_is_not_known_reads_unknown() -> None:
    """Neither a null feature nor a text that is not known leaves a gap."""
    reason = parse_reason("{category_suggested}, {category_mismatch:.1%}", {"category_mismatch"})
    assert reason.fill({"category_mismatch": None}, {"category_suggested": None}) == "unknown, unknown"
    assert reason.fill({}) == "unknown, unknown"


def test_a_text_takes_no_format() -> None:
    """The error says so."""
    with pytest.raises(TemplateError, match="is a text and takes no format"):
        parse_reason("{category_suggested:.1f}", {"category_mismatch"})
