"""What users' thetas, rewards and vertices mean for one trace, and what its vertices are called.

Results and errors are in the user's terms: states and parameters, not positions of the elimination.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._engine.status import Context
from ._engine.trace import TraceHandle
from .arguments import Array, as_row_major, check_theta
from .errors import NumericError
from .state_space.labels import theta_label, transition_label, vertex_labeller


class TraceArguments:
    """Arguments and labels of one trace."""

    def __init__(self, trace: TraceHandle) -> None:
        self.trace = trace
        self.n_vertices = trace.meta["n_vertices"]
        self.n_parameters = trace.meta["n_parameters"]
        self.discrete = bool(trace.meta["kind"])

    # ---- labels

    @cached_property
    def states(self) -> NDArray[np.int32]:
        """(n_vertices, state_length), in canonical order; the start's row is zeros."""
        return self.trace.array("states").reshape(self.n_vertices, -1)

    @cached_property
    def label(self) -> Callable[[int], str]:
        return vertex_labeller(self.states)

    def edge_label(self, edge: int) -> str:
        """Names an edge by its number in the trace."""
        vertex = self.trace.array("position_vertex")
        starts = self.trace.array("edge_start")
        source = int(np.searchsorted(starts, edge, side="right")) - 1
        target = int(self.trace.array("edge_target")[edge])
        return transition_label(self.label(int(vertex[source])), self.label(int(vertex[target])))

    def context(self, thetas: Array, row: int) -> Context:
        """How errors at one of the thetas are told."""
        which = theta_label(thetas[row]) if row < len(thetas) else "theta"
        if len(thetas) > 1:
            which = f"{which} (row {row})"
        return Context(vertex=self.label, edge=self.edge_label, theta=which)

    # ---- arguments

    def as_thetas(self, thetas: ArrayLike) -> Array:
        """Rows of theta (n_thetas, n_parameters).

        Raises:
            NumericError: another shape, or no numbers.
        """
        array = as_row_major(thetas, "thetas")
        if array.ndim != 2 or array.shape[1] != self.n_parameters:
            raise NumericError(
                f"FATAL: thetas have shape {array.shape}; expected (n, {self.n_parameters}): one "
                f"row a theta",
                code="THETA_LENGTH",
                hint="one theta alone is thetas=[theta]",
            )
        return array

    def as_theta(self, theta: ArrayLike) -> Array:
        """One theta, checked: see `check_theta`."""
        return check_theta(theta, self.n_parameters)

    def as_rewards(self, rewards: ArrayLike | None) -> Array | None:
        """One reward a vertex (n_vertices,); None, also for an empty list: the time itself.

        Raises:
            NumericError: another length, or no numbers.
        """
        if rewards is None:
            return None
        array = as_row_major(rewards, "rewards")
        if array.shape == (0,):
            return None
        if array.shape != (self.n_vertices,):
            raise NumericError(
                f"FATAL: rewards have shape {array.shape}; expected ({self.n_vertices},): one a "
                f"vertex, in the order of states()",
                code="REWARD_LENGTH",
                hint="rewards have an entry for every vertex, the start (row 0) included",
            )
        return array

    def as_reward_row(self, rewards: ArrayLike | None) -> Array:
        """The same as a row (1, n_vertices); None: all 1."""
        row = self.as_rewards(rewards)
        return (np.ones(self.n_vertices) if row is None else row)[np.newaxis]

    def check_rewards(self, rows: Array) -> None:
        """Refuses rewards (..., n_vertices) as the engine does where it takes them.

        Raises:
            NumericError: one is negative or not finite.
        """
        wrong = np.argwhere(~((rows >= 0) & np.isfinite(rows)))
        if wrong.size:
            raise NumericError(
                f"FATAL: the reward of vertex {self.label(int(wrong[0, -1]))} is negative or not "
                f"finite",
                code="REWARD_INVALID",
                hint="rewards are >= 0",
            )

    def as_reward_rows(self, rewards: ArrayLike) -> Array:
        """Several rewards (n_rewards, n_vertices).

        Raises:
            NumericError: another shape, or no numbers.
        """
        array = as_row_major(rewards, "rewards")
        if array.ndim != 2 or array.shape[0] == 0 or array.shape[1] != self.n_vertices:
            raise NumericError(
                f"FATAL: rewards have shape {array.shape}; expected (n, {self.n_vertices}): one "
                f"row a reward, in the order of states()",
                code="REWARD_LENGTH",
                hint="rewards have an entry for every vertex, the start (row 0) included",
            )
        return array

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """Absorbing vertices, ascending."""
        # They come first in the trace.
        first = self.trace.array("position_vertex")[: self.trace.meta["n_absorbing"]]
        return np.sort(first).astype(np.int64)

    def as_ends(self, vertices: ArrayLike) -> NDArray[np.int64]:
        """Numbers of absorbing vertices.

        Raises:
            NumericError: one is not absorbing, or no number.
        """
        ends = np.atleast_1d(np.asarray(vertices))
        if ends.shape == (0,):
            return np.empty(0, np.int64)
        if ends.dtype.kind not in "iu" or ends.ndim != 1:
            raise NumericError(
                f"FATAL: {vertices!r} are no numbers of vertices",
                code="NOT_ABSORBING",
                hint=f"absorbing vertices are {', '.join(map(str, self.ends[:12]))}",
            )
        other = ends[~np.isin(ends, self.ends)]
        if other.size:
            number = int(other[0])
            known = 0 <= number < self.n_vertices
            raise NumericError(
                f"FATAL: vertex {self.label(number)} is not absorbing"
                if known
                else f"FATAL: there is no vertex {number}",
                code="NOT_ABSORBING",
                hint=f"absorbing vertices are {', '.join(map(str, self.ends[:12]))}",
            )
        return np.ascontiguousarray(ends, np.int64)
