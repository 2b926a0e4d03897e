"""Reads a folder of policy files into typed, plain data; every problem is collected with its file and line.

Each ``*.yaml`` file of the folder is a mapping of sections: ``rules`` (a list; several files may have some),
``ladders`` (by name; likewise), and once in the whole folder ``levels``, ``limits``, ``terms``, ``statements`` and,
where they are wanted, ``holdout`` (what may be held out from enforcement), ``breaker``, ``allow``, ``remedies``,
``credit`` and ``creator_credit``.
"""

import difflib
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct, field

from config.credit_specs import CreditSpec
from config.duty_specs import DutiesSpec
from config.policy_specs import (
    SECTIONS,
    AllowSpec,
    BreakerSpec,
    HoldoutSpec,
    LadderSpec,
    LevelsSpec,
    LimitsSpec,
    RuleSpec,
    StatementSpec,
    TermsSpec,
)
from config.remedy_specs import RemediesSpec
from config.yaml_lines import LocatedDict, YamlError, parse_yaml

#: The policies that come along.
PACKAGED: Final = Path(__file__).parent / "policies"
#: Sections that one file may hold, and only one.
_SINGLE: Final[dict[str, type[Struct]]] = SECTIONS | {
    "credit": CreditSpec,
    "creator_credit": CreditSpec,
    "duties": DutiesSpec,
    "remedies": RemediesSpec,
}
_KNOWN_SECTIONS: Final = ("rules", "ladders", *_SINGLE)
_PATH = re.compile(r" - at `\$(?:\.?)(.*)`$")

T = TypeVar("T", bound=Struct)


class Problem(Struct, frozen=True, order=True):
    """One thing that is wrong, and where."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


class PolicyError(ValueError):
    """Policies that cannot be used; names every problem found, one a line."""

    def __init__(self, problems: Collection[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        count = len(self.problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{count} problem{'s' if count != 1 else ''} in the policies:\n{lines}")


class Place(Struct, frozen=True):
    """Where a mapping stands: its file, its line and the lines of its keys."""

    file: str
    line: int
    lines: dict[str, int] = {}

    def problem(self, message: str, key: str | None = None) -> Problem:
        """A problem at this place, or at one of its keys."""
        return Problem(self.file, self.lines.get(key, self.line) if key else self.line, message)


class PolicyFiles(Struct):
    """Everything a folder of policies says, and what was wrong with it."""

    directory: str
    rules: list[tuple[RuleSpec, Place]] = field(default_factory=list)
    ladders: dict[str, tuple[LadderSpec, Place]] = field(default_factory=dict)
    levels: tuple[LevelsSpec, Place] | None = None
    limits: tuple[LimitsSpec, Place] | None = None
    holdout: tuple[HoldoutSpec, Place] | None = None
    breaker: tuple[BreakerSpec, Place] | None = None
    allow: tuple[AllowSpec, Place] | None = None
    terms: tuple[TermsSpec, Place] | None = None
    statements: tuple[StatementSpec, Place] | None = None
    remedies: tuple[RemediesSpec, Place] | None = None
    credit: tuple[CreditSpec, Place] | None = None
    creator_credit: tuple[CreditSpec, Place] | None = None
    duties: tuple[DutiesSpec, Place] | None = None
    problems: list[Problem] = field(default_factory=list)


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A suggestion to put after an error about an unknown word, or nothing."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""


def load_policies(directory: Path = PACKAGED) -> PolicyFiles:
    """Read every ``*.yaml`` file of a folder.

    What is wrong inside the files is collected in ``problems``, so that one run shows everything.

    Raises
    ------
    PolicyError
        The folder or its files cannot be read, or it holds no ``*.yaml`` file.
    """
    return parse_policies(str(directory), policy_texts(directory))


def policy_texts(directory: Path) -> dict[str, str]:
    """The text of each ``*.yaml`` file of a folder, by name. Raises PolicyError as :func:`load_policies` does."""
    try:
        paths = sorted(path for path in directory.iterdir() if path.suffix in (".yaml", ".yml"))
        texts = {path.name: path.read_text(encoding="utf-8") for path in paths}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PolicyError([Problem(str(directory), 0, f"the policies cannot be read: {reason}")]) from error
    if not texts:
        raise PolicyError([Problem(str(directory), 0, "the folder holds no *.yaml file")])
    return texts


def parse_policies(origin: str, texts: Mapping[str, str]) -> PolicyFiles:
    """What the files of a policy set say, by their names; ``origin`` is where they come from, for messages."""
    files = PolicyFiles(origin)
    for name, text in sorted(texts.items()):
        _read(files, name, text)
    return files


def _read(files: PolicyFiles, name: str, text: str) -> None:
    try:
        document = parse_yaml(text)
    except YamlError as error:
        files.problems.append(Problem(name, error.line, error.message))
        return
    for section, content in document.items():
        line = document.lines[section]
        if section == "rules":
            _read_rules(files, name, line, content)
        elif section == "ladders":
            _read_ladders(files, name, line, content)
        elif section in _SINGLE:
            if getattr(files, section) is not None:
                other = getattr(files, section)[1].file
                files.problems.append(Problem(name, line, f'"{section}" is already in {other}'))
            elif (spec := _convert(files, content, _SINGLE[section], name, line, section)) is not None:
                setattr(files, section, (spec, _place(name, line, content)))
        else:
            hint = did_you_mean(section, _KNOWN_SECTIONS) or f"; known are {', '.join(_KNOWN_SECTIONS)}"
            files.problems.append(Problem(name, line, f'unknown section "{section}"{hint}'))


def _read_rules(files: PolicyFiles, name: str, line: int, content: object) -> None:
    if not isinstance(content, list):
        files.problems.append(Problem(name, line, '"rules" must be a list'))
        return
    first = {spec.id: place for spec, place in files.rules}
    for number, entry in enumerate(content, 1):
        start = entry.line if isinstance(entry, LocatedDict) else line
        label = f"rule {entry['id']}" if isinstance(entry, LocatedDict) and "id" in entry else f"rule number {number}"
        spec = _convert(files, entry, RuleSpec, name, start, label)
        if spec is None:
            continue
        place = _place(name, start, entry)
        if spec.id in first:
            other = first[spec.id]
            message = f"rule {spec.id}: the id is already used at {other.file}:{other.line}"
            files.problems.append(place.problem(message, "id"))
            continue
        first[spec.id] = place
        files.rules.append((spec, place))


def _read_ladders(files: PolicyFiles, name: str, line: int, content: object) -> None:
    if not isinstance(content, LocatedDict):
        files.problems.append(Problem(name, line, '"ladders" must be a mapping of names to ladders'))
        return
    for ladder, entry in content.items():
        start = content.lines[ladder]
        if ladder in files.ladders:
            other = files.ladders[ladder][1]
            files.problems.append(Problem(name, start, f"ladder {ladder}: already at {other.file}:{other.line}"))
            continue
        spec = _convert(files, entry, LadderSpec, name, start, f"ladder {ladder}")
        if spec is not None:
            files.ladders[ladder] = (spec, _place(name, start, entry))


def _convert(files: PolicyFiles, content: object, kind: type[T], name: str, line: int, label: str) -> T | None:
    """The typed form of a mapping, or None with the problems noted."""
    if not isinstance(content, LocatedDict):
        files.problems.append(Problem(name, line, f"{label}: a mapping of keys was expected"))
        return None
    known = [item.encode_name for item in msgspec.structs.fields(kind)]
    unknown = [key for key in content if key not in known]
    for key in unknown:
        message = f'{label}: unknown key "{key}"{did_you_mean(key, known)}'
        files.problems.append(Problem(name, content.lines[key], message))
    kept: dict[str, Any] = {key: value for key, value in content.items() if key not in unknown}
    try:
        return msgspec.convert(kept, kind)
    except msgspec.ValidationError as error:
        text = str(error)
        found = _PATH.search(text)
        path = found.group(1) if found else ""
        message = text[: found.start()] if found else text
        where = content.lines.get(re.split(r"[.\[]", path)[0], line)
        files.problems.append(Problem(name, where, f"{label}: {path + ': ' if path else ''}{message}"))
        return None


def _place(name: str, line: int, content: object) -> Place:
    return Place(name, line, content.lines if isinstance(content, LocatedDict) else {})
