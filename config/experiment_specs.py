"""What an experiment's file may say: its shape, and where it is wrong."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from config.policy_specs import Line, Paragraph, RuleId
from config.yaml_lines import YamlError, parse_yaml

#: Figures that arms can be compared by; docs/metrics.md says what each is.
ExperimentMetric: TypeAlias = Literal[
    "bad_order_rate",
    "bad_order_rate_by_gmv",
    "restriction_rate",
    "wrong_restriction_rate",
    "appeal_rate",
    "review_requests",
    "orders_per_merchant",
    "gmv_per_merchant",
    "active_share",
]
_SharePart: TypeAlias = Annotated[float, Meta(gt=0, le=1)]
#: Arms take shares of all; rounding must not make a whole of more.
_ROUNDING: Final = 1e-9
_RESERVED: Final = frozenset({"holdout", "outside"})


class ArmSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An arm and its share of all merchants."""

    name: RuleId
    share: _SharePart


class GuardrailSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A figure that must not become worse by more than ``worse_by``; of the control's own value if ``relative``."""

    metric: ExperimentMetric
    worse_by: Annotated[float, Meta(ge=0)]
    relative: bool = False


class ExperimentSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An experiment. The shares of the arms and of ``holdout`` are of all merchants; who is left is in no arm.

    ``salt`` is what the draw hangs on (the id, if it is left out): a roll-out of policies with the same salt and the
    first arm's percentage treats exactly the first arm. ``unit``: what is drawn, each merchant or each cluster of
    merchants that were linked when it started.
    """

    id: RuleId
    title: Line
    starts: date
    ends: date
    arms: Annotated[list[ArmSpec], Meta(min_length=2, max_length=10)]
    control: RuleId
    primary: ExperimentMetric = "bad_order_rate"
    guardrails: list[GuardrailSpec] = []
    holdout: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    unit: Literal["merchant", "cluster"] = "merchant"
    salt: Line | None = None
    hypothesis: Paragraph | None = None


class ExperimentFileError(Exception):
    """An experiment's file that cannot be used; the message says where and why."""


def load_experiment(path: Path) -> ExperimentSpec:
    """Read and check an experiment's file.

    Raises
    ------
    ExperimentFileError
        It cannot be read, or says what it may not.
    """
    try:
        document = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ExperimentFileError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError:
        raise ExperimentFileError(f"{path}: it is not UTF-8 text") from None
    except YamlError as error:
        raise ExperimentFileError(f"{path}:{error.line}: {error.message}") from error
    try:
        spec = msgspec.convert(dict[str, Any](document), ExperimentSpec)
    except msgspec.ValidationError as error:
        said = str(error)
        line = next((document.lines[key] for key in document if f"$.{key}" in said or f"`{key}`" in said), 1)
        raise ExperimentFileError(f"{path}:{line}: {said}") from None
    for key, problem in _problems(spec):
        raise ExperimentFileError(f"{path}:{document.lines.get(key, 1)}: {problem}")
    return spec


def _problems(spec: ExperimentSpec) -> list[tuple[str, str]]:
    """What is wrong although the shape is right: (key, words)."""
    found = []
    names = [arm.name for arm in spec.arms]
    if len(set(names)) < len(names):
        found.append(("arms", "two arms have the same name"))
    found += [
        ("arms", f'an arm cannot be called "{name}": who is in no arm goes by that')
        for name in sorted(_RESERVED & set(names))
    ]
    if spec.control not in names:
        found.append(("control", f'no arm is called "{spec.control}"; the arms are {", ".join(names)}'))
    total = sum(arm.share for arm in spec.arms) + spec.holdout
    if total > 1 + _ROUNDING:
        found.append(("arms", f"the shares of arms and holdout come to {total:g}, more than all merchants"))
    if spec.ends <= spec.starts:
        found.append(("ends", "it ends before it starts"))
    metrics = [guardrail.metric for guardrail in spec.guardrails]
    if len(set(metrics)) < len(metrics) or spec.primary in metrics:
        found.append(("guardrails", "a metric is there twice; the primary one needs no guardrail"))
    return found
