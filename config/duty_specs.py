"""What policy files may say of the law's duties about merchants: the plain shape of the section ``duties``.

Which names must exist is checked by :mod:`detectors.duty_laws`. Times are in days and turnover is in dollars, as people
write them.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from config.policy_specs import Days, Line, Paragraph, Term
from config.remedy_specs import CurrencyUnits

LawId: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=40)]
DutyName: TypeAlias = Literal["collect", "verify", "recertify", "disclose", "suspend"]
#: Words of ``merchant.verified`` that stand for one thing.
Words: TypeAlias = Annotated[list[Term], Meta(min_length=1)]
Dollars: TypeAlias = Annotated[float, Meta(ge=0, le=1_000_000_000)]


class SalesSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A law about merchants with so many sales and so much turnover in any twelve months of the last twenty-four."""

    least: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    turnover: Dollars
    #: Minor units of a currency that are worth a dollar; merchants who sell in others are not counted.
    currencies: CurrencyUnits


class RegisteredSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A law about merchants who registered as one of these kinds in one of these countries."""

    kinds: Annotated[list[Literal["business", "individual"]], Meta(min_length=1)]
    countries: Annotated[list[Annotated[str, Meta(pattern="^[A-Z]{2}$")]], Meta(min_length=1)]


class RecertifySpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That a merchant says again, every so often, that what it gave is still right."""

    every_days: Annotated[float, Meta(ge=1, le=3650)]
    within_days: Days
    words: Words


class DiscloseSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That buyers are shown who a merchant is, from a higher turnover on with the same number of sales."""

    turnover: Dollars
    within_days: Days
    words: Words


class NoticeSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The notice before a suspension: its days begin when the marketplace tells, by one of the words, that it is."""

    days: Days
    words: Words


class LawSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One law: whom it is about, what it asks, and by when. Exactly one of ``sales`` and ``registered`` is given."""

    title: Line
    sales: SalesSpec | None = None
    registered: RegisteredSpec | None = None
    #: What a merchant has to give, and the words that stand for each.
    items: Annotated[dict[Term, Words], Meta(min_length=1)]
    #: Changes of the account after which an item must be verified anew.
    changes: dict[str, Term] = {}
    collect_days: Days
    verify_days: Days
    #: After one of ``suspend_for`` is overdue.
    notice: NoticeSpec
    suspend_for: list[DutyName]
    recertify: RecertifySpec | None = None
    disclose: DiscloseSpec | None = None
    source: Paragraph | None = None


class DutiesSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All laws, by name, and the policy under which who doesn't give what they ask for is suspended."""

    policy: str
    laws: Annotated[dict[LawId, LawSpec], Meta(min_length=1)]
    source: Paragraph | None = None
