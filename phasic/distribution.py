"""A graph at one theta: a phase-type distribution with its moments and derivatives.

T is the time (discrete: the number of steps) from the start to absorption. With rewards r, one a
vertex, the variable is Y, the integral (discrete: the sum) of r along the path; without them, T.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import density_logs, notebook, occupation
from ._engine.chain import DENSITY, Chain, Found
from .arguments import Array, as_numbers
from .central_moments import unit_of
from .density_logs import Ask
from .errors import GraphError, NumericError
from .likelihood import LikelihoodFunctions
from .moments import MomentFunctions
from .sampling import Sampler, SamplingFunctions
from .trace_elimination import EliminationTrace
from .transforms import TransformFunctions

# Chains that a distribution keeps: one a variable and number of derivatives.
_MOST_CHAINS = 8
_EPSILON = float(np.finfo(np.float64).eps)
# Of the slope of a density, beside the density by the time.
_MOST_LOST = 1e-7
# Moments that bound the tail beyond what the methods reach.
_TAIL_ORDER = 32
_SMALLEST = float(np.finfo(np.float64).tiny)
# In a notebook moments are shown that take so little, and densities of so few vertices are drawn.
_MOST_SHOWN_WORK, _MOST_SHOWN_VERTICES = 1_000_000, 200


class Distribution(MomentFunctions, TransformFunctions, LikelihoodFunctions, SamplingFunctions):
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
        self._chains: dict[tuple[bytes, int, int], Chain] = {}
        self._lock = threading.Lock()

    @property
    def theta(self) -> Array:
        """(n_parameters,), read-only."""
        return self._thetas[0]

    @property
    def discrete(self) -> bool:
        return self.trace.discrete

    def __reduce__(self) -> tuple[object, tuple[EliminationTrace, list[float]]]:
        return Distribution, (self.trace, self.theta.tolist())

    def __repr__(self) -> str:
        return f"<Distribution of {self.trace!r} at {self.theta.tolist()}>"

    def _repr_html_(self) -> str:
        meta = self.trace.handle.meta
        rows: list[tuple[str, object]] = [
            ("kind", "discrete" if self.discrete else "continuous"),
            ("vertices", meta["n_vertices"]),
            ("trace", self.trace.key[:12]),
        ]
        if self.theta.size:
            rows.append(("theta", notebook.entries(self.theta.tolist())))
        if meta["multiply_adds"] <= _MOST_SHOWN_WORK:
            rows += [
                ("mean", _or_why_not(self.mean)),
                ("standard deviation", _or_why_not(self.std)),
            ]
        few = meta["n_vertices"] <= _MOST_SHOWN_VERTICES
        return notebook.shown("Distribution", rows, drawing=self._draw if few else None)

    def _draw(self) -> str:
        from .plots import plot_function, svg_element

        return svg_element(plot_function(self))

    # ---- by vertex

    @overload
    def expected_sojourn_time(self, *, gradient: Literal[False] = ...) -> Array: ...
    @overload
    def expected_sojourn_time(self, *, gradient: Literal[True]) -> tuple[Array, Array]: ...
    def expected_sojourn_time(self, *, gradient: bool = False) -> Array | tuple[Array, Array]:
        """Expected total time (discrete: visits) in each vertex: (n_vertices,).

        In an improper graph that of the first vertex of a trap is infinite where the trap may be
        entered; the others of a trap were left out of the graph and have 0.

        Raises:
            NumericError: a weight is negative or not finite at theta, absorption is unreachable
                there, or a result exceeds the range of double.

        Example:
            >>> from phasic import Graph
            >>> chain = Graph.from_matrices([1, 0], [[-1, 1], [0, -2]]).at()
            >>> chain.expected_sojourn_time().tolist()
            [0.0, 1.0, 0.5, 0.0]

        With `gradient` also (n_vertices, n_parameters): one elimination reversed a vertex.
        """
        times = self._evaluator.expected_sojourn(self._thetas)[0]
        return (times, self._evaluator.sojourn_gradient(self._thetas)) if gradient else times

    @overload
    def expected_waiting_time(
        self, rewards: ArrayLike | None = ..., *, gradient: Literal[False] = ...
    ) -> Array: ...
    @overload
    def expected_waiting_time(
        self, rewards: ArrayLike | None = ..., *, gradient: Literal[True]
    ) -> tuple[Array, Array]: ...
    def expected_waiting_time(
        self, rewards: ArrayLike | None = None, *, gradient: bool = False
    ) -> Array | tuple[Array, Array]:
        """E[Y] from each vertex on: (n_vertices,); the start's entry is the mean. With `gradient`
        also (n_vertices, n_parameters)."""
        rewards = self._evaluator.as_rewards(rewards)
        values, slope = self._evaluator.vertex_moments(self._thetas, 1, rewards, gradient)
        return values[0] if slope is None else (values[0], slope[0])

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

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1, 0], [[-1, 1], [0, -2]]).at()
            >>> x.absorption_probabilities().tolist()
            [0.0, 0.0, 0.0, 1.0]
        """
        targets = self._evaluator.ends if vertices is None else self._evaluator.as_ends(vertices)
        found, slope = self._evaluator.absorption_probabilities(self._thetas, targets, gradient)
        values, derivatives = found[0], None if slope is None else slope[0]
        if vertices is None:
            values = _scatter(values, targets, self.trace.n_vertices)
            if derivatives is not None:
                derivatives = _scatter(derivatives, targets, self.trace.n_vertices)
        return values if derivatives is None else (values, derivatives)

    @overload
    def defect(
        self, rewards: ArrayLike | None = ..., *, gradient: Literal[False] = ...
    ) -> float: ...
    @overload
    def defect(
        self, rewards: ArrayLike | None = ..., *, gradient: Literal[True]
    ) -> tuple[float, Array]: ...
    def defect(
        self, rewards: ArrayLike | None = None, *, gradient: bool = False
    ) -> float | tuple[float, Array]:
        """P(Y = 0): absorbed without a visit to a vertex of positive reward; with `gradient` also
        (n_parameters,)."""
        rewards = self._evaluator.as_rewards(rewards)
        value = float(self._evaluator.defect(self._thetas, rewards)[0])
        return (
            (value, self._evaluator.defect_gradient(self._thetas, rewards)) if gradient else value
        )

    def rewarded_matrices(self, rewards: ArrayLike) -> tuple[Array, Array, NDArray[np.int64]]:
        """(alpha, S, vertices) of the chain whose time is what is collected in rewards.

        Args:
            rewards: (n_vertices,), not negative; discrete: whole numbers.

        Returns:
            The initial distribution (m,), what it lacks to 1 being the atom at 0; the
            sub-intensity matrix (m, m), discrete: the sub-transition matrix; and the vertex of each
            of the m states.

        Raises:
            NumericError: rewards do not fit, or rates over them leave the range of double.
            GraphError: some states never are absorbed.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1, 0], [[-1, 1], [0, -2]]).at()
            >>> alpha, S, vertices = x.rewarded_matrices([0, 0, 4, 0])
            >>> alpha.tolist(), S.tolist(), vertices.tolist()
            ([1.0], [[-0.5]], [2])
        """
        row = self._evaluator.as_reward_row(rewards)[0]
        if self.trace.handle.meta["n_dropped"]:
            raise GraphError(
                "rewards of states that never are absorbed have no matrices",
                code="GRAPH_NO_ABSORPTION",
                hint="`phasic inspect MODEL --check` lists the states without a way to absorption",
            )
        return self._chain(Ask(rewards=row)).matrices()

    # ---- at a time

    @overload
    def state_probability(self, t: ArrayLike, *, gradient: Literal[False] = ...) -> Array: ...
    @overload
    def state_probability(
        self, t: ArrayLike, *, gradient: Literal[True]
    ) -> tuple[Array, Array]: ...
    @overload
    def state_probability(
        self, t: ArrayLike, *, gradient: bool = ...
    ) -> Array | tuple[Array, Array]: ...
    def state_probability(
        self, t: ArrayLike, *, gradient: bool = False
    ) -> Array | tuple[Array, Array]:
        """P(X_t = v), absorbing vertices included.

        Args:
            t: finite times from 0 on, of any shape.
            gradient: whether derivatives in theta are given too.

        Returns:
            The shape of t and (n_vertices,) behind; with `gradient` also with n_parameters behind.

        Raises:
            NumericError: a time is wrong, or so far that no method gets there (DENSITY_REFUSED); or
                vertices are reached from which an improper graph has no way out.

        Example:
            >>> from phasic import Graph
            >>> exponential = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> exponential.state_probability(0.5).round(12).tolist()
            [0.0, 0.367879441171, 0.632120558829]
        """
        return occupation.split(self._occupation(t, 0, gradient), gradient)

    @overload
    def stop_probability(self, t: ArrayLike, *, gradient: Literal[False] = ...) -> Array: ...
    @overload
    def stop_probability(self, t: ArrayLike, *, gradient: Literal[True]) -> tuple[Array, Array]: ...
    @overload
    def stop_probability(
        self, t: ArrayLike, *, gradient: bool = ...
    ) -> Array | tuple[Array, Array]: ...
    def stop_probability(
        self, t: ArrayLike, *, gradient: bool = False
    ) -> Array | tuple[Array, Array]:
        """The same as `state_probability`."""
        return self.state_probability(t, gradient=gradient)

    @overload
    def accumulated_visiting_time(
        self, t: ArrayLike, *, gradient: Literal[False] = ...
    ) -> Array: ...
    @overload
    def accumulated_visiting_time(
        self, t: ArrayLike, *, gradient: Literal[True]
    ) -> tuple[Array, Array]: ...
    @overload
    def accumulated_visiting_time(
        self, t: ArrayLike, *, gradient: bool = ...
    ) -> Array | tuple[Array, Array]: ...
    def accumulated_visiting_time(
        self, t: ArrayLike, *, gradient: bool = False
    ) -> Array | tuple[Array, Array]:
        """Expected time (discrete: visits) in each vertex up to t: as `state_probability`.

        Example:
            >>> from phasic import Graph
            >>> x = Graph.from_matrices([1.0], [[-2.0]]).at()
            >>> x.accumulated_visiting_time(0.5).round(12).tolist()
            [0.0, 0.316060279414, 0.0]
        """
        return occupation.split(self._occupation(t, 1, gradient), gradient)

    def _occupation(self, t: ArrayLike, which: int, gradient: bool) -> Array:
        where = occupation.Occupation(self._evaluator, self.theta, gradient)
        chain = self._chain(Ask(order=int(gradient)))
        if chain.trapped:
            raise NumericError(
                "FATAL: the process may enter vertices that never are absorbed, which were left "
                "out of the graph: where it is among them is not known",
                code="VERTICES_DROPPED",
                hint="sf, cdf and sub_cdf are there; `phasic inspect MODEL --check` lists the "
                "vertices",
            )
        return occupation.at_times(t, lambda time: where.at(chain, time)[which])

    # ---- what the density functions need

    @property
    def n_parameters(self) -> int:
        """Length of theta."""
        return self.trace.n_parameters

    def _chain(self, ask: Ask) -> Chain:
        key = (b"" if ask.rewards is None else ask.rewards.tobytes(), ask.target, ask.order)
        with self._lock:
            chain = self._chains.get(key)
            if chain is None:
                chain = self._evaluator.chain(
                    self.theta, rewards=ask.rewards, order=ask.order, target=ask.target
                )
                while len(self._chains) >= _MOST_CHAINS:
                    self._chains.pop(next(iter(self._chains)))
                self._chains[key] = chain
            return chain

    def _found(self, function: int, times: Array, ask: Ask) -> Found:
        return self._chain(ask).answer(function, times, ask.method, ask.tolerance)

    def _at_zero(self, function: int, ask: Ask) -> Array:
        return self._chain(ask).at_zero(function)

    def _total(self, ask: Ask) -> float:
        if ask.target < 0 and not self.trace.handle.meta["n_dropped"]:
            return 1.0
        return float(np.sum(self.absorption_probabilities(self._targets(ask))))

    def _rest(self, ask: Ask) -> float:
        rest = super()._rest(ask)
        rounding = float(np.finfo(float).eps) * self.trace.n_vertices
        some = ask.target < 0 and self.trace.handle.meta["n_dropped"]
        if some and not rounding <= ask.tolerance * rest:
            raise NumericError(
                f"FATAL: the probability of never being absorbed is {rest:g} to within "
                f"{rounding:.2g}, which is not within {ask.tolerance:g} of it",
                code="DENSITY_REFUSED",
                hint="ask at a late finite time, where it is known to all digits",
            )
        return rest

    def _total_jet(self, ask: Ask) -> Array:
        if ask.target < 0 and not self.trace.handle.meta["n_dropped"]:
            return np.array([1.0] + [0.0] * self.n_parameters)
        values, slope = self.absorption_probabilities(self._targets(ask), gradient=True)
        return np.concatenate([[values.sum()], slope.sum(axis=0)])

    def _targets(self, ask: Ask) -> NDArray[np.int64]:
        return self._evaluator.ends if ask.target < 0 else np.array([ask.target])

    def _scale(self, ask: Ask) -> float:
        mean = self.mean(ask.rewards)
        return mean if np.isfinite(mean) and mean > 0 else 1 / self._chain(ask).fastest

    def _longest(self, ask: Ask) -> float:
        return float(self._chain(ask).size)

    def _density_slope(self, times: Array, ask: Ask) -> Array:
        # f(t) = alpha e^{St} s, f'(t) = (alpha S) e^{St} s: the density's derivative by its start,
        # in the direction alpha S.
        start, direction = self._chain(ask._replace(order=0)).start_and_flow()
        slope = np.zeros((len(start), self.n_parameters + 1))
        slope[:, -1] = direction
        chain = self._evaluator.chain(
            self.theta, rewards=ask.rewards, order=1, start=start, start_slope=slope
        )
        at, which = density_logs.distinct(times)
        found = chain.answer(DENSITY, at, ask.method, ask.tolerance)
        if found.refused:
            raise NumericError(
                f"FATAL: no method gives the slope of the density at {at[found.bound.argmax()]:g}: "
                f"{density_logs.explain(chain.estimate(DENSITY, at))}",
                code="DENSITY_REFUSED",
                hint="a larger tolerance= or another method= may do",
            )
        # The direction is known to a rounding of its largest entries, the fastest rate.
        if _EPSILON * chain.fastest * at[-1] > _MOST_LOST:
            raise NumericError(
                f"FATAL: rounding leaves too few digits of the slope of the density at {at[-1]:g}: "
                f"the fastest rate is {chain.fastest:g}",
                code="NO_DIGITS",
                hint="the gradient of the quantile is there: leave hessian= out",
            )
        return found.log_jet[which, self.n_parameters]

    def _log_tail(self, times: Array, ask: Ask) -> Array:
        # Markov's inequality for moments; a density is at most the fastest rate times the tail.
        row = np.ones(self._evaluator.n_vertices) if ask.rewards is None else ask.rewards
        try:
            unit = unit_of(self.mean(ask.rewards))
            moments = self.moments(_TAIL_ORDER, row * unit)
        except NumericError as error:
            if error.code != "RESULT_OVERFLOW":
                raise
            return np.zeros(len(times))
        k = np.arange(1, _TAIL_ORDER + 1)
        # Of moments below the range of double only that is known.
        log_times = np.log(times) + np.log(unit)
        tails = np.log(np.maximum(moments, _SMALLEST)) - k * log_times[:, np.newaxis]
        return tails.min(axis=1) + max(0.0, float(np.log(self._chain(ask).fastest)))

    def _why(self, function: int, times: Array, ask: Ask) -> str:
        return density_logs.explain(self._chain(ask).estimate(function, times))

    def _checked_rewards(self, rewards: ArrayLike | None) -> Array | None:
        array = None if rewards is None else as_numbers(rewards, "rewards")
        if array is not None and array.ndim == 2:
            return self._evaluator.as_reward_rows(array)
        return self._evaluator.as_rewards(array)

    def _checked_end(self, vertex: int) -> int:
        return int(self._evaluator.as_ends([vertex])[0])

    # ---- what samples need

    @cached_property
    def _sampler(self) -> Sampler:
        return Sampler(self._evaluator, self.theta)


def _scatter(values: Array, targets: NDArray[np.int64], length: int) -> Array:
    spread = np.zeros((length, *values.shape[1:]))
    spread[targets] = values
    return spread


def _or_why_not(function: Callable[[], float]) -> float | str:
    try:
        return function()
    except NumericError as error:
        return error.message.removeprefix("FATAL: ")
