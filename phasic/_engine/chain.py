"""Handle of `ptd_chain`: a trace at one theta, for the questions of the density family."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import ffi, lib
from .status import Context, check
from .trace import TraceHandle
from .views import pointer, view

Array = NDArray[np.float64]

DENSITY: int = lib.PTD_DENSITY
DISTRIBUTION: int = lib.PTD_DISTRIBUTION
SURVIVAL: int = lib.PTD_SURVIVAL

METHODS = ("auto", "uniformise", "contour", "dense")  # by ptd_method
KINDS = ("certified", "verified")  # by ptd_bound_kind


class Found(NamedTuple):
    """What the engine answers, by time; `refused` where no method reached the tolerance.

    `log_jet` holds derivatives of the value divided by the value: n_parameters first ones, then the
    second ones (p, q), p <= q, row by row.
    """

    log_value: Array
    bound: Array
    method: NDArray[np.uint8]
    kind: NDArray[np.uint8]
    log_jet: Array
    refused: bool


def _destroy(_trace: TraceHandle, chain: Any) -> None:
    # `_trace` keeps the trace alive for as long as its chain.
    lib.ptd_chain_destroy(chain)


class Chain:
    """Immutable, shared by any number of threads.

    `start` (n_vertices,) stands in place of the graph's initial distribution; `start_slope`, with
    order 1, holds its derivatives (n_vertices, n_parameters + directions): by theta, and by what
    else it depends on, which the chain's jets then have behind those in theta.
    """

    def __init__(
        self,
        trace: TraceHandle,
        theta: Array,
        context: Context,
        *,
        rewards: Array | None = None,
        order: int = 0,
        target: int = -1,
        start: Array | None = None,
        start_slope: Array | None = None,
        unending: bool = False,
    ) -> None:
        kept = (pointer(rewards), pointer(start), pointer(start_slope))
        directions = 0
        if start_slope is not None:
            directions = start_slope.shape[1] - trace.meta["n_parameters"]
        options = ffi.new(
            "ptd_chain_options *",
            (order, kept[0], target, kept[1], int(unending), directions, kept[2]),
        )
        handle, error = ffi.new("ptd_chain **"), ffi.new("ptd_error *")
        status = lib.ptd_chain_create(trace.address, pointer(theta), options, handle, error)
        check(status, error, context)
        self._pointer = ffi.gc(handle[0], partial(_destroy, trace))
        self._context = context
        self._n_vertices = trace.meta["n_vertices"]
        self._view = ffi.new("ptd_chain_view *")
        lib.ptd_chain_get_view(self._pointer, self._view)
        self.jets = int(self._view.jets)

    @property
    def size(self) -> int:
        """States."""
        return int(self._view.n)

    @property
    def trapped(self) -> bool:
        """Whether states are reached that never are absorbed."""
        return bool(self._view.trap >= 0)

    def matrices(self) -> tuple[Array, Array, NDArray[np.int64]]:
        """(alpha, S, vertices) of a chain without a trap: the initial distribution (size,), the
        sub-intensity matrix (discrete: sub-transition matrix), and each state's vertex."""
        n, jets = self.size, self.jets
        numbers = {
            name: view(getattr(self._view, name), n * jets, np.float64, self)[::jets]
            for name in ("alpha", "out") + (("stay",) if self._view.stay else ())
        }
        starts = view(self._view.in_start, n + 1, np.uint32, self).astype(np.int64)
        edges = int(self._view.n_edges)
        matrix = np.zeros((n, n))
        target = np.repeat(np.arange(n), np.diff(starts))
        source = view(self._view.in_from, edges, np.uint32, self)
        matrix[source, target] = view(self._view.in_rate, edges * jets, np.float64, self)[::jets]
        matrix[np.arange(n), np.arange(n)] = numbers.get("stay", -numbers["out"])
        vertices = view(self._view.vertex, n, np.uint32, self).astype(np.int64)
        return numbers["alpha"].copy(), matrix, vertices

    def start_and_flow(self) -> tuple[Array, Array]:
        """The initial distribution alpha by vertex, and alpha S, continuous: (n_vertices,) each."""
        n, jets, edges = self.size, self.jets, int(self._view.n_edges)
        alpha, out = (
            view(getattr(self._view, name), n * jets, np.float64, self)[::jets]
            for name in ("alpha", "out")
        )
        starts = view(self._view.in_start, n + 1, np.uint32, self).astype(np.int64)
        target = np.repeat(np.arange(n), np.diff(starts))
        source = view(self._view.in_from, edges, np.uint32, self)
        rate = view(self._view.in_rate, edges * jets, np.float64, self)[::jets]
        flow = np.bincount(target, alpha[source] * rate, n) - alpha * out
        transient = np.arange(n) != self._view.trap
        vertex = view(self._view.vertex, n, np.uint32, self)[transient]
        by_vertex = np.zeros((2, self._n_vertices))
        by_vertex[0, vertex], by_vertex[1, vertex] = alpha[transient], flow[transient]
        return by_vertex[0], by_vertex[1]

    @property
    def fastest(self) -> float:
        """The largest rate of leaving a state."""
        return float(lib.ptd_chain_fastest(self._pointer))

    def at_zero(self, function: int) -> Array:
        """(jets,): value at 0 with its derivatives; see `ptd_chain_at_zero`."""
        jet = np.empty(self.jets)
        lib.ptd_chain_at_zero(self._pointer, function, pointer(jet))
        return jet

    def answer(
        self, function: int, times: Array, method: int, tolerance: float, max_work: float = 0.0
    ) -> Found:
        """At ascending, positive, finite times."""
        n = len(times)
        found = Found(
            np.empty(n),
            np.empty(n),
            np.empty(n, np.uint8),
            np.empty(n, np.uint8),
            np.empty((n, self.jets - 1)),
            False,
        )
        options = ffi.new("ptd_density_options *", (function, method, tolerance, max_work))
        error = ffi.new("ptd_error *")
        status = lib.ptd_density_evaluate(
            self._pointer,
            options,
            n,
            pointer(times),
            pointer(found.log_value),
            pointer(found.bound),
            ffi.from_buffer("uint8_t[]", found.method),
            ffi.from_buffer("uint8_t[]", found.kind),
            pointer(found.log_jet) if self.jets > 1 else ffi.NULL,
            error,
        )
        if status == lib.PTD_DENSITY_REFUSED:
            return found._replace(refused=True)
        check(status, error, self._context)
        return found

    def estimate(self, function: int, times: Array) -> dict[str, float]:
        """What each method would cost, in visits of edges; infinite: it does not apply."""
        options = ffi.new("ptd_density_options *", (function, 0, 1.0, 0.0))
        work, error = ffi.new("double[]", lib.PTD_METHODS), ffi.new("ptd_error *")
        status = lib.ptd_density_estimate(
            self._pointer, options, len(times), pointer(times), work, error
        )
        check(status, error, self._context)
        return dict(zip(METHODS[1:], list(work)[1:], strict=True))

    def occupation(self, time: float) -> tuple[Array, Array, float, int]:
        """Probability of each vertex at a time and expected time spent there until then, as jets,
        (n_vertices, jets) each; the relative error of values, and its kind, into KINDS."""
        probability, accumulated = (np.empty((self._n_vertices, self.jets)) for _ in range(2))
        bound, kind = ffi.new("double *"), ffi.new("ptd_bound_kind *")
        error = ffi.new("ptd_error *")
        status = lib.ptd_chain_occupation(
            self._pointer, time, pointer(probability), pointer(accumulated), bound, kind, error
        )
        check(status, error, self._context)
        return probability, accumulated, float(bound[0]), int(kind[0])
