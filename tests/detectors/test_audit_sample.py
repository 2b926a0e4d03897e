"""Which assessments are drawn for audit, and that their chances are what they are said to be."""

from hypothesis import given
from hypothesis import strategies as st

from detectors.audit_sample import chance_by_score, draw
from detectors.finding import Finding
from detectors.judge import JudgeSettings

rates = st.floats(0, 1)


def scored(level: int, strength: float = 0.5) -> Finding:
    """A finding of a level."""
    finding = Finding()
    finding.raise_to(level, strength)
    return finding


@given(identifier=st.text(max_size=30), level=st.integers(0, 4), uniform=rates, by_score=rates)
def test_chances_are_those_of_disjoint_strata(identifier: str, level: int, uniform: float, by_score: float) -> None:
    """The chance by either is the sum of the two and no more than certainty; who is drawn is drawn again the same."""
    settings = JudgeSettings(audit_rate=uniform, audit_score_rate=by_score)
    finding = scored(level)
    drawn = draw(identifier, finding, settings)
    assert drawn == draw(identifier, finding, settings)
    if drawn is None:
        return
    assert 0 < drawn.probability <= drawn.any_probability <= 1
    expected = min(1.0, uniform + chance_by_score(finding.score, by_score))
    assert drawn.any_probability == expected
    assert drawn.probability == uniform if drawn.stratum == "uniform" else expected - uniform


def test_as_many_are_drawn_as_the_chances_say() -> None:
    """Of forty thousand each: half a percent at random whatever the level, and by score more of the worse."""
    settings = JudgeSettings(audit_rate=0.005, audit_score_rate=0.05)
    for level, by_score in ((0, 0.0005), (4, 0.0405)):
        found = [draw(f"orders-3-{n}-0", scored(level), settings) for n in range(40_000)]
        strata = [each.stratum for each in found if each is not None]
        assert abs(strata.count("uniform") - 200) < 60
        assert abs(strata.count("score") - 40_000 * by_score) < 40 + 40_000 * by_score * 0.2


def test_without_rates_nobody_is_drawn() -> None:
    """And with the random one alone there is one stratum."""
    assert draw("a", scored(4), JudgeSettings(audit_rate=0.0, audit_score_rate=0.0)) is None
    always = draw("a", scored(0), JudgeSettings(audit_rate=1.0))
    assert always is not None
    assert always.probability == always.any_probability == 1
