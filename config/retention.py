"""Settings of how long records are kept."""

from pydantic import Field

from config.fields import Section


class RetentionSettings(Section):
    """How long orders, listings and merchants are kept, by event time. Their number bounds the memory of Redis."""

    # Disputes are resolved and refunds paid within two months, mostly; what comes later starts a new record.
    order_days: int = Field(
        default=60, ge=1, le=3650, description="Days for which an order is kept after its outcome is due."
    )
    # As long as the longest window, so that a listing put up again is judged as an edit while its removal counts.
    removed_listing_days: int = Field(
        default=90, ge=1, le=3650, description="Days for which a listing is kept after its removal."
    )
    # Marketplaces have sellers renew listings at least once a year; one that nobody edits or buys is no risk to judge.
    idle_listing_days: int = Field(
        default=365, ge=1, le=3650, description="Days for which a live listing is kept after its latest event or order."
    )
    # Past every window, and past what is kept of orders and listings in any case.
    idle_merchant_days: int = Field(
        default=400,
        ge=1,
        le=3650,
        description="Days after which a merchant without events is laid to rest, counted from when its windows have "
        "run out; at least until they are empty and its orders and listings are gone (286 days).",
    )
