"""Moments of several rewards together: E[Π Y_i^k_i], and correlations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import Array
from .errors import NumericError
from .evaluation import Evaluator

# Every index below the one asked for is a solution by vertex: with what reverses them, about 1 GB.
_MOST_NUMBERS = 2**26


def joint_moment(
    evaluator: Evaluator, thetas: Array, rows: Array, powers: ArrayLike, gradient: bool
) -> tuple[float, Array | None]:
    """At one theta, of rewards (r, n_vertices); derivatives (n_parameters,) or None."""
    whole = _checked_powers(powers, len(rows))
    solutions = math.prod(k + 1 for k in whole)
    if solutions * evaluator.n_vertices > _MOST_NUMBERS:
        raise NumericError(
            f"FATAL: powers {whole} need {solutions} solutions of {evaluator.n_vertices} vertices",
            code="TOO_MUCH_WORK",
            hint="one for every product of lower powers: ask for lower ones",
        )
    values, slope = evaluator.joint_moments(thetas, rows, np.array(whole, np.int32), gradient)
    return float(values[0]), None if slope is None else slope[0]


def _checked_powers(powers: ArrayLike, n_rewards: int) -> list[int]:
    array: NDArray[Any] = np.asarray(powers)
    if array.shape != (n_rewards,) or array.dtype.kind not in "iu" or (array < 0).any():
        raise NumericError(
            f"FATAL: powers are {powers!r} for {n_rewards} rewards",
            code="POWERS",
            hint="give one whole number of at least 0 a reward",
        )
    return [int(k) for k in array]


def correlations(covariances: Array, slope: Array | None) -> tuple[Array, Array | None]:
    """Correlations (r, r) from covariances, and their derivatives from those with n_parameters
    behind.

    Raises:
        NumericError: a variance is 0.
    """
    variances = np.diagonal(covariances)
    constant = np.flatnonzero(~(variances > 0))
    if constant.size:
        raise NumericError(
            f"FATAL: reward {constant[0]} does not vary: it has no correlations",
            code="NO_VARIANCE",
            hint="leave it out: its covariances are 0",
        )
    deviations = np.sqrt(variances)
    matrix = covariances / deviations[:, np.newaxis] / deviations
    # Rounding may leave what is fully correlated a little beyond.
    matrix = np.clip(matrix, -1.0, 1.0)
    np.fill_diagonal(matrix, 1.0)
    if slope is None:
        return matrix, None
    relative = np.einsum("iip->ip", slope) / variances[:, np.newaxis]
    both = slope / deviations[:, np.newaxis, np.newaxis] / deviations[:, np.newaxis]
    derivatives = both - matrix[..., np.newaxis] / 2 * (relative[:, np.newaxis] + relative)
    derivatives[np.diag_indices(len(matrix))] = 0.0
    return matrix, derivatives
