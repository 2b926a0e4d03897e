"""All groups of estimates, in the order in which they are given."""

from typing import Final

from detectors.metrics.decisions import decisions
from detectors.metrics.delays import delays
from detectors.metrics.exposure import exposure
from detectors.metrics.fairness import fairness
from detectors.metrics.ledger import Section
from detectors.metrics.outcomes import outcomes
from detectors.metrics.prevalence import accuracy, prevalence
from detectors.metrics.reviewing import reviewing
from detectors.metrics.shifts import shifts

SECTIONS: Final[tuple[Section, ...]] = (
    outcomes,
    prevalence,
    accuracy,
    decisions,
    delays,
    exposure,
    reviewing,
    fairness,
    shifts,
)
