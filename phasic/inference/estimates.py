"""A point estimate with its standard errors, from the curvature at a maximum (Laplace).

With A = -d²/du² at the maximum and J = dtheta/du, the covariance of theta is J A^-1 J'. Entries at
a bound of their range have no curvature that says anything: their standard error is NaN, and those
of the others hold with them fixed there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from .. import notebook
from ..errors import NumericError, warn
from .arguments import check_level
from .maximise import Climber, Maximum
from .parameters import Parameters
from .refusals import REFUSALS, value_or_nan

Values = NDArray[np.float64]
Objective = Callable[[jax.Array], jax.Array]

# exp(-18) is 1.5e-8: what is so near a bound is tried on it.
_NEAR = 18.0
# Directions whose curvature is so much below the largest are not determined by the data.
_FLAT = 1e-12


@dataclass(frozen=True)
class PointEstimate:
    """What maximum likelihood, maximum a posteriori and the method of moments return.

    Attributes:
        theta: (theta_dim,).
        standard_errors: (theta_dim,); 0 for fixed entries, NaN at a bound.
        covariance: (theta_dim, theta_dim), with the same zeros and NaNs.
        value: of what was maximised, there.
        at_bound: indices of entries at a bound of their range.
        iterations: Newton steps.
        method: "mle", "map" or "moments".
    """

    theta: Values
    standard_errors: Values
    covariance: Values
    value: float
    at_bound: tuple[int, ...]
    iterations: int
    method: str

    def _repr_html_(self) -> str:
        columns = ("parameter", "estimate", "standard error", "2.5 %", "97.5 %")
        table = np.column_stack([self.theta, self.standard_errors, self.interval()])
        rows = [
            (str(index), *row) for index, row in enumerate(table[: notebook.MOST_ROWS].tolist())
        ]
        note = f"{self.method}, {len(table):,} parameters; {self.iterations:,} steps"
        return notebook.shown("Point estimate", rows, columns=columns, note=note)

    def interval(self, level: float = 0.95) -> Values:
        """(theta_dim, 2): theta -+ z standard errors, the normal approximation.

        Raises:
            ConfigError: the level is not between 0 and 1.
        """
        half = NormalDist().inv_cdf((1 + check_level(level)) / 2) * self.standard_errors
        return np.stack([self.theta - half, self.theta + half], axis=1)


def estimate(
    objective: Objective,
    parameters: Parameters,
    starts: Sequence[jax.Array],
    method: str,
    rank: Objective | None = None,
) -> PointEstimate:
    """Maximises a function of theta over the range of the parameters.

    Args:
        objective: the function.
        parameters: the range.
        starts: u to begin at, one after the other.
        method: what the result is called.
        rank: of the maxima found, the one where this function of theta is highest is the result;
            None: where the objective is.

    Raises:
        NumericError: no maximum is found.
    """
    climbs = _climbs(objective, parameters, starts)
    measure = objective if rank is None else rank
    found, parameters, bound = max(
        climbs, key=lambda climb: float(measure(climb[1].constrain(jnp.asarray(climb[0].point))))
    )
    point = jnp.asarray(found.point)
    theta = np.asarray(parameters.constrain(point))
    jacobian = np.asarray(jax.jacobian(parameters.constrain)(point)).reshape(len(theta), -1)
    covariance = jacobian @ inverse_curvature(-found.hessian, theta) @ jacobian.T
    for index in bound:
        covariance[index, :] = covariance[:, index] = np.nan
    if bound:
        warn(
            "ESTIMATE_AT_BOUND",
            f"theta[{', '.join(map(str, bound))}] is at the bound of its range: it has no standard "
            "error, and those of the others hold with it fixed there",
        )
    return PointEstimate(
        theta=theta,
        standard_errors=np.sqrt(np.diag(covariance)),
        covariance=covariance,
        value=found.value,
        at_bound=bound,
        iterations=found.iterations,
        method=method,
    )


def inverse_curvature(curvature: Values, theta: Values) -> Values:
    """The inverse of minus the Hessian at a maximum.

    Raises:
        NumericError: it is singular or no maximum's.
    """
    if len(curvature) == 0:
        return curvature
    scale = np.sqrt(np.abs(np.diag(curvature)))
    scale = np.where(scale > 0, scale, 1.0)
    size, axes = np.linalg.eigh(curvature / np.outer(scale, scale))
    if size.min() <= _FLAT * max(size.max(), 1.0):
        loose = axes[:, 0] / scale
        raise NumericError(
            f"FATAL: the data do not determine theta: at {theta.tolist()} nothing changes in the "
            f"unconstrained direction {(loose / np.abs(loose).max()).round(4).tolist()}",
            code="NOT_IDENTIFIED",
            hint="fix a parameter, give a prior (map, svgd), or collect data that tell them apart",
        )
    root = axes / np.sqrt(size) / scale[:, np.newaxis]
    return root @ root.T


Climb = tuple[Maximum, Parameters, tuple[int, ...]]


def _climbs(
    objective: Objective, parameters: Parameters, starts: Sequence[jax.Array]
) -> list[Climb]:
    """The maxima that are reached from each start, if one is at all."""
    reached: list[Climb] = []
    first_failure: Exception | None = None
    climber = Climber(lambda u: objective(parameters.constrain(u)))
    for start in starts:
        try:
            reached.append(_climb(objective, climber, parameters, start))
        except (NumericError, *REFUSALS) as failure:
            first_failure = first_failure or failure
    if not reached and first_failure is not None:
        raise first_failure
    return reached


def _climb(
    objective: Objective, climber: Climber, parameters: Parameters, start: jax.Array
) -> Climb:
    """The maximum; entries that belong on a bound are fixed there, one after the other."""
    bound: tuple[int, ...] = ()
    while True:
        found = climber.climb(start)
        on = _belongs_on(objective, parameters, found)
        if on is None:
            if not found.converged:
                raise _not_converged(parameters, found)
            return found, parameters, bound
        index, value = on
        theta = parameters.constrain(jnp.asarray(found.point)).at[index].set(value)
        bound = (*bound, index)
        parameters = parameters.with_fixed(index, value)
        if parameters.n_free == 0:
            nothing = np.zeros(0)
            at_corner = Maximum(
                nothing, float(objective(theta)), nothing, np.zeros((0, 0)), found.iterations, True
            )
            return at_corner, parameters, bound
        start = parameters.unconstrain(theta)
        climber = Climber(lambda u, free=parameters: objective(free.constrain(u)))  # type: ignore[misc]


def _belongs_on(
    objective: Objective, parameters: Parameters, found: Maximum
) -> tuple[int, float] | None:
    """An entry near a bound, and the bound, if the objective is no lower on it."""
    theta = parameters.constrain(jnp.asarray(found.point))
    for index, value in parameters.near_bound(found.point, _NEAR).items():
        there = value_or_nan(objective, theta.at[index].set(value))
        # On the bound it is higher by the last of the way, which rounding may hide.
        if there >= found.value - 1e-9 * (1 + abs(found.value)):
            return index, value
    return None


def _not_converged(parameters: Parameters, found: Maximum) -> NumericError:
    theta = np.asarray(parameters.constrain(jnp.asarray(found.point)))
    return NumericError(
        f"FATAL: no maximum after {found.iterations} steps: at theta = {theta.tolist()} it still "
        f"rises, with gradient {found.gradient.tolist()} in u",
        code="NOT_CONVERGED",
        hint="the likelihood may have no maximum (then give a prior), or the start is too far off",
    )
