"""Edges with states and names: what most formats hold, between a file and a graph."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import check_theta
from ..errors import ConfigError, FormatError, NumericError
from ..graph import Graph
from ..state_space.labels import theta_label


@dataclass(frozen=True)
class EdgeTable:
    """A graph as arrays.

    Attributes:
        source, target: (n_edges,), vertices; 0 is the start.
        base, coefficients: (n_edges,) and (n_edges, n_parameters).
        parameters: names, (n_parameters,).
        n_vertices: the start included.
        states: (n_vertices, state_length), row 0 for the start, or None.
        state_names: (state_length,), or None.
        discrete: whether weights are probabilities of steps.
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    base: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    parameters: Sequence[str]
    n_vertices: int
    states: NDArray[np.int64] | None
    state_names: Sequence[str] | None
    discrete: bool

    @classmethod
    def of(cls, graph: Graph, theta: ArrayLike | None) -> EdgeTable:
        """The edges of a graph; at theta, if given, as numbers, start weights as probabilities.

        Raises:
            NumericError: theta does not fit, or a weight is negative there, or infinite.
        """
        source, target, base, coefficients = graph.edges()
        parameters: Sequence[str] = graph.parameter_names
        if theta is not None:
            base = _weights(graph, theta)
            start = source == 0
            base[start] /= base[start].sum()
            # A vertex all of whose weights are 0 keeps its edges: it is not absorbing.
            leaving = np.bincount(source, base, minlength=graph.n_vertices)
            keep = (base > 0) | (leaving[source] == 0)
            source, target, base = source[keep], target[keep], base[keep]
            coefficients, parameters = np.zeros((base.size, 0)), ()
        states = graph.states().astype(np.int64)
        has_states = states.shape[1] > 0
        return cls(
            source,
            target.astype(np.int64),
            base,
            coefficients,
            parameters,
            graph.n_vertices,
            states if has_states else None,
            graph.state_names if has_states else None,
            graph.discrete,
        )

    def graph(self) -> Graph:
        """The graph.

        Raises:
            GraphError: the numbers make no model.
        """
        return Graph.from_edges(
            self.source,
            self.target,
            self.base,
            self.coefficients,
            self.states,
            n_vertices=self.n_vertices,
            parameter_names=self.parameters,
            state_names=self.state_names,
            discrete=self.discrete,
        )

    def order(self) -> NDArray[np.intp]:
        """(n_vertices,): the vertex of the table that each vertex of its graph is."""
        if self.states is None:
            return np.arange(self.n_vertices)
        by_state = np.lexsort(self.states[1:].T[::-1])
        return np.concatenate([[0], by_state + 1])


class Edges:
    """Edges as a file lists them, 8 bytes a number."""

    def __init__(self, n_parameters: int) -> None:
        self.source, self.target = array("q"), array("q")
        self.base, self.coefficients = array("d"), array("d")
        self._n_parameters = n_parameters

    def add(self, source: int, target: int, base: float, coefficients: Sequence[float]) -> None:
        """One more."""
        self.source.append(source)
        self.target.append(target)
        self.base.append(base)
        self.coefficients.extend(coefficients)

    def arrays(
        self,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """(source, target, base, coefficients)."""
        base = np.array(self.base, np.float64)
        return (
            np.array(self.source, np.int64),
            np.array(self.target, np.int64),
            base,
            np.array(self.coefficients, np.float64).reshape(base.size, self._n_parameters),
        )


def _weights(graph: Graph, theta: ArrayLike) -> NDArray[np.float64]:
    # Not `at`, which would record a trace.
    weights = graph.frozen.weights(check_theta(theta, graph.n_parameters))
    wrong = np.flatnonzero(~(weights >= 0) | np.isinf(weights))
    if wrong.size:
        edge = int(wrong[0])
        raise NumericError(
            f"FATAL: the weight of {graph.frozen.edge_label(edge)} is {float(weights[edge])!r} at"
            f" {theta_label(np.asarray(theta, np.float64))}",
            code="WEIGHT_NEGATIVE",
            hint="weights are finite and 0 or more",
        )
    return weights


def need_numbers(graph: Graph, theta: ArrayLike | None, path: str, what: str) -> None:
    """Refuses to write a graph with parameters as numbers without theta.

    Raises:
        ConfigError: it has parameters, and theta is None.
    """
    if theta is None and graph.n_parameters:
        names = ", ".join(graph.parameter_names)
        raise ConfigError(
            f"{path}: {what} hold numbers, and the graph has parameters: {names}",
            code="FILE_PARAMETERS",
            hint="give theta (--theta), or write an edge list or a .drn file",
        )


def agreed(path: str, says: bool | None, asked: bool | None) -> bool:
    """Whether a file's model is discrete: what it says and what is asked for must agree.

    Raises:
        FormatError: they do not.
    """
    if says is not None and asked is not None and says != asked:
        kinds = {True: "discrete", False: "continuous"}
        raise FormatError(
            f"{path} holds a {kinds[says]} model, and a {kinds[asked]} one is asked for",
            code="FILE_KIND",
            hint="leave discrete out: the file says what it is",
        )
    return bool(says) if says is not None else bool(asked)
