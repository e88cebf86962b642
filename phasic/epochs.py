"""Piecewise-constant theta: a distribution whose rates change at given times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import density_logs, notebook, occupation
from ._engine.chain import DENSITY, DISTRIBUTION, Found
from .arguments import Array, at_least_one
from .density_logs import Ask
from .epoch_moments import EpochMoments
from .epoch_path import EpochPath
from .errors import NumericError
from .likelihood import LikelihoodFunctions
from .trace_elimination import EliminationTrace

# There are moments, and they are not to be had.
_NO_MOMENTS = {"TOO_MUCH_WORK", "RESULT_OVERFLOW"}
_PAIRS = "epochs are (time, theta) pairs with finite times in ascending order from 0"


class EpochDistribution(LikelihoodFunctions):
    """A phase-type distribution whose theta changes at given times; immutable.

    Made by `graph.at(theta, epochs=[(time, theta), …])`: the first theta holds from time 0, each
    other from its time on, the last for ever. The start is entered at the first theta. Continuous
    graphs only. Rewards are those of `Distribution`, for moments. Density functions are those of
    the time itself. All gradients are by the theta of each epoch: with (n_epochs, n_parameters of
    the graph) behind, row 0 for the theta from time 0 on. There are no Hessians.

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

    def _repr_html_(self) -> str:
        first = slice(notebook.MOST_ROWS)
        pairs = zip(self.times[first].tolist(), self.thetas[first].tolist(), strict=True)
        rows = [(time, notebook.entries(theta)) for time, theta in pairs]
        note = f"{len(self.times):,} epochs, {self.trace.n_vertices:,} vertices"
        columns = ("from time", "theta")
        return notebook.shown("Distribution under epochs", rows, columns=columns, note=note)

    def moments(
        self, order: int, rewards: ArrayLike | None = None, *, gradient: bool = False
    ) -> Any:
        """E[Y], …, E[Y^order]: (order,); with `gradient` also (order, n_epochs, n_parameters).

        Args:
            order: the highest moment, at least 1.
            rewards: (n_vertices,), in the order of `graph.states()`, not negative; None: time.
            gradient: whether derivatives by each theta are given too.

        Raises:
            NumericError: rewards or a theta do not fit, absorption is unreachable, or an epoch is
                so long beside the fastest rate that it would cost too much work.
        """
        return self._given(self._moment_jets(order, rewards, gradient), gradient)

    def mean(self, rewards: ArrayLike | None = None, *, gradient: bool = False) -> Any:
        """E[Y]; with `gradient`, here and below, also with (n_epochs, n_parameters) behind."""
        return self._given(self._moment_jets(1, rewards, gradient)[:, 0], gradient)

    def variance(self, rewards: ArrayLike | None = None, *, gradient: bool = False) -> Any:
        """Var Y, as E[Y²] - E[Y]²: digits are lost where it is small beside E[Y]²."""
        return self._given(self._variance_jet(rewards, gradient), gradient)

    def std(self, rewards: ArrayLike | None = None, *, gradient: bool = False) -> Any:
        """The square root of the variance."""
        jet = self._variance_jet(rewards, gradient)
        value = math.sqrt(max(jet[0], 0.0))
        if gradient and value == 0:
            raise NumericError(
                "FATAL: the variable does not vary: its deviation has no derivatives",
                code="NO_VARIANCE",
                hint="those of the variance are there",
            )
        return self._given(np.array([value, *(jet[1:] / (2 * value))]), True) if gradient else value

    def covariance(
        self, rewards1: ArrayLike, rewards2: ArrayLike, *, gradient: bool = False
    ) -> Any:
        """Cov(Y1, Y2) of two rewards (n_vertices,)."""
        rows = np.array([np.asarray(rewards1, float), np.asarray(rewards2, float)])
        return self._given(self._covariance_jets(rows, gradient)[:, 0, 1], gradient)

    def covariance_matrix(self, rewards: ArrayLike, *, gradient: bool = False) -> Any:
        """Covariances (r, r) of rewards (r, n_vertices), from the variances of sums of two."""
        return self._given(self._covariance_jets(rewards, gradient), gradient)

    def mean_vector(self, rewards: ArrayLike, *, gradient: bool = False) -> Any:
        """Means (r,) of rewards (r, n_vertices)."""
        rows = self._evaluator.as_reward_rows(rewards)
        jets = [self._moment_jets(1, row, gradient)[:, 0] for row in rows]
        return self._given(np.array(jets).T, gradient)

    # ---- moments as jets: the value in front, then the derivatives

    def _moment_jets(self, order: int, rewards: ArrayLike | None, gradient: bool) -> Array:
        order = at_least_one(order, "the order of moments")
        row = self._evaluator.as_rewards(rewards)
        return EpochMoments(self._evaluator, self.times, self.thetas, row, gradient).find(order)

    def _variance_jet(self, rewards: ArrayLike | None, gradient: bool) -> Array:
        first, second = self._moment_jets(2, rewards, gradient).T
        jet = second - 2 * first[0] * first
        jet[0] = second[0] - first[0] ** 2
        return jet

    def _covariance_jets(self, rewards: ArrayLike, gradient: bool) -> Array:
        rows = self._evaluator.as_reward_rows(rewards)
        # Of like size, so that no reward drowns in the sum with another.
        scale = np.array([mean if mean > 0 else 1.0 for mean in map(self.mean, rows)])
        rows = rows / scale[:, np.newaxis]
        own = [self._variance_jet(row, gradient) for row in rows]
        matrix = np.empty((len(own[0]), len(rows), len(rows)))
        for i in range(len(rows)):
            matrix[:, i, i] = own[i]
            for j in range(i):
                both = self._variance_jet(rows[i] + rows[j], gradient)
                matrix[:, i, j] = matrix[:, j, i] = (both - own[i] - own[j]) / 2
        return matrix * np.outer(scale, scale)

    def _given(self, jets: Array, gradient: bool) -> Any:
        """A number or array, and with `gradient` its derivatives laid out behind its axes."""
        value = float(jets[0]) if jets.ndim == 1 else jets[0]
        if not gradient:
            return value
        slope = np.moveaxis(jets[1:], 0, -1)
        return value, slope.reshape(*slope.shape[:-1], *self._slope_shape)

    # ---- at a time

    def state_probability(self, t: ArrayLike, *, gradient: bool = False) -> Any:
        """P(X_t = v), absorbing vertices included: the shape of t and (n_vertices,) behind; with
        `gradient` also with (n_epochs, n_parameters of the graph) behind that."""
        path = self._path(int(gradient))

        def answer(time: float) -> Array:
            there = path.at(time)
            return there.moving + there.absorbed + path.atom

        jets = occupation.at_times(t, answer)
        return self._given(np.moveaxis(jets, -1, 0), gradient)

    def stop_probability(self, t: ArrayLike, *, gradient: bool = False) -> Any:
        """The same as `state_probability`."""
        return self.state_probability(t, gradient=gradient)

    def accumulated_visiting_time(self, t: ArrayLike, *, gradient: bool = False) -> Any:
        """Expected time in each vertex up to t: as `state_probability`."""
        path = self._path(int(gradient))
        jets = occupation.at_times(t, lambda time: path.at(time).spent)
        return self._given(np.moveaxis(jets, -1, 0), gradient)

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
        try:
            return self.mean() or 1.0
        except NumericError as error:
            if error.code not in _NO_MOMENTS:
                raise
            first = self._plain_path.chain(0)
            return 1.0 if first is None else 1.0 / first.fastest

    def _density_slope(self, times: Array, ask: Ask) -> Array:
        raise _no_hessian()

    def _longest(self, ask: Ask) -> float:
        return np.inf

    def _log_tail(self, times: Array, ask: Ask) -> Array:
        try:
            moments = self.moments(4)
        except NumericError as error:
            if error.code not in _NO_MOMENTS:
                raise
            return np.zeros(len(times))
        k = np.arange(1, 5)
        with np.errstate(divide="ignore"):
            tails = np.log(moments) - k * np.log(times)[:, np.newaxis]
        return np.asarray(tails.min(axis=1))

    def _why(self, function: int, times: Array, ask: Ask) -> str:
        chain = self._path(ask.order).chain(len(self.times) - 1)
        later = times[times > self.times[-1]] - self.times[-1]
        if chain is None or not later.size:
            return "an epoch is too long beside its fastest rate"
        return density_logs.explain(chain.estimate(function, later))

    def _checked_rewards(self, rewards: ArrayLike | None) -> Array | None:
        return self._evaluator.as_rewards(rewards)

    def _checked_end(self, vertex: int) -> int:
        return int(self._evaluator.as_ends([vertex])[0])


def _no_hessian() -> NumericError:
    return NumericError(
        "FATAL: densities under epochs have no Hessians",
        code="NOT_DIFFERENTIABLE",
        hint="gradient= is there; leave hessian= out, or epochs",
    )


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
