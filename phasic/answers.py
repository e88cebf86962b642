"""What the density functions return: values, bounds, methods, derivatives; and what is behind them.

Inside, a function's answer is the logarithm of its value with derivatives of the value divided by
the value, so that nothing underflows on the way; where the value is 0, the derivatives themselves.
`Answer` is what users see. Exponentials are the engine's, so that `phasic.jax`, which is C
throughout, gives the same bits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._engine import elementary
from ._engine.chain import KINDS, METHODS

Array = NDArray[np.float64]
_EPSILON = float(np.finfo(np.float64).eps)
_METHOD_NAMES = np.array(("exact", *METHODS[1:]))
_KIND_NAMES = np.array(KINDS)
_CERTIFIED = KINDS.index("certified")  # the least: the worse of two kinds is the larger


class Answer(NamedTuple):
    """A function's values with what is known of them; each array has the shape of the times.

    Attributes:
        value: the values.
        bound: of the error: relative for values, absolute for logarithms.
        method: what made each value: "uniformise", "contour", "dense", or "exact" where it is known
            without computing (times 0 and infinity, negative times).
        kind: "certified": the error is at most the bound, by an inequality; "verified": two
            computations that err differently agree to the bound.
        gradient: with n_parameters behind, or None.
        hessian: with (n_parameters, n_parameters) behind, or None.
    """

    value: Any
    bound: Any
    method: Any
    kind: Any
    gradient: Any = None
    hessian: Any = None


class Logs(NamedTuple):
    """Answers by time in logarithms: (n,), derivatives divided by the value (n, jets - 1).

    Derivatives of a value that is 0 are divided by nothing. Methods and kinds are the engine's
    numbers, method 0 standing for "exact".
    """

    log_value: Array
    bound: Array
    method: NDArray[np.uint8]
    kind: NDArray[np.uint8]
    log_jet: Array

    @classmethod
    def exact(cls, log_value: Array, n_derivatives: int) -> Logs:
        """Known values of derivative 0."""
        n = len(log_value)
        return cls(
            log_value,
            np.full(n, 2 * _EPSILON),
            np.zeros(n, np.uint8),
            np.full(n, _CERTIFIED, np.uint8),
            np.zeros((n, n_derivatives)),
        )

    @classmethod
    def of_jets(cls, jets: Array, bound: float = 2 * _EPSILON, kind: int = _CERTIFIED) -> Logs:
        """Known values with their derivatives behind: (n, jets)."""
        value = jets[:, :1]
        logs = cls.exact(elementary.log(value[:, 0]), jets.shape[1] - 1)
        logs.bound[:], logs.kind[:] = bound, kind
        logs.log_jet[:] = jets[:, 1:] / np.where(value > 0, value, 1.0)
        return logs

    def put(self, where: NDArray[Any], other: Logs) -> None:
        """Replaces what stands at `where`."""
        self.log_value[where] = other.log_value
        self.bound[where] = other.bound
        self.method[where] = other.method
        self.kind[where] = other.kind
        self.log_jet[where] = other.log_jet

    def take(self, where: NDArray[Any] | slice) -> Logs:
        return Logs(
            self.log_value[where],
            self.bound[where],
            self.method[where],
            self.kind[where],
            self.log_jet[where],
        )


def _divisor(log_value: Array) -> Array:
    """The logarithm of what derivatives are divided by."""
    return np.where(np.isinf(log_value), 0.0, log_value)


def _share(part: Logs, log_value: Array) -> Array:
    """What derivatives of a part count for beside a whole: (n, 1)."""
    with np.errstate(over="ignore"):
        share = elementary.exp(_divisor(part.log_value) - _divisor(log_value))
    return np.asarray(share)[:, np.newaxis]


def add(left: Logs, right: Logs) -> Logs:
    """The sum of two functions."""
    log_value = np.logaddexp(left.log_value, right.log_value)
    with np.errstate(invalid="ignore"):
        share = np.where(np.isneginf(log_value), 0.0, elementary.exp(left.log_value - log_value))
        rest = np.where(np.isneginf(log_value), 0.0, elementary.exp(right.log_value - log_value))
    mostly_left = share > rest
    return Logs(
        log_value,
        _weighted(share, left.bound) + _weighted(rest, right.bound) + 2 * _EPSILON,
        np.where(mostly_left, left.method, right.method),
        np.maximum(left.kind, right.kind),
        _share(left, log_value) * left.log_jet + _share(right, log_value) * right.log_jet,
    )


def _weighted(share: Array, bound: Array) -> Array:
    # A part of no share may have no bound.
    return share * np.where(share > 0, bound, 0.0)


def ratio(numerator: Logs, denominator: Logs, n_parameters: int) -> Logs:
    """The quotient of two functions, whose denominator is not 0."""
    with np.errstate(invalid="ignore"):
        log_value = numerator.log_value - denominator.log_value
    # (f / g)_p = f_p / g - f g_p / g², and so on; all divided by f / g, where f is 0 by 1 / g.
    positive = ~np.isneginf(numerator.log_value)[:, np.newaxis]
    f, g = (part.log_jet[:, :n_parameters] for part in (numerator, denominator))
    jets = [f - positive * g]
    if numerator.log_jet.shape[1] > n_parameters:
        rows, columns = np.triu_indices(n_parameters)
        f_twice, g_twice = (part.log_jet[:, n_parameters:] for part in (numerator, denominator))
        jets.append(
            f_twice
            - f[:, rows] * g[:, columns]
            - f[:, columns] * g[:, rows]
            + positive * (2 * g[:, rows] * g[:, columns] - g_twice)
        )
    scale = np.where(positive[:, 0], 0.0, _divisor(denominator.log_value))
    return Logs(
        log_value,
        numerator.bound + denominator.bound,
        numerator.method,
        np.maximum(numerator.kind, denominator.kind),
        elementary.exp(-scale)[:, np.newaxis] * np.hstack(jets),
    )


def difference(more: Logs, less: Logs) -> Logs:
    """One function minus a smaller one; where that loses digits, the bound says how many."""
    with np.errstate(invalid="ignore", divide="ignore"):
        gone = np.where(
            np.isneginf(less.log_value), 0.0, elementary.exp(less.log_value - more.log_value)
        )
        log_value = more.log_value + np.log1p(-gone)
        bound = (more.bound + gone * less.bound) / (1 - gone)
    return Logs(
        log_value,
        bound,
        more.method,
        np.maximum(more.kind, less.kind),
        _share(more, log_value) * more.log_jet - _share(less, log_value) * less.log_jet,
    )


def complement(logs: Logs) -> Logs:
    """1 minus a function, where that loses nothing: for the logarithm of what is close to 1."""
    value = elementary.exp(logs.log_value)
    odds = value / (1 - value)
    return Logs(
        elementary.log1p(-value),
        odds * logs.bound + _EPSILON,
        logs.method,
        logs.kind,
        -np.where(value > 0, odds, 1.0)[:, np.newaxis] * logs.log_jet,
    )


def named(answer: Answer) -> Answer:
    """With methods and kinds by name."""
    return answer._replace(method=_METHOD_NAMES[answer.method], kind=_KIND_NAMES[answer.kind])


def second(log_jet: Array, n_parameters: int) -> Array:
    """Symmetric matrices (n, P, P) from the second derivatives of jets."""
    rows, columns = np.triu_indices(n_parameters)
    matrix = np.empty((len(log_jet), n_parameters, n_parameters))
    matrix[:, rows, columns] = matrix[:, columns, rows] = log_jet[:, n_parameters:]
    return matrix


def as_value(logs: Logs, order: int, n_parameters: int) -> Answer:
    """Values themselves, errors relative; methods and kinds are numbers still."""
    value = elementary.exp(logs.log_value)
    divisor = elementary.exp(_divisor(logs.log_value))
    size = np.where(np.isinf(logs.log_value), 0.0, np.abs(logs.log_value))
    gradient = hessian = None
    if order > 0:
        gradient = divisor[:, np.newaxis] * logs.log_jet[:, :n_parameters]
    if order > 1:
        hessian = divisor[:, np.newaxis, np.newaxis] * second(logs.log_jet, n_parameters)
    bound = logs.bound + _EPSILON * (1 + size)
    return Answer(value, bound, logs.method, logs.kind, gradient, hessian)


def as_logarithm(logs: Logs, order: int, n_parameters: int) -> Answer:
    """Logarithms, errors absolute; methods and kinds are numbers still. That of 0 has no
    derivatives, and 0 in their place."""
    gradient = hessian = None
    jets = np.where(np.isneginf(logs.log_value)[:, np.newaxis], 0.0, logs.log_jet)
    slope = jets[:, :n_parameters]
    if order > 0:
        gradient = slope.copy()
    if order > 1:
        hessian = second(jets, n_parameters)
        hessian -= slope[:, :, np.newaxis] * slope[:, np.newaxis, :]
    return Answer(logs.log_value, logs.bound, logs.method, logs.kind, gradient, hessian)


def shaped(answer: Answer, shape: tuple[int, ...]) -> Answer:
    """With the shape of the times in place of the one axis; numbers where that is ()."""

    def one(part: Any) -> Any:
        if part is None:
            return None
        full = part.reshape(shape + part.shape[1:])
        return full[()] if full.ndim == 0 else full

    return Answer(*(one(part) for part in answer))
