"""What policy files may say of remedies: the plain shape of the section, before its meaning is checked.

Names of causes, evidence and tiers are text here; :mod:`detectors.remedy_table` checks them. Amounts are in dollars, as
people write them.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from config.policy_specs import Line, Paragraph, RuleId, Share, Term

RemedyKind: TypeAlias = Literal["instant_refund", "return_label", "replacement", "partial_refund", "voucher"]
Fault: TypeAlias = Literal["seller", "buyer", "carrier", "platform", "unknown"]
Payer: TypeAlias = Literal["seller", "carrier", "platform"]
Dollars: TypeAlias = Annotated[float, Meta(ge=0, le=1_000_000)]
CurrencyUnits: TypeAlias = dict[Annotated[str, Meta(pattern="^[A-Z]{3}$")], Annotated[float, Meta(gt=0, le=10_000_000)]]


class RemedyRowSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the decision table: for orders of these causes with this evidence, this remedy.

    ``given`` says which evidence must be there (``true``) or not (``false``); what it does not name may be either.
    """

    id: RuleId
    cause: Annotated[list[str], Meta(min_length=1)]
    given: dict[str, bool] = {}
    #: ``none`` leaves the order as it is, until its facts change.
    kind: RemedyKind | Literal["none"]
    #: Share of the order's total.
    share: Share = 1.0
    fault: Fault
    charge_to: Payer
    review: bool = False
    why: Line
    source: Paragraph | None = None


class RemediesSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The decision table, and what its words mean in figures."""

    #: Minor units of a currency that are worth a dollar.
    currencies: CurrencyUnits
    #: Dollars up to which goods are not worth their way back.
    cheap_up_to: Dollars
    #: Days after the promised delivery from which on an order that came is late.
    late_days: Annotated[float, Meta(ge=0, le=365)]
    #: Probability of abuse from which on a buyer is doubtful, or abusive.
    doubtful_buyer: Share
    abusive_buyer: Share
    #: Tiers of credit of trusted and of doubted sellers.
    trusted_tiers: list[Term]
    doubted_tiers: list[Term]
    #: Dollars above which a person decides, by kind of remedy.
    review_above: dict[RemedyKind, Dollars]
    rows: Annotated[list[RemedyRowSpec], Meta(min_length=1, max_length=200)]
    source: Paragraph | None = None
