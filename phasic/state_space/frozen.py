"""A graph that no longer changes: canonical order, classes, key, labels."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .. import errors
from .._engine.graph import GraphHandle
from .._engine.status import Context
from .labels import transition_label, vertex_labeller

START, TRANSIENT, ABSORBING, DROPPED = range(4)
_NAMED = 5


class FrozenGraph:
    """Vertices in canonical order: the start, then by state (by number where there are none)."""

    def __init__(self, handle: GraphHandle) -> None:
        self.handle = handle
        self.label: Callable[[int], str] = vertex_labeller(handle.states)

    @classmethod
    def freeze(
        cls, handle: GraphHandle, improper: bool, label: Callable[[int], str]
    ) -> FrozenGraph:
        """Freezes a built graph and says what is unusual about it.

        Args:
            handle: the graph, all its vertices and edges added.
            improper: whether traps are accepted.
            label: names a vertex by its number as added.

        Raises:
            GraphError: no vertex, no start edge, or a vertex without a path to absorption.
        """
        handle.freeze(improper, Context(vertex=label))
        frozen = cls(handle)
        if handle.n_dropped:
            frozen._warn_of_dropped()
        targets = handle.edge_to[: handle.edge_start[1]]
        if (handle.vertex_class[targets] == ABSORBING).all():
            errors.warn(
                "START_ABSORBED",
                "every start edge leads to an absorbing vertex: the time is 0 and so are its "
                "moments",
            )
        return frozen

    def _warn_of_dropped(self) -> None:
        dropped = np.flatnonzero(self.handle.vertex_class == DROPPED)
        names = ", ".join(self.label(int(vertex)) for vertex in dropped[:_NAMED])
        rest = f" and {dropped.size - _NAMED} more" if dropped.size > _NAMED else ""
        errors.warn(
            "VERTICES_DROPPED",
            f"{dropped.size} vertices cannot reach absorption, or cannot be reached and lead "
            f"there, and are left out: {names}{rest}",
        )

    @property
    def n_vertices(self) -> int:
        return self.handle.n_vertices

    @property
    def n_parameters(self) -> int:
        return self.handle.n_parameters

    @property
    def discrete(self) -> bool:
        return self.handle.discrete

    @property
    def states(self) -> NDArray[np.int32]:
        """(n_vertices, state_length), read-only; the start's row is zeros."""
        return self.handle.states

    @cached_property
    def edge_source(self) -> NDArray[np.int64]:
        """(n_edges,): the vertex that each edge leaves."""
        return np.repeat(np.arange(self.n_vertices), np.diff(self.handle.edge_start))

    def weights(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n_edges,): base + coefficients . theta of every edge."""
        forms = self.handle.form_base + self.handle.form_coefficients @ theta
        weights: NDArray[np.float64] = forms[self.handle.edge_form]
        return weights

    def edge_label(self, edge: int) -> str:
        source = int(np.searchsorted(self.handle.edge_start, edge, side="right")) - 1
        return transition_label(self.label(source), self.label(int(self.handle.edge_to[edge])))

    @cached_property
    def trace_key(self) -> bytes:
        """Names the trace: the content, the trace format and the ordering version."""
        return self.handle.trace_key()

    @cached_property
    def content_hash(self) -> bytes:
        return self.handle.content_hash()
