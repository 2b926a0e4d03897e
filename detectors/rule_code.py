"""Turns checked conditions into one fast function for a whole group of rules.

The function is built as a syntax tree of our own (never as text). Measured on ten packaged merchant rules with all
evidence met and none firing, values given: 0.4 microseconds; as nested closures: 3.7.
"""

import ast
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from types import CodeType, FunctionType
from typing import Generic, TypeAlias, TypeVar, cast

from msgspec import Struct

from detectors.expressions import Expression
from features.feature import UNKNOWN, Attribute, Element

R = TypeVar("R")
C = TypeVar("C")
Values: TypeAlias = Sequence[float | None]


class Condition(Struct, Generic[R], frozen=True, eq=False):
    """When something fires: enough evidence, and the expression holds.

    ``evidence`` are the least values of features, ``nulls`` what stands for a feature that is null. If any other
    feature that is named is null, nothing fires. A division by zero does not fire either.
    """

    result: R
    expression: Expression
    evidence: Mapping[str, float]
    nulls: Mapping[str, float]

    @property
    def names(self) -> tuple[str, ...]:
        """Features that must be known, each once."""
        return tuple(dict.fromkeys((*self.evidence, *self.expression.names)))


def compile_conditions(conditions: Sequence[Condition[R]], features: Sequence[str]) -> Callable[[Values], list[R]]:
    """A function from values of ``features``, in that order, to the results of the conditions that hold, in theirs."""
    variables: dict[str, ast.expr] = {name: _load(f"v{index}") for index, name in enumerate(features)}
    unpack: list[ast.stmt] = []
    if features:
        targets: list[ast.expr] = [ast.Name(f"v{index}", ast.Store()) for index in range(len(features))]
        unpack.append(ast.Assign([ast.Tuple(targets, ast.Store())], _load("values")))
    tests = [_test(condition, variables) for condition in conditions]
    return cast("Callable[[Values], list[R]]", _function("values", unpack, conditions, tests, {}))


def bind_conditions(
    conditions: Sequence[Condition[R]], getters: Mapping[str, Callable[[C], float | None]]
) -> Callable[[C], list[R]]:
    """A function from a context to the results of the conditions that hold, in their order; the hot path.

    A feature is computed when a condition comes to it, and most conditions end at their first piece of evidence: a
    merchant without a claim is asked for little more than its number of claims. Evidence therefore stands before the
    rest, and of the evidence what costs least. What is an :class:`~features.feature.Element` of a list or an
    :class:`~features.feature.Attribute` is read where it stands, without a call; what is computed for one condition is
    kept for the next.
    """
    conditions_of = Counter(name for condition in conditions for name in condition.names)
    reads = _Reads()
    values: dict[str, ast.expr] = {}
    sources: dict[str, ast.expr] = {}
    scope: dict[str, object] = {"unknown": UNKNOWN}
    kept: list[ast.stmt] = []
    for index, name in enumerate(conditions_of):
        getter = getters[name]
        if isinstance(getter, Element):
            values[name] = ast.Subscript(reads.variable(getter.path), ast.Constant(getter.index), ast.Load())
            continue
        values[name] = _load(f"v{index}")
        if isinstance(getter, Attribute):
            *owner, attribute = getter.path
            sources[name] = ast.Attribute(reads.variable(tuple(owner)), attribute, ast.Load())
            continue
        scope[f"g{index}"] = getter
        sources[name] = ast.Call(_load(f"g{index}"), [_load("context")], [])
        if conditions_of[name] > 1:
            kept.append(ast.Assign([ast.Name(f"v{index}", ast.Store())], ast.Constant(...)))
            missing = ast.Compare(values[name], [ast.Is()], [ast.Constant(...)])
            sources[name] = ast.IfExp(missing, sources[name], values[name])
    tests = [_lazy_test(condition, values, sources) for condition in conditions]
    return cast("Callable[[C], list[R]]", _function("context", [*reads.statements, *kept], conditions, tests, scope))


class _Reads:
    """Assignments of what features are read from to variables, each once."""

    def __init__(self) -> None:
        self.statements: list[ast.stmt] = []
        self._variables: dict[tuple[str, ...], str] = {}

    def variable(self, path: tuple[str, ...]) -> ast.expr:
        """The variable of what a path of attributes leads to."""
        known = self._variables.get(path)
        if known is None:
            self._variables[path] = known = f"l{len(self._variables)}"
            found = _load("context")
            for attribute in path:
                found = ast.Attribute(found, attribute, ast.Load())
            self.statements.append(ast.Assign([ast.Name(known, ast.Store())], found))
            if path in (("order",), ("listing",)):
                self.statements.append(_or_unknown(known, path[0]))
        return _load(known)


def _or_unknown(variable: str, what: str) -> ast.stmt:
    """Has a variable read as unknown where there is no such listing, or no order whose creation is known."""
    absent: ast.expr = ast.Compare(_load(variable), [ast.Is()], [ast.Constant(None)])
    if what == "order":
        created = ast.Attribute(_load(variable), "created", ast.Load())
        absent = ast.BoolOp(ast.Or(), [absent, ast.Compare(created, [ast.Is()], [ast.Constant(None)])])
    return ast.If(absent, [ast.Assign([ast.Name(variable, ast.Store())], _load("unknown"))], [])


def _function(
    argument: str,
    prologue: list[ast.stmt],
    conditions: Sequence[Condition[R]],
    tests: Sequence[ast.expr],
    scope: Mapping[str, object],
) -> FunctionType:
    """A function of one argument that lists the results of the conditions whose tests hold.

    It sees nothing but what is in ``scope``, the results and ZeroDivisionError; no built-ins.
    """
    body = [*prologue, ast.Assign([ast.Name("fired", ast.Store())], ast.List([], ast.Load()))]
    for index, (condition, test) in enumerate(zip(conditions, tests, strict=True)):
        append = ast.Call(ast.Attribute(_load("fired"), "append", ast.Load()), [_load(f"r{index}")], [])
        check: ast.stmt = ast.If(test, [ast.Expr(append)], [])
        if condition.expression.divides:
            handler = ast.ExceptHandler(_load("ZeroDivisionError"), None, [ast.Pass()])
            check = ast.Try([check], [handler], [], [])
        body.append(check)
    body.append(ast.Return(_load("fired")))
    arguments = ast.arguments([], [ast.arg(argument)], None, [], [], None, [])
    function = ast.FunctionDef("fired", arguments, body, [])
    compiled = compile(ast.fix_missing_locations(ast.Module([function], [])), "<policy rules>", "exec")
    code = next(constant for constant in compiled.co_consts if isinstance(constant, CodeType))
    results = {f"r{index}": condition.result for index, condition in enumerate(conditions)}
    names = {"__builtins__": {}, "ZeroDivisionError": ZeroDivisionError, **scope, **results}
    return FunctionType(code, names, "fired")


def _lazy_test(condition: Condition[R], variables: Mapping[str, ast.expr], sources: Mapping[str, ast.expr]) -> ast.expr:
    """Evidence first, what is read before what is computed; each feature where it is first needed."""
    nulls = condition.nulls
    tests: list[ast.expr] = []

    def compute(name: str) -> None:
        variable = variables[name]
        if not isinstance(variable, ast.Name):
            # An element of a list is read where it is used, and is never null.
            return
        value = ast.NamedExpr(ast.Name(variable.id, ast.Store()), sources[name])
        if name in nulls:
            # Never decides anything: what stands for null is put in where the feature is used.
            known = ast.Compare(value, [ast.Is()], [ast.Constant(None)])
            tests.append(ast.BoolOp(ast.Or(), [known, ast.Constant(True)]))
        else:
            tests.append(ast.Compare(value, [ast.IsNot()], [ast.Constant(None)]))

    def cost(name: str) -> int:
        source = sources.get(name)
        return 0 if source is None else 1 if isinstance(source, ast.Attribute) else 2

    for name in sorted(condition.evidence, key=cost):
        compute(name)
        least = float(condition.evidence[name])
        tests.append(ast.Compare(_value(name, variables, nulls), [ast.GtE()], [ast.Constant(least)]))
    for name in condition.expression.names:
        if name not in condition.evidence:
            compute(name)
    tests.append(_Variables(variables, nulls).visit(deepcopy(condition.expression.tree)))
    return tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests)


def _test(condition: Condition[R], variables: Mapping[str, ast.expr]) -> ast.expr:
    """Known, enough, and true; the cheap questions first."""
    nulls = condition.nulls
    tests: list[ast.expr] = [
        ast.Compare(variables[name], [ast.IsNot()], [ast.Constant(None)])
        for name in condition.names
        if name not in nulls
    ]
    for name, least in condition.evidence.items():
        tests.append(ast.Compare(_value(name, variables, nulls), [ast.GtE()], [ast.Constant(float(least))]))
    tests.append(_Variables(variables, nulls).visit(deepcopy(condition.expression.tree)))
    return tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests)


class _Variables(ast.NodeTransformer):
    """Puts variables in the place of features."""

    def __init__(self, variables: Mapping[str, ast.expr], nulls: Mapping[str, float]) -> None:
        self.variables = variables
        self.nulls = nulls

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """The feature's variable, or what stands for it when it is null."""
        return _value(node.id, self.variables, self.nulls)


def _value(name: str, variables: Mapping[str, ast.expr], nulls: Mapping[str, float]) -> ast.expr:
    variable = variables[name]
    if name not in nulls:
        return variable
    known = ast.Compare(variable, [ast.IsNot()], [ast.Constant(None)])
    return ast.IfExp(known, variable, ast.Constant(float(nulls[name])))


def _load(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())
