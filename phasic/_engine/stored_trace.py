"""Handle of `ptd_elimination_trace` as quick commands need it: files and cache entries, no arrays.

Importing this loads no numpy.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any, Self

from . import ffi, lib
from .status import Context, check

ARRAY_NAMES = tuple(
    ffi.string(lib.ptd_trace_array_name(number)).decode()
    for number in range(lib.PTD_TRACE_ARRAY_COUNT)
)
META_NAMES = tuple(name for name, _ in ffi.typeof("ptd_trace_meta").fields)


def _array_label(number: int) -> str:
    return f"array {ARRAY_NAMES[number]!r}" if number < len(ARRAY_NAMES) else f"array {number}"


def file_context(place: str) -> Context:
    """How errors about a file are told."""
    return Context(place=place, array=_array_label)


class StoredTrace:
    """A trace in the engine: what files are made of and are read into."""

    def __init__(self, address: Any) -> None:
        self._pointer = ffi.gc(address, lib.ptd_elimination_trace_destroy)

    @classmethod
    def load(cls, path: str) -> Self:
        """From a trace file anywhere."""
        result, error = ffi.new("ptd_elimination_trace **"), ffi.new("ptd_error *")
        status = lib.ptd_load_trace_from_file(os.fsencode(path), result, error)
        check(status, error, file_context(path))
        return cls(result[0])

    @classmethod
    def load_entry(cls, directory: str, key: bytes) -> Self | None:
        """The cache entry of `key`, None where there is none."""
        result, error = ffi.new("ptd_elimination_trace **"), ffi.new("ptd_error *")
        status = lib.ptd_load_trace_from_cache(os.fsencode(directory), key, result, error)
        if status == lib.PTD_CACHE_MISS:
            return None
        check(status, error, file_context(f"{directory}/{key.hex()}.trace"))
        return cls(result[0])

    @staticmethod
    def quarantine_entry(directory: str, key: bytes) -> None:
        """Moves a bad entry aside."""
        error = ffi.new("ptd_error *")
        status = lib.ptd_quarantine_cache_entry(os.fsencode(directory), key, error)
        check(status, error, file_context(f"{directory}/{key.hex()}.trace"))

    def save_entry(self, directory: str) -> None:
        """Publishes the trace in a cache directory under its own key."""
        error = ffi.new("ptd_error *")
        status = lib.ptd_save_trace_to_cache(self._pointer, os.fsencode(directory), error)
        check(status, error, file_context(directory))

    def save(self, path: str) -> None:
        """Writes the trace to a file anywhere, replacing it."""
        error = ffi.new("ptd_error *")
        status = lib.ptd_save_trace_to_file(self._pointer, os.fsencode(path), error)
        check(status, error, file_context(path))

    @property
    def address(self) -> Any:
        return self._pointer

    @cached_property
    def meta(self) -> dict[str, int]:
        """The numbers of `ptd_trace_meta` by name."""
        c_meta = lib.ptd_elimination_trace_meta(self._pointer)
        return {name: int(getattr(c_meta, name)) for name in META_NAMES}

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
