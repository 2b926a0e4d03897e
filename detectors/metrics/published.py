"""Output events as the fold reads them: tolerant of values that this version does not know, as a comparison is."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct, field
from msgspec.json import Decoder

from detectors.comparison import events


class Decided(events.Decided):
    """An action was decided on, with its statement and why it waits."""

    statement_of_reasons: dict[str, object] = field(default_factory=dict)
    review_reason: str | None = None
    supersedes: str | None = None


class Sampled(events.Sampled):
    """A subject was drawn, with what chance by its stratum and by any."""

    stratum: str = "uniform"
    inclusion_probability: float = 0.0
    sample_probability: float | None = None


class AppealNoted(Struct):
    """An appeal against a decision, as it stands."""

    merchant_id: str
    decision_id: str
    state: str
    number: int = 1
    mode: str = "live"


#: By CloudEvents type.
DECODERS: Final[Mapping[str, Callable[[bytes], Any]]] = {
    f"shopwarden.{name}.v1": Decoder(kind).decode
    for name, kind in {
        "risk.assessed": events.Assessed,
        "enforcement.decided": Decided,
        "enforcement.reversed": events.Reversed,
        "audit.sampled": Sampled,
        "credit.changed": events.CreditChanged,
        "appeal.noted": AppealNoted,
    }.items()
}
