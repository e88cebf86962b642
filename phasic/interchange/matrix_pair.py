"""`alpha` and `S` as files hold them, and the graph that they make.

They are kept densely, so they are for models of up to a few thousand states. What is a small exit
beside large rates is a difference there: edge lists keep it to the last digit, matrices do not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError, FormatError
from ..graph import Graph
from .edge_table import agreed, need_numbers

LARGEST = 3000
"""Rows: S then takes 72 MB."""


class Pair(NamedTuple):
    """Attributes:
    alpha: (m,), starting probabilities.
    S: (m, m), rates, or probabilities of steps.
    states: (m, state_length), or None.
    discrete: whether S holds probabilities; None where a file does not say.
    """

    alpha: NDArray[np.float64]
    S: NDArray[np.float64]
    states: NDArray[np.int64] | None
    discrete: bool | None


def graph_of(path: str, pair: Pair, discrete: bool | None) -> Graph:
    """The graph of a pair.

    Raises:
        FormatError: the file holds a model of the other kind.
        GraphError: the matrices are not those of a phase-type distribution.
    """
    kind = agreed(path, pair.discrete, discrete)
    return Graph.from_matrices(pair.alpha, pair.S, pair.states, discrete=kind)


def pair_of(graph: Graph, theta: ArrayLike | None, path: str) -> Pair:
    """The pair of a graph at theta.

    Raises:
        ConfigError: the graph has parameters and theta is None, or it is too large.
        NumericError: theta does not fit.
    """
    need_numbers(graph, theta, path, "matrices")
    if graph.n_vertices > LARGEST:
        raise ConfigError(
            f"{path}: the graph has {graph.n_vertices:,} vertices, and matrices are written up to"
            f" {LARGEST:,}",
            code="FILE_TOO_LARGE",
            hint="write an edge list, as in model.csv",
        )
    alpha, matrix, vertices = graph.as_matrices(() if theta is None else theta)
    states = graph.states()[vertices].astype(np.int64)
    return Pair(alpha, matrix, states if states.shape[1] else None, graph.discrete)


def check_rows(path: str, rows: int) -> None:
    """Refuses matrices that are too large, before memory is taken.

    Raises:
        FormatError: more rows than LARGEST.
    """
    if rows > LARGEST:
        raise FormatError(
            f"{path} holds matrices of {rows:,} rows, expected at most {LARGEST:,}",
            code="FILE_TOO_LARGE",
            hint="large models are read from edge lists, as in model.csv",
        )
