"""Which assessments are drawn for audit: some at random, whatever they say, and more of them the higher their score.

The random stratum says what goes unnoticed, without any model's opinion. Violations are rare, though, so it finds few;
what is drawn by score finds many, with a chance that is known as well. Both together estimate better than either
(Horvitz and Thompson, :mod:`detectors.evaluation.sampled_ratios`).
"""

from typing import Final, Literal
from zlib import crc32

from msgspec import Struct

from detectors.finding import Finding
from detectors.judge import JudgeSettings

_SCALE: Final = 1 << 32
_TOP_SCORE: Final = 1000


class AuditDraw(Struct, frozen=True, gc=False):
    """Of what stratum, with what chance of being drawn for it (over 0, up to 1), and by any of the two."""

    stratum: Literal["uniform", "score"]
    probability: float
    any_probability: float


def draw(identifier: str, finding: Finding, settings: JudgeSettings) -> AuditDraw | None:
    """Whether an assessment belongs to the audit sample: drawn by its id, so every run draws the same."""
    place = crc32(identifier.encode()) / _SCALE
    uniform = settings.audit_rate
    # Nearly all end here, before their score is looked at.
    if place >= uniform + settings.audit_score_rate:
        return None
    by_score = chance_by_score(finding.score, settings.audit_score_rate)
    total = min(1.0, uniform + by_score)
    if place < uniform:
        return AuditDraw("uniform", uniform, total)
    return AuditDraw("score", total - uniform, total) if place < total else None


def chance_by_score(score: int, rate: float) -> float:
    """Chance of being drawn by a score (0 to 1000), where ``rate`` is that of the highest.

    It falls with the square: nearly everything has a low score that is not zero, and would fill the sample.

    >>> chance_by_score(1000, 0.05), chance_by_score(200, 0.05)
    (0.05, 0.002)
    """
    return rate * (score * score) / (_TOP_SCORE * _TOP_SCORE)
