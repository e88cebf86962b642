"""Where the process is at a time, and how long it has been in each vertex until then.

The engine follows the transient vertices; what has been absorbed in a vertex is the start's share
of it and the time spent in each other vertex times the rate from there. All of it goes as jets:
(n_vertices, 1), or (n_vertices, 1 + n_parameters) with derivatives in theta behind the values.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._engine.chain import Chain
from .arguments import Array, as_numbers
from .errors import NumericError
from .evaluation import Evaluator


def at_times(t: ArrayLike, answer: Callable[[float], Array]) -> Array:
    """Answers for times of any shape, with the shape of one answer behind.

    Raises:
        NumericError: a time is NaN, negative or infinite, or no number.
    """
    times = as_numbers(t, "times")
    wrong = times[~((times >= 0) & np.isfinite(times))]
    if wrong.size:
        raise NumericError(
            f"FATAL: a time is {wrong.flat[0]}",
            code="TIME_INVALID",
            hint="occupation is asked for at finite times from 0 on; "
            "absorption_probabilities() and expected_sojourn_time() are its limits",
        )
    rows = [answer(float(time)) for time in times.reshape(-1)]
    shape = (rows[0] if rows else answer(0.0)).shape
    return np.array(rows).reshape(*times.shape, *shape)


def split(jets: Array, gradient: bool) -> Array | tuple[Array, Array]:
    """The values of jets (..., 1 + n_parameters), and with `gradient` their derivatives."""
    return (jets[..., 0], jets[..., 1:]) if gradient else jets[..., 0]


class Occupation:
    """One theta: the start, and the flow of what is absorbed.

    Args:
        gradient: whether derivatives in theta go along.
    """

    def __init__(self, evaluator: Evaluator, theta: Array, gradient: bool = False) -> None:
        self._evaluator = evaluator
        self._gradient = gradient
        self._vertex = evaluator.trace.array("position_vertex").astype(np.intp)
        source, target, weight = evaluator.edges(theta)
        self._source = self._vertex[source]
        self._target, self._weight = self._vertex[target], weight
        self._ending = target < evaluator.trace.meta["n_absorbing"]

    def start(self) -> Array:
        """Initial probability of each vertex."""
        entered = self._source == 0
        share = self._by_vertex(self._target[entered], self._weights(entered))
        total = share.sum(axis=0)
        share[:, 0] /= total[0]
        share[:, 1:] = (share[:, 1:] - share[:, :1] * total[1:]) / total[0]
        return share

    def at(self, chain: Chain, time: float) -> tuple[Array, Array]:
        """Probability of each vertex at `time` and expected time there until then.

        Args:
            chain: of the same theta, of order 1 where derivatives go along.
            time: from 0 on; discrete: steps.
        """
        start = self.start()
        if self._evaluator.discrete:
            time = float(np.floor(time))
        if time == 0:
            return start, np.zeros_like(start)
        probability, accumulated, _, _ = chain.occupation(time)
        absorbing = self._vertex[: self._evaluator.trace.meta["n_absorbing"]]
        probability[absorbing] = start[absorbing]
        return probability + self.ended(accumulated), accumulated

    def ended(self, accumulated: Array) -> Array:
        """What has been absorbed in each vertex after so much time in the others, whose jets may
        have more derivatives behind those in theta."""
        last = self._ending & (self._source != 0)
        time, weight = accumulated[self._source[last]], self._weights(last)
        flow = time * weight[:, :1]
        flow[:, 1 : weight.shape[1]] += time[:, :1] * weight[:, 1:]
        return self._by_vertex(self._target[last], flow)

    def _weights(self, edges: NDArray[np.bool_]) -> Array:
        weight = self._weight[edges][:, np.newaxis]
        if not self._gradient:
            return weight
        return np.hstack([weight, self._evaluator.edge_coefficients(edges)])

    def _by_vertex(self, vertices: NDArray[np.intp], numbers: Array) -> Array:
        n = self._evaluator.n_vertices
        columns = [np.bincount(vertices, column, n) for column in numbers.T]
        return np.array(columns, dtype=np.float64).T
