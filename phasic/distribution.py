"""A graph at one theta: a phase-type distribution with its moments and derivatives.

T is the time (discrete: the number of steps) from the start to absorption. With rewards r, one a
vertex, the variable is Y, the integral (discrete: the sum) of r along the path; without them, T.
"""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import NumericError
from .evaluation import Array
from .trace_elimination import EliminationTrace


class Distribution:
    """Immutable; made by `graph.at(theta)`. Derivatives are by theta, in a last axis.

    Example:
        >>> from phasic import Graph
        >>> graph = Graph.from_matrices([1.0], [[-2.0]])
        >>> graph.at([]).moments(2).tolist()
        [0.5, 0.5]
    """

    def __init__(self, trace: EliminationTrace, theta: ArrayLike) -> None:
        self.trace = trace
        self._evaluator = trace.evaluator
        self._thetas = self._evaluator.as_theta(theta)[np.newaxis]

    @property
    def theta(self) -> Array:
        """(n_parameters,), read-only."""
        return self._thetas[0]

    @property
    def discrete(self) -> bool:
        return self.trace.discrete

    def __repr__(self) -> str:
        return f"<Distribution of {self.trace!r} at {self.theta.tolist()}>"

    # ---- moments

    @overload
    def moments(
        self, order: int, rewards: ArrayLike | None = ..., *, gradient: Literal[False] = ...
    ) -> Array: ...
    @overload
    def moments(
        self, order: int, rewards: ArrayLike | None = ..., *, gradient: Literal[True]
    ) -> tuple[Array, Array]: ...
    def moments(
        self, order: int, rewards: ArrayLike | None = None, *, gradient: bool = False
    ) -> Array | tuple[Array, Array]:
        """E[Y], …, E[Y^order].

        Args:
            order: the highest moment, at least 1.
            rewards: (n_vertices,), in the order of `graph.states()`, not negative; None: time.
            gradient: whether derivatives are given too.

        Returns:
            (order,); with `gradient` also (order, n_parameters). A derivative's rounding error is
            relative to the larger of itself and |moment / theta|.

        Raises:
            NumericError: rewards do not fit, a weight is negative or not finite at theta,
                absorption is unreachable there, or a result exceeds the range of double.
        """
        rewards = self._evaluator.as_rewards(rewards)
        values, slope = self._evaluator.moments(self._thetas, order, rewards, gradient)
        return values[0] if slope is None else (values[0], slope[0])

    def factorial_moments(self, order: int) -> Array:
        """E[T (T-1) … (T-k+1)] for k = 1..order: (order,). Discrete graphs only."""
        return self._evaluator.factorial_moments(self._thetas, order)[0]

    def mean(self, rewards: ArrayLike | None = None) -> float:
        """E[Y]."""
        return float(self.moments(1, rewards)[0])

    def expectation(self, rewards: ArrayLike | None = None) -> float:
        """The same as `mean`."""
        return self.mean(rewards)

    @overload
    def variance(
        self, rewards: ArrayLike | None = ..., *, gradient: Literal[False] = ...
    ) -> float: ...
    @overload
    def variance(
        self, rewards: ArrayLike | None = ..., *, gradient: Literal[True]
    ) -> tuple[float, Array]: ...
    def variance(
        self, rewards: ArrayLike | None = None, *, gradient: bool = False
    ) -> float | tuple[float, Array]:
        """Var Y, not by a difference of moments; with `gradient` also (n_parameters,)."""
        row = self._reward_row(rewards)
        _, values, _, slope = self._evaluator.covariances(self._thetas, row, gradient)
        value = float(values[0, 0, 0])
        return value if slope is None else (value, slope[0, 0, 0])

    def std(self, rewards: ArrayLike | None = None) -> float:
        """The square root of the variance."""
        return float(np.sqrt(self.variance(rewards)))

    # ---- several rewards

    @overload
    def covariance(
        self, rewards1: ArrayLike, rewards2: ArrayLike, *, gradient: Literal[False] = ...
    ) -> float: ...
    @overload
    def covariance(
        self, rewards1: ArrayLike, rewards2: ArrayLike, *, gradient: Literal[True]
    ) -> tuple[float, Array]: ...
    def covariance(
        self, rewards1: ArrayLike, rewards2: ArrayLike, *, gradient: bool = False
    ) -> float | tuple[float, Array]:
        """Cov(Y1, Y2) of two rewards (n_vertices,); with `gradient` also (n_parameters,)."""
        rows = np.concatenate([self._reward_row(rewards1), self._reward_row(rewards2)])
        _, values, _, slope = self._evaluator.covariances(self._thetas, rows, gradient)
        value = float(values[0, 0, 1])
        return value if slope is None else (value, slope[0, 0, 1])

    @overload
    def covariance_matrix(self, rewards: ArrayLike, *, gradient: Literal[False] = ...) -> Array: ...
    @overload
    def covariance_matrix(
        self, rewards: ArrayLike, *, gradient: Literal[True]
    ) -> tuple[Array, Array]: ...
    def covariance_matrix(
        self, rewards: ArrayLike, *, gradient: bool = False
    ) -> Array | tuple[Array, Array]:
        """Covariances (r, r) of rewards (r, n_vertices); with `gradient` (r, r, n_parameters)."""
        rows = self._evaluator.as_reward_rows(rewards)
        _, values, _, slope = self._evaluator.covariances(self._thetas, rows, gradient)
        return values[0] if slope is None else (values[0], slope[0])

    @overload
    def mean_vector(self, rewards: ArrayLike, *, gradient: Literal[False] = ...) -> Array: ...
    @overload
    def mean_vector(
        self, rewards: ArrayLike, *, gradient: Literal[True]
    ) -> tuple[Array, Array]: ...
    def mean_vector(
        self, rewards: ArrayLike, *, gradient: bool = False
    ) -> Array | tuple[Array, Array]:
        """Means (r,) of rewards (r, n_vertices); with `gradient` also (r, n_parameters)."""
        rows = self._evaluator.as_reward_rows(rewards)
        parts = [self._evaluator.moments(self._thetas, 1, row, gradient) for row in rows]
        means = np.array([values[0, 0] for values, _ in parts])
        if not gradient:
            return means
        return means, np.array([slope[0, 0] for _, slope in parts if slope is not None])

    # ---- by vertex

    def expected_sojourn_time(self) -> Array:
        """Expected total time (discrete: visits) in each vertex: (n_vertices,)."""
        return self._evaluator.expected_sojourn(self._thetas)[0]

    def expected_waiting_time(self, rewards: ArrayLike | None = None) -> Array:
        """E[Y] from each vertex on: (n_vertices,); the start's entry is the mean."""
        rewards = self._evaluator.as_rewards(rewards)
        return self._evaluator.vertex_moments(self._thetas, 1, rewards)[0]

    @overload
    def absorption_probabilities(
        self, vertices: ArrayLike | None = ..., *, gradient: Literal[False] = ...
    ) -> Array: ...
    @overload
    def absorption_probabilities(
        self, vertices: ArrayLike | None = ..., *, gradient: Literal[True]
    ) -> tuple[Array, Array]: ...
    def absorption_probabilities(
        self, vertices: ArrayLike | None = None, *, gradient: bool = False
    ) -> Array | tuple[Array, Array]:
        """Probabilities of ending in each vertex.

        Args:
            vertices: numbers of absorbing vertices; None: all vertices, those that are not
                absorbing with probability 0.
            gradient: whether derivatives are given too.

        Returns:
            (n_vertices,) or (len(vertices),); with `gradient` also with n_parameters behind.

        Raises:
            NumericError: one of `vertices` is not absorbing.
        """
        absorbing = self._absorbing()
        targets = absorbing if vertices is None else self._as_targets(vertices, absorbing)
        found, slope = self._evaluator.absorption_probabilities(self._thetas, targets, gradient)
        values, derivatives = found[0], None if slope is None else slope[0]
        if vertices is None:
            values = _scatter(values, targets, self.trace.n_vertices)
            if derivatives is not None:
                derivatives = _scatter(derivatives, targets, self.trace.n_vertices)
        return values if derivatives is None else (values, derivatives)

    def defect(self, rewards: ArrayLike | None = None) -> float:
        """P(Y = 0): absorbed without a visit to a vertex of positive reward."""
        return float(self._evaluator.defect(self._thetas, self._evaluator.as_rewards(rewards))[0])

    # ---- arguments

    def _reward_row(self, rewards: ArrayLike | None) -> Array:
        row = self._evaluator.as_rewards(rewards)
        return (np.ones(self.trace.n_vertices) if row is None else row)[np.newaxis]

    def _absorbing(self) -> NDArray[np.int64]:
        # Absorbing vertices come first in the trace.
        first = self.trace.handle.array("position_vertex")
        return np.sort(first[: self.trace.handle.meta["n_absorbing"]]).astype(np.int64)

    def _as_targets(self, vertices: ArrayLike, absorbing: NDArray[Any]) -> NDArray[np.int64]:
        targets = np.atleast_1d(np.asarray(vertices))
        if targets.dtype.kind not in "iu" or targets.ndim != 1:
            raise NumericError("FATAL: vertices are numbers of vertices", code="NOT_ABSORBING")
        other = targets[~np.isin(targets, absorbing)]
        if other.size:
            label = self._evaluator.label(int(other[0]))
            raise NumericError(f"FATAL: vertex {label} is not absorbing", code="NOT_ABSORBING")
        return np.ascontiguousarray(targets, np.int64)


def _scatter(values: Array, targets: NDArray[np.int64], length: int) -> Array:
    spread = np.zeros((length, *values.shape[1:]))
    spread[targets] = values
    return spread
