"""Piecewise-constant theta: moments of a model whose rates change at given times.

In the last epoch the moments v_k = E[Y^k | vertex] are those of its theta. An earlier epoch of
length h turns them into its own, backwards, by dv_k/du = S v_k + k r v_{k-1} (v_0 = 1, S the
generator, r the rewards), solved by uniformisation (Jensen 1953): with a rate q no smaller than any
exit rate, nor than 1 / h, v becomes sum_n Poisson(q h; n) T^n v,

    (T v)_k = P v_k + (k / q) r v_{k-1},   P = I + S / q.

All terms are non-negative. The sum ends at n = q h + 12 sqrt(q h) + 60 + (number of vertices): the
longest path has been walked, and Poisson's weights are below 1e-25 of their sum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import density, occupation
from ._engine.chain import DENSITY, DISTRIBUTION, Found
from .density import Ask
from .epoch_path import EpochPath
from .errors import NumericError
from .evaluation import Array, at_least_one
from .likelihood import LikelihoodFunctions
from .trace_elimination import EliminationTrace

# Edge visits that an answer may cost: about ten seconds.
_MOST_WORK = 2e9
_PAIRS = "epochs are (time, theta) pairs with finite times in ascending order from 0"


class EpochDistribution(LikelihoodFunctions):
    """A phase-type distribution whose theta changes at given times; immutable.

    Made by `graph.at(theta, epochs=[(time, theta), …])`: the first theta holds from time 0, each
    other from its time on, the last for ever. The start is entered at the first theta. Continuous
    graphs only. Rewards are those of `Distribution`, for moments. Density functions are those of
    the time itself. Their gradients, and those of probabilities of states, are by the theta of each
    epoch: with (n_epochs, n_parameters of the graph) behind, row 0 for the theta from time 0 on.
    There are no Hessians.

    Example:
        >>> from phasic import Graph
        >>> graph = Graph(state_length=1)
        >>> working, failed = (graph.find_or_create_vertex([k]) for k in (1, 0))
        >>> graph.starting_vertex().add_edge(working, 1.0)
        >>> working.add_edge(failed, [1.0])
        >>> round(graph.at([1.0], epochs=[(2.0, [0.5])]).mean(), 12)
        1.135335283237
    """

    def __init__(
        self,
        trace: EliminationTrace,
        theta: ArrayLike,
        epochs: Sequence[tuple[float, ArrayLike]],
    ) -> None:
        self.trace = trace
        self._evaluator = trace.evaluator
        if trace.discrete:
            raise NumericError(
                "FATAL: epochs are given for a discrete graph",
                code="EPOCHS",
                hint="epochs are for continuous graphs: leave them out",
            )
        if trace.handle.meta["n_dropped"]:
            raise NumericError(
                "FATAL: epochs are given for a graph with vertices that never reach absorption",
                code="EPOCHS",
                hint="`phasic inspect MODEL --check` lists them",
            )
        epochs = _checked_pairs(epochs)
        self.times = _checked_times([time for time, _ in epochs])
        as_theta = self._evaluator.as_theta
        self.thetas = np.array([as_theta(theta), *(as_theta(later) for _, later in epochs)])
        self.thetas.flags.writeable = False
        self._plain_path = EpochPath(self._evaluator, self.times, self.thetas)

    def __repr__(self) -> str:
        return f"<EpochDistribution of {self.trace!r}, changes at {self.times[1:].tolist()}>"

    def moments(self, order: int, rewards: ArrayLike | None = None) -> Array:
        """E[Y], …, E[Y^order]: (order,).

        Args:
            order: the highest moment, at least 1.
            rewards: (n_vertices,), in the order of `graph.states()`, not negative; None: time.

        Raises:
            NumericError: rewards or a theta do not fit, absorption is unreachable, or an epoch is
                so long beside the fastest rate that it would cost too much work.
        """
        order = at_least_one(order, "the order of moments")
        rewards = self._evaluator.as_rewards(rewards)
        for epoch in range(len(self.times) - 1):
            self._check_epoch(epoch, rewards)
        vertex = self.trace.handle.array("position_vertex")
        reward = np.ones(len(vertex)) if rewards is None else rewards[vertex]
        reward[: self.trace.handle.meta["n_absorbing"]] = 0.0
        values = np.ones((order + 1, len(vertex)))
        for k in range(1, order + 1):
            last = self._evaluator.vertex_moments(self.thetas[-1:], k, rewards)[0]
            values[k] = last[vertex]
        self._check_ends()
        for epoch in range(len(self.times) - 2, -1, -1):
            length = self.times[epoch + 1] - self.times[epoch]
            values = self._before(values, self.thetas[epoch], length, reward)
        source, target, weight = self._evaluator.edges(self.thetas[0])
        start = source == len(vertex) - 1
        entered = values[1:, target[start]] @ (weight[start] / weight[start].sum())
        if not np.isfinite(entered).all():
            raise NumericError(
                "FATAL: a result exceeds the range of double in an epoch", code="RESULT_OVERFLOW"
            )
        return np.asarray(entered, dtype=float)

    def mean(self, rewards: ArrayLike | None = None) -> float:
        """E[Y]."""
        return float(self.moments(1, rewards)[0])

    def variance(self, rewards: ArrayLike | None = None) -> float:
        """Var Y, as E[Y²] - E[Y]²: digits are lost where it is small beside E[Y]²."""
        first, second = self.moments(2, rewards)
        return float(second - first**2)

    def std(self, rewards: ArrayLike | None = None) -> float:
        """The square root of the variance."""
        return math.sqrt(max(self.variance(rewards), 0.0))

    def covariance(self, rewards1: ArrayLike, rewards2: ArrayLike) -> float:
        """Cov(Y1, Y2) of two rewards (n_vertices,)."""
        rows = np.array([np.asarray(rewards1, float), np.asarray(rewards2, float)])
        return float(self.covariance_matrix(rows)[0, 1])

    def covariance_matrix(self, rewards: ArrayLike) -> Array:
        """Covariances (r, r) of rewards (r, n_vertices), from the variances of sums of two."""
        rows = self._evaluator.as_reward_rows(rewards)
        # Of like size, so that no reward drowns in the sum with another.
        scale = np.array([mean if mean > 0 else 1.0 for mean in map(self.mean, rows)])
        rows = rows / scale[:, np.newaxis]
        own = np.array([self.variance(row) for row in rows])
        matrix = np.diag(own)
        for i in range(len(rows)):
            for j in range(i):
                both = self.variance(rows[i] + rows[j])
                matrix[i, j] = matrix[j, i] = (both - own[i] - own[j]) / 2
        return matrix * np.outer(scale, scale)

    def mean_vector(self, rewards: ArrayLike) -> Array:
        """Means (r,) of rewards (r, n_vertices)."""
        return np.array([self.mean(row) for row in self._evaluator.as_reward_rows(rewards)])

    # ---- at a time

    def state_probability(
        self, t: ArrayLike, *, gradient: bool = False
    ) -> Array | tuple[Array, Array]:
        """P(X_t = v), absorbing vertices included: the shape of t and (n_vertices,) behind; with
        `gradient` also with (n_epochs, n_parameters of the graph) behind that."""
        path = self._path(int(gradient))

        def answer(time: float) -> Array:
            there = path.at(time)
            return there.moving + there.absorbed + path.atom

        return self._split(occupation.at_times(t, answer), gradient)

    def stop_probability(
        self, t: ArrayLike, *, gradient: bool = False
    ) -> Array | tuple[Array, Array]:
        """The same as `state_probability`."""
        return self.state_probability(t, gradient=gradient)

    def accumulated_visiting_time(
        self, t: ArrayLike, *, gradient: bool = False
    ) -> Array | tuple[Array, Array]:
        """Expected time in each vertex up to t: as `state_probability`."""
        path = self._path(int(gradient))
        return self._split(occupation.at_times(t, lambda time: path.at(time).spent), gradient)

    def _split(self, jets: Array, gradient: bool) -> Array | tuple[Array, Array]:
        if not gradient:
            return jets[..., 0]
        return jets[..., 0], jets[..., 1:].reshape(*jets.shape[:-1], *self._slope_shape)

    # ---- what the density functions need

    @property
    def discrete(self) -> bool:
        return False

    @property
    def n_parameters(self) -> int:
        """How many derivatives there are: by the theta of each epoch."""
        return self.thetas.size

    @property
    def _slope_shape(self) -> tuple[int, ...]:
        return self.thetas.shape

    @cached_property
    def _sloped_path(self) -> EpochPath:
        return EpochPath(self._evaluator, self.times, self.thetas, gradient=True)

    def _path(self, order: int) -> EpochPath:
        return self._sloped_path if order else self._plain_path

    def _found(self, function: int, times: Array, ask: Ask) -> Found:
        self._check_ask(ask)
        return self._path(ask.order).found(function, times, ask.target, ask.method, ask.tolerance)

    def _at_zero(self, function: int, ask: Ask) -> Array:
        self._check_ask(ask)
        path = self._path(ask.order)
        if function == DENSITY:
            return path.density_at_zero()
        if function == DISTRIBUTION:
            return path.atom.sum(axis=0) if ask.target < 0 else path.atom[ask.target]
        return path.milestone(0).moving.sum(axis=0)

    def _check_ask(self, ask: Ask) -> None:
        if ask.order > 1:
            raise _no_hessian()
        if ask.rewards is not None:
            raise NumericError(
                "FATAL: densities of rewards are asked for under epochs",
                code="EPOCHS",
                hint="epochs change with time; of rewards there are moments",
            )

    def _total(self, ask: Ask) -> float:
        if ask.target < 0:
            return 1.0
        return float(self._plain_path.limit(ask.target, self._scale(ask), ask.tolerance)[0])

    def _total_jet(self, ask: Ask) -> Array:
        if ask.target < 0:
            return np.array([1.0] + [0.0] * self.n_parameters)
        return self._sloped_path.limit(ask.target, self._scale(ask), ask.tolerance)

    def _scale(self, ask: Ask) -> float:
        return self.mean() or 1.0

    def _density_slope(self, times: Array, ask: Ask) -> Array:
        raise _no_hessian()

    def _longest(self, ask: Ask) -> float:
        return np.inf

    def _log_tail(self, times: Array, ask: Ask) -> Array:
        moments = self.moments(4)
        k = np.arange(1, 5)
        with np.errstate(divide="ignore"):
            tails = np.log(moments) - k * np.log(times)[:, np.newaxis]
        return np.asarray(tails.min(axis=1))

    def _why(self, function: int, times: Array, ask: Ask) -> str:
        chain = self._path(ask.order).chain(len(self.times) - 1)
        later = times[times > self.times[-1]] - self.times[-1]
        if chain is None or not later.size:
            return "an epoch is too long beside its fastest rate"
        return density.explain(chain.estimate(function, later))

    def _checked_rewards(self, rewards: ArrayLike | None) -> Array | None:
        return self._evaluator.as_rewards(rewards)

    def _checked_end(self, vertex: int) -> int:
        return int(self._evaluator.as_ends([vertex])[0])

    # ---- what is refused

    def _check_epoch(self, epoch: int, rewards: Array | None) -> None:
        """Refuses weights and rewards as at one theta. The epoch ends: absorption need not be
        possible in it, nor its moments finite were it to last, nor is a later start entered."""
        harmless = {"ABSORPTION_UNREACHABLE", "RESULT_OVERFLOW"}
        if epoch:
            harmless.add("START_WEIGHT_ZERO")
        try:
            self._evaluator.moments(self.thetas[epoch : epoch + 1], 1, rewards, False)
        except NumericError as error:
            if error.code not in harmless:
                raise

    def _check_ends(self) -> None:
        """Refuses where the last epoch may begin in a vertex that it leaves no way to absorption.

        Others than those that the start reaches at the last theta: an earlier one may lead there.
        """
        occupied = np.zeros(self.trace.n_vertices, bool)
        source, target, weight = self._evaluator.edges(self.thetas[0])
        start = source == self.trace.n_vertices - 1
        occupied[target[start & (weight > 0)]] = True
        for theta, length in zip(self.thetas[:-1], np.diff(self.times), strict=True):
            if length > 0:
                source, target, weight = self._evaluator.edges(theta)
                _spread(occupied, source[weight > 0], target[weight > 0])
        source, target, weight = self._evaluator.edges(self.thetas[-1])
        ending = np.zeros(self.trace.n_vertices, bool)
        ending[: self.trace.handle.meta["n_absorbing"]] = True
        _spread(ending, target[weight > 0], source[weight > 0])
        stuck = np.flatnonzero(occupied & ~ending)
        if stuck.size:
            vertex = int(self.trace.handle.array("position_vertex")[stuck[0]])
            raise NumericError(
                f"FATAL: vertex {self._evaluator.label(vertex)} cannot reach absorption in the "
                f"last epoch, at theta = {self.thetas[-1].tolist()}",
                code="ABSORPTION_UNREACHABLE",
                hint="an earlier epoch leads there, and a weight that is 0 in the last one cuts "
                "every path on",
            )

    # ---- one epoch

    def _before(self, values: Array, theta: Array, length: float, reward: Array) -> Array:
        """Moments (order + 1, positions) at the beginning of an epoch from those at its end."""
        source, target, weight = self._evaluator.edges(theta)
        inside = source != len(reward) - 1  # the start takes no time
        source, target, weight = source[inside], target[inside], weight[inside]
        exit_rate = np.bincount(source, weight, len(reward))
        if length == 0:
            return values
        # Far below 1 / length, powers of 1 / q would leave the range of double.
        q = max(float(exit_rate.max()), 1.0 / length)
        weights = _poisson_weights(q * length, len(reward), len(weight) * len(values))
        stays = (q - exit_rate) / q
        factors = np.arange(1, len(values))[:, np.newaxis] * (reward / q)
        total = weights[0] * values
        for poisson in weights[1:]:
            moved = np.array([np.bincount(source, weight * v[target], len(v)) for v in values])
            following = stays * values + moved / q
            following[1:] += factors * values[:-1]
            values = following
            total += poisson * values
        return total


def _no_hessian() -> NumericError:
    return NumericError(
        "FATAL: densities under epochs have no Hessians",
        code="NOT_DIFFERENTIABLE",
        hint="gradient= is there; leave hessian= out, or epochs",
    )


def _spread(marked: NDArray[np.bool_], source: NDArray[np.intp], target: NDArray[np.intp]) -> None:
    """Marks what paths over the edges reach from what is marked."""
    while True:
        new = target[marked[source] & ~marked[target]]
        if not new.size:
            return
        marked[new] = True


def _poisson_weights(mean: float, n_vertices: int, work_a_step: int) -> Array:
    """Poisson(mean; 0), Poisson(mean; 1), … until what follows is negligible."""
    steps = mean + 12 * math.sqrt(mean) + 60 + n_vertices
    if not steps * work_a_step <= _MOST_WORK:
        raise NumericError(
            f"FATAL: an epoch lasts {mean:.3g} times the shortest mean stay: its moments would "
            f"take {steps * work_a_step:.3g} visits of edges, and {_MOST_WORK:.0e} is the bound",
            code="TOO_MUCH_WORK",
            hint="shorten the epochs, or slow down the fastest rates",
        )
    n = np.arange(int(steps) + 1)
    logs = n * math.log(mean) - np.array([math.lgamma(k + 1) for k in n.tolist()])
    weights = np.exp(logs - logs.max())
    return weights / weights.sum()


def _checked_pairs(
    epochs: Sequence[tuple[float, ArrayLike]],
) -> list[tuple[float, ArrayLike]]:
    try:
        return [(float(time), theta) for time, theta in epochs]
    except (TypeError, ValueError, OverflowError) as error:
        raise NumericError(
            f"FATAL: epochs are no (time, theta) pairs: {error}", code="EPOCHS", hint=_PAIRS
        ) from error


def _checked_times(times: Sequence[float]) -> Array:
    """0 and the times of changes, ascending."""
    changes = np.array([0.0, *(float(time) for time in times)])
    wrong = np.flatnonzero(~(np.diff(changes) >= 0) | ~np.isfinite(changes[1:]))
    if wrong.size:
        k = int(wrong[0])
        raise NumericError(
            f"FATAL: epoch {k + 1} begins at {changes[k + 1]}, after {changes[k]}",
            code="EPOCHS",
            hint=_PAIRS,
        )
    changes.flags.writeable = False
    return changes
