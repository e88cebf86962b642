"""`Graph`: a model, from its rule to its moments.

A thin surface: `state_space` explores and builds, `trace_elimination` records, `distribution`
evaluates. Nothing happens before it is needed, and each thing happens once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import config, notebook
from ._engine.record import Progress
from ._engine.status import Context
from .distribution import Distribution
from .epochs import EpochDistribution
from .errors import GraphError, NumericError
from .jax_models import JaxModels
from .own_theta import OwnTheta
from .state_space.batch_rule import BatchRule
from .state_space.callback import CallbackRule
from .state_space.edge_list import EdgeList
from .state_space.explored import Explored
from .state_space.frozen import DROPPED, FrozenGraph
from .state_space.manual import ManualRule, Vertex
from .state_space.matrices import Matrices, MatrixRule, as_matrices
from .state_space.names import checked_names, fitted_names
from .trace_elimination import (
    EliminationTrace,
    obtain_trace,
    obtain_trace_by_itself,
    record_and_keep,
)


class StateSpace(Protocol):
    """Where vertices and edges come from."""

    def explore(self, discrete: bool, max_vertices: int) -> Explored: ...


class Edges(NamedTuple):
    """Edges by vertex number: weight = base + coefficients · theta. One row an edge."""

    source: NDArray[np.int64]
    target: NDArray[np.int32]
    base: NDArray[np.float64]
    coefficients: NDArray[np.float64]


class Graph(OwnTheta, JaxModels):
    """A Markov graph whose edge weights are linear in theta, absorbed after time T.

    Give one of `callback`, `rule`, or neither (vertices and edges are then added by hand).

    Args:
        state_length: length of a state; needed by hand, else seen from the first state.
        callback: one state in, its transitions out, each `(next_state, weight)` or
            `(next_state, base, [c1, c2, …])`; an empty array in, the start edges out. A state
            without transitions is absorbing; transitions to the same state add.
        rule: many states in, (m, state_length), all their transitions out as arrays
            `(source_row, next_states, base, coefficients)`; needs `start`.
        start: start edges, as a callback returns them.
        known_states: (m, state_length), states of a rule's model that are known beforehand: the
            rule sees them all at once and not one after the other as they are found.
        parameterized: True: weights may have coefficients of theta, also in place of a weight;
            False: they may not, and theta cannot be set; None: as they come.
        n_parameters: length of theta; None: that of the coefficients.
        parameter_names: of the entries of theta, for people and files.
        state_names: of the entries of a state, for people and files.
        discrete: whether weights are probabilities of steps instead of rates.
        improper: accept states from which absorption cannot be reached; T may then be infinite.
        max_vertices: bound of the state space; None: the configured one (1 million).
        callback_arguments: passed on to the callback or rule, those that it takes.

    Example:
        >>> from phasic import Graph
        >>> def coalescent(state, nr_samples=2):
        ...     if state.size == 0:
        ...         return [([nr_samples], 0.0, [1.0])]
        ...     n = state[0]
        ...     return [([n - 1], 0.0, [n * (n - 1) / 2])] if n > 1 else []
        >>> graph = Graph(callback=coalescent, parameterized=True, nr_samples=5)
        >>> graph.update_parameterized_weights([1.0])
        >>> round(graph.mean(), 12)
        1.6
    """

    def __init__(
        self,
        state_length: int | None = None,
        *,
        callback: Callable[..., Any] | None = None,
        rule: Callable[..., Any] | None = None,
        start: Sequence[Any] | None = None,
        known_states: ArrayLike | None = None,
        parameterized: bool | None = None,
        n_parameters: int | None = None,
        parameter_names: Sequence[str] | None = None,
        state_names: Sequence[str] | None = None,
        discrete: bool = False,
        improper: bool = False,
        max_vertices: int | None = None,
        **callback_arguments: Any,
    ) -> None:
        if n_parameters is None and parameter_names is not None:
            n_parameters = len(parameter_names)
        given = (parameterized, n_parameters, state_length)
        source: StateSpace
        if callback is not None and rule is not None:
            raise GraphError(
                "callback and rule are given; a graph has one of them",
                code="MODEL",
                hint="leave one of them out",
            )
        if known_states is not None and rule is None:
            raise GraphError(
                "known_states are given without a rule",
                code="MODEL",
                hint="they are the states of a batch rule: give rule=, or leave them out",
            )
        if callback is not None:
            source = CallbackRule(_callable(callback), callback_arguments, start, *given)
        elif rule is not None:
            if start is None:
                raise GraphError(
                    "a batch rule needs start edges",
                    code="MODEL",
                    hint="give start=[(state, weight), …]",
                )
            source = BatchRule(_callable(rule), callback_arguments, start, known_states, *given)
        else:
            if callback_arguments or start is not None:
                name = next(iter(callback_arguments), "start")
                raise GraphError(
                    f"{name} is given without a callback or rule",
                    code="MODEL",
                    hint="give callback= or rule=, or leave it out and add vertices by hand",
                )
            source = ManualRule(state_length or 0, n_parameters)
        self._set_up(source, parameterized, discrete, improper, max_vertices)
        self._name(parameter_names, state_names)

    @classmethod
    def from_matrices(
        cls,
        alpha: ArrayLike,
        S: ArrayLike,
        states: ArrayLike | None = None,
        *,
        discrete: bool = False,
        improper: bool = False,
    ) -> Graph:
        """From an initial distribution (m,) and a sub-intensity matrix (m, m).

        Row i is vertex i + 1, or where it sorts if `states` (m, state_length) are given. What
        alpha lacks to 1 is mass at zero. Exits below 1e-15 of a row's rate count as rounding.

        Raises:
            GraphError: shapes, signs or sums are not those of a phase-type distribution.

        Example:
            >>> from phasic import Graph
            >>> Graph.from_matrices([1, 0], [[-1, 1], [0, -2]]).mean()
            1.5
        """
        graph = cls.__new__(cls)
        graph._set_up(MatrixRule(alpha, S, states, discrete), False, discrete, improper, None)
        return graph

    @classmethod
    def from_edges(
        cls,
        source: ArrayLike,
        target: ArrayLike,
        base: ArrayLike,
        coefficients: ArrayLike | None = None,
        states: ArrayLike | None = None,
        *,
        n_vertices: int | None = None,
        parameter_names: Sequence[str] | None = None,
        state_names: Sequence[str] | None = None,
        discrete: bool = False,
        improper: bool = False,
        max_vertices: int | None = None,
    ) -> Graph:
        """From edges between numbered vertices, as `edges` and `states` list them.

        Args:
            source: (n_edges,), vertices; 0 is the start.
            target: (n_edges,), vertices.
            base: (n_edges,); weight = base + coefficients · theta.
            coefficients: (n_edges, n_parameters), or None: weights are constant.
            states: (n_vertices, state_length), row 0 standing for the start, or None.
            n_vertices: None: that of the states, else the highest vertex of an edge and one.
            parameter_names, state_names, discrete, improper, max_vertices: as for `Graph`.

        Raises:
            GraphError: shapes, numbers or states do not fit.

        Example:
            >>> from phasic import Graph
            >>> Graph.from_edges([0, 1, 2], [1, 2, 3], [1, 1, 2]).at().mean()
            1.5
        """
        graph = cls.__new__(cls)
        edges = EdgeList(source, target, base, coefficients, states, n_vertices)
        graph._set_up(edges, None, discrete, improper, max_vertices)
        graph._name(parameter_names, state_names)
        return graph

    def _name(
        self, parameter_names: Sequence[str] | None, state_names: Sequence[str] | None
    ) -> None:
        self._parameter_names = checked_names(parameter_names, "parameter_names")
        self._state_names = checked_names(state_names, "state_names")

    def _set_up(
        self,
        source: StateSpace,
        parameterized: bool | None,
        discrete: bool,
        improper: bool,
        max_vertices: int | None,
    ) -> None:
        self._source = source
        self._parameterized = parameterized
        self._discrete = discrete
        self._improper = improper
        self._max_vertices = max_vertices
        self._lock = threading.RLock()
        self._frozen: FrozenGraph | None = None
        self._trace: EliminationTrace | None = None
        self._recorded_without_plans = False
        self._set_up_theta()
        self._name(None, None)

    # ---- building by hand

    def starting_vertex(self) -> Vertex:
        """The virtual start; its edges carry the initial distribution."""
        return Vertex(self._by_hand(), 0)

    def find_or_create_vertex(self, state: Iterable[int]) -> Vertex:
        """The vertex of a state.

        Raises:
            GraphError: the state does not fit, or the graph is in use already.
        """
        return self._by_hand().find_or_create(state)

    def add_edge(self, source: Vertex, to: Vertex, weight: float | Sequence[float]) -> None:
        """Adds an edge with a constant weight, or with coefficients of theta."""
        source.add_edge(to, weight)

    def add_edge_parameterized(
        self, source: Vertex, to: Vertex, base: float, coefficients: Sequence[float]
    ) -> None:
        """Adds an edge with weight base + coefficients · theta."""
        source.add_edge_parameterized(to, base, coefficients)

    def _by_hand(self) -> ManualRule:
        if not isinstance(self._source, ManualRule):
            raise GraphError(
                "the graph comes from a rule or matrices and cannot be built by hand",
                code="NOT_MANUAL",
                hint="Graph(state_length) makes an empty one",
            )
        return self._source

    # ---- what it is

    @property
    def frozen(self) -> FrozenGraph:
        """The explored graph in canonical form. Exploring happens here, once.

        Raises:
            GraphError: the model is not valid.
            TraceError: it has more than max_vertices states.
        """
        with self._lock:
            if self._frozen is None:
                bound = self._max_vertices or config.get_int("max_vertices")
                explored = self._source.explore(self._discrete, bound)
                self._frozen = FrozenGraph.freeze(explored.handle, self._improper, explored.label)
            return self._frozen

    @property
    def n_vertices(self) -> int:
        """Vertices, the start included."""
        return self.frozen.n_vertices

    def vertices_length(self) -> int:
        """The same as `n_vertices`."""
        return self.frozen.n_vertices

    @property
    def n_parameters(self) -> int:
        """Length of theta."""
        return self.frozen.n_parameters

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """(n_parameters,), as given; theta1, theta2, … where none were.

        Raises:
            GraphError: names are given, and not one for each parameter.
        """
        return fitted_names(self._parameter_names, self.n_parameters, "theta", "parameter_names")

    @property
    def state_names(self) -> tuple[str, ...]:
        """(state_length,), as given; x1, x2, … where none were.

        Raises:
            GraphError: names are given, and not one for each entry of a state.
        """
        return fitted_names(self._state_names, self.states().shape[1], "x", "state_names")

    @property
    def discrete(self) -> bool:
        return self._discrete

    def states(self) -> NDArray[np.int32]:
        """(n_vertices, state_length), in the order in which rewards are given.

        Read-only. Row 0 is the start, all zeros.
        """
        return self.frozen.states

    def edges(self) -> Edges:
        """All edges, parallel ones added, in canonical order."""
        handle = self.frozen.handle
        return Edges(
            self.frozen.edge_source,
            handle.edge_to,
            handle.form_base[handle.edge_form],
            handle.form_coefficients[handle.edge_form],
        )

    def trapped_vertices(self) -> list[str]:
        """Labels of all vertices from which absorption cannot be reached, in canonical order.

        Where there are any and the graph is not `improper`, everything else refuses it.

        Raises:
            GraphError: the model is not valid in another way.
            TraceError: it has more than max_vertices states.
        """
        bound = self._max_vertices or config.get_int("max_vertices")
        explored = self._source.explore(self._discrete, bound)
        explored.handle.freeze(True, Context(vertex=explored.label))
        frozen = FrozenGraph(explored.handle)
        dropped = np.flatnonzero(explored.handle.vertex_class == DROPPED)
        return [frozen.label(vertex) for vertex in dropped.tolist()]

    def as_matrices(self, theta: ArrayLike | None = None) -> Matrices:
        """(alpha, S, vertices) at theta, or at the graph's own.

        Raises:
            NumericError: theta is neither given nor set.
        """
        at = self.theta if theta is None else self.at(theta).theta
        return as_matrices(self.frozen, at)

    def reward_transform(self, rewards: ArrayLike, theta: ArrayLike | None = None) -> Graph:
        """A graph with constant weights whose time is what this one collects in rewards.

        Args:
            rewards: (n_vertices,), not negative; discrete: whole numbers. Vertices of reward 0 are
                passed over, others left at the rate divided by the reward (discrete: after so many
                steps).
            theta: (n_parameters,), or None: the graph's own.

        Raises:
            NumericError: rewards or theta do not fit.
            GraphError: some states never are absorbed.

        Example:
            >>> from phasic import Graph
            >>> graph = Graph.from_matrices([1, 0], [[-1, 1], [0, -2]])
            >>> graph.reward_transform([0, 0, 3, 0]).mean()
            1.5
        """
        distribution = self._own_distribution() if theta is None else self.at(theta)
        alpha, matrix, _ = distribution.rewarded_matrices(rewards)
        if not len(alpha):
            raise NumericError(
                "FATAL: nothing is ever collected: no state that is visited has a reward",
                code="REWARDS_ZERO",
                hint="the reward is 0 for certain, which is no graph: give a state a reward",
            )
        return Graph.from_matrices(alpha, matrix, discrete=self._discrete)

    def __repr__(self) -> str:
        kind = "discrete" if self._discrete else "continuous"
        size = f"{self._frozen.n_vertices} vertices" if self._frozen else "not explored yet"
        return f"<Graph: {kind}, {size}>"

    def _repr_html_(self) -> str:
        """What is known by now: nothing is explored or recorded for it."""
        frozen, trace = self._frozen, self._trace
        rows: list[tuple[str, Any]] = [("kind", "discrete" if self._discrete else "continuous")]
        if frozen is None:
            rows.append(("vertices", "not explored yet"))
        else:
            rows += [("vertices", frozen.n_vertices), ("edges", len(frozen.handle.edge_to))]
            rows.append(("parameters", frozen.n_parameters))
        for what, names in (
            ("names of parameters", self._parameter_names),
            ("names of states", self._state_names),
        ):
            if names:
                rows.append((what, notebook.entries(names)))
        if trace is not None:
            return notebook.shown("Graph", rows, drawing=trace._drawing)
        return notebook.shown("Graph", rows, note="No trace yet: graph.compute_trace()")

    # ---- traces

    def compute_trace(
        self, hierarchical: bool = False, min_size: int = 50, *, progress: Progress | None = None
    ) -> EliminationTrace:
        """The graph's trace: the one it has, else from the cache, else recorded and kept there.

        Args:
            hierarchical: also keep the plans of components of at least `min_size` vertices (in
                the directory `.plans` of the cache), so that a graph that shares them with an
                earlier one reuses them. The trace is the same, byte for byte. Expect little.
                Island models share components with those of fewer lineages: with 3 demes and 15
                to 75 lineages, recordings of 3 to 220 ms, a third was saved at best, where every
                plan was there, and nothing where those of a smaller sample were.
            min_size: see `hierarchical`.
            progress: called now and then with work done and in all.

        Raises:
            GraphError, TraceError: the model is not valid, has no end, or is too large.
        """
        with self._lock:
            if self._trace is None:
                self._trace, recorded, _ = obtain_trace(
                    self, hierarchical=hierarchical, min_size=min_size, progress=progress
                )
                self._recorded_without_plans = recorded and not hierarchical
            elif hierarchical and self._recorded_without_plans:
                self._trace = record_and_keep(
                    self, hierarchical=True, min_size=min_size, progress=progress
                )
                self._recorded_without_plans = False
            return self._trace

    def _obtain_trace(self) -> EliminationTrace:
        with self._lock:
            if self._trace is None:
                self._trace, recorded, _ = obtain_trace_by_itself(self)
                self._recorded_without_plans = recorded
            return self._trace

    # ---- theta

    @overload
    def at(self, theta: ArrayLike = ..., *, epochs: None = ...) -> Distribution: ...
    @overload
    def at(
        self, theta: ArrayLike = ..., *, epochs: Sequence[tuple[float, ArrayLike]]
    ) -> EpochDistribution: ...
    def at(
        self,
        theta: ArrayLike = (),
        *,
        epochs: Sequence[tuple[float, ArrayLike]] | None = None,
    ) -> Distribution | EpochDistribution:
        """The distribution at one theta (n_parameters,).

        Args:
            theta: from time 0 on.
            epochs: changes of theta, (time, theta) in ascending order of time; see
                `EpochDistribution`.

        Raises:
            NumericError: theta or epochs do not fit.
            GraphError, TraceError: the model is not valid, has no end, or is too large.

        Example:
            >>> from phasic import Graph
            >>> Graph.from_matrices([1.0], [[-2.0]]).at().variance()
            0.25
        """
        trace = self._obtain_trace()
        return (
            Distribution(trace, theta)
            if epochs is None
            else EpochDistribution(trace, theta, epochs)
        )


def _callable(function: Any) -> Callable[..., Any]:
    if not callable(function):
        raise GraphError(
            f"{function!r} cannot be called",
            code="MODEL",
            hint="callback= and rule= are functions",
        )
    return function
