"""Handle of `ptd_elimination_trace`: immutable, shared by any number of threads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import ffi, lib
from .graph import GraphHandle
from .record import Progress, record
from .status import Context, check
from .views import view

_DTYPES: dict[int, Any] = {
    lib.PTD_INT32: np.int32,
    lib.PTD_UINT32: np.uint32,
    lib.PTD_UINT16: np.uint16,
    lib.PTD_FLOAT64: np.float64,
}
ARRAY_NAMES = tuple(
    ffi.string(lib.ptd_trace_array_name(number)).decode()
    for number in range(lib.PTD_TRACE_ARRAY_COUNT)
)
META_NAMES = tuple(name for name, _ in ffi.typeof("ptd_trace_meta").fields)


def _array_label(number: int) -> str:
    return f"array {ARRAY_NAMES[number]!r}" if number < len(ARRAY_NAMES) else f"array {number}"


def _file_context(place: str) -> Context:
    return Context(place=place, array=_array_label)


class TraceHandle:
    """A trace in the engine."""

    def __init__(self, address: Any) -> None:
        self._pointer = ffi.gc(address, lib.ptd_elimination_trace_destroy)

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
        check(status, error, _file_context("the trace"))
        return cls(result[0])

    @classmethod
    def decode(cls, data: bytes, place: str = "the data") -> TraceHandle:
        """From the bytes of a trace file."""
        result, error = ffi.new("ptd_elimination_trace **"), ffi.new("ptd_error *")
        buffer = ffi.from_buffer("uint8_t[]", data)
        status = lib.ptd_elimination_trace_decode(buffer, len(data), result, error)
        check(status, error, _file_context(place))
        return cls(result[0])

    @classmethod
    def load(cls, path: str) -> TraceHandle:
        """From a trace file anywhere."""
        result, error = ffi.new("ptd_elimination_trace **"), ffi.new("ptd_error *")
        status = lib.ptd_load_trace_from_file(os.fsencode(path), result, error)
        check(status, error, _file_context(path))
        return cls(result[0])

    @classmethod
    def load_entry(cls, directory: str, key: bytes) -> TraceHandle | None:
        """The cache entry of `key`, None where there is none."""
        result, error = ffi.new("ptd_elimination_trace **"), ffi.new("ptd_error *")
        status = lib.ptd_load_trace_from_cache(os.fsencode(directory), key, result, error)
        if status == lib.PTD_CACHE_MISS:
            return None
        check(status, error, _file_context(f"{directory}/{key.hex()}.trace"))
        return cls(result[0])

    @staticmethod
    def quarantine_entry(directory: str, key: bytes) -> None:
        """Moves a bad entry aside."""
        error = ffi.new("ptd_error *")
        status = lib.ptd_quarantine_cache_entry(os.fsencode(directory), key, error)
        check(status, error, _file_context(f"{directory}/{key.hex()}.trace"))

    def save_entry(self, directory: str) -> None:
        """Publishes the trace in a cache directory under its own key."""
        error = ffi.new("ptd_error *")
        status = lib.ptd_save_trace_to_cache(self._pointer, os.fsencode(directory), error)
        check(status, error, _file_context(directory))

    def save(self, path: str) -> None:
        """Writes the trace to a file anywhere, replacing it."""
        error = ffi.new("ptd_error *")
        status = lib.ptd_save_trace_to_file(self._pointer, os.fsencode(path), error)
        check(status, error, _file_context(path))

    def encode(self) -> bytes:
        """The bytes of its file."""
        data, length = ffi.new("uint8_t **"), ffi.new("int64_t *")
        error = ffi.new("ptd_error *")
        check(lib.ptd_elimination_trace_encode(self._pointer, data, length, error), error)
        owned = ffi.gc(data[0], lib.ptd_buffer_release)
        return bytes(ffi.buffer(owned, length[0]))

    @property
    def address(self) -> Any:
        return self._pointer

    @cached_property
    def meta(self) -> dict[str, int]:
        """The numbers of `ptd_trace_meta` by name."""
        c_meta = lib.ptd_elimination_trace_meta(self._pointer)
        return {name: int(getattr(c_meta, name)) for name in META_NAMES}

    def array(self, name: str) -> NDArray[Any]:
        """One of the trace's arrays (`ARRAY_NAMES`), read-only."""
        c_array = ffi.new("ptd_array *")
        lib.ptd_elimination_trace_array(self._pointer, ARRAY_NAMES.index(name), c_array)
        dtype = _DTYPES[c_array.dtype]
        return view(c_array.data, int(c_array.length), dtype, self._pointer)

    @cached_property
    def hashes(self) -> tuple[bytes, bytes]:
        """Content hash of the graph, and key of the trace."""
        content = ffi.new("uint8_t[]", lib.PTD_HASH_BYTES)
        key = ffi.new("uint8_t[]", lib.PTD_HASH_BYTES)
        lib.ptd_elimination_trace_hash(self._pointer, content, key)
        return bytes(ffi.buffer(content)), bytes(ffi.buffer(key))

    @property
    def n_bytes(self) -> int:
        """Bytes of its file."""
        return int(lib.ptd_elimination_trace_bytes(self._pointer))

    def graph(self) -> GraphHandle:
        """The frozen graph that the trace holds."""
        result, error = ffi.new("ptd_graph **"), ffi.new("ptd_error *")
        check(lib.ptd_elimination_trace_graph(self._pointer, result, error), error)
        return GraphHandle.owning(result[0])
