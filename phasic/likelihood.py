"""Log-likelihood of data: exact observations, with multiplicities, and censored ones.

An observation t contributes log f(t) (discrete: log P(Y = t)), one censored at c from the right
log P(Y > c), and one known to lie in (a, b] log(F(b) - F(a)), from the side on which less is
subtracted. Equal observations are computed once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import answers
from ._engine.chain import DENSITY, DISTRIBUTION, SURVIVAL
from .answers import Array, Logs
from .arguments import as_numbers
from .asking import as_times
from .density import DensityFunctions, as_ask
from .density_logs import Ask
from .errors import NumericError


class LikelihoodFunctions(DensityFunctions):
    """See `Distribution`."""

    def loglik(
        self,
        observed: ArrayLike,
        weights: ArrayLike | None = None,
        *,
        right_censored: ArrayLike | None = None,
        intervals: ArrayLike | None = None,
        gradient: bool = False,
        hessian: bool = False,
        **options: Any,
    ) -> Any:
        """The log-likelihood of data.

        Args:
            observed: any number of observations; each adds log pdf (discrete: log pmf).
            weights: how often each was made, or None: once.
            right_censored: times at which Y was not reached yet; each adds log sf.
            intervals: (n, 2), rows (a, b) for observations known to lie in (a, b].
            gradient, hessian: whether derivatives in theta are given too. Under epochs the gradient
                is (n_epochs, n_parameters of the graph), and there is no Hessian.
            **options: rewards, method, tolerance as for `pdf`.

        Returns:
            A number, -inf for impossible data; with `gradient` also (n_parameters,), with `hessian`
            also (n_parameters, n_parameters).

        Raises:
            NumericError: arguments do not fit, or no method reaches the tolerance.

        Example:
            >>> from phasic import Graph
            >>> exponential = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> round(exponential.loglik([0.0, 0.5], [1, 2]), 12)
            0.07944154168
        """
        order = 2 if hessian else 1 if gradient else 0
        ask = as_ask(self, order, **options)
        times = as_times(observed).reshape(-1)
        counts = as_weights(weights, len(times))
        if weights is None:
            times = np.sort(times)
        else:
            order_of_times = np.argsort(times)
            times, counts = times[order_of_times], counts[order_of_times]
        parts = [(self._logs(DENSITY, times, ask), counts)]
        if right_censored is not None:
            censored = as_times(right_censored).reshape(-1)
            parts.append((self._probability(SURVIVAL, censored, ask), np.ones(len(censored))))
        if intervals is not None:
            between = _between(self, intervals, ask)
            parts.append((between, np.ones(len(between.log_value))))
        made = [
            (answers.as_logarithm(logs, order, self.n_parameters), count) for logs, count in parts
        ]
        total = sum(_weighted_sum(answer.value, count) for answer, count in made)
        if order == 0:
            return float(total)
        slope = sum(count @ answer.gradient for answer, count in made)
        if order == 1:
            return float(total), slope.reshape(self._slope_shape)
        curvature = sum(np.tensordot(count, answer.hessian, 1) for answer, count in made)
        return float(total), slope, curvature


def _weighted_sum(values: Array, counts: Array) -> float:
    # What was observed no time contributes nothing, however impossible it is.
    return float(np.sum(np.where(counts > 0, values, 0.0) * counts))


def as_weights(weights: ArrayLike | None, length: int) -> Array:
    """How often each of so many observations was made; None: once.

    Raises:
        NumericError: another length, negative, or not finite.
    """
    if weights is None:
        return np.ones(length)
    counts = as_numbers(weights, "weights").reshape(-1)
    if len(counts) != length or not ((counts >= 0) & np.isfinite(counts)).all():
        raise NumericError(
            f"FATAL: {len(counts)} weights for {length} observations, or a weight that is negative "
            "or not finite",
            code="WEIGHTS_INVALID",
            hint="weights say how often each observation was made",
        )
    return counts


def as_intervals(intervals: ArrayLike) -> Array:
    """Rows (a, b), a < b: (n, 2).

    Raises:
        NumericError: they are none.
    """
    rows = as_times(intervals)
    if rows.shape == (0,):
        rows = rows.reshape(0, 2)
    if rows.ndim != 2 or rows.shape[1] != 2 or not (rows[:, 0] < rows[:, 1]).all():
        raise NumericError(
            "FATAL: intervals are no rows (a, b) with a < b",
            code="INTERVALS_INVALID",
            hint="an observation known to be later than a is right_censored",
        )
    return rows


def _between(variable: DensityFunctions, intervals: ArrayLike, ask: Ask) -> Logs:
    """log P(a < Y <= b) for rows (a, b)."""
    rows = as_intervals(intervals)
    begin, end = np.ascontiguousarray(rows.T)
    more, less = (variable._probability(DISTRIBUTION, time, ask) for time in (end, begin))
    late = less.log_value > np.log(0.5)
    if late.any():
        more.put(late, variable._probability(SURVIVAL, begin[late], ask))
        less.put(late, variable._probability(SURVIVAL, end[late], ask))
    between = answers.difference(more, less)
    vague = np.isfinite(between.log_value) & ~(between.bound <= max(1e-6, ask.tolerance))
    if vague.any():
        a, b = rows[np.flatnonzero(vague)[0]].tolist()
        raise NumericError(
            f"FATAL: P({a} < Y <= {b}) is too small beside P(Y <= {b}) and P(Y > {a}) "
            "to be told from rounding",
            code="INTERVAL_TOO_NARROW",
            hint="give the observation itself, as one of `observed`",
        )
    return between
