"""A graph given by its edges, as `Graph.edges` lists them."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._engine.state_index import StateIndex
from ..errors import GraphError, TraceError
from .edges import EdgeChunk
from .explored import Explored, build, to_int32
from .labels import state_label


class EdgeList:
    """A state space that is there already: vertex 0 is the start."""

    def __init__(
        self,
        source: ArrayLike,
        target: ArrayLike,
        base: ArrayLike,
        coefficients: ArrayLike | None,
        states: ArrayLike | None,
        n_vertices: int | None,
    ) -> None:
        self.source = _column(source, "source", "iu").astype(np.int64)
        count = self.source.size
        self.target = _column(target, "target", "iu", count).astype(np.int64)
        self.base = _column(base, "base", "iuf", count).astype(np.float64)
        if coefficients is None:
            self.coefficients = np.zeros((count, 0))
        else:
            given = np.asarray(coefficients)
            if given.ndim != 2 or given.shape[0] != count or given.dtype.kind not in "iuf":
                _refuse(
                    f"coefficients have shape {given.shape} and type {given.dtype}, expected"
                    f" numbers ({count}, n_parameters)"
                )
            self.coefficients = given.astype(np.float64)
        highest = max(self.source.max(initial=0), self.target.max(initial=0))
        self.states = None if states is None else _states(states)
        if n_vertices is None:
            n_vertices = int(highest) + 1 if self.states is None else self.states.shape[0]
        if self.states is not None and self.states.shape[0] != n_vertices:
            _refuse(f"states have {self.states.shape[0]} rows for {n_vertices} vertices")
        lowest = min(self.source.min(initial=0), self.target.min(initial=0))
        if lowest < 0 or highest >= n_vertices:
            wrong = int(lowest if lowest < 0 else highest)
            _refuse(f"an edge names vertex {wrong}, and vertices are 0 to {n_vertices - 1}")
        self.n_vertices = n_vertices

    def explore(self, discrete: bool, max_vertices: int) -> Explored:
        """Puts the edges into the engine.

        Raises:
            TraceError: more than max_vertices vertices.
        """
        if self.n_vertices - 1 > max_vertices:
            raise TraceError(
                f"FATAL: trace cannot be recorded: there are {self.n_vertices - 1:,} states, more"
                f" than max_vertices = {max_vertices:,}",
                code="GRAPH_TOO_LARGE",
                hint="give a larger max_vertices",
            )
        width = 0 if self.states is None else self.states.shape[1]
        states = np.zeros((self.n_vertices, width), np.int32)
        if self.states is not None:
            states = self.states
        chunk = EdgeChunk(self.source, self.target, self.base, self.coefficients)
        return build(discrete, self.coefficients.shape[1], states[1:], [chunk])


def _column(values: ArrayLike, name: str, kinds: str, count: int | None = None) -> NDArray[Any]:
    array = np.asarray(values)
    if array.size == 0:
        array = array.astype(np.int64)
    wrong = array.ndim != 1 or (count is not None and array.size != count)
    if wrong or array.dtype.kind not in kinds:
        expected = "whole numbers" if kinds == "iu" else "numbers"
        length = "n_edges" if count is None else count
        _refuse(
            f"{name} has shape {array.shape} and type {array.dtype}, expected {expected}"
            f" ({length},)"
        )
    return array


def _states(states: ArrayLike) -> NDArray[np.int32]:
    array = np.asarray(states)
    if array.ndim != 2 or array.dtype.kind not in "iu":
        _refuse(
            f"states have shape {array.shape} and type {array.dtype}, expected whole numbers"
            " (n_vertices, state_length), the start in row 0"
        )
    narrow = to_int32(array)
    if narrow.shape[1]:
        index = StateIndex(narrow.shape[1], narrow.shape[0])
        numbers = index.insert(np.ascontiguousarray(narrow[1:]))
        if numbers is not None and len(index) < numbers.size:
            # Each new state is numbered one higher than those before it.
            row = int(np.flatnonzero(numbers != np.arange(numbers.size))[0])
            _refuse(f"the state {state_label(narrow[row + 1])} stands there twice")
    return narrow


def _refuse(message: str) -> NoReturn:
    raise GraphError(
        message,
        code="EDGES_INVALID",
        hint="edges are given as `graph.edges()` and `graph.states()` list them",
    )
