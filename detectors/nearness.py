"""How near a rule is to firing: for people who ask why something was done, or what will be done next.

A rule that fires has nearness 1. Below that, each requirement (a piece of evidence, a comparison) has the share of its
limit that was reached, ``and`` takes the worst of its parts and ``or`` the best, so that 0.9 means: at least ten per
cent are missing somewhere. It is no probability.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from detectors.rules import Rule

#: A limit of zero has no shares; what is this far from it counts as half way.
_SCALE: Final = 1.0
_COMPARE: Final[dict[type[ast.cmpop], Callable[[float, float], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_OPPOSITE: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
_CALCULATE: Final[dict[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class Shortfall(Struct, frozen=True):
    """A requirement that is not met: in words, what was seen, and the share of it that was reached (0 to 1)."""

    needed: str
    seen: float
    reached: float


class Nearness(Struct, frozen=True):
    """How near a rule is.

    ``value`` is 1 where it fires, None where a feature that it needs is null (``unknown`` names these); ``missing``
    says what keeps it from firing, the furthest first.
    """

    value: float | None
    missing: list[Shortfall] = []
    unknown: list[str] = []


def nearness(rule: Rule, values: Mapping[str, float | None]) -> Nearness:
    """How near a rule is to firing on values of the features that it names."""
    known: dict[str, float] = {}
    unknown = []
    for name in dict.fromkeys((*rule.evidence, *rule.when.names)):
        value = values.get(name)
        if value is None:
            value = rule.nulls.get(name)
        if value is None:
            unknown.append(name)
        else:
            known[name] = value
    if unknown:
        return Nearness(None, unknown=unknown)
    missing = [
        Shortfall(f"{name} >= {least:g}", known[name], _reached(ast.GtE, known[name], least))
        for name, least in rule.evidence.items()
        if known[name] < least
    ]
    try:
        missing += _truth(rule.when.tree, known, wanted=True)
    except ZeroDivisionError:
        return Nearness(None, unknown=["a division by zero"])
    missing.sort(key=lambda shortfall: shortfall.reached)
    return Nearness(missing[0].reached if missing else 1.0, missing)


def _truth(node: ast.expr, values: Mapping[str, float], *, wanted: bool) -> list[Shortfall]:
    """What keeps a condition from being true (or false, where that is wanted); empty if nothing does."""
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _truth(operand, values, wanted=not wanted)
        case ast.BoolOp(op=junction, values=parts):
            found = [_truth(part, values, wanted=wanted) for part in parts]
            return _joined(found, every=isinstance(junction, ast.And) == wanted)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            found = []
            for op, right in zip(ops, comparators, strict=True):
                found.append(_comparison(left, type(op) if wanted else _OPPOSITE[type(op)], right, values))
                left = right
            return _joined(found, every=wanted)
        case _:
            raise TypeError(f"{type(node).__name__} is no condition")


def _joined(found: list[list[Shortfall]], *, every: bool) -> list[Shortfall]:
    """What is missing of conditions that must all hold, or of which one must: then of the one that is nearest."""
    if every:
        return [shortfall for each in found for shortfall in each]
    return max(found, key=lambda each: min((shortfall.reached for shortfall in each), default=1.0))


def _comparison(left: ast.expr, op: type[ast.cmpop], right: ast.expr, values: Mapping[str, float]) -> list[Shortfall]:
    seen, limit = _number(left, values), _number(right, values)
    if _COMPARE[op](seen, limit):
        return []
    sign = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}[op]
    return [Shortfall(f"{ast.unparse(left)} {sign} {_shown(right)}", seen, _reached(op, seen, limit))]


def _reached(op: type[ast.cmpop], seen: float, limit: float) -> float:
    """The share of a limit that was reached, below 1 as it was missed."""
    if op in (ast.Gt, ast.GtE) and limit > 0:
        share = seen / limit
    elif op in (ast.Lt, ast.LtE) and seen > 0 and limit > 0:
        share = limit / seen
    else:
        share = _SCALE / (_SCALE + abs(seen - limit))
    # A limit that must be passed and was only met is missed all the same.
    return min(max(share, 0.0), 0.999)


def _number(node: ast.expr, values: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=float() | int() as value):
            return float(value)
        case ast.Name(id=name):
            return values[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(operand, values)
        case ast.BinOp(left=left, op=op, right=right):
            return _CALCULATE[type(op)](_number(left, values), _number(right, values))
        case _:
            raise TypeError(f"{type(node).__name__} is no number")


def _shown(node: ast.expr) -> str:
    return f"{_number(node, {}):g}" if isinstance(node, ast.Constant) else ast.unparse(node)
