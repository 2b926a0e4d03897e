"""What is known of the bad-order model's inputs before any label."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from detectors.input_code import KnownTerm
from detectors.inputs import Input

#: Log-odds that all known effects together may reach: what was known elsewhere decides nothing alone.
KNOWN_BOUND: Final = 4.0


class KnownEffect(Struct, frozen=True, array_like=True):
    """How an input changes the odds of a bad order.

    Attributes
    ----------
    log_odds
        Added to the log-odds for each unit of the feature above ``reference``.
    reference
        Value at which an order is as risky as the prior says.
    """

    log_odds: float
    reference: float


#: A promise with little time to spare is broken more often, everywhere: twice the expected time instead of once
#: divides the odds by five (0.69 x 2.4; what fits on Olist's dev rows, where the factor learned on it stays at 1).
#: A merchant of whose orders a tenth more went wrong has odds higher by half in the next one.
KNOWN_EFFECTS: Final[Mapping[str, KnownEffect]] = MappingProxyType(
    {"promise_margin": KnownEffect(-2.4, 0.5), "bad_order_rate_90d_shrunk": KnownEffect(4.0, 0.1)}
)


class KnownEffects:
    """Known effects of a model's inputs, on inputs scaled to 0..1.

    Parameters
    ----------
    inputs
        The model's inputs, in order.
    effects
        Effects by input name; ``None`` for those of :data:`KNOWN_EFFECTS` that are inputs.
    """

    __slots__ = ("effects", "terms")

    def __init__(self, inputs: Sequence[Input], effects: Mapping[str, KnownEffect] | None) -> None:
        positions = {item.name: position for position, item in enumerate(inputs)}
        if effects is None:
            effects = {name: effect for name, effect in KNOWN_EFFECTS.items() if name in positions}
        terms = []
        for name, effect in effects.items():
            if name not in positions:
                raise ValueError(f"a known effect is given for {name!r}, which is no input")
            item = inputs[positions[name]]
            if item.log:
                raise ValueError(f"known effects are per unit, but input {name!r} is on a logarithmic scale")
            width = item.high - item.low
            terms.append(KnownTerm(positions[name], effect.log_odds * width, (effect.reference - item.low) / width))
        #: The effects on scaled inputs.
        self.terms: Final = tuple(terms)
        self.effects = dict(effects)

    def total(self, scaled: Sequence[float | None]) -> float:
        """Log-odds that the known effects add, at most 4 either way; an absent value adds nothing."""
        total = 0.0
        for term in self.terms:
            value = scaled[term.position]
            if value is not None:
                total += term.factor * (value - term.reference)
        if -KNOWN_BOUND < total < KNOWN_BOUND:
            return total
        return KNOWN_BOUND if total > 0.0 else -KNOWN_BOUND

    def parts(self, scaled: Sequence[float | None]) -> list[float]:
        """:meth:`total` by input; cut to the same bound together."""
        parts = [0.0] * len(scaled)
        for term in self.terms:
            value = scaled[term.position]
            if value is not None:
                parts[term.position] = term.factor * (value - term.reference)
        total = sum(parts)
        cut = min(1.0, KNOWN_BOUND / abs(total)) if total else 1.0
        return [part * cut for part in parts]
