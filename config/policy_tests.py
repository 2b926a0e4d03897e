"""Reads files of policy tests: given these events, these decisions; every problem with its file and line.

The shape of the files; :mod:`streams.policy_tests` gives them their meaning, docs/policies.md explains them.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from config.policies import Place, PolicyError, Problem, did_you_mean
from config.policy_specs import Line
from config.yaml_lines import LocatedDict, YamlError, parse_yaml

_DURATION: Final = re.compile(r"([+-]?\d+(?:\.\d+)?)(ms|s|min|h|d)")
_UNITS: Final = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_PATH: Final = re.compile(r" - at `\$(?:\.?)(.*)`$")
#: More are a load test.
MAX_EVENTS: Final = 20_000

Duration = Annotated[str, Meta(pattern=r"^[+-]?[0-9]+(\.[0-9]+)?(ms|s|min|h|d)$")]


class ExpectedDecision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a decision must have to be meant; what is left out may be anything.

    ``subject`` is a kind ("order") or a kind and an id ("order o1"). ``after`` and ``before`` are times since the
    test's start, both included. ``count`` is how many such decisions there are, exactly; without it at least one.
    ``days`` is how long it lasts, ``ended`` why it ended ("appeal", "expiry", …).
    """

    rule: str | None = None
    action: str | None = None
    merchant: str | None = None
    subject: str | None = None
    after: Duration | None = None
    before: Duration | None = None
    review: bool | None = None
    days: float | None = None
    ended: str | None = None
    count: Annotated[int, Meta(ge=0)] | None = None


class ExpectedEnd(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a merchant stands at the end: level, credit tier, and the actions in force against it and what is its."""

    level: str | None = None
    tier: str | None = None
    in_force: list[str] | None = None


class _TestSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Line
    given: Annotated[list[dict[str, Any]], Meta(min_length=1)]
    until: Duration | None = None
    expect: list[ExpectedDecision] = []
    never: list[ExpectedDecision] = []
    only: bool = False
    end: dict[str, ExpectedEnd] = {}


class GivenEvents(Struct, frozen=True):
    """One event, or ``times`` of it ``every`` so many ms from ``at`` on (ms since the start); the fields as written."""

    place: Place
    at: int
    every: int
    times: int
    fields: dict[str, Any]


class PolicyTest(Struct, frozen=True, kw_only=True):
    """One test; ``until`` is how far time goes on, ms since the start. ``only``: nothing else is decided."""

    name: str
    place: Place
    given: list[GivenEvents]
    until: int | None
    expect: list[ExpectedDecision]
    never: list[ExpectedDecision]
    only: bool
    end: dict[str, ExpectedEnd]


def milliseconds(text: str) -> int:
    """A length of time as people write it.

    >>> milliseconds("1.5h"), milliseconds("-2d"), milliseconds("+10min")
    (5400000, -172800000, 600000)

    Raises
    ------
    ValueError
        It is none.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text}" is no length of time such as 90s, 10min, 6h or 2d')
    return round(float(found[1]) * _UNITS[found[2]])


def load_policy_tests(path: Path) -> list[PolicyTest]:
    """The tests of a file.

    Raises
    ------
    config.policies.PolicyError
        It cannot be read, or something in it is wrong; names every problem.
    """
    name = str(path)
    try:
        document = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PolicyError([Problem(name, 0, f"cannot be read: {error.strerror or error}")]) from error
    except UnicodeDecodeError as error:
        raise PolicyError([Problem(name, 0, f"is no UTF-8: {error}")]) from error
    except YamlError as error:
        raise PolicyError([Problem(name, error.line, error.message)]) from error
    return _Reader(name).tests(document)


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name
        self._problems: list[Problem] = []

    def tests(self, document: LocatedDict) -> list[PolicyTest]:
        for key in document:
            if key != "tests":
                message = f'unknown key "{key}"{did_you_mean(key, ("tests",))}; a file has the one key "tests", a list'
                self._problems.append(Problem(self._name, document.lines[key], message))
        entries = document.get("tests")
        if not isinstance(entries, list) or not entries:
            raise PolicyError([*self._problems, Problem(self._name, 0, 'the file has no list "tests"')])
        found = [self._test(number, entry) for number, entry in enumerate(entries, 1)]
        names: set[str] = set()
        for test in found:
            if test is not None and test.name in names:
                self._problems.append(test.place.problem(f'two tests have the name "{test.name}"', "name"))
            names.update([] if test is None else [test.name])
        if self._problems:
            raise PolicyError(self._problems)
        return [test for test in found if test is not None]

    def _test(self, number: int, entry: Any) -> PolicyTest | None:
        if not isinstance(entry, LocatedDict):
            self._problems.append(Problem(self._name, 0, f"test number {number}: a mapping of keys was expected"))
            return None
        place = Place(self._name, entry.line, entry.lines)
        try:
            spec = msgspec.convert(dict(entry), _TestSpec)
        except msgspec.ValidationError as error:
            text = str(error)
            found = _PATH.search(text)
            path = found.group(1) if found else ""
            message = f"{path + ': ' if path else ''}{text[: found.start()] if found else text}"
            self._problems.append(place.problem(f"test number {number}: {message}", re.split(r"[.\[]", path)[0]))
            return None
        events = [self._given(spec.name, place, given) for given in entry["given"]]
        if not spec.expect and not spec.never and not spec.end and not spec.only:
            self._problems.append(
                place.problem(f'test "{spec.name}" expects nothing: give it expect, never, only or end')
            )
        return PolicyTest(
            name=spec.name,
            place=place,
            given=[each for each in events if each is not None],
            until=None if spec.until is None else milliseconds(spec.until),
            expect=spec.expect,
            never=spec.never,
            only=spec.only,
            end=spec.end,
        )

    def _given(self, test: str, outer: Place, given: Any) -> GivenEvents | None:
        place = Place(self._name, given.line, given.lines) if isinstance(given, LocatedDict) else outer
        fields = dict(given)
        said = {"at": fields.pop("at", "0d"), "every": fields.pop("every", None), "times": fields.pop("times", None)}
        label = f'test "{test}"'
        if (said["every"] is None) != (said["times"] is None):
            self._problems.append(place.problem(f"{label}: every and times go together"))
            return None
        times = 1 if said["times"] is None else said["times"]
        if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= MAX_EVENTS:
            self._problems.append(place.problem(f"{label}: times must be 1 to {MAX_EVENTS}", "times"))
            return None
        lengths = {}
        for key in ("at", "every"):
            try:
                lengths[key] = milliseconds(str(said[key])) if said[key] is not None else 0
            except ValueError as error:
                self._problems.append(place.problem(f"{label}: {key}: {error}", key))
        if len(lengths) < len(said) - 1:
            return None
        if lengths["at"] < 0 or lengths["every"] < 0:
            self._problems.append(place.problem(f"{label}: at and every cannot be before the start"))
            return None
        return GivenEvents(place, lengths["at"], lengths["every"], times, fields)
