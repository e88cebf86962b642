"""Moments of a distribution: of one variable, raw, factorial and central, and of several."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from .arguments import Array
from .central_moments import central_moments, standardised_moment
from .errors import NumericError
from .evaluation import Evaluator
from .joint_moments import correlations, joint_moment


class MomentFunctions:
    """See `Distribution`."""

    _evaluator: Evaluator
    _thetas: Array

    # ---- one variable

    @overload
    def moments(
        self,
        order: int,
        rewards: ArrayLike | None = ...,
        *,
        gradient: Literal[False] = ...,
        hessian: Literal[False] = ...,
    ) -> Array: ...
    @overload
    def moments(
        self,
        order: int,
        rewards: ArrayLike | None = ...,
        *,
        gradient: Literal[True],
        hessian: Literal[False] = ...,
    ) -> tuple[Array, Array]: ...
    @overload
    def moments(
        self,
        order: int,
        rewards: ArrayLike | None = ...,
        *,
        gradient: bool = ...,
        hessian: Literal[True],
    ) -> tuple[Array, Array, Array]: ...
    def moments(
        self,
        order: int,
        rewards: ArrayLike | None = None,
        *,
        gradient: bool = False,
        hessian: bool = False,
    ) -> Array | tuple[Array, ...]:
        """E[Y], …, E[Y^order].

        Args:
            order: the highest moment, at least 1.
            rewards: (n_vertices,), in the order of `graph.states()`, not negative; None: time.
            gradient: whether derivatives are given too.
            hessian: whether first and second derivatives are given too.

        Returns:
            (order,); with `gradient` also (order, n_parameters); with `hessian` also that and
            (order, n_parameters, n_parameters). A derivative's rounding error is relative to the
            larger of itself and |moment / theta|, a second one's to |moment / theta²|.

        Raises:
            NumericError: rewards do not fit, a weight is negative or not finite at theta,
                absorption is unreachable there, a result exceeds the range of double, or the order
                is absurd.

        Example:
            >>> from phasic import Graph
            >>> Graph.from_matrices([1.0], [[-1.0]]).at().moments(4).tolist()
            [1.0, 2.0, 6.0, 24.0]
        """
        rewards = self._evaluator.as_rewards(rewards)
        values, slope = self._evaluator.moments(self._thetas, order, rewards, gradient or hessian)
        if slope is None:
            return values[0]
        if not hessian:
            return values[0], slope[0]
        second = self._evaluator.moment_hessians(self._thetas, order, rewards)
        return values[0], slope[0], second[0]

    @overload
    def factorial_moments(self, order: int, *, gradient: Literal[False] = ...) -> Array: ...
    @overload
    def factorial_moments(self, order: int, *, gradient: Literal[True]) -> tuple[Array, Array]: ...
    def factorial_moments(
        self, order: int, *, gradient: bool = False
    ) -> Array | tuple[Array, Array]:
        """E[T (T-1) … (T-k+1)] for k = 1..order: (order,); with `gradient` also (order,
        n_parameters). Discrete graphs only."""
        values, slope = self._evaluator.factorial_moments(self._thetas, order, gradient)
        return values[0] if slope is None else (values[0], slope[0])

    @overload
    def mean(self, rewards: ArrayLike | None = ..., *, gradient: Literal[False] = ...) -> float: ...
    @overload
    def mean(
        self, rewards: ArrayLike | None = ..., *, gradient: Literal[True]
    ) -> tuple[float, Array]: ...
    def mean(
        self, rewards: ArrayLike | None = None, *, gradient: bool = False
    ) -> float | tuple[float, Array]:
        """E[Y]; with `gradient` also (n_parameters,)."""
        if not gradient:
            return float(self.moments(1, rewards)[0])
        values, slope = self.moments(1, rewards, gradient=True)
        return float(values[0]), slope[0]

    @overload
    def expectation(
        self, rewards: ArrayLike | None = ..., *, gradient: Literal[False] = ...
    ) -> float: ...
    @overload
    def expectation(
        self, rewards: ArrayLike | None = ..., *, gradient: Literal[True]
    ) -> tuple[float, Array]: ...
    def expectation(
        self, rewards: ArrayLike | None = None, *, gradient: bool = False
    ) -> float | tuple[float, Array]:
        """The same as `mean`."""
        return self.mean(rewards, gradient=True) if gradient else self.mean(rewards)

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
        """Var Y, not by a difference of moments; with `gradient` also (n_parameters,).

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> x.variance()
            0.25
        """
        row = self._evaluator.as_reward_row(rewards)
        _, values, _, slope = self._evaluator.covariances(self._thetas, row, gradient)
        value = float(values[0, 0, 0])
        return value if slope is None else (value, slope[0, 0, 0])

    @overload
    def std(self, rewards: ArrayLike | None = ..., *, gradient: Literal[False] = ...) -> float: ...
    @overload
    def std(
        self, rewards: ArrayLike | None = ..., *, gradient: Literal[True]
    ) -> tuple[float, Array]: ...
    def std(
        self, rewards: ArrayLike | None = None, *, gradient: bool = False
    ) -> float | tuple[float, Array]:
        """The square root of the variance; with `gradient` also (n_parameters,).

        Raises:
            NumericError: as for `moments`; derivatives are asked for where Y does not vary.
        """
        if not gradient:
            return float(np.sqrt(self.variance(rewards)))
        variance, slope = self.variance(rewards, gradient=True)
        if not variance > 0:
            raise NumericError(
                "FATAL: the variable does not vary: its deviation has no derivatives",
                code="NO_VARIANCE",
                hint="those of the variance are there",
            )
        value = float(np.sqrt(variance))
        return value, slope / (2 * value)

    @overload
    def central_moments(
        self, order: int, rewards: ArrayLike | None = ..., *, gradient: Literal[False] = ...
    ) -> Array: ...
    @overload
    def central_moments(
        self, order: int, rewards: ArrayLike | None = ..., *, gradient: Literal[True]
    ) -> tuple[Array, Array]: ...
    def central_moments(
        self, order: int, rewards: ArrayLike | None = None, *, gradient: bool = False
    ) -> Array | tuple[Array, Array]:
        """E[(Y - E[Y])^k] for k = 1..order: (order,), the first 0; with `gradient` also (order,
        n_parameters).

        They keep their digits where the deviation is small beside the mean, and so do derivatives.

        Raises:
            NumericError: as for `moments`; rounding leaves no digit of one (`NO_DIGITS`); the order
                is above 32.

        Example:
            >>> from phasic import Graph
            >>> Graph.from_matrices([1.0], [[-1.0]]).at().central_moments(4).tolist()
            [0.0, 1.0, 2.0, 9.0]
        """
        rewards = self._evaluator.as_rewards(rewards)
        values, _, slope = central_moments(self._evaluator, self._thetas, order, rewards, gradient)
        return values if slope is None else (values, slope)

    @overload
    def skewness(
        self, rewards: ArrayLike | None = ..., *, gradient: Literal[False] = ...
    ) -> float: ...
    @overload
    def skewness(
        self, rewards: ArrayLike | None = ..., *, gradient: Literal[True]
    ) -> tuple[float, Array]: ...
    def skewness(
        self, rewards: ArrayLike | None = None, *, gradient: bool = False
    ) -> float | tuple[float, Array]:
        """E[(Y - E[Y])³] / σ³; with `gradient` also (n_parameters,); raises a `NumericError` where
        Y does not vary."""
        rewards = self._evaluator.as_rewards(rewards)
        value, slope = standardised_moment(self._evaluator, self._thetas, 3, rewards, gradient)
        return value if slope is None else (value, slope)

    @overload
    def kurtosis(
        self, rewards: ArrayLike | None = ..., *, gradient: Literal[False] = ...
    ) -> float: ...
    @overload
    def kurtosis(
        self, rewards: ArrayLike | None = ..., *, gradient: Literal[True]
    ) -> tuple[float, Array]: ...
    def kurtosis(
        self, rewards: ArrayLike | None = None, *, gradient: bool = False
    ) -> float | tuple[float, Array]:
        """E[(Y - E[Y])⁴] / σ⁴ - 3, the excess; with `gradient` also (n_parameters,); raises a
        `NumericError` where Y does not vary."""
        rewards = self._evaluator.as_rewards(rewards)
        value, slope = standardised_moment(self._evaluator, self._thetas, 4, rewards, gradient)
        return value - 3.0 if slope is None else (value - 3.0, slope)

    # ---- several rewards

    @overload
    def joint_moment(
        self, rewards: ArrayLike, powers: ArrayLike, *, gradient: Literal[False] = ...
    ) -> float: ...
    @overload
    def joint_moment(
        self, rewards: ArrayLike, powers: ArrayLike, *, gradient: Literal[True]
    ) -> tuple[float, Array]: ...
    def joint_moment(
        self, rewards: ArrayLike, powers: ArrayLike, *, gradient: bool = False
    ) -> float | tuple[float, Array]:
        """E[Π Y_i^k_i] of rewards (r, n_vertices); with `gradient` also (n_parameters,).

        Args:
            rewards: one row a variable, as for `covariance_matrix`.
            powers: the k_i (r,), whole numbers of at least 0.
            gradient: whether derivatives are given too.

        Raises:
            NumericError: as for `moments`, or powers do not fit.

        Example:
            >>> from phasic import Graph
            >>> time = [0.0, 1.0, 1.0]
            >>> Graph.from_matrices([1.0], [[-1.0]]).at().joint_moment([time, time], [1, 2])
            6.0
        """
        rows = self._evaluator.as_reward_rows(rewards)
        value, slope = joint_moment(self._evaluator, self._thetas, rows, powers, gradient)
        return value if slope is None else (value, slope)

    @overload
    def correlation_matrix(
        self, rewards: ArrayLike, *, gradient: Literal[False] = ...
    ) -> Array: ...
    @overload
    def correlation_matrix(
        self, rewards: ArrayLike, *, gradient: Literal[True]
    ) -> tuple[Array, Array]: ...
    def correlation_matrix(
        self, rewards: ArrayLike, *, gradient: bool = False
    ) -> Array | tuple[Array, Array]:
        """Correlations (r, r) of rewards (r, n_vertices); with `gradient` (r, r, n_parameters).

        Raises:
            NumericError: as for `moments`, or a reward does not vary.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> x.correlation_matrix([[0, 1, 0], [0, 3, 0]]).tolist()
            [[1.0, 1.0], [1.0, 1.0]]
        """
        rows = self._evaluator.as_reward_rows(rewards)
        _, values, _, slope = self._evaluator.covariances(self._thetas, rows, gradient)
        matrix, derivatives = correlations(values[0], None if slope is None else slope[0])
        return matrix if derivatives is None else (matrix, derivatives)

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
        """Cov(Y1, Y2) of two rewards (n_vertices,); with `gradient` also (n_parameters,).

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> x.covariance([0, 1, 0], [0, 3, 0])
            0.75
        """
        rows = np.concatenate(
            [self._evaluator.as_reward_row(rewards1), self._evaluator.as_reward_row(rewards2)]
        )
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
        """Covariances (r, r) of rewards (r, n_vertices); with `gradient` (r, r, n_parameters).

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> x.covariance_matrix([[0, 1, 0], [0, 3, 0]]).tolist()
            [[0.25, 0.75], [0.75, 2.25]]
        """
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
        """Means (r,) of rewards (r, n_vertices); with `gradient` also (r, n_parameters).

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> x.mean_vector([[0, 1, 0], [0, 3, 0]]).tolist()
            [0.5, 1.5]
        """
        rows = self._evaluator.as_reward_rows(rewards)
        parts = [self._evaluator.moments(self._thetas, 1, row, gradient) for row in rows]
        means = np.array([values[0, 0] for values, _ in parts])
        if not gradient:
            return means
        return means, np.array([slope[0, 0] for _, slope in parts if slope is not None])
