"""All groups of estimates, in the order in which they are given."""

from typing import Final

from detectors.metrics.ledger import Section
from detectors.metrics.outcomes import outcomes

SECTIONS: Final[tuple[Section, ...]] = (outcomes,)
