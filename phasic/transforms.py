"""Laplace transforms and generating functions, joint and of one reward: arguments become shifts.

E[exp(-Σ s_i Y_i)] is what survives of a chain that is killed in vertex v at the rate Σ s_i r_i(v);
E[Π z_i^Y_i] of a discrete one that survives each visit of v with probability ζ_v = Π z_i^{r_i(v)}.
The engine solves either with a shift for every vertex: the rate itself, or 1 / ζ_v - 1.
"""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import Array, as_numbers
from .errors import NumericError
from .evaluation import Evaluator

# Numbers of shifts that are made at once: 16 MB.
_SHIFTS_AT_ONCE = 2 * 2**20


class TransformFunctions:
    """See `Distribution`."""

    _evaluator: Evaluator
    _thetas: Array

    @overload
    def laplace(
        self, s: ArrayLike, rewards: ArrayLike | None = ..., *, gradient: Literal[False] = ...
    ) -> Array: ...
    @overload
    def laplace(
        self, s: ArrayLike, rewards: ArrayLike | None = ..., *, gradient: Literal[True]
    ) -> tuple[Array, Array]: ...
    def laplace(
        self, s: ArrayLike, rewards: ArrayLike | None = None, *, gradient: bool = False
    ) -> Array | tuple[Array, Array]:
        """E[exp(-s Y)], of paths that are absorbed; s = inf gives P(Y = 0), the defect.

        Args:
            s: of any shape. Below 0 as far as the transform is finite; it is a series there, which
                is slow near its abscissa and has no derivatives in theta.
            rewards: (n_vertices,), in the order of `graph.states()`, not negative; None: time.
            gradient: whether derivatives are given too.

        Returns:
            The shape of s; with `gradient` also with n_parameters behind.

        Raises:
            NumericError: an s is no number, the transform is infinite there, the graph is discrete,
                or as for `moments`.

        Example:
            >>> from phasic import Graph
            >>> Graph.from_matrices([1.0], [[-2.0]]).at().laplace([0.0, 2.0]).tolist()
            [1.0, 0.5]
        """
        return self._transform(
            s, self._evaluator.as_reward_row(rewards)[0], gradient, discrete=False
        )

    @overload
    def joint_laplace(
        self, s: ArrayLike, rewards: ArrayLike, *, gradient: Literal[False] = ...
    ) -> Array: ...
    @overload
    def joint_laplace(
        self, s: ArrayLike, rewards: ArrayLike, *, gradient: Literal[True]
    ) -> tuple[Array, Array]: ...
    def joint_laplace(
        self, s: ArrayLike, rewards: ArrayLike, *, gradient: bool = False
    ) -> Array | tuple[Array, Array]:
        """E[exp(-Σ s_i Y_i)] of rewards (r, n_vertices) at s (..., r): (...,). See `laplace`.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1, 0], [[-1, 1], [0, -2]]).at()
            >>> x.joint_laplace([[0, 0], [1, 2]], [[0, 1, 0, 0], [0, 0, 1, 0]]).tolist()
            [1.0, 0.25]
        """
        rows = self._evaluator.as_reward_rows(rewards)
        return self._transform(s, rows, gradient, discrete=False)

    @overload
    def pgf(
        self, z: ArrayLike, rewards: ArrayLike | None = ..., *, gradient: Literal[False] = ...
    ) -> Array: ...
    @overload
    def pgf(
        self, z: ArrayLike, rewards: ArrayLike | None = ..., *, gradient: Literal[True]
    ) -> tuple[Array, Array]: ...
    def pgf(
        self, z: ArrayLike, rewards: ArrayLike | None = None, *, gradient: bool = False
    ) -> Array | tuple[Array, Array]:
        """E[z^Y] of a discrete graph, of paths that are absorbed; z = 0 gives P(Y = 0).

        z is at least 0, and above 1 what s is below 0 in `laplace`, whose shapes and errors these
        are.

        Example:
            >>> from phasic import Graph
            >>> fair = Graph.from_matrices([1.0], [[0.5]], discrete=True)
            >>> fair.at().pgf([0.0, 1.0]).tolist()
            [0.0, 1.0]
        """
        return self._transform(
            z, self._evaluator.as_reward_row(rewards)[0], gradient, discrete=True
        )

    @overload
    def joint_pgf(
        self, z: ArrayLike, rewards: ArrayLike, *, gradient: Literal[False] = ...
    ) -> Array: ...
    @overload
    def joint_pgf(
        self, z: ArrayLike, rewards: ArrayLike, *, gradient: Literal[True]
    ) -> tuple[Array, Array]: ...
    def joint_pgf(
        self, z: ArrayLike, rewards: ArrayLike, *, gradient: bool = False
    ) -> Array | tuple[Array, Array]:
        """E[Π z_i^Y_i] of rewards (r, n_vertices) at z (..., r): (...,). See `pgf`.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[0.75]], discrete=True).at()
            >>> x.joint_pgf([[1, 1], [0.5, 1]], [[0, 1, 0], [0, 2, 0]]).round(12).tolist()
            [1.0, 0.2]
        """
        rows = self._evaluator.as_reward_rows(rewards)
        return self._transform(z, rows, gradient, discrete=True)

    def _transform(
        self, points: ArrayLike, rows: Array, gradient: bool, discrete: bool
    ) -> Array | tuple[Array, Array]:
        _require_kind(self._evaluator, discrete)
        self._evaluator.check_rewards(rows)
        values, slope = _transform(self._evaluator, self._thetas, points, rows, gradient)
        return values if slope is None else (values, slope)


def _transform(
    evaluator: Evaluator, thetas: Array, points: ArrayLike, rows: Array, gradient: bool
) -> tuple[Array, Array | None]:
    """At one theta, in points (..., r) of rewards (r, n_vertices): (...,), derivatives behind.

    Points are s of continuous chains and z of discrete ones. Of one reward (n_vertices,) they have
    no last axis.
    """
    at = _checked(points, evaluator.discrete)
    if rows.ndim == 1:
        at, rows = at[..., np.newaxis], rows[np.newaxis]
    at = np.atleast_1d(at)
    if at.shape[-1] != len(rows):
        raise NumericError(
            f"FATAL: {_name(evaluator.discrete)} has shape {at.shape} for {len(rows)} rewards",
            code="TRANSFORM_ARGUMENT",
            hint="its last axis has one number a reward",
        )
    if gradient and (at > 1 if evaluator.discrete else at < 0).any():
        raise NumericError(
            f"FATAL: derivatives are asked for at {'z > 1' if evaluator.discrete else 's < 0'}",
            code="TRANSFORM_ARGUMENT",
            hint="there the transform is a series, and has no derivatives in theta here",
        )
    flat = at.reshape(-1, len(rows))
    values = np.empty(len(flat))
    slope = np.empty((len(flat), evaluator.n_parameters)) if gradient else None
    step = max(1, _SHIFTS_AT_ONCE // evaluator.n_vertices)
    for first in range(0, len(flat), step):
        part = slice(first, first + step)
        shifts = (_visits if evaluator.discrete else _rates)(flat[part], rows)
        found, derivatives = evaluator.transform(thetas, shifts, gradient)
        values[part] = found[0]
        if slope is not None and derivatives is not None:
            slope[part] = derivatives[0]
    shape = at.shape[:-1]
    return values.reshape(shape)[()], None if slope is None else slope.reshape(
        *shape, slope.shape[1]
    )


def _require_kind(evaluator: Evaluator, discrete: bool) -> None:
    """Refuses the Laplace transform of a discrete graph and the pgf of a continuous one."""
    if evaluator.discrete and not discrete:
        raise NumericError(
            "FATAL: the Laplace transform of a discrete graph is asked for",
            code="NOT_CONTINUOUS",
            hint="E[exp(-s Y)] is pgf(exp(-s))",
        )
    if discrete and not evaluator.discrete:
        raise NumericError(
            "FATAL: the generating function of a continuous graph is asked for",
            code="NOT_DISCRETE",
            hint="E[z^Y] is laplace(-log(z))",
        )


def _name(discrete: bool) -> str:
    return "z" if discrete else "s"


def _checked(points: ArrayLike, discrete: bool) -> Array:
    name = _name(discrete)
    array = as_numbers(points, name)
    valid = (array >= 0) & np.isfinite(array) if discrete else array > -np.inf
    if not valid.all():
        wrong = float(array[~valid][0])
        raise NumericError(
            f"FATAL: {name} is {wrong}",
            code="TRANSFORM_ARGUMENT",
            hint="E[z^Y] is given for z >= 0, as far as it is finite"
            if discrete
            else "E[exp(-s Y)] is given for real s, as far as it is finite",
        )
    return array


def _rates(points: Array, rows: Array) -> Array:
    """Σ s_i r_i: (points, n_vertices). An infinite s kills where its reward is not 0."""
    infinite = np.isinf(points)
    with np.errstate(over="ignore"):
        shifts = _sum_of_products(np.where(infinite, 0.0, points), rows)
    if not np.isfinite(shifts).all():
        raise NumericError(
            "FATAL: s times a reward exceeds the range of double",
            code="RESULT_OVERFLOW",
            hint="s = inf is P(Y = 0)",
        )
    return _killed(shifts, infinite, rows)


def _visits(points: Array, rows: Array) -> Array:
    """1 / Π z_i^{r_i} - 1: (points, n_vertices); near 1 from the product's logarithm."""
    zero = points == 0
    above = np.where(zero, 1.0, points)
    with np.errstate(divide="ignore", under="ignore", over="ignore"):
        log_survival = _sum_of_products(np.log(above), rows)
        survival = np.power.outer(above[:, 0], rows[0])
        for z, row in zip(above.T[1:], rows[1:], strict=True):
            survival *= np.power.outer(z, row)
        shifts = np.where(survival < 0.5, 1 / survival - 1, np.expm1(-log_survival))
    return _killed(shifts, zero, rows)


def _sum_of_products(points: Array, rows: Array) -> Array:
    """Always added in the same order, so that points do not depend on their neighbours."""
    total = np.multiply.outer(points[:, 0], rows[0])
    for x, row in zip(points.T[1:], rows[1:], strict=True):
        total += np.multiply.outer(x, row)
    return total


def _killed(shifts: Array, kills: NDArray[np.bool_], rows: Array) -> Array:
    """Infinite where a reward that is not 0 meets a point that kills."""
    for point in np.flatnonzero(kills.any(axis=1)):
        shifts[point, (rows[kills[point]] > 0).any(axis=0)] = np.inf
    return shifts
