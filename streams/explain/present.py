"""Fills in what a shard's state says of a subject."""

from detectors.apply import Core
from features.feature import Context, of_creator
from features.keys import entity_key
from features.merchant import Merchant, MerchantRecord
from streams.explain.creator import creator_state
from streams.explain.credit import credit_state
from streams.explain.judgement import rules_now
from streams.explain.state import feature_values, listing_state, merchant_rates, merchant_state, order_state
from streams.explain.story import Explanation, moment


def describe(explanation: Explanation, core: Core) -> None:
    """Fill in state, rates, rules and features, from the records in a shard's caches."""
    state, kind = core.state, explanation.kind
    if kind == "creator":
        _describe_creator(explanation, core)
        return
    merchant = state.merchants.get(explanation.merchant_id)
    key = entity_key(explanation.merchant_id, explanation.id)
    order = state.orders.get(key) if kind == "order" else None
    listing = state.listings.get(key) if kind == "listing" else None
    if merchant is None:
        explanation.notes.append("nothing is stored of the merchant (any more), so only what was published is known")
        if order is None and listing is None:
            return
        merchant = Merchant(explanation.merchant_id, MerchantRecord())
    elif merchant.record.as_of:
        explanation.as_of = moment(merchant.record.as_of)
    if kind == "merchant":
        explanation.state = merchant_state(merchant)
        policy = core.judge.policies.credit.get("merchant")
        explanation.state["credit"] = credit_state(merchant.record.credit, policy, merchant.record.as_of)
        explanation.rates = merchant_rates(merchant, state.population)
    elif order is not None:
        explanation.state = order_state(order)
    elif listing is not None:
        explanation.state = listing_state(listing)
    else:
        explanation.notes.append(f"nothing is stored of the {kind} any more: its retention is over")
        return
    context = Context(merchant, state.population, order, listing)
    explanation.rules = rules_now(core.judge.policies, kind, context)
    explanation.features = feature_values(context, kind)


def _describe_creator(explanation: Explanation, core: Core) -> None:
    creator = core.state.creators.get(explanation.id)
    if creator is None:
        explanation.notes.append("nothing is stored of the creator (any more), so only what was published is known")
        return
    record, policies = creator.record, core.judge.policies
    explanation.as_of = moment(record.as_of)
    explanation.state = creator_state(creator)
    explanation.state["credit"] = credit_state(record.credit, policies.credit.get("creator"), record.as_of)
    context = of_creator(creator, core.state.population)
    explanation.rules = rules_now(policies, "creator", context)
    explanation.features = feature_values(context, "creator")
