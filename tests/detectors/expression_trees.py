"""Random expressions for tests: as trees of tuples, as text, and evaluated by an interpreter that knows nothing of
``ast``.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from hypothesis import strategies as st

Tree: TypeAlias = tuple[Any, ...]
NAMES = ("alpha", "beta_30d", "gamma", "delta_lower")


class DivisionByZeroError(Exception):
    """What makes a rule not fire."""


def numbers() -> st.SearchStrategy[Tree]:
    """Trees of numbers."""
    constants = st.one_of(st.integers(0, 50).map(float), st.floats(0, 1e6, allow_nan=False, allow_infinity=False))
    leaves = st.one_of(st.sampled_from(NAMES).map(lambda n: ("name", n)), constants.map(lambda c: ("number", c)))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(st.just("negative"), inner),
            st.tuples(st.sampled_from("+-*/"), inner, inner),
        ),
        max_leaves=6,
    )


def conditions() -> st.SearchStrategy[Tree]:
    """Trees of truth values that name at least one feature."""
    operators = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    comparisons = st.tuples(
        st.just("compare"),
        st.sampled_from(NAMES).map(lambda n: ("name", n)),
        st.lists(st.tuples(operators, numbers()), min_size=1, max_size=3),
    )
    return st.recursive(
        comparisons,
        lambda inner: st.one_of(
            st.tuples(st.just("not"), inner),
            st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)),
        ),
        max_leaves=5,
    )


#: How tightly each construct binds.
_LEVELS = {"or": 1, "and": 2, "not": 3, "compare": 4, "+": 5, "-": 5, "*": 6, "/": 6, "negative": 7}


def render(tree: Tree, outer: int = 0) -> str:
    """The text of a tree, with parentheses only where they are needed."""
    kind = tree[0]
    if kind == "name":
        return str(tree[1])
    if kind == "number":
        return repr(tree[1])
    level = _LEVELS[kind]
    match kind:
        case "or" | "and":
            text = f" {kind} ".join(render(part, level + 1) for part in tree[1])
        case "not":
            text = f"not {render(tree[1], level)}"
        case "compare":
            text = render(tree[1], level + 1)
            text += "".join(f" {operator} {render(part, level + 1)}" for operator, part in tree[2])
        case "negative":
            text = f"-{render(tree[1], level)}"
        case _:
            text = f"{render(tree[1], level)} {kind} {render(tree[2], level + 1)}"
    return f"({text})" if level < outer else text


def evaluate(tree: Tree, values: Mapping[str, float]) -> Any:
    """The value of a tree, from left to right, stopping where the answer is known."""
    kind = tree[0]
    match kind:
        case "name":
            return values[tree[1]]
        case "number":
            return tree[1]
        case "negative":
            return -evaluate(tree[1], values)
        case "not":
            return not evaluate(tree[1], values)
        case "and":
            return all(evaluate(part, values) for part in tree[1])
        case "or":
            return any(evaluate(part, values) for part in tree[1])
        case "compare":
            return _compare(evaluate(tree[1], values), tree[2], values)
        case _:
            return _arithmetic(kind, evaluate(tree[1], values), evaluate(tree[2], values))


def _compare(left: float, rest: list[tuple[str, Tree]], values: Mapping[str, float]) -> bool:
    for operator, tree in rest:
        right = evaluate(tree, values)
        holds = {
            "<": left < right,
            "<=": left < right or left == right,
            ">": left > right,
            ">=": left > right or left == right,
            "==": left == right,
            "!=": left != right,
        }
        if not holds[operator]:
            return False
        left = right
    return True


def _arithmetic(kind: str, left: float, right: float) -> float:
    if kind == "+":
        return left + right
    if kind == "-":
        return left - right
    if kind == "*":
        return left * right
    if right == 0:
        raise DivisionByZeroError
    return left / right
