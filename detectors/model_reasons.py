"""What the models contribute to an assessment: their scores, and in words which inputs weighed most."""

from collections.abc import Sequence
from math import exp

from detectors.judge import Models
from detectors.policy import PolicySet
from features.feature import Context
from features.order import scored_values
from features.outputs import Detector, Reason
from features.vectors import behaviour_vector


def model_detectors(models: Models, context: Context) -> list[Detector]:
    """What the models say of a subject, as scores."""
    found = []
    order = context.order
    if order is not None and order.probability is not None:
        model = models.bad_order
        found.append(Detector(model.name, model.version, order.probability))
    anomaly = context.merchant.record.anomaly
    if anomaly is not None and context.order is None and context.listing is None:
        found.append(Detector(models.anomaly.name, models.anomaly.version, round(anomaly, 5)))
    return found


def model_reasons(models: Models, policies: PolicySet, level: int, context: Context) -> list[Reason]:
    """The model's largest contributions, in words, where the model itself raised the level."""
    order = context.order
    record = context.merchant.record
    if order is not None:
        if order.probability is None or policies.level_of_probability(order.probability) < max(1, level):
            return []
        values = scored_values(order)
        if values is None:
            return []
        parts = models.bad_order.contributions(values)
        return [
            Reason(
                "bad_order_model",
                f"{name} raises the odds of a bad order by a factor of {_factor(share):.2g}",
                round(min(1.0, max(0.0, share / 4)), 4),
                observed=_rounded(values[index]),
            )
            for index, name, share in _largest(parts)
        ]
    if context.listing is None and record.anomaly is not None:
        if policies.level_of_anomaly(record.anomaly) < max(1, level):
            return []
        vector = behaviour_vector(context.merchant, context.population)
        model = models.anomaly
        typical = model.typical()
        return [
            Reason(
                "behaviour_anomaly",
                f"{name} is unusual among merchants",
                round(min(1.0, share / 8), 4),
                observed=_rounded(vector[index]),
                expected=_rounded(typical[index]),
            )
            for index, name, share in _largest(model.contributions(vector))
        ]
    return []


def _largest(parts: Sequence[tuple[str, float]], count: int = 3) -> list[tuple[int, str, float]]:
    """The inputs that raise a judgement most: position, name, share."""
    ranked = sorted(((share, -index, name) for index, (name, share) in enumerate(parts) if share > 0), reverse=True)
    return [(-index, name, share) for share, index, name in ranked[:count]]


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _factor(log_odds: float) -> float:
    return exp(log_odds)
