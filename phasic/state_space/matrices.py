"""Graphs from and to the usual pair: initial distribution alpha and sub-intensity matrix S.

In a discrete graph S is the sub-transition matrix instead.
"""

from __future__ import annotations

from math import fsum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import GraphError
from .edges import EdgeChunk
from .explored import Explored, build, to_int32
from .frozen import DROPPED, TRANSIENT, FrozenGraph

# How far a row or alpha may be beyond 1 or 0 by rounding alone.
_ROUNDING = 1e-12
_SHAPES = "alpha has one entry, S one row and one column a state, and there is one at least"


class MatrixRule:
    """A state space given by (alpha, S): vertex i + 1 is row i, the last vertex is absorbing."""

    def __init__(
        self, alpha: ArrayLike, matrix: ArrayLike, states: ArrayLike | None, discrete: bool
    ) -> None:
        self.alpha = _as_matrix(alpha, 1, "alpha")
        self.matrix = _as_matrix(matrix, 2, "S")
        n_rows = self.alpha.shape[0]
        if self.matrix.shape != (n_rows, n_rows):
            raise GraphError(
                f"S has shape {self.matrix.shape}; alpha has {n_rows} entries, so expected "
                f"({n_rows}, {n_rows})",
                code="MATRIX_SHAPE",
                hint=_SHAPES,
            )
        if (self.alpha < 0).any() or self.alpha.sum() > 1 + _ROUNDING:
            raise GraphError(
                f"alpha is no distribution: it sums to {float(self.alpha.sum())!r}, least "
                f"entry {float(self.alpha.min())!r}",
                code="MATRIX_ALPHA",
                hint="entries are >= 0 and sum to at most 1; the rest is mass at zero",
            )
        self.exits = _exits(self.matrix, discrete)
        self.states = None if states is None else _as_states(states, n_rows)

    def explore(self, discrete: bool, max_vertices: int) -> Explored:
        """Puts the matrices into the engine."""
        del max_vertices  # What is here already fits.
        n_rows = self.alpha.shape[0]
        weights = self.matrix.copy()
        if not discrete:
            np.fill_diagonal(weights, 0.0)
        row, column = np.nonzero(weights)
        leaving = np.flatnonzero(self.exits)
        starting = np.flatnonzero(self.alpha)
        absorbing = n_rows + 1
        edges = [
            (np.zeros_like(starting), starting + 1, self.alpha[starting]),
            (row + 1, column + 1, weights[row, column]),
            (leaving + 1, np.full_like(leaving, absorbing), self.exits[leaving]),
        ]
        missing = 1.0 - self.alpha.sum()
        if missing > _ROUNDING:
            edges.append((np.zeros(1, int), np.full(1, absorbing), np.array([missing])))
        chunks = [
            EdgeChunk(source, target, base, np.zeros((base.shape[0], 0)))
            for source, target, base in edges
        ]
        states = np.zeros((absorbing, 0), np.int32) if self.states is None else self.states
        return build(discrete, 0, states, chunks)


def _as_matrix(values: ArrayLike, n_axes: int, name: str) -> NDArray[np.float64]:
    try:
        array = np.array(values, np.float64)
    except (TypeError, ValueError) as error:
        raise GraphError(
            f"{name} is no matrix of numbers: {error}", code="MATRIX_SHAPE", hint=_SHAPES
        ) from error
    if array.ndim != n_axes or array.size == 0:
        raise GraphError(f"{name} has shape {array.shape}", code="MATRIX_SHAPE", hint=_SHAPES)
    if not np.isfinite(array).all():
        where = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        raise GraphError(
            f"{name}{list(where)} is {array[where]}",
            code="MATRIX_NOT_FINITE",
            hint="rates and probabilities are finite",
        )
    return array


def _exits(matrix: NDArray[np.float64], discrete: bool) -> NDArray[np.float64]:
    """Weights into absorption: what rows lack to 0 (discrete: to 1).

    The row is summed exactly, so that a small exit beside large rates is as right as the matrix.
    """
    off_diagonal = matrix - np.diag(np.diagonal(matrix))
    wrong = matrix < 0 if discrete else off_diagonal < 0
    if wrong.any():
        i, j = (int(k) for k in np.argwhere(wrong)[0])
        message = f"S[{i}, {j}] is {float(matrix[i, j])!r}, negative"
        raise GraphError(
            message,
            code="MATRIX_NEGATIVE",
            hint="probabilities are >= 0"
            if discrete
            else "rates are >= 0; on the diagonal stands minus the rate of leaving",
        )
    total = 1.0 if discrete else 0.0
    exits = np.array([fsum([total, *(-row)]) for row in matrix])
    scale = np.maximum(total, np.abs(np.diagonal(matrix)))
    beyond = exits < -_ROUNDING * scale
    if beyond.any():
        i = int(np.flatnonzero(beyond)[0])
        most = "1" if discrete else "0"
        raise GraphError(
            f"row {i} of S sums to {float(total - exits[i])!r}, more than {most}",
            code="MATRIX_ROW_SUM",
            hint="what a row lacks to 1 is the probability of absorption"
            if discrete
            else "for probabilities pass discrete=True",
        )
    exits[exits <= _ROUNDING * scale * 1e-3] = 0.0
    return exits


def _as_states(states: ArrayLike, n_rows: int) -> NDArray[np.int32]:
    array = np.asarray(states)
    if array.ndim == 1:
        array = array[:, np.newaxis]
    fits = array.ndim == 2 and array.shape[0] in (n_rows, n_rows + 1)
    if not fits or array.dtype.kind not in "iu":
        raise GraphError(
            f"states have shape {array.shape} and type {array.dtype}; expected integers, one row "
            f"for each of the {n_rows} rows of S (and one for absorption)",
            code="MATRIX_STATES",
            hint="row i of states is the state of row i of S",
        )
    narrow = to_int32(array)
    if narrow.shape[0] == n_rows:
        # The absorbing vertex sorts behind the others: the greatest state plus one.
        narrow = np.vstack([narrow, narrow.max(axis=0) + np.int32(1)])
    return narrow


class Matrices(NamedTuple):
    """Attributes:
    alpha: (m,), the start's probabilities of the vertices.
    S: (m, m), sub-intensities (discrete: sub-transition probabilities) between them.
    vertices: (m,), their numbers in the order of `graph.states()`.
    """

    alpha: NDArray[np.float64]
    S: NDArray[np.float64]
    vertices: NDArray[np.int64]


def as_matrices(frozen: FrozenGraph, theta: NDArray[np.float64]) -> Matrices:
    """The matrices of all vertices that are neither start nor absorbing, at one theta."""
    weights = frozen.weights(theta)
    kinds = frozen.handle.vertex_class
    vertices = np.flatnonzero((kinds == TRANSIENT) | (kinds == DROPPED))
    row_of = np.full(frozen.n_vertices, -1)
    row_of[vertices] = np.arange(vertices.size)
    source, target = frozen.edge_source, frozen.handle.edge_to
    is_start = source == 0
    is_inner = row_of[target] >= 0

    chosen = is_start & is_inner
    alpha = np.zeros(vertices.size)
    alpha[row_of[target[chosen]]] = weights[chosen] / weights[is_start].sum()
    chosen = ~is_start & is_inner
    matrix = np.zeros((vertices.size, vertices.size))
    np.add.at(matrix, (row_of[source[chosen]], row_of[target[chosen]]), weights[chosen])
    leaving = np.bincount(row_of[source[~is_start]], weights[~is_start], minlength=vertices.size)
    stays = 1.0 - leaving if frozen.discrete else -leaving
    matrix[np.diag_indices(vertices.size)] += stays
    return Matrices(alpha, matrix, vertices)
