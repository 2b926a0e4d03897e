"""Input events: what a marketplace tells Shopwarden, as typed structs.

One struct for each ``type`` of docs/contracts.md. Times are integer milliseconds since the Unix epoch (UTC), money is
an integer in minor units of ``currency``. Unknown fields are ignored, so that producers may add some. Ranges are
checked while decoding; what needs the record around it (its key, its timestamp) is checked in :mod:`features.decode`.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from features.currencies import Currency

Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]
Text: TypeAlias = Annotated[str, Meta(max_length=20_000)]
Label: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]
#: 2000-01-01 to 2100-01-01: a time outside was sent in another unit.
Millis: TypeAlias = Annotated[int, Meta(ge=946_684_800_000, le=4_102_444_800_000)]
#: Up to ten billion units of a two-decimal currency.
Money: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000_000)]
# The pattern alone would let a line break at the end pass.
ImageHash: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{16}$", max_length=16)]
Country: TypeAlias = Annotated[str, Meta(min_length=2, max_length=8)]

Channel: TypeAlias = Literal["shop", "live", "video", "affiliate"]
ReturnReason: TypeAlias = Literal[
    "not_received", "not_as_described", "counterfeit", "damaged", "wrong_item", "no_longer_needed", "other"
]
SubjectKind: TypeAlias = Literal["order", "listing", "merchant", "creator"]


class Event(Struct, frozen=True, kw_only=True, tag_field="type", gc=False):
    """What every input event carries.

    ``event_id`` is unique per event: the same id twice is one event. ``merchant_id`` equals the record's key.
    """

    event_id: Id
    occurred_at: Millis
    merchant_id: Id


# -- listings ---------------------------------------------------------------------------------------------------------


class ListingVersion(Event, frozen=True, kw_only=True, gc=False):
    """A full version of a listing, as created or edited."""

    listing_id: Id
    title: Text
    category: Label
    price: Money
    currency: Currency
    description: Text | None = None
    brand: Label | None = None
    quantity: Count | None = None
    image_hashes: Annotated[list[ImageHash], Meta(max_length=64)] | None = None
    ship_from: Country | None = None
    authorizations: Annotated[list[Label], Meta(max_length=64)] | None = None
    list_price: Money | None = None
    attributes: dict[str, str] | None = None


class ListingCreated(ListingVersion, frozen=True, kw_only=True, tag="listing.created"):
    """A listing went live."""


class ListingUpdated(ListingVersion, frozen=True, kw_only=True, tag="listing.updated"):
    """A listing was edited; the event holds the whole new version."""


class ListingRemoved(Event, frozen=True, kw_only=True, tag="listing.removed", gc=False):
    """A listing was taken down."""

    listing_id: Id


class ListingExposed(Event, frozen=True, kw_only=True, tag="listing.exposed", gc=False):
    """A batch of impressions of a listing."""

    listing_id: Id
    views: Count


# -- orders -----------------------------------------------------------------------------------------------------------


class OrderItem(Struct, frozen=True, gc=False):
    """One line of an order; ``unit_price`` is in minor units of the order's currency."""

    listing_id: Id
    quantity: Annotated[int, Meta(ge=1, le=100_000)]
    unit_price: Money


class OrderEvent(Event, frozen=True, kw_only=True, gc=False):
    """An event in the life of one order."""

    order_id: Id


class OrderCreated(OrderEvent, frozen=True, kw_only=True, tag="order.created"):
    """A buyer ordered. ``ship_by`` and ``deliver_by`` are what the buyer was promised; ``checkout_total`` is what was
    paid at the checkout in all, for orders at other merchants too.
    """

    buyer_id: Id
    items: Annotated[list[OrderItem], Meta(min_length=1, max_length=200)]
    total: Money
    currency: Currency
    creator_id: Id | None = None
    ship_by: Millis | None = None
    deliver_by: Millis | None = None
    ship_to: Label | None = None
    device_id: Id | None = None
    channel: Channel | None = None
    checkout_total: Money | None = None


class OrderShipped(OrderEvent, frozen=True, kw_only=True, tag="order.shipped"):
    """The parcel was handed to the carrier."""

    carrier: Label
    tracking_number: Id
    ship_from: Country | None = None
    weight_grams: Count | None = None


class OrderTracked(OrderEvent, frozen=True, kw_only=True, tag="order.tracked"):
    """The carrier scanned the parcel."""

    status: Literal["accepted", "in_transit", "out_for_delivery", "delivered", "exception"]
    tracking_number: Id
    location: Label | None = None


class OrderDelivered(OrderEvent, frozen=True, kw_only=True, tag="order.delivered"):
    """The buyer has the parcel, by the platform's own record."""


class OrderCancelled(OrderEvent, frozen=True, kw_only=True, tag="order.cancelled"):
    """The order was cancelled, by whom says who is at fault."""

    by: Literal["buyer", "seller", "platform"]
    reason: Text | None = None


class OrderReturnRequested(OrderEvent, frozen=True, kw_only=True, tag="order.return_requested"):
    """The buyer wants to return the goods or claims not to have them."""

    reason: ReturnReason


class OrderRefunded(OrderEvent, frozen=True, kw_only=True, tag="order.refunded"):
    """Money went back to the buyer; ``fault`` says at whose expense it should be."""

    amount: Money
    fault: Literal["seller", "buyer", "carrier", "platform", "unknown"]


class OrderDisputed(OrderEvent, frozen=True, kw_only=True, tag="order.disputed"):
    """The buyer opened a dispute or a chargeback."""

    reason: Text


class OrderDisputeResolved(OrderEvent, frozen=True, kw_only=True, tag="order.dispute_resolved"):
    """A dispute ended."""

    in_favour_of: Literal["buyer", "seller"]


class OrderReviewed(OrderEvent, frozen=True, kw_only=True, tag="order.reviewed"):
    """The buyer rated the order, 1 (worst) to 5."""

    rating: Annotated[int, Meta(ge=1, le=5)]
    text: Text | None = None


# -- merchants --------------------------------------------------------------------------------------------------------


class MerchantRegistered(Event, frozen=True, kw_only=True, tag="merchant.registered", gc=False):
    """A merchant opened an account."""

    kind: Literal["business", "individual"]
    country: Country
    registered_at: Millis


class MerchantVerified(Event, frozen=True, kw_only=True, tag="merchant.verified", gc=False):
    """Something about the merchant was verified (identity, bank, address); or, in state ``provided``, was given
    by the merchant and by nobody verified yet.
    """

    what: Label
    state: Literal["provided", "verified"] | None = None


class MerchantAccountChanged(Event, frozen=True, kw_only=True, tag="merchant.account_changed", gc=False):
    """The merchant changed something of the account; ``value_hash`` is the producer's pseudonym of the new value."""

    what: Literal["bank", "address", "phone", "email", "owner", "device"]
    value_hash: Id


class MerchantClosed(Event, frozen=True, kw_only=True, tag="merchant.closed", gc=False):
    """The account was closed."""


# -- feedback ---------------------------------------------------------------------------------------------------------
# What is said about a creator is keyed by the creator: ``merchant_id`` equals the key as always, and ``creator_id``
# says the same once more.


class Subject(Struct, frozen=True, gc=False):
    """What a judgement is about."""

    kind: SubjectKind
    id: Id


class Sample(Struct, frozen=True, gc=False):
    """How a reviewed subject was drawn, so that estimates can weigh it."""

    stratum: Label
    inclusion_probability: Annotated[float, Meta(gt=0, le=1)]


class ReviewDecided(Event, frozen=True, kw_only=True, tag="review.decided", gc=False):
    """A person judged a decision or a subject; ``by`` names who, for the audit trail alone."""

    verdict: Literal["violation", "clean"]
    source: Literal["human", "audit", "brand", "regulator"]
    decision_id: Id | None = None
    subject: Subject | None = None
    policy: Label | None = None
    sample: Sample | None = None
    creator_id: Id | None = None
    by: Label | None = None


class AppealFiled(Event, frozen=True, kw_only=True, tag="appeal.filed", gc=False):
    """A merchant or creator contests a decision; ``by`` names who filed it for them, for the audit trail alone."""

    decision_id: Id
    creator_id: Id | None = None
    by: Label | None = None


class AppealDecided(Event, frozen=True, kw_only=True, tag="appeal.decided", gc=False):
    """The appeal ended: upheld keeps the decision, overturned reverses it; ``by`` names who decided, for the audit
    trail alone.
    """

    decision_id: Id
    outcome: Literal["upheld", "overturned"]
    creator_id: Id | None = None
    by: Label | None = None


class ReportReceived(Event, frozen=True, kw_only=True, tag="report.received", gc=False):
    """Someone reported a subject."""

    subject: Subject
    by: Literal["buyer", "brand", "regulator"]
    policy: Label | None = None
    creator_id: Id | None = None


class EnforcementOverridden(Event, frozen=True, kw_only=True, tag="enforcement.overridden", gc=False):
    """A person set an action aside, or set one, until a time.

    ``action`` is ``lift`` (a decision), ``snooze`` (a rule leaves the merchant alone), ``allow`` (so does a whole
    policy), or an action to take. ``policy`` is the rule or policy that is meant.
    """

    action: Label
    by: Label
    why: Text
    decision_id: Id | None = None
    until: Millis | None = None
    policy: Label | None = None
    creator_id: Id | None = None


ListingInput: TypeAlias = ListingCreated | ListingUpdated | ListingRemoved | ListingExposed
OrderInput: TypeAlias = (
    OrderCreated
    | OrderShipped
    | OrderTracked
    | OrderDelivered
    | OrderCancelled
    | OrderReturnRequested
    | OrderRefunded
    | OrderDisputed
    | OrderDisputeResolved
    | OrderReviewed
)
MerchantInput: TypeAlias = MerchantRegistered | MerchantVerified | MerchantAccountChanged | MerchantClosed
FeedbackInput: TypeAlias = ReviewDecided | AppealFiled | AppealDecided | ReportReceived | EnforcementOverridden
InputEvent: TypeAlias = ListingInput | OrderInput | MerchantInput | FeedbackInput
