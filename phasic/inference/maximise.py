"""Newton's method for the maximum of a smooth function of a few unconstrained variables.

Each step solves with the Hessian whose eigenvalues are made negative by their absolute values
("saddle-free", Dauphin et al. 2014), is at most `_LONGEST` in any coordinate, and is halved until
the function rises enough. Near the maximum this is Newton's method and doubles the digits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ..errors import NumericError
from .compiled import compiled
from .refusals import refusals_told, value_or_nan

Values = NDArray[np.float64]

_LONGEST = 2.0
_MOST_HALVINGS = 30
_MOST_QUIET = 3


@dataclass(frozen=True)
class Maximum:
    """Where the function is largest.

    Attributes:
        point: (d,).
        value: the function there.
        gradient, hessian: (d,) and (d, d).
        iterations: Newton steps.
        converged: whether the last step was below the tolerance.
    """

    point: Values
    value: float
    gradient: Values
    hessian: Values
    iterations: int
    converged: bool


class Climber:
    """Climbs a function from one start or several; what is compiled is compiled once."""

    def __init__(self, function: Callable[[jax.Array], jax.Array]) -> None:
        self._value = compiled(function)
        self._all = compiled(
            lambda u: (function(u), jax.grad(function)(u), jax.hessian(function)(u))
        )

    def climb(self, start: jax.Array, *, tolerance: float = 1e-9, most: int = 100) -> Maximum:
        """From `start` (d,) until a step is below `tolerance` in every coordinate.

        Raises:
            NumericError: the function or its derivatives are not finite on the way.
        """
        point = np.asarray(start)
        value, gradient, hessian = _evaluate(self._all, point)
        eps = float(np.finfo(hessian.dtype).eps)
        quiet = 0
        for iteration in range(1, most + 1):
            step = _ascent_step(gradient, hessian)
            length, rise = 1.0, float(gradient @ step)
            # Below the noise of the sum, values say nothing: the gradient alone leads.
            noise = 64 * eps * (1 + abs(value)) * np.sqrt(len(point))
            quiet = 0 if rise > 1e-3 * noise else quiet + 1
            if rise > noise:
                length = self._shorten(point, step, value, rise)
            point = point + length * step
            value, gradient, hessian = _evaluate(self._all, point)
            if np.abs(length * step).max() <= max(tolerance, 1e3 * eps):
                return Maximum(point, value, gradient, hessian, iteration, True)
            if quiet == _MOST_QUIET:  # flat for ever, as on the way to a bound
                break
        return Maximum(point, value, gradient, hessian, iteration, False)

    def _shorten(self, point: Values, step: Values, value: float, rise: float) -> float:
        length = 1.0
        for _ in range(_MOST_HALVINGS):
            there = value_or_nan(self._value, point + length * step)
            if there >= value + 1e-4 * length * rise:
                break
            length /= 2
        return length


def _ascent_step(gradient: Values, hessian: Values) -> Values:
    curvature, axes = np.linalg.eigh(-hessian)
    size = np.abs(curvature)
    size = np.maximum(size, 1e-12 * size.max() + np.finfo(float).tiny)
    step = axes @ ((axes.T @ gradient) / size)
    return step * min(1.0, _LONGEST / max(np.abs(step).max(), np.finfo(float).tiny))


def _evaluate(
    all_at: Callable[[jax.Array], tuple[jax.Array, ...]], point: Values
) -> tuple[float, Values, Values]:
    with refusals_told("on the way up"):
        value, gradient, hessian = (np.asarray(part) for part in all_at(jnp.asarray(point)))
    if not (np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(hessian).all()):
        raise NumericError(
            f"FATAL: the log density or a derivative is not finite at u = {point.tolist()}: value "
            f"{float(value)}, gradient {gradient.tolist()}",
            code="GRADIENT_NOT_FINITE",
            hint="give a start inside, a prior that keeps theta away from there, or look whether "
            "the model has derivatives everywhere",
        )
    return float(value), gradient, hessian
