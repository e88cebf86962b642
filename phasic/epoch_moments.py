"""Moments of a model whose rates change at given times.

In the last epoch the moments v_k = E[Y^k | vertex] are those of its theta. An earlier epoch of
length h turns them into its own, backwards, by dv_k/du = S v_k + k r v_{k-1} (v_0 = 1, S the
generator, r the rewards), solved by uniformisation (Jensen 1953): with a rate q no smaller than any
exit rate, nor than 1 / h, v becomes sum_n Poisson(q h; n) T^n v,

    (T v)_k = P v_k + (k / q) r v_{k-1},   P = I + S / q.

All terms are non-negative. The sum ends at n = q h + 12 sqrt(q h) + 60 + (number of vertices): the
longest path has been walked, and Poisson's weights are below 1e-25 of their sum. A derivative goes
through later epochs by T alone; by the epoch's own theta, T v has the derivative T v' + S' v / q.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .arguments import Array
from .errors import NumericError
from .evaluation import Evaluator

# Edge visits that an answer may cost: about ten seconds.
_MOST_WORK = 2e9
# Epochs that are shorter are walked at the steps of this one: moments divide by its powers.
_SHORTEST = 1e-200


class EpochMoments:
    """Moments of one reward under the thetas (n_epochs, n_parameters) from `times` on.

    Args:
        rewards: (n_vertices,), or None: time.
        gradient: whether derivatives by the thetas go along.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        times: Array,
        thetas: Array,
        rewards: Array | None,
        gradient: bool,
    ) -> None:
        self._evaluator = evaluator
        self._times = times
        self._thetas = thetas
        self._rewards = rewards
        self._slopes = thetas.size if gradient else 0
        self._vertex = evaluator.trace.array("position_vertex").astype(np.intp)
        self._n_absorbing = evaluator.trace.meta["n_absorbing"]
        self._reward = np.ones(len(self._vertex)) if rewards is None else rewards[self._vertex]
        self._reward[: self._n_absorbing] = 0.0

    def find(self, order: int) -> Array:
        """E[Y], …, E[Y^order], as jets (1 + derivatives, order); those by the theta of the first
        epoch come first.

        Raises:
            NumericError: rewards or a theta do not fit, absorption is unreachable, or an epoch is
                so long beside the fastest rate that it would cost too much work.
        """
        last = len(self._times) - 1
        for epoch in range(last):
            self._check_epoch(epoch)
        jets = self._in_the_end(order)
        self._check_ends()
        for epoch in range(last - 1, -1, -1):
            length = self._times[epoch + 1] - self._times[epoch]
            if length > 0:
                jets = self._before(jets, epoch, length)
        found = self._entered(jets)[:, 1:]
        if not np.isfinite(found).all():
            raise NumericError(
                "FATAL: a result exceeds the range of double in an epoch",
                code="RESULT_OVERFLOW",
                hint="measure time in larger units: scale the rates, or ask for fewer moments",
            )
        return found

    # ---- jets by position: (1 + derivatives, order + 1, positions), moments from 0 on

    def _own(self, epoch: int) -> slice:
        """Which jets are the derivatives by an epoch's theta."""
        size = self._thetas.shape[1]
        return slice(1 + epoch * size, 1 + (epoch + 1) * size)

    def _in_the_end(self, order: int) -> Array:
        jets = np.zeros((1 + self._slopes, order + 1, len(self._vertex)))
        jets[0, 0] = 1.0
        for k in range(1, order + 1):
            values, slope = self._evaluator.vertex_moments(
                self._thetas[-1:], k, self._rewards, self._slopes > 0
            )
            jets[0, k] = values[0, self._vertex]
            if slope is not None:
                jets[self._own(len(self._times) - 1), k] = slope[0, self._vertex].T
        return jets

    def _before(self, jets: Array, epoch: int, length: float) -> Array:
        """At the beginning of an epoch, from those at its end."""
        n = jets.shape[2]
        source, target, weight = self._evaluator.edges(self._thetas[epoch])
        inside = source != n - 1  # the start takes no time
        coefficients = self._evaluator.edge_coefficients(inside) if self._slopes else None
        source, target, weight = source[inside], target[inside], weight[inside]
        exit_rate = np.bincount(source, weight, n)
        # Far below 1 / length, powers of 1 / q would leave the range of double.
        q = max(float(exit_rate.max()), 1.0 / max(length, _SHORTEST))
        # Derivatives by earlier thetas are 0 still.
        first = self._own(epoch).start if self._slopes else 1
        moving = np.concatenate([jets[:1], jets[first:]])
        rows = moving.shape[0] * moving.shape[1]
        weights = _poisson_weights(q * length, n, len(weight) * rows)
        stays = (q - exit_rate) / q
        factors = np.arange(1, moving.shape[1])[:, np.newaxis] * (self._reward / q)

        def flow(values: Array, rates: Array) -> Array:
            """The sums of rates times values, by source."""
            flat = values.reshape(-1, values.shape[-1])
            sums = [np.bincount(source, rates * row, n) for row in flat]
            return np.array(sums, np.float64).reshape(*values.shape[:-1], n)

        total = weights[0] * moving
        for poisson in weights[1:]:
            following = stays * moving + flow(moving[..., target], weight) / q
            following[:, 1:] += factors * moving[:, :-1]
            if coefficients is not None:
                apart = moving[0][:, target] - moving[0][:, source]
                for p, column in enumerate(coefficients.T):
                    following[1 + p] += flow(apart, column) / q
            moving = following
            total += poisson * moving
        jets = np.zeros_like(jets)
        jets[0], jets[first:] = total[0], total[1:]
        return jets

    def _entered(self, jets: Array) -> Array:
        """From the start on: (1 + derivatives, order + 1)."""
        source, target, weight = self._evaluator.edges(self._thetas[0])
        start = source == len(self._vertex) - 1
        shares = weight[start] / weight[start].sum()
        found = jets[..., target[start]] @ shares
        if self._slopes:
            coefficients = self._evaluator.edge_coefficients(start) / weight[start].sum()
            apart = jets[0][:, target[start]] - found[0][:, np.newaxis]
            found[self._own(0)] += (apart @ coefficients).T
        return np.asarray(found, dtype=np.float64)

    # ---- what is refused

    def _check_epoch(self, epoch: int) -> None:
        """Refuses weights and rewards as at one theta. The epoch ends: absorption need not be
        possible in it, nor its moments finite were it to last, nor is a later start entered."""
        harmless = {"ABSORPTION_UNREACHABLE", "RESULT_OVERFLOW"}
        if epoch:
            harmless.add("START_WEIGHT_ZERO")
        try:
            self._evaluator.moments(self._thetas[epoch : epoch + 1], 1, self._rewards, False)
        except NumericError as error:
            if error.code not in harmless:
                raise

    def _check_ends(self) -> None:
        """Refuses where the last epoch may begin in a vertex that it leaves no way to absorption.

        Others than those that the start reaches at the last theta: an earlier one may lead there.
        """
        occupied = np.zeros(self._evaluator.n_vertices, bool)
        source, target, weight = self._evaluator.edges(self._thetas[0])
        start = source == self._evaluator.n_vertices - 1
        occupied[target[start & (weight > 0)]] = True
        for theta, length in zip(self._thetas[:-1], np.diff(self._times), strict=True):
            if length > 0:
                source, target, weight = self._evaluator.edges(theta)
                _spread(occupied, source[weight > 0], target[weight > 0])
        source, target, weight = self._evaluator.edges(self._thetas[-1])
        ending = np.zeros(self._evaluator.n_vertices, bool)
        ending[: self._n_absorbing] = True
        _spread(ending, target[weight > 0], source[weight > 0])
        stuck = np.flatnonzero(occupied & ~ending)
        if stuck.size:
            vertex = int(self._vertex[stuck[0]])
            raise NumericError(
                f"FATAL: vertex {self._evaluator.label(vertex)} cannot reach absorption in the "
                f"last epoch, at theta = {self._thetas[-1].tolist()}",
                code="ABSORPTION_UNREACHABLE",
                hint="an earlier epoch leads there, and a weight that is 0 in the last one cuts "
                "every path on",
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
