"""Central moments and what is made of them: skewness and excess kurtosis, as scipy.stats has them.

The engine's recursion is centred from the first step on, and bounds its rounding error. What is
left of an answer is measured against the deviation: an error of a tenth of σ^k is no digit.
"""

from __future__ import annotations

import math

import numpy as np

from ._engine.workspace import MOST_CENTRAL
from .arguments import Array, at_least_one
from .errors import NumericError
from .evaluation import Evaluator

_NO_DIGIT = 0.1
# Y itself is known to so many of its mean.
_UNIT = 64 * 2.0**-52


def central_moments(
    evaluator: Evaluator, thetas: Array, order: int, rewards: Array | None, gradient: bool = False
) -> tuple[Array, Array, Array | None]:
    """At one theta: E[(Y - E[Y])^k] for k = 1..order, and bounds of the errors: (order,) each; and
    derivatives (order, n_parameters), or None.

    Raises:
        NumericError: rounding leaves no digit of one, or the order is out of range.
    """
    order = at_least_one(order, "the order of central moments")
    if order > MOST_CENTRAL:
        raise NumericError(
            f"FATAL: central moments are given up to order {MOST_CENTRAL}, not {order}",
            code="ORDER",
            hint="moments(order) about 0 are given at any order",
        )
    found = evaluator.central_moments(thetas, max(order, 2), rewards, gradient)
    values, bounds = found[0][0], found[1][0]
    slope = None if found[2] is None else found[2][0, :order]
    mean = float(evaluator.moments(thetas, 1, rewards, False)[0][0, 0])
    deviation = math.sqrt(max(float(values[1]), 0.0))
    with np.errstate(over="ignore", under="ignore"):
        scale = np.array(
            [max(deviation**k, (_UNIT * mean) ** k) for k in range(1, len(values) + 1)]
        )
    lost = np.flatnonzero(bounds > _NO_DIGIT * np.maximum(np.abs(values), scale))
    if lost.size:
        k = int(lost[0]) + 1
        raise NumericError(
            f"FATAL: rounding leaves no digit of the central moment of order {k}: it is "
            f"{values[k - 1]:.3g} with an error of up to {bounds[k - 1]:.3g}",
            code="NO_DIGITS",
            hint="moments(order) about 0 keep theirs",
        )
    return values[:order], bounds[:order], slope


def unit_of(mean: float) -> float:
    """A power of 2 that brings the mean close to 1: moments of high order stay within double."""
    return math.ldexp(1.0, min(-math.frexp(mean)[1], 1023)) if math.isfinite(mean) else 1.0


def standardised_moment(
    evaluator: Evaluator, thetas: Array, order: int, rewards: Array | None, gradient: bool = False
) -> tuple[float, Array | None]:
    """E[((Y - E[Y]) / σ)^order], and its derivatives (n_parameters,), or None.

    Raises:
        NumericError: Y does not vary, or rounding leaves no digit.
    """
    mean = float(evaluator.moments(thetas, 1, rewards, False)[0][0, 0])
    unit = unit_of(mean)
    row = np.ones(evaluator.n_vertices) if rewards is None else rewards
    values, bounds, slope = central_moments(evaluator, thetas, order, row * unit, gradient)
    variance = float(values[1])
    if not variance > bounds[1]:
        raise NumericError(
            "FATAL: the variable does not vary: it has no standardised moments",
            code="NO_VARIANCE",
            hint="its variance is 0, or too small beside its mean to be told from 0",
        )
    scale = math.sqrt(variance) ** order
    value = float(values[order - 1]) / scale
    if slope is None:
        return value, None
    return value, slope[order - 1] / scale - value * order / 2 * slope[1] / variance
