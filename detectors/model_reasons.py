"""What the models contribute to an assessment: their scores, and in words which inputs weighed most."""

from collections.abc import Sequence
from math import exp
from typing import Final

from detectors.challenger import FOREST, log_odds_between
from detectors.judge import Models
from detectors.policy import PolicySet
from features.feature import Context
from features.input_words import input_window, input_words
from features.order import OrderRecord, scored_values
from features.outputs import Detector, Reason
from features.priors import DEFAULT_PRIORS
from features.vectors import behaviour_vector
from features.windows import WINDOWS

#: Level that the models of dispatch and delivery can raise an order to: elevated. They say that a buyer will be
#: disappointed, which accuses nobody.
LATER_STAGES_AT_MOST: Final = 2
#: Code of a stage's reasons, when it is judged, and what is judged.
_STAGES: Final = (
    ("bad_order_model", "at purchase", "a bad order"),
    ("bad_order_dispatch_model", "at dispatch", "a late or bad order"),
    ("bad_order_delivery_model", "at delivery", "a complaint"),
)


def model_detectors(models: Models, context: Context) -> list[Detector]:
    """What the models say of a subject, as scores."""
    found = []
    order = context.order
    if order is not None:
        found += [
            Detector(model.name, model.version, judged)
            for model, judged in zip(models.stages, _judged(order), strict=True)
            if judged is not None
        ]
    anomaly = context.merchant.record.anomaly
    if anomaly is not None and context.order is None and context.listing is None:
        found.append(Detector(models.anomaly.name, models.anomaly.version, round(anomaly, 5)))
    return found


def model_reasons(models: Models, policies: PolicySet, level: int, context: Context) -> list[Reason]:
    """The model's largest contributions, in words, where the model itself raised the level; for a merchant, its share
    of bad orders likewise.
    """
    order = context.order
    record = context.merchant.record
    if order is not None:
        return _order_reasons(models, policies, level, order)
    if context.listing is not None:
        return []
    found = []
    if policies.level_of_probability(record.probability) >= max(1, level):
        found.append(_share_of_bad_orders(context, record.probability))
    if record.anomaly is not None and policies.level_of_anomaly(record.anomaly) >= max(1, level):
        vector = behaviour_vector(context.merchant, context.population)
        model = models.anomaly
        typical = model.typical()
        found += [
            Reason(
                "behaviour_anomaly",
                f"{input_words(name)} ({name}) is unusual among merchants: {part:.2g} bits of surprise, "
                f"{share:.0%} of all",
                round(share, 4),
                observed=_rounded(vector[index]),
                expected=_rounded(typical[index]),
                window=input_window(name) or "now",
            )
            for index, name, part, share in largest(model.contributions(vector))
        ]
    return found


def _order_reasons(models: Models, policies: PolicySet, level: int, order: OrderRecord) -> list[Reason]:
    """Of the latest stage whose probability reaches the level."""
    judged = _judged(order)
    for stage in (2, 1, 0):
        probability = judged[stage]
        if probability is None:
            continue
        reached = policies.level_of_probability(probability)
        if min(reached, LATER_STAGES_AT_MOST if stage else reached) < max(1, level):
            continue
        values = scored_values(order, stage)
        if values is None:
            continue
        model = models.stages[stage]
        typical = model.typical()
        parts = model.contributions(values)
        if not stage and order.linear is not None:
            # The forest's opinion is the published one: what it adds to the linear model's.
            parts.append((FOREST, log_odds_between(probability, order.linear)))
            values, typical = [*values, probability], [*typical, order.linear]
        code, when, outcome = _STAGES[stage]
        return [
            Reason(
                code,
                f"{input_words(name)} ({name}) raises the odds of {outcome} by a factor of {exp(part):.2g}, "
                f"{share:.0%} of all that raises them",
                round(share, 4),
                observed=_rounded(values[index]),
                expected=_rounded(typical[index]),
                window=input_window(name) or when,
            )
            for index, name, part, share in largest(parts)
        ]
    return []


def _judged(order: OrderRecord) -> tuple[float | None, float | None, float | None]:
    return order.probability, order.probability_dispatch, order.probability_delivery


def _share_of_bad_orders(context: Context, probability: float) -> Reason:
    """The merchant's own record, where it raises the level: no model, but judged on the same scale as one."""
    orders, bad = context.merchant.orders_and_defects("bad_order", len(WINDOWS) - 1)
    prior = context.population.priors.get("bad_order", DEFAULT_PRIORS["bad_order"])
    return Reason(
        "bad_order_share",
        f"{bad:,} of {orders:,} orders went wrong; with what is usual among merchants taken into account, "
        f"{probability:.1%} do",
        round(min(1.0, probability), 4),
        observed=_rounded(probability),
        expected=_rounded(prior.alpha / (prior.alpha + prior.beta)),
        window=f"{WINDOWS[-1]} d",
    )


def largest(parts: Sequence[tuple[str, float]], count: int = 3) -> list[tuple[int, str, float, float]]:
    """The inputs that raise a judgement most: position, name, contribution, and its share of all that raises it."""
    raising = sum(part for _, part in parts if part > 0)
    ranked = sorted(((part, -index, name) for index, (name, part) in enumerate(parts) if part > 0), reverse=True)
    return [(-index, name, part, part / raising) for part, index, name in ranked[:count]]


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
