"""Handle of `ptd_graph`: built, then frozen, then only looked at."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import ffi, lib
from .status import Context, check
from .views import pointer, view

_NO_CONTEXT = Context()


class GraphHandle:
    """A graph in the engine. Vertex 0 is the start."""

    def __init__(self, discrete: bool, n_parameters: int, state_length: int) -> None:
        self.n_parameters = n_parameters
        self.state_length = state_length
        handle, error = ffi.new("ptd_graph **"), ffi.new("ptd_error *")
        kind = lib.PTD_DISCRETE if discrete else lib.PTD_CONTINUOUS
        check(lib.ptd_graph_create(kind, n_parameters, state_length, handle, error), error)
        self._pointer = ffi.gc(handle[0], lib.ptd_graph_destroy)

    @classmethod
    def owning(cls, address: Any) -> GraphHandle:
        """Takes over a frozen graph that the engine made."""
        handle = cls.__new__(cls)
        handle._pointer = ffi.gc(address, lib.ptd_graph_destroy)
        handle.n_parameters = int(handle._view.n_parameters)
        handle.state_length = int(handle._view.state_length)
        return handle

    @property
    def address(self) -> Any:
        return self._pointer

    def __len__(self) -> int:
        return int(lib.ptd_graph_vertex_count(self._pointer))

    def add_vertices(self, count: int, states: NDArray[np.int32] | None) -> None:
        """Adds vertices numbered on from `len(self)`; states (count, state_length) or None."""
        error = ffi.new("ptd_error *")
        check(lib.ptd_graph_add_vertices(self._pointer, count, pointer(states), error), error)

    def add_edges(
        self,
        source: NDArray[np.int64],
        target: NDArray[np.int64],
        base: NDArray[np.float64],
        coefficients: NDArray[np.float64] | None,
        context: Context = _NO_CONTEXT,
    ) -> None:
        """Adds edges; coefficients (count, n_parameters), or None for constant weights."""
        error = ffi.new("ptd_error *")
        status = lib.ptd_graph_add_edges(
            self._pointer,
            source.shape[0],
            pointer(source),
            pointer(target),
            pointer(base),
            pointer(coefficients),
            error,
        )
        check(status, error, context)

    def freeze(self, improper: bool, context: Context = _NO_CONTEXT) -> None:
        """Puts the graph into its canonical form."""
        error = ffi.new("ptd_error *")
        check(lib.ptd_graph_freeze(self._pointer, int(improper), error), error, context)

    def content_hash(self) -> bytes:
        return self._hash(lib.ptd_graph_content_hash)

    def trace_key(self) -> bytes:
        return self._hash(lib.ptd_graph_trace_key)

    def _hash(self, function: Any) -> bytes:
        digest, error = ffi.new("uint8_t[]", lib.PTD_HASH_BYTES), ffi.new("ptd_error *")
        check(function(self._pointer, digest, error), error)
        return bytes(ffi.buffer(digest))

    # ---- the frozen graph

    @cached_property
    def _view(self) -> Any:
        graph_view, error = ffi.new("ptd_graph_view *"), ffi.new("ptd_error *")
        check(lib.ptd_graph_get_view(self._pointer, graph_view, error), error)
        return graph_view

    @property
    def discrete(self) -> bool:
        return bool(self._view.kind == lib.PTD_DISCRETE)

    @property
    def n_vertices(self) -> int:
        return int(self._view.n_vertices)

    @property
    def n_edges(self) -> int:
        return int(self._view.n_edges)

    @property
    def n_dropped(self) -> int:
        return int(self._view.n_dropped)

    @property
    def states(self) -> NDArray[np.int32]:
        """(n_vertices, state_length); the start's row is zeros."""
        return self._array("states", (self.n_vertices, self.state_length), np.int32)

    @property
    def vertex_class(self) -> NDArray[np.uint8]:
        """(n_vertices,): 0 start, 1 transient, 2 absorbing, 3 dropped."""
        return self._array("vertex_class", self.n_vertices, np.uint8)

    @property
    def added_order(self) -> NDArray[np.int64]:
        """(n_vertices,): canonical number of the vertex added k-th."""
        return self._array("added_order", self.n_vertices, np.int64)

    @property
    def edge_start(self) -> NDArray[np.int64]:
        """(n_vertices + 1,): where the edges of a vertex begin."""
        return self._array("edge_start", self.n_vertices + 1, np.int64)

    @property
    def edge_to(self) -> NDArray[np.int32]:
        return self._array("edge_to", self.n_edges, np.int32)

    @property
    def edge_form(self) -> NDArray[np.uint32]:
        return self._array("edge_form", self.n_edges, np.uint32)

    @property
    def form_base(self) -> NDArray[np.float64]:
        return self._array("form_base", int(self._view.n_forms), np.float64)

    @cached_property
    def form_coefficients(self) -> NDArray[np.float64]:
        """(n_forms, n_parameters), written out densely."""
        n_forms = int(self._view.n_forms)
        start = self._array("form_start", n_forms + 1, np.int64)
        n_entries = int(start[-1])
        dense = np.zeros((n_forms, self.n_parameters))
        rows = np.repeat(np.arange(n_forms), np.diff(start))
        columns = self._array("form_parameter", n_entries, np.uint32)
        dense[rows, columns] = self._array("form_coefficient", n_entries, np.float64)
        return dense

    def _array(self, name: str, shape: Any, dtype: Any) -> NDArray[Any]:
        return view(getattr(self._view, name), shape, dtype, self._pointer)
