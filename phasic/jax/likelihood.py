"""The log-likelihood of fixed data as a function of theta for JAX programs.

Equal observations are computed once. Data are checked and put in order when the function is made;
what is left for each theta is one call of the engine and a weighted sum.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..asking import as_times
from ..likelihood import as_intervals, as_weights
from .models import DensityModel
from .primitive import Array


class Likelihood:
    """`loglik(theta)`: the log-likelihood of data, a scalar; see `Graph.loglik_from_graph`."""

    def __init__(
        self,
        model: DensityModel,
        observed: ArrayLike,
        weights: ArrayLike | None = None,
        *,
        right_censored: ArrayLike | None = None,
        intervals: ArrayLike | None = None,
        rewards: ArrayLike | None = None,
    ) -> None:
        self.model = model
        self.n_parameters = model.n_parameters
        self._rewards = rewards
        times = as_times(observed).reshape(-1)
        self._observed = _distinct(times, as_weights(weights, len(times)))
        censored = as_times([] if right_censored is None else right_censored).reshape(-1)
        self._censored = _distinct(censored, np.ones(len(censored)))
        self._between = None if intervals is None else as_intervals(intervals)
        if self._between is not None and model.discrete:
            self._between = np.floor(self._between)

    def __call__(self, theta: ArrayLike) -> Array:
        total = jnp.zeros(())
        for function, (times, counts) in (
            (self.model.logpdf, self._observed),
            (self.model.logsf, self._censored),
        ):
            if len(times):
                total = total + jnp.dot(counts, function(theta, times, self._rewards))
        if self._between is not None:
            total = total + jnp.sum(self._interval_logs(theta))
        return total

    def _interval_logs(self, theta: ArrayLike) -> Array:
        """log P(a < Y <= b), from the side on which less is subtracted."""
        assert self._between is not None
        begin, end = self._between.T
        more, less = (self.model.logcdf(theta, at, self._rewards) for at in (end, begin))
        above, beyond = (self.model.logsf(theta, at, self._rewards) for at in (begin, end))
        late = less > jnp.log(0.5)
        larger, smaller = jnp.where(late, above, more), jnp.where(late, beyond, less)
        nothing = jnp.isneginf(smaller)
        gone = jnp.where(nothing, 0.0, jnp.exp(jnp.where(nothing, 0.0, smaller - larger)))
        return larger + jnp.log1p(-gone)


def _distinct(
    times: NDArray[np.float64], counts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Different times in ascending order, and how often each was observed (never 0 times)."""
    distinct, which = np.unique(times, return_inverse=True)
    total = np.zeros(len(distinct))
    np.add.at(total, which, counts)
    return distinct[total > 0], total[total > 0]
