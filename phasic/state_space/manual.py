"""Building a graph by hand: vertices found or created by state, edges added one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import GraphError
from .edges import EdgeChunk
from .explored import Explored, build, to_int32
from .labels import state_label

_HINT = "vertices and edges are added before the graph is first evaluated"


class Vertex:
    """A vertex of a graph that is built by hand. `number` counts as added; 0 is the start."""

    def __init__(self, builder: ManualRule, number: int) -> None:
        self._builder = builder
        self.number = number

    def state(self) -> NDArray[np.int64]:
        """(state_length,)."""
        return np.array(self._builder.states[self.number], np.int64)

    def add_edge(self, to: Vertex, weight: float | Sequence[float]) -> None:
        """Adds an edge with a constant weight, or with coefficients of theta."""
        if isinstance(weight, Iterable):
            self._builder.add_edge(self, to, 0.0, weight)
        else:
            self._builder.add_edge(self, to, weight, ())

    def add_edge_parameterized(
        self, to: Vertex, base: float, coefficients: Sequence[float]
    ) -> None:
        """Adds an edge with weight base + coefficients · theta."""
        self._builder.add_edge(self, to, base, coefficients)

    def edges(self) -> list[tuple[Vertex, float, tuple[float, ...]]]:
        """The edges out of this vertex as (to, base, coefficients), in the order added."""
        return [
            (Vertex(self._builder, to), base, coefficients)
            for source, to, base, coefficients in self._builder.edges
            if source == self.number
        ]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Vertex)
            and other._builder is self._builder
            and other.number == self.number
        )

    def __hash__(self) -> int:
        return hash((id(self._builder), self.number))

    def __repr__(self) -> str:
        return f"<Vertex {self._builder.label(self.number)}>"


class ManualRule:
    """A state space that grows by calls."""

    def __init__(self, state_length: int, n_parameters: int | None) -> None:
        self.state_length = state_length
        self.n_parameters = n_parameters
        self.states: list[tuple[int, ...]] = [(0,) * state_length]
        self.edges: list[tuple[int, int, float, tuple[float, ...]]] = []
        self.is_closed = False
        self._numbers: dict[tuple[int, ...], int] = {}

    def label(self, number: int) -> str:
        if number == 0:
            return "start"
        return state_label(self.states[number]) if self.state_length else str(number)

    def find_or_create(self, state: Iterable[int]) -> Vertex:
        """The vertex of a state.

        Raises:
            GraphError: the state has another length or is not of integers, or building is over.
        """
        self._check_open()
        key = self._as_state(state)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.states)
            self.states.append(key)
        return Vertex(self, number)

    def _as_state(self, state: Iterable[int]) -> tuple[int, ...]:
        array = np.asarray(state)
        if array.ndim != 1 or array.dtype.kind not in "iu" or array.shape[0] != self.state_length:
            raise GraphError(
                f"{state!r} is no state: expected {self.state_length} integers",
                code="STATE_INVALID",
                hint="Graph(state_length) says how many integers a state has",
            )
        return tuple(int(value) for value in to_int32(array[np.newaxis])[0])

    def add_edge(
        self, source: Vertex, to: Vertex, base: float, coefficients: Iterable[float]
    ) -> None:
        """Adds an edge.

        Raises:
            GraphError: a vertex of another graph, weights that are no numbers, or building is
                over.
        """
        self._check_open()
        if not isinstance(to, Vertex) or to._builder is not self:
            raise GraphError(
                f"{to!r} is no vertex of this graph",
                code="VERTEX_INVALID",
                hint="find_or_create_vertex(state) of this graph gives its vertices",
            )
        try:
            weight = float(base), tuple(float(value) for value in coefficients)
        except (TypeError, ValueError) as error:
            raise GraphError(
                f"the weight of {source!r} -> {to!r} is no number: {error}",
                code="WEIGHT_INVALID",
                hint="give a number, or a list of coefficients of theta",
            ) from error
        self.edges.append((source.number, to.number, *weight))

    def _check_open(self) -> None:
        if self.is_closed:
            raise GraphError(
                "the graph is in use and cannot change", code="GRAPH_FROZEN", hint=_HINT
            )

    def explore(self, discrete: bool, max_vertices: int) -> Explored:
        """Puts the vertices and edges into the engine; nothing can be added after."""
        del max_vertices  # What is here already fits.
        self.is_closed = True
        width = max((len(coefficients) for *_, coefficients in self.edges), default=0)
        n_parameters = width if self.n_parameters is None else self.n_parameters
        coefficients = np.zeros((len(self.edges), n_parameters))
        for row, (source, to, _, values) in zip(coefficients, self.edges, strict=True):
            if values and len(values) != n_parameters and source != 0:
                raise GraphError(
                    f"the edge {self.label(source)} -> {self.label(to)} has {len(values)} "
                    f"coefficients; the graph has {n_parameters} parameters",
                    code="COEFFICIENTS_LENGTH",
                    hint="give one coefficient a parameter, 0 where it has no effect",
                )
            row[: len(values)] = values
        chunk = EdgeChunk(
            np.array([edge[0] for edge in self.edges], np.int64),
            np.array([edge[1] for edge in self.edges], np.int64),
            np.array([edge[2] for edge in self.edges], np.float64),
            coefficients,
        )
        states = np.array(self.states[1:], np.int32).reshape(-1, self.state_length)
        return build(discrete, n_parameters, states, [chunk], self.label)
