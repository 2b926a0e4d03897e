"""Reasons in words: a sentence with the features' values put in, as ``{late_ship_rate_30d:.1%} of orders left late``.

A template may hold names of features with a number format, and of texts (:data:`features.subject_texts.TEXTS`) without
one, nothing else: no attributes, no indexes, no nested formats.
"""

import re
import string
from collections.abc import Collection, Mapping
from typing import Final

from msgspec import Struct

from config.policies import did_you_mean
from features.subject_texts import TEXTS

#: ``.1%`` share in percent, ``.2f`` and ``,.0f`` decimals (with separators), ``d`` and ``,d`` whole numbers.
_FORMAT: Final = re.compile(r"^(?:,?\.[0-4][f%]|,?d|\.[1-6]g)?$")
UNKNOWN: Final = "unknown"


class TemplateError(ValueError):
    """A reason text that cannot be filled in."""


class ReasonText(Struct, frozen=True, eq=False):
    """A parsed template: pieces of text, each followed by a feature and its format (both empty at the end)."""

    pieces: tuple[tuple[str, str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Features that the text shows, each once."""
        return tuple(dict.fromkeys(name for _, name, _ in self.pieces if name and name not in TEXTS))

    @property
    def texts(self) -> tuple[str, ...]:
        """Texts that it quotes, each once."""
        return tuple(dict.fromkeys(name for _, name, _ in self.pieces if name in TEXTS))

    def fill(self, features: Mapping[str, float | None], texts: Mapping[str, str | None] = {}) -> str:
        """The text with the features' values and the quoted texts; what is null reads "unknown"."""
        found = []
        for literal, name, how in self.pieces:
            found.append(literal)
            if name in TEXTS:
                found.append(texts.get(name) or UNKNOWN)
            elif name:
                found.append(_show(features.get(name), how))
        return "".join(found)


def parse_reason(template: str, known: Collection[str]) -> ReasonText:
    """Check a template against the known feature names.

    Raises
    ------
    TemplateError
        Braces do not match, a name is no known feature, or a format is not one of those allowed.
    """
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise TemplateError(f"{error}; write {{{{ for a brace") from None
    pieces = []
    for literal, name, how, conversion in parsed:
        if name is None:
            pieces.append((literal, "", ""))
            continue
        if name in TEXTS:
            if conversion or how:
                raise TemplateError(f'"{name}" is a text and takes no format')
            pieces.append((literal, name, ""))
            continue
        if name not in known:
            raise TemplateError(f'unknown feature "{name}"{did_you_mean(name, known)}')
        if conversion or not _FORMAT.match(how or ""):
            raise TemplateError(f'the format of "{name}" must be one of d, ,d, .1f, ,.2f, .1%, .3g (0 to 4 decimals)')
        pieces.append((literal, name, how or ""))
    return ReasonText(tuple(pieces))


def _show(value: float | None, how: str) -> str:
    if value is None:
        return UNKNOWN
    if how.endswith("d"):
        return f"{value:{how[:-1]}.0f}"
    if how:
        return format(value, how)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.3g}"
