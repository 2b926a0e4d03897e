"""Figures and codes of a comparison as people read them, on the terminal and on the page."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from detectors.comparison.matching import Match
from detectors.comparison.published import Decision
from detectors.comparison.trade import Money
from detectors.evaluation.proportions import Share
from features.currencies import DECIMALS

#: What is not known, or nothing.
NOTHING: Final = "–"
_DAY: Final = 86_400_000
_FIELDS: Final[Mapping[str, str]] = {
    "rule": "another rule",
    "rule_version": "another version of the rule",
    "action": "another action",
    "severity": "another severity",
    "starts_at": "earlier or later",
    "expires_at": "another end",
    "requires_review": "review asked or not",
    "withheld": "held out or not",
    "facts": "other figures in the reason",
}


def money(amounts: Money) -> str:
    """Amounts by currency.

    >>> money({"EUR": 123456, "JPY": 500})
    '1,234.56 EUR + 500 JPY'
    """
    shown = []
    for currency, amount in amounts.items():
        decimals = DECIMALS.get(currency, 2)
        shown.append(f"{amount / 10**decimals:,.{decimals}f} {currency}")
    return " + ".join(shown) or NOTHING


def share(found: Share) -> str:
    """A share with its interval.

    >>> share(Share(1, 4, 0.25, 0.0456, 0.6994))
    '25 % [5, 70] of 4'
    """
    if found.value is None or found.low is None or found.high is None:
        return NOTHING
    digits = 0 if found.total < 200 else 1
    value, low, high = (f"{100 * each:.{digits}f}" for each in (found.value, found.low, found.high))
    return f"{value} % [{low}, {high}] of {found.total:,}"


def plain_share(found: Share | None) -> str:
    """A share without its interval.

    >>> plain_share(Share(1, 4, 0.25, 0.0456, 0.6994)), plain_share(None)
    ('1 of 4', '–')
    """
    return NOTHING if found is None or not found.total else f"{found.hits:,} of {found.total:,}"


def moment(time: int | None) -> str:
    """A time in ms to the minute, UTC.

    >>> moment(1767225599999)
    '2025-12-31 23:59'
    """
    return NOTHING if time is None else f"{datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%d %H:%M}"


def duration(length: int) -> str:
    """A length of time in ms.

    >>> duration(90_000), duration(7_200_000), duration(14 * 86_400_000)
    ('1.5 min', '2 h', '14 d')
    """
    for unit, size in (("d", _DAY), ("h", 3_600_000), ("min", 60_000)):
        if length >= size:
            return f"{length / size:.3g} {unit}"
    return f"{length / 1000:.3g} s"


def spoken(code: str) -> str:
    """A code without its underscores.

    >>> spoken("hold_payout")
    'hold payout'
    """
    return code.replace("_", " ")


def changed_field(name: str) -> str:
    """What differs in a changed decision.

    >>> changed_field("expires_at")
    'another end'
    """
    return _FIELDS.get(name, spoken(name))


def action(decision: Decision) -> str:
    """What a decision does, and for how long."""
    words = spoken(decision.action)
    if decision.expires_at is not None:
        words += f", {duration(decision.expires_at - decision.starts_at)}"
    if decision.requires_review:
        words += ", a person decides"
    return f"(held out) {words}" if decision.withheld else words


def differences(match: Match) -> list[str]:
    """What differs in both, as ``name: before → after``."""
    one, other = match.baseline, match.candidate
    if one is None or other is None:
        return []
    return [f"{spoken(name)}: {_shown(name, one)} → {_shown(name, other)}" for name in match.differs]


def _shown(name: str, decision: Decision) -> str:
    value: Any = getattr(decision, name)
    if name == "starts_at":
        return moment(value)
    if name == "expires_at":
        return "until reversed" if value is None else moment(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) or NOTHING
