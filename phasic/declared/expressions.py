"""Formulas for rates and guards, as text: parsed, split by parameters, evaluated on arrays.

    beta * S * I / N        min(n, servers) * mu        choose(k, 2)        S > 0 and I < N

Numbers, names, + - * / % **, comparisons, `and`, `or`, `not`, `min`, `max` and `choose(n, k)`, the
binomial coefficient. A comparison is 1 or 0. A formula is linear in the parameters: what is
multiplied with one, and what divides, has none in it. So it is base + sum of coefficient times
parameter, each a function of the state; it is split up here, once, and evaluated for many states.

The text is read by `ast`, which runs nothing; whatever is not named above is an error.
"""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import GraphError

Array: TypeAlias = NDArray[np.float64]
# Variables by name, each (m,); the value is (m,), or a number where no variable is in it.
Function: TypeAlias = Callable[[Mapping[str, Array]], "Array | float"]

FUNCTIONS = ("min", "max", "choose")
_LONGEST = 1000
_DEEPEST = 50
_LARGEST_CHOICE = 20

_BINARY: Mapping[type[ast.operator], Callable[..., Array]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[..., NDArray[np.bool_]]] = {
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}


@dataclass(frozen=True)
class Names:
    """What a formula may name.

    Attributes:
        variables: entries of the state.
        parameters: entries of theta.
        constants: numbers.
    """

    variables: Sequence[str]
    parameters: Sequence[str] = ()
    constants: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Formula:
    """base + sum of coefficients[k] · theta[k]; None is 0."""

    base: Function | None
    coefficients: Mapping[int, Function]


def parse(text: str, names: Names, what: str) -> Formula:
    """The formula in `text`.

    Args:
        text: as above, up to 1000 characters.
        names: what it may name.
        what: what it is, for messages, e.g. `the rate of 'infection'`.

    Raises:
        GraphError: it is no formula of this kind, names what is unknown, or is not linear in the
            parameters.

    Example:
        >>> import numpy as np
        >>> formula = parse("beta * S * I / N", Names("SI", ["beta"], {"N": 10.0}), "the rate")
        >>> formula.coefficients[0]({"S": np.array([4.0]), "I": np.array([5.0])})
        array([2.])
    """
    return _Reader(text, names, what).read()


class _Reader:
    def __init__(self, text: str, names: Names, what: str) -> None:
        self.text = text
        self.names = names
        self.what = what

    def read(self) -> Formula:
        if not isinstance(self.text, str):
            self.refuse(f"is {type(self.text).__name__}, expected a formula as text")
        if len(self.text) > _LONGEST:
            self.refuse(f"has {len(self.text)} characters, more than {_LONGEST}")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                tree = ast.parse(self.text.strip(), mode="eval")
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else str(error)
            self.refuse(f"is no formula: {reason}")
        return self.formula(tree.body, 0)

    def formula(self, node: ast.expr, depth: int) -> Formula:
        if depth > _DEEPEST:
            self.refuse(f"is nested more than {_DEEPEST} deep")
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return Formula(_constant(self.number(value)), {})
            case ast.Name(id=name):
                return self.name(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _map(np.negative, self.formula(operand, depth + 1))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.formula(operand, depth + 1)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Formula(_apply(_not, self.free(operand, depth)), {})
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return self.binary(left, op, right, depth)
            case ast.BoolOp(op=op, values=values):
                join = _and if isinstance(op, ast.And) else _or
                return self.joined(join, [self.free(value, depth) for value in values])
            case ast.Compare(left=left, ops=ops, comparators=rest):
                return self.compare([left, *rest], ops, depth)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self.call(name, arguments, depth)
        self.refuse(f"has {self.piece(node)!r}, which formulas do not have")

    def number(self, value: float) -> float:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isinf(number):
            self.refuse("has a number beyond all floats")
        return number

    def name(self, name: str) -> Formula:
        names = self.names
        if name in names.variables:
            return Formula(lambda values: values[name], {})
        if name in names.constants:
            return Formula(_constant(float(names.constants[name])), {})
        if name in names.parameters:
            return Formula(None, {list(names.parameters).index(name): _constant(1.0)})
        known = [*names.variables, *names.parameters, *names.constants, *FUNCTIONS]
        near = get_close_matches(name, known)
        hint = f"did you mean {' or '.join(near)}?" if near else f"it may name {', '.join(known)}"
        self.refuse(f"names {name!r}, which is not declared", hint)

    def binary(self, left: ast.expr, op: ast.operator, right: ast.expr, depth: int) -> Formula:
        one, two = self.formula(left, depth + 1), self.formula(right, depth + 1)
        operation = _BINARY[type(op)]
        if isinstance(op, ast.Add | ast.Sub):
            return _sum(operation, one, two)
        if isinstance(op, ast.Mult) and two.coefficients:
            one, two, left, right = two, one, right, left
        if two.coefficients or (one.coefficients and not isinstance(op, ast.Mult | ast.Div)):
            piece = self.piece(right if two.coefficients else left)
            self.refuse(
                f"is not linear in the parameters: {piece}",
                "weights are base + coefficients · theta; a product of parameters may be one of its"
                " own",
            )
        factor = two.base or _constant(0.0)
        return _map(operation, one, factor)

    def compare(self, terms: list[ast.expr], ops: list[ast.cmpop], depth: int) -> Formula:
        sides = [self.free(term, depth) for term in terms]
        parts = []
        for k, op in enumerate(ops):
            if type(op) not in _COMPARISONS:
                self.refuse(f"compares by {type(op).__name__}, expected ==, !=, <, <=, > or >=")
            parts.append(_apply(_known(_COMPARISONS[type(op)]), sides[k], sides[k + 1]))
        return self.joined(_and, parts)

    def call(self, name: str, arguments: list[ast.expr], depth: int) -> Formula:
        if name not in FUNCTIONS:
            self.refuse(f"calls {name!r}, expected {', '.join(FUNCTIONS)}")
        if name == "choose":
            return self.choose(arguments, depth)
        if len(arguments) < 2:
            self.refuse(f"gives {name} {len(arguments)} numbers, expected 2 or more")
        operation = np.minimum if name == "min" else np.maximum
        return self.joined(operation, [self.free(value, depth) for value in arguments])

    def choose(self, arguments: list[ast.expr], depth: int) -> Formula:
        match arguments:
            case [top, ast.Constant(value=int() as k)] if 0 <= k <= _LARGEST_CHOICE:
                n = self.free(top, depth)
                return Formula(lambda values: _choose(n(values), k), {})
        self.refuse(
            f"gives choose what is not an expression and a whole number from 0 to {_LARGEST_CHOICE}"
        )

    def free(self, node: ast.expr, depth: int) -> Function:
        """A part without parameters."""
        formula = self.formula(node, depth + 1)
        if formula.coefficients:
            self.refuse(
                f"is not linear in the parameters: {self.piece(node)}",
                "conditions, min, max and choose are of states and constants",
            )
        return formula.base or _constant(0.0)

    @staticmethod
    def joined(operation: Callable[..., Array], parts: list[Function]) -> Formula:
        joined = parts[0]
        for part in parts[1:]:
            joined = _apply(operation, joined, part)
        return Formula(joined, {})

    def piece(self, node: ast.expr) -> str:
        return ast.get_source_segment(self.text.strip(), node) or type(node).__name__

    def refuse(self, message: str, hint: str | None = None) -> NoReturn:
        raise GraphError(
            f"{self.what} {message}",
            code="FORMULA",
            hint=hint or "formulas are like beta * S * I / N, min(n, 2) * mu, choose(k, 2), S > 0",
        )


def _constant(value: float) -> Function:
    return lambda values: value


def _apply(operation: Callable[..., Array], *parts: Function) -> Function:
    return lambda values: operation(*(part(values) for part in parts))


def _map(operation: Callable[..., Array], formula: Formula, *others: Function) -> Formula:
    """The operation on each part: it is linear in the first operand."""
    base = None if formula.base is None else _apply(operation, formula.base, *others)
    parts = {k: _apply(operation, part, *others) for k, part in formula.coefficients.items()}
    return Formula(base, parts)


def _sum(operation: Callable[..., Array], one: Formula, two: Formula) -> Formula:
    zero = _constant(0.0)
    base = None
    if one.base is not None or two.base is not None:
        base = _apply(operation, one.base or zero, two.base or zero)
    parts = {
        k: _apply(operation, one.coefficients.get(k, zero), two.coefficients.get(k, zero))
        for k in {*one.coefficients, *two.coefficients}
    }
    return Formula(base, parts)


# What has no value (0 / 0) is NaN, and a condition on it is neither true nor false: NaN again,
# unless the rest of it decides.


def _known(compare: Callable[..., NDArray[np.bool_]]) -> Callable[..., Array]:
    def compared(one: Array | float, two: Array | float) -> Array:
        return np.where(np.isnan(one) | np.isnan(two), np.nan, compare(one, two))

    return compared


def _not(one: Array | float) -> Array:
    return np.where(np.isnan(one), np.nan, np.equal(one, 0))


def _and(one: Array | float, two: Array | float) -> Array:
    false = np.equal(one, 0) | np.equal(two, 0)
    return np.where(false, 0.0, np.where(np.isnan(one) | np.isnan(two), np.nan, 1.0))


def _or(one: Array | float, two: Array | float) -> Array:
    return _not(_and(_not(one), _not(two)))


def _choose(n: Array | float, k: int) -> Array | float:
    value: Array | float = np.ones_like(n)
    for i in range(k):
        value = value * (n - i)
    return value / math.factorial(k)
