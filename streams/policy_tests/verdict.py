"""Whether a policy test holds, and if not, why: in words for policy owners."""

from collections.abc import Iterator

from msgspec import Struct

from config.policies import Problem, did_you_mean
from config.policy_tests import ExpectedDecision, PolicyTest, milliseconds
from detectors.comparison.published import Decision
from detectors.enforcement_checks import ACTIONS
from detectors.policy import PolicySet
from features.outputs import LEVELS, Standing
from features.windows import DAY_MS
from streams.policy_tests.events import START
from streams.policy_tests.run import Near, Outcome

#: Decisions that a failure lists, at most.
_MOST_LISTED = 12
#: A decision lasts as long as it is expected to within this, days.
_DAY_TOLERANCE = 1e-6


class Verdict(Struct, frozen=True):
    """A test that ran: ``failures`` says what does not hold, each in one or more lines; none if it passed."""

    test: PolicyTest
    failures: list[str]
    events: int
    decisions: int


def check_names(test: PolicyTest, policies: PolicySet, problems: list[Problem]) -> None:
    """Note expectations that could never hold, since no rule, action or level has the name."""
    for expected in (*test.expect, *test.never):
        known = {"rule": policies.rules.keys() | policies.by_score.keys(), "action": ACTIONS}
        for key, names in known.items():
            word = getattr(expected, key)
            if word is not None and word not in names:
                message = f'test "{test.name}": no {key} is called "{word}"{did_you_mean(word, names)}'
                problems.append(test.place.problem(message, "expect" if expected in test.expect else "never"))
    for end in test.end.values():
        if end.level is not None and end.level not in LEVELS:
            message = f'test "{test.name}": no level is called "{end.level}"; there are {", ".join(LEVELS)}'
            problems.append(test.place.problem(message, "end"))


def judge_test(test: PolicyTest, outcome: Outcome) -> Verdict:
    """Hold what was decided against what was expected."""
    decisions = outcome.published.decisions
    failures = [*_expected(test, outcome), *_never(test, outcome), *_end(test, outcome)]
    if failures and decisions:
        failures.append("decided was:\n" + "\n".join(f"  {line}" for line in _listed(outcome)))
    elif failures:
        failures.append("nothing was decided")
    return Verdict(test, failures, outcome.events, len(decisions))


def _expected(test: PolicyTest, outcome: Outcome) -> Iterator[str]:
    meant: set[str] = set()
    for expected in test.expect:
        found = [each for each in outcome.published.decisions if _is(expected, each, outcome)]
        meant.update(each.id for each in found)
        if expected.count is not None and len(found) != expected.count:
            yield f"expected {expected.count} times, came {len(found)} times: {describe(expected)}"
        elif expected.count is None and not found:
            near = outcome.nearest.get(expected.rule or "")
            yield f"expected and never came: {describe(expected)}" + ("" if near is None else f"\n  {_near(near)}")
    if test.only:
        for decision in outcome.published.decisions:
            if decision.id not in meant:
                yield f"came and was not expected: {told(decision, outcome)}"


def _never(test: PolicyTest, outcome: Outcome) -> Iterator[str]:
    for unwanted in test.never:
        for decision in outcome.published.decisions:
            if _is(unwanted, decision, outcome):
                yield f"came and must not: {told(decision, outcome)}"


def _end(test: PolicyTest, outcome: Outcome) -> Iterator[str]:
    for merchant, end in test.end.items():
        standing = outcome.standings.get(merchant)
        level, tier, actions = _standing(standing)
        if end.level is not None and end.level != level:
            yield f"at the end {merchant} is at level {level}, not {end.level}"
        if end.tier is not None and end.tier != tier:
            yield f"at the end {merchant} is in tier {tier or 'none'}, not {end.tier}"
        if end.in_force is not None and sorted(end.in_force) != sorted(actions):
            yield f"at the end in force on {merchant}: {_words(actions)}, not {_words(end.in_force)}"


def _standing(standing: Standing | None) -> tuple[str, str, list[str]]:
    if standing is None:
        return LEVELS[0], "", []
    tier = "" if standing.credit is None else standing.credit.tier
    return standing.level, tier, [each.action for each in standing.enforcements]


def _is(expected: ExpectedDecision, decision: Decision, outcome: Outcome) -> bool:
    since = decision.starts_at - START
    lasts = None if decision.expires_at is None else (decision.expires_at - decision.starts_at) / DAY_MS
    end = outcome.published.ended.get(decision.id)
    checks = (
        expected.rule is None or expected.rule == decision.rule,
        expected.action is None or expected.action == decision.action,
        expected.merchant is None or expected.merchant == decision.merchant_id,
        expected.subject is None or expected.subject in (decision.kind, f"{decision.kind} {decision.subject_id}"),
        expected.after is None or since >= milliseconds(expected.after),
        expected.before is None or since <= milliseconds(expected.before),
        expected.review is None or expected.review == decision.requires_review,
        expected.days is None or (lasts is not None and abs(lasts - expected.days) < _DAY_TOLERANCE),
        expected.ended is None or (end is not None and end.why == expected.ended),
    )
    return all(checks)


def describe(expected: ExpectedDecision) -> str:
    """What was expected, in words."""
    words = [expected.action or "any action"]
    if expected.days is not None:
        words.append(f"for {expected.days:g} d")
    if expected.rule is not None:
        words.append(f"by {expected.rule}")
    if expected.subject is not None:
        words.append(f"against {expected.subject}")
    if expected.merchant is not None:
        words.append(f"of {expected.merchant}")
    if expected.after is not None:
        words.append(f"after {expected.after}")
    if expected.before is not None:
        words.append(f"before {expected.before}")
    if expected.review is not None:
        words.append("with review" if expected.review else "without review")
    if expected.ended is not None:
        words.append(f"ended by {expected.ended}")
    return " ".join(words)


def told(decision: Decision, outcome: Outcome) -> str:
    """A decision in one line."""
    day = (decision.starts_at - START) / DAY_MS
    lasts = "" if decision.expires_at is None else f" for {(decision.expires_at - decision.starts_at) / DAY_MS:g} d"
    review = ", reviewed first" if decision.requires_review else ""
    end = outcome.published.ended.get(decision.id)
    ended = "" if end is None else f", ended on day {(end.time - START) / DAY_MS:.1f} by {end.why}"
    about = f"{decision.kind} {decision.subject_id}" + (
        "" if decision.kind in ("merchant", "creator") else f" of {decision.merchant_id}"
    )
    return (
        f"day {day:.1f}: {decision.action}{lasts} by {decision.rule} against {about}{review}{ended}: {decision.facts}"
    )


def _near(near: Near) -> str:
    day = (near.time - START) / DAY_MS
    found = near.nearness
    if found.value is None:
        return f"could not be told for {near.subject}: {', '.join(found.unknown)} not known"
    if not found.missing:
        led = "its mode, its ladder or what is in force led to nothing of the kind"
        return f"the rule fired for {near.subject} on day {day:.1f}; {led}"
    missing = "; ".join(f"needs {each.needed}, was {each.seen:.4g}" for each in found.missing)
    return f"nearest on day {day:.1f}, {near.subject}: {missing}"


def _listed(outcome: Outcome) -> Iterator[str]:
    decisions = outcome.published.decisions
    yield from (told(each, outcome) for each in decisions[:_MOST_LISTED])
    if len(decisions) > _MOST_LISTED:
        yield f"and {len(decisions) - _MOST_LISTED:,} more"


def _words(actions: list[str]) -> str:
    return ", ".join(sorted(actions)) or "nothing"
