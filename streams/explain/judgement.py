"""What the policies and models make of the present figures of a subject."""

from typing import Final

from detectors.challenger import FOREST, log_odds_between
from detectors.judge import Models
from detectors.levels import LEVEL_RANK
from detectors.nearness import nearness
from detectors.policy import PolicySet
from features.events import SubjectKind
from features.feature import Context
from features.input_words import input_words
from features.order import OrderRecord, scored_values
from features.registry import FEATURES
from features.subject_texts import TEXTS
from streams.explain.story import Attribution, Contribution, RuleNow

#: Rules that have come this near to firing are shown.
NEAR: Final = 0.6
#: The moments at which an order is scored.
STAGES: Final = ("purchase", "dispatch", "delivery")
#: Probabilities are stored with five decimals.
_ROUNDED: Final = 1e-5


def rules_now(policies: PolicySet, kind: SubjectKind, context: Context) -> list[RuleNow]:
    """The rules on a kind of subject that fire on its present figures, then those that are near, the nearest first.

    Which event triggers a rule does not matter here: it says what would be found, not when.
    """
    found = []
    for rule in policies.rules.values():
        if rule.subject != kind or rule.mode == "off":
            continue
        values = {name: FEATURES[name].get(context) for name in rule.features}
        texts = {name: TEXTS[name](context) for name in rule.reason.texts}
        near = nearness(rule, values)
        if near.value is not None and near.value < NEAR:
            continue
        found.append(
            RuleNow(
                id=rule.id,
                title=rule.title,
                severity=rule.severity,
                mode=rule.mode,
                nearness=near.value,
                reason=rule.explain(values, texts) if near.value == 1 else None,
                missing=near.missing,
                unknown=near.unknown,
            )
        )
    found.sort(key=lambda rule: (-(rule.nearness or 0.0), -LEVEL_RANK[rule.severity], rule.id))
    return found


def attribute_order(order: OrderRecord, models: Models, stage: int) -> Attribution | None:
    """Where an order's probability at purchase (0), dispatch (1) or delivery (2) comes from, by the model as it is now;
    None where it was not scored then, or its inputs are not kept any more.
    """
    values = scored_values(order, stage)
    if values is None:
        return None
    scored = (order.probability, order.probability_dispatch, order.probability_delivery)[stage]
    model = models.stages[stage]
    log_odds = model.log_odds(values)
    contributions = [
        Contribution(name, input_words(name), value, float(f"{usual:.4g}"), round(part, 6))
        for (name, part), value, usual in zip(model.contributions(values), values, model.typical(), strict=True)
    ]
    if order.linear is not None and order.probability is not None:
        # The challenger's probability was published: what it added to the linear model's.
        part = log_odds_between(order.probability, order.linear)
        log_odds += part
        contributions.append(Contribution(FOREST, input_words(FOREST), order.probability, order.linear, round(part, 6)))
    contributions.sort(key=lambda each: -abs(each.log_odds))
    probability = model.predict(values)
    return Attribution(
        stage=STAGES[stage],
        model=model.name,
        version=model.version,
        base=round(model.base(), 6),
        contributions=contributions,
        log_odds=round(log_odds, 6),
        probability=round(probability, 5),
        scored=scored,
        as_scored=scored is not None and abs(scored - probability) <= _ROUNDED,
    )


def attributions_of(order: OrderRecord, models: Models) -> list[Attribution]:
    """Those of all stages at which an order was scored."""
    found = [attribute_order(order, models, stage) for stage in range(len(STAGES))]
    return [each for each in found if each is not None]
