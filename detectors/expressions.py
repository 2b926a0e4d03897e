"""Conditions of policy rules: a small, safe subset of Python's expressions over named features.

Allowed are names of features, decimal numbers, comparisons (also chained), ``and``, ``or``, ``not``, ``+ - * /``, the
minus sign and parentheses. A number is not a truth value and a comparison is not a number: ``late_ship_rate_30d and
…`` is refused instead of guessed at.

A policy's text never reaches the compiler. It is cut into allowed tokens first, parsed, and from the parsed tree a new
one is built of allowed nodes only, with finite floats as its constants; that tree is what is compiled.
"""

import ast
import keyword
import math
import re
from collections.abc import Collection
from typing import Final, Literal, NoReturn, TypeAlias

from msgspec import Struct

from config.policies import did_you_mean

#: Bounds on one expression: far above what a readable rule needs, far below what would trouble the parser.
MAX_LENGTH: Final = 1000
MAX_TOKENS: Final = 300
MAX_DEPTH: Final = 30

#: What a part of an expression is; a fault was noted already and can be either.
Kind: TypeAlias = Literal["number", "truth", "fault"]

_TOKEN: Final = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>(?:[0-9][0-9_]*+(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+(?![A-Za-z_.]))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*+(?!\.))"
    r"|(?P<operator><=|>=|==|!=|[<>()+-]|\*(?!\*)|/(?!/))"
)
_WORDS: Final = frozenset({"and", "or", "not"})
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    node: node for node in (ast.Add, ast.Sub, ast.Mult, ast.Div)
}
_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    node: node for node in (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
}
#: What people try, and what to write instead.
_HINTS: Final = {
    "=": 'to compare, write "=="',
    "&": 'write "and"',
    "|": 'write "or"',
    "!": 'write "not"',
    "*": "powers are not allowed",
    "/": 'write "/" for division',
    ".": "attributes are not allowed",
    "[": "subscripts are not allowed",
    ",": "lists and calls are not allowed",
    "'": "text is not allowed, only numbers and features",
    '"': "text is not allowed, only numbers and features",
    "%": "write a share as a number: 0.04, not 4%",
}


class Fault(Struct, frozen=True):
    """What is wrong with an expression; ``column`` counts from 1."""

    message: str
    column: int


class ExpressionError(ValueError):
    """An expression that is not allowed; names everything that was found wrong with it."""

    def __init__(self, faults: Collection[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"column {fault.column}: {fault.message}" for fault in self.faults))


class Expression(Struct, frozen=True, eq=False):
    """A checked condition: its text, the features it names (each once, in order) and its clean tree.

    The names in ``tree`` are features; :mod:`detectors.rule_code` puts variables in their place.
    """

    text: str
    names: tuple[str, ...]
    tree: ast.expr
    #: Whether evaluating it can divide by zero.
    divides: bool


def parse(text: str, known: Collection[str]) -> Expression:
    """Check a condition against the known feature names.

    Raises
    ------
    ExpressionError
        The text is too long or too deep, uses something that is not allowed, names a feature that is not known, or is
        not a condition (a number, or the same whatever the features are).
    """
    _check_tokens(text)
    flat = re.sub(r"[\t\r\n]", " ", text)
    try:
        # In parentheses, so that leading blanks mean nothing; the shift is taken off the columns again.
        parsed = ast.parse(f"({flat})", mode="eval").body
    except SyntaxError as error:
        raise ExpressionError([Fault(error.msg or "invalid syntax", max((error.offset or 2) - 1, 1))]) from None
    except (MemoryError, RecursionError, ValueError):
        raise ExpressionError([Fault("too deeply nested", 1)]) from None
    builder = _Builder(known)
    tree, kind = builder.build(parsed, 0)
    if not builder.faults:
        if kind == "number":
            builder.fault(parsed, 'a condition was expected, such as "late_ship_rate_30d > 0.04", not a number')
        elif not builder.names:
            builder.fault(parsed, "the condition names no feature, so it is always the same")
    if builder.faults:
        raise ExpressionError(sorted(builder.faults, key=lambda fault: fault.column))
    return Expression(text, tuple(builder.names), tree, builder.divides)


def _check_tokens(text: str) -> None:
    """Refuse everything but allowed tokens in balanced parentheses, before any parser sees the text."""
    if len(text) > MAX_LENGTH:
        _refuse(f"{len(text)} characters; a condition has at most {MAX_LENGTH}", 0)
    position = count = 0
    opened: list[int] = []
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            _refuse_character(text, position)
        if token.lastgroup != "space":
            count += 1
        if token.lastgroup == "name":
            word = token.group()
            if keyword.iskeyword(word) and word not in _WORDS:
                _refuse(f'"{word}" is not allowed', position)
        if token.group() == "(":
            opened.append(position)
            before = text[:position].rstrip()
            called = re.search(r"[A-Za-z_0-9)]+$", before)
            if called and called.group() not in _WORDS:
                _refuse("calls are not allowed", position)
        elif token.group() == ")":
            if not opened:
                _refuse('")" was never opened', position)
            opened.pop()
        if len(opened) > MAX_DEPTH or count > MAX_TOKENS:
            _refuse(f"too long or too deeply nested ({MAX_TOKENS} words, {MAX_DEPTH} levels)", position)
        position = token.end()
    if opened:
        _refuse('"(" was never closed', opened[-1])
    if not count:
        _refuse("the condition is empty", 0)


def _refuse_character(text: str, position: int) -> NoReturn:
    word = re.match(r"[0-9A-Za-z_]+", text[position:])
    if word and not text.startswith(".", position + word.end()):
        _refuse(f'"{word.group()}" is neither a number nor a feature', position)
    where = position + (word.end() if word else 0)
    hint = _HINTS.get(text[where])
    _refuse(f"{text[where]!r} is not allowed{': ' + hint if hint else ''}", where)


def _refuse(message: str, position: int) -> NoReturn:
    raise ExpressionError([Fault(message, position + 1)])


class _Builder:
    """Builds the clean tree out of a parsed one, and collects what is not allowed."""

    def __init__(self, known: Collection[str]) -> None:
        self.known = known
        self.names: dict[str, None] = {}
        self.faults: list[Fault] = []
        self.divides = False

    def fault(self, node: ast.expr, message: str) -> None:
        """Note a fault at a node of the parsed tree (whose text began with a parenthesis of ours)."""
        self.faults.append(Fault(message, max(node.col_offset, 1)))

    def build(self, node: ast.expr, depth: int) -> tuple[ast.expr, Kind]:
        """A clean copy of a node, and whether it is a number or a truth value."""
        if depth > MAX_DEPTH:
            self.fault(node, f"too deeply nested (at most {MAX_DEPTH} levels)")
            return ast.Constant(0.0), "fault"
        match node:
            case ast.Name(id=name):
                return self._feature(node, name), "number"
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._number(node, value), "number"
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return ast.UnaryOp(ast.USub(), self._want("number", operand, depth, '"-"')), "number"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ast.UnaryOp(ast.Not(), self._want("truth", operand, depth, '"not"')), "truth"
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _ARITHMETIC:
                return self._arithmetic(node, left, operator, right, depth), "number"
            case ast.BoolOp(op=junction, values=values):
                word = "and" if isinstance(junction, ast.And) else "or"
                built = [self._want("truth", value, depth, f'"{word}"') for value in values]
                return ast.BoolOp(ast.And() if word == "and" else ast.Or(), built), "truth"
            case ast.Compare(left=left, ops=ops, comparators=comparators) if all(
                type(op) in _COMPARISONS for op in ops
            ):
                first = self._want("number", left, depth, "a comparison")
                others = [self._want("number", item, depth, "a comparison") for item in comparators]
                return ast.Compare(first, [_COMPARISONS[type(op)]() for op in ops], others), "truth"
            case _:
                self.fault(node, f"{type(node).__name__} is not allowed here")
                return ast.Constant(0.0), "fault"

    def _want(self, kind: Kind, node: ast.expr, depth: int, what: str) -> ast.expr:
        built, found = self.build(node, depth + 1)
        if found not in (kind, "fault"):
            if kind == "truth":
                self.fault(node, f'{what} takes conditions; compare the number with something, such as "> 0"')
            else:
                self.fault(node, f"{what} takes numbers, not conditions")
        return built

    def _feature(self, node: ast.expr, name: str) -> ast.expr:
        if name not in self.known:
            self.fault(node, f'unknown feature "{name}"{did_you_mean(name, self.known)}')
        self.names[name] = None
        return ast.Name(name, ast.Load())

    def _number(self, node: ast.expr, value: float) -> ast.expr:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self.fault(node, "the number is too large")
        return ast.Constant(number)

    def _arithmetic(
        self, node: ast.expr, left: ast.expr, operator: ast.operator, right: ast.expr, depth: int
    ) -> ast.expr:
        first = self._want("number", left, depth, "arithmetic")
        second = self._want("number", right, depth, "arithmetic")
        if isinstance(operator, ast.Div):
            if isinstance(second, ast.Constant):
                if second.value == 0:
                    self.fault(node, "division by zero")
            else:
                self.divides = True
        return ast.BinOp(first, _ARITHMETIC[type(operator)](), second)
