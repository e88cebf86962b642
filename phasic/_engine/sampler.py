"""Handle of `ptd_sampler`: a trace at one theta, ready to be walked by any number of threads."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import ffi, lib
from .status import Context, check
from .trace import TraceHandle
from .views import pointer

# Room for paths of this many vertices at first; longer ones are walked twice.
_PATH_CAPACITY = 1024


def _destroy(_trace: TraceHandle, sampler: Any) -> None:
    # The argument `_trace` keeps the trace alive for as long as its sampler.
    lib.ptd_sampler_destroy(sampler)


class SamplerHandle:
    """Paths of one graph at one theta, by seed and number.

    `context` names vertices and theta in the errors of all calls.
    """

    def __init__(self, trace: TraceHandle, theta: NDArray[np.float64], context: Context) -> None:
        handle, error = ffi.new("ptd_sampler **"), ffi.new("ptd_error *")
        status = lib.ptd_sampler_create(trace.address, pointer(theta), ffi.NULL, handle, error)
        check(status, error, context)
        self._pointer = ffi.gc(handle[0], partial(_destroy, trace))
        self._context = context

    @property
    def expected_moves(self) -> float:
        """From vertex to vertex, of one path."""
        return float(lib.ptd_sampler_expected_moves(self._pointer))

    def times(
        self,
        seed: int,
        first: int,
        rewards: NDArray[np.float64] | None,
        values: NDArray[np.float64],
        final_vertex: NDArray[np.int64] | None,
    ) -> None:
        """Fills rows of `values`, (n,) or (n, n_rewards), and `final_vertex` (n,)."""
        error = ffi.new("ptd_error *")
        status = lib.ptd_sample_times(
            self._pointer,
            seed,
            first,
            values.shape[0],
            0 if rewards is None else rewards.shape[0],
            pointer(rewards),
            pointer(values),
            pointer(final_vertex),
            error,
        )
        check(status, error, self._context)

    def path(self, seed: int, number: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Vertices and the times of entering them."""
        error, length = ffi.new("ptd_error *"), ffi.new("int64_t *", _PATH_CAPACITY)
        while True:
            capacity = length[0]
            vertices, times = np.empty(capacity, np.int64), np.empty(capacity)
            status = lib.ptd_sample_path(
                self._pointer,
                seed,
                number,
                capacity,
                pointer(vertices),
                pointer(times),
                length,
                error,
            )
            check(status, error, self._context)
            if length[0] <= capacity:
                return vertices[: length[0]].copy(), times[: length[0]].copy()
