"""What a person says about a scenario, ``account_takeover:intensity=0.5,stealth=0.8,start=30d``, and what follows."""

import re
from dataclasses import dataclass
from typing import Final

from streams.simulator.plans import SCENARIO_NAMES, Plan

_SHORT: Final = re.compile(r"([a-z_-]+)=(\d{1,6})(?:x(\d+(?:\.\d+)?))?")
_NUMBER: Final = re.compile(r"\d{1,6}(?:\.\d{1,6})?")
_EXAMPLE: Final = "bust_out:count=5,intensity=1.5,stealth=0.8,start=30d"
KNOBS: Final = ("count", "intensity", "stealth", "start")


@dataclass(frozen=True, slots=True)
class Knobs:
    """Changes to a scenario's plan; ``None`` leaves what is usual."""

    count: int | None = None
    intensity: float | None = None
    stealth: float | None = None
    start: float | None = None

    def applied_to(self, usual: Plan) -> Plan:
        """The plan with the changes; a scenario that is named happens once at least, unless its count is 0."""
        return Plan(
            max(1, usual.count) if self.count is None else self.count,
            usual.intensity if self.intensity is None else self.intensity,
            usual.stealth if self.stealth is None else self.stealth,
            usual.start if self.start is None else self.start,
        )


def scenario_name(text: str) -> str:
    """The name of a scenario, dashes taken as underscores. Raises ValueError with a message for people."""
    name = text.strip().replace("-", "_")
    if name not in SCENARIO_NAMES:
        raise ValueError(f"there is no scenario {name!r}; choose from {', '.join(SCENARIO_NAMES)}")
    return name


def parse_knobs(text: str) -> tuple[str, Knobs]:
    """A scenario's name and knobs, from ``NAME``, ``NAME:KNOB=VALUE,...``, ``NAME=COUNT`` or ``NAME=COUNTxINTENSITY``.

    Raises
    ------
    ValueError
        There is no such scenario or knob, a value is no number or out of range; the message is for people.
    """
    if (short := _SHORT.fullmatch(text)) is not None:
        name = scenario_name(short[1])
        knobs = Knobs(int(short[2]), None if short[3] is None else float(short[3]))
    else:
        name, colon, rest = text.partition(":")
        if "=" in name or (colon and not rest):
            raise ValueError(f"{text!r} is not NAME:KNOB=VALUE,... or NAME=COUNT, for example {_EXAMPLE}")
        name = scenario_name(name)
        knobs = _read(name, rest)
    knobs.applied_to(Plan(1))  # ranges are a plan's
    return name, knobs


def _read(name: str, text: str) -> Knobs:
    values: dict[str, float] = {}
    for part in filter(None, text.split(",")):
        knob, equals, value = part.partition("=")
        if knob not in KNOBS:
            raise ValueError(f"{name} has no knob {knob!r}; there are {', '.join(KNOBS)}, for example {_EXAMPLE}")
        if knob in values:
            raise ValueError(f"{name} has {knob} twice")
        number = value.removesuffix("d") if knob == "start" else value
        if not equals or _NUMBER.fullmatch(number) is None or (knob == "count" and not number.isdigit()):
            kind = {"count": "a whole number", "start": "a number of days such as 30d"}.get(knob, "a number")
            raise ValueError(f"{knob} of {name} must be {kind}, not {value!r}")
        values[knob] = float(number)
    count = values.get("count")
    return Knobs(
        None if count is None else int(count), values.get("intensity"), values.get("stealth"), values.get("start")
    )
