"""An input event in a few words, without anything that a person could be known by."""

from collections.abc import Callable
from typing import Any, Final

from features import events
from features.currencies import DECIMALS
from features.events import Event


def money(amount: int, currency: str) -> str:
    """An amount in minor units as people write it.

    >>> money(123456, "EUR"), money(500, "JPY")
    ('1,234.56 EUR', '500 JPY')
    """
    decimals = DECIMALS.get(currency, 2)
    return f"{amount / 10**decimals:,.{decimals}f} {currency}"


def words_of(event: Event) -> str:
    """What happened, beyond the event's type, whose it is and its order or listing; empty where that says all."""
    describe = _WORDS.get(type(event))
    return "" if describe is None else describe(event)


def _order(event: events.OrderCreated) -> str:
    pieces = sum(item.quantity for item in event.items)
    parts = [f"{pieces:,} pc", money(event.total, event.currency)]
    if event.channel is not None:
        parts.append(event.channel)
    if event.ship_to is not None:
        parts.append(f"to {event.ship_to}")
    return ", ".join(parts)


def _shipped(event: events.OrderShipped) -> str:
    weight = "" if event.weight_grams is None else f", {event.weight_grams:,} g"
    return f"by {event.carrier}{weight}" + ("" if event.ship_from is None else f", from {event.ship_from}")


def _version(event: events.ListingVersion) -> str:
    brand = "" if event.brand is None else f", brand {event.brand}"
    return f"{event.category}, {money(event.price, event.currency)}{brand}"


def _registered(event: events.MerchantRegistered) -> str:
    return f"{event.kind}, {event.country}"


def _verified(event: events.MerchantVerified) -> str:
    return event.what if event.state is None else f"{event.what}, {event.state}"


def _reviewed(event: events.ReviewDecided) -> str:
    subject = "" if event.subject is None else f" about {event.subject.kind} {event.subject.id}"
    policy = "" if event.policy is None else f", policy {event.policy}"
    return f"{event.verdict}{subject}, by {event.source}{policy}"


def _reported(event: events.ReportReceived) -> str:
    policy = "" if event.policy is None else f", policy {event.policy}"
    return f"{event.subject.kind} {event.subject.id} by {event.by}{policy}"


def _overridden(event: events.EnforcementOverridden) -> str:
    policy = "" if event.policy is None else f" {event.policy}"
    return f"{event.action}{policy}: {event.why}"


_WORDS: Final[dict[type[Event], Callable[[Any], str]]] = {
    events.OrderCreated: _order,
    events.OrderShipped: _shipped,
    events.OrderTracked: lambda event: event.status,
    events.OrderCancelled: lambda event: f"by {event.by}",
    events.OrderReturnRequested: lambda event: event.reason.replace("_", " "),
    events.OrderRefunded: lambda event: f"{event.amount:,} minor units, fault {event.fault}",
    events.OrderDisputeResolved: lambda event: f"for the {event.in_favour_of}",
    events.OrderReviewed: lambda event: f"{event.rating} of 5",
    events.ListingCreated: _version,
    events.ListingUpdated: _version,
    events.ListingExposed: lambda event: f"{event.views:,} views",
    events.MerchantRegistered: _registered,
    events.MerchantVerified: _verified,
    events.MerchantAccountChanged: lambda event: event.what,
    events.ReviewDecided: _reviewed,
    events.AppealDecided: lambda event: event.outcome,
    events.ReportReceived: _reported,
    events.EnforcementOverridden: _overridden,
}
