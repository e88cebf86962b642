"""Handle of `ptd_elimination_trace` with its arrays: immutable, shared by any number of threads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import ffi, lib
from .graph import GraphHandle
from .record import Progress, record
from .status import Context, check
from .stored_trace import ARRAY_NAMES, META_NAMES, StoredTrace, file_context
from .views import view

_DTYPES: dict[int, Any] = {
    lib.PTD_INT32: np.int32,
    lib.PTD_UINT32: np.uint32,
    lib.PTD_UINT16: np.uint16,
    lib.PTD_FLOAT64: np.float64,
}


class TraceHandle(StoredTrace):
    """A trace in the engine."""

    @classmethod
    def record(
        cls,
        graph: GraphHandle,
        *,
        max_trace_bytes: int,
        plan_directory: str | None = None,
        plan_min_vertices: int = 0,
        progress: Progress | None = None,
        context: Context,
    ) -> TraceHandle:
        """Records a frozen graph."""
        return cls(
            record(graph, max_trace_bytes, plan_directory, plan_min_vertices, progress, context)
        )

    @classmethod
    def from_arrays(
        cls, meta: Mapping[str, int], arrays: Mapping[str, NDArray[Any]]
    ) -> TraceHandle:
        """From meta numbers and arrays by name, copied and validated by the engine."""
        c_meta = ffi.new("ptd_trace_meta *", {name: int(meta[name]) for name in META_NAMES})
        c_arrays = ffi.new("ptd_array[]", len(ARRAY_NAMES))
        alive = []
        for number, name in enumerate(ARRAY_NAMES):
            dtype = lib.ptd_trace_array_dtype(number)
            array = np.ascontiguousarray(arrays[name], dtype=_DTYPES[dtype]).reshape(-1)
            data = ffi.from_buffer(array)
            alive.append(data)
            c_arrays[number] = {"dtype": dtype, "length": array.size, "data": data}
        result, error = ffi.new("ptd_elimination_trace **"), ffi.new("ptd_error *")
        status = lib.ptd_elimination_trace_create(c_meta, c_arrays, result, error)
        check(status, error, file_context("the trace"))
        return cls(result[0])

    @classmethod
    def decode(cls, data: bytes, place: str = "the data") -> TraceHandle:
        """From the bytes of a trace file."""
        result, error = ffi.new("ptd_elimination_trace **"), ffi.new("ptd_error *")
        buffer = ffi.from_buffer("uint8_t[]", data)
        status = lib.ptd_elimination_trace_decode(buffer, len(data), result, error)
        check(status, error, file_context(place))
        return cls(result[0])

    def encode(self) -> bytes:
        """The bytes of its file."""
        data, length = ffi.new("uint8_t **"), ffi.new("int64_t *")
        error = ffi.new("ptd_error *")
        check(lib.ptd_elimination_trace_encode(self._pointer, data, length, error), error)
        owned = ffi.gc(data[0], lib.ptd_buffer_release)
        return bytes(ffi.buffer(owned, length[0]))

    def array(self, name: str) -> NDArray[Any]:
        """One of the trace's arrays (`ARRAY_NAMES`), read-only."""
        c_array = ffi.new("ptd_array *")
        lib.ptd_elimination_trace_array(self._pointer, ARRAY_NAMES.index(name), c_array)
        dtype = _DTYPES[c_array.dtype]
        return view(c_array.data, int(c_array.length), dtype, self._pointer)

    def graph(self) -> GraphHandle:
        """The frozen graph that the trace holds."""
        result, error = ffi.new("ptd_graph **"), ffi.new("ptd_error *")
        check(lib.ptd_elimination_trace_graph(self._pointer, result, error), error)
        return GraphHandle.owning(result[0])
