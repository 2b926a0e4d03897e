"""Templates: escaped by default, strict about names, with the words and figures of the console as filters."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.utils import missing
from markupsafe import Markup

from features.outputs import LEVELS
from streams.console.charts import interval
from streams.console.index.words import money
from streams.printable import printable

T = TypeVar("T")

_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
NOTHING: Final = "–"
_NOTHING: Final = Markup("–")


class Absent(StrictUndefined):
    """What is not there. A name that no page gave is a mistake of ours, whatever is done with it; a key that an event
    does not have, as fields come and go with versions, may be asked for, but not shown.
    """

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]
        return self._may_lack(False)

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        return self._may_lack(iter(()))

    def __len__(self) -> int:  # type: ignore[override]
        return self._may_lack(0)

    def _may_lack(self, instead: T) -> T:
        if self._undefined_obj is missing:
            self._fail_with_undefined_error()
        return instead


def make_environment() -> Environment:
    """The templates of the package."""
    environment = Environment(
        loader=PackageLoader("streams.console"),
        # Every value, whatever the file is called: ids, titles and reasons come from outside.
        autoescape=True,
        undefined=Absent,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "when": when,
        "date": date,
        "moment": moment,
        "span": span,
        "number": number,
        "percent": percent,
        "dollars": dollars,
        "money": money,
        "words": words,
        "plain": printable,
        "level": level,
    }
    environment.globals |= {"url": url, "LEVELS": LEVELS, "interval": interval}
    return environment


def when(time: int | None) -> Markup:
    """A time in ms, for people and programs, in UTC.

    >>> str(when(1767225599999))
    '<time datetime="2025-12-31T23:59:59Z">2025-12-31 23:59</time>'
    >>> str(when(None))
    '–'
    """
    if time is None:
        return _NOTHING
    try:
        moment = datetime.fromtimestamp(time / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return Markup("?")
    return Markup('<time datetime="{}">{}</time>').format(
        moment.strftime("%Y-%m-%dT%H:%M:%SZ"), moment.strftime("%Y-%m-%d %H:%M")
    )


def moment(text: str) -> str:
    """A text; one that is a time of a program as people write it.

    >>> moment("2025-12-31T23:59:59.999Z"), moment("a T-shirt")
    ('2025-12-31 23:59', 'a T-shirt')
    """
    return f"{text[:10]} {text[11:16]}" if _TIME.fullmatch(text) else printable(text)


def date(time: int) -> str:
    """The day of a time in ms, in UTC.

    >>> date(1767225599999)
    '2025-12-31'
    """
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d")


def span(length: float | None) -> str:
    """A length of time in ms, roughly.

    >>> span(90_000), span(3 * 86_400_000), span(-7_200_000), span(None)
    ('1 min', '3 d', '2 h ago', '–')
    """
    if length is None:
        return NOTHING
    size = abs(length)
    shown = (
        f"{size / _DAY:.0f} d" if size >= 2 * _DAY
        else f"{size / _HOUR:.0f} h" if size >= 2 * _HOUR
        else f"{size // _MINUTE:.0f} min" if size >= _MINUTE
        else f"{size / 1000:.0f} s"
    )  # fmt: skip
    return shown if length >= 0 else f"{shown} ago"


def number(value: float | None) -> str:
    """A number.

    >>> number(1234567), number(0.123456), number(None)
    ('1,234,567', '0.1235', '–')
    """
    if value is None:
        return NOTHING
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def percent(share: float | None, digits: int = 1) -> str:
    """A share.

    >>> percent(0.1234), percent(None)
    ('12.3 %', '–')
    """
    return NOTHING if share is None else f"{100 * share:.{digits}f} %"


def dollars(amount: float | None) -> str:
    """An amount in dollars.

    >>> dollars(1234.5), dollars(0.5)
    ('1,234', '0.50')
    """
    if amount is None:
        return NOTHING
    return f"{amount:,.0f}" if abs(amount) >= 10 else f"{amount:,.2f}"


def words(name: str | None) -> str:
    """A name of a program as words.

    >>> words("suspend_merchant"), words("shopwarden.risk.assessed.v1"), words("order.return_requested")
    ('suspend merchant', 'risk assessed', 'order return requested')
    """
    if not name:
        return NOTHING
    if name.startswith("shopwarden."):
        name = name.removeprefix("shopwarden.").rpartition(".")[0]
    return printable(name.replace("_", " ").replace(".", " "))


def level(rank: int | str | None) -> Markup:
    """A level with its colour; its word is there for who sees none.

    >>> str(level(3)), str(level("low"))
    ('<span class="level high">high</span>', '<span class="level low">low</span>')
    """
    name = LEVELS[rank] if isinstance(rank, int) else rank
    if name not in LEVELS:
        return _NOTHING
    return Markup('<span class="level {}">{}</span>').format(name, name)


def url(path: str, values: Mapping[str, Any] | None = None, **more: Any) -> str:
    """An address with its query; ids may hold anything.

    >>> url("/merchant", id="a/b&c")
    '/merchant?id=a%2Fb%26c'
    """
    given = {name: value for name, value in {**(values or {}), **more}.items() if value not in (None, "")}
    return path + (f"?{urlencode(given)}" if given else "")
