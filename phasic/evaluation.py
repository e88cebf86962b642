"""Evaluating one trace for many thetas: workspaces, chunks and threads.

Rows of thetas are cut into chunks whose borders do not depend on the number of threads, and each
theta's result does not depend on its neighbours, so one thread and several give the same bits.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import config
from ._engine.chain import Chain
from ._engine.trace import TraceHandle
from ._engine.workspace import OpenedEvaluation, Options, Workspace
from .arguments import Array, at_least_one
from .errors import NumericError
from .trace_arguments import TraceArguments

# Thetas that a workspace is made for at most, and a unit of chunks: a multiple of all lanes.
_CHUNK_THETAS = 64
# Of moments of high order: seconds, and half a GB.
_MOST_STEPS = 10**9
_MOST_NUMBERS = 2**26
# Idle workspaces of one trace.
_MOST_KEPT = 8
_MOST_KEPT_BYTES = 256 * 2**20
# Work between two looks at signals and at idle threads, in rough floating-point operations.
_CHUNK_WORK = 100_000_000


def thread_count() -> int:
    """Threads that an evaluation may use: `threads` of the configuration, else the processors."""
    configured = config.get_int("threads")
    return configured or len(os.sched_getaffinity(0))


def in_chunks(run: Callable[[int], None], starts: Sequence[int], threads: int) -> None:
    """Runs the chunks of work that begin at `starts`, on at most so many threads.

    In order, so that of several failing chunks the first is told; what has not begun when one fails
    is not begun.
    """
    threads = min(threads, len(starts))
    if threads < 2:
        for start in starts:
            run(start)
        return
    with ThreadPoolExecutor(threads) as executor:
        futures = [executor.submit(run, start) for start in starts]
        try:
            for future in futures:
                future.result()
        finally:
            for future in futures:
                future.cancel()


class Evaluator(TraceArguments):
    """All that the engine computes from one trace. Safe to share between threads."""

    def __init__(self, trace: TraceHandle) -> None:
        super().__init__(trace)
        self._idle: list[tuple[Options, Workspace]] = []
        self._lock = threading.Lock()

    # ---- the graph at one theta

    def edges(self, theta: Array) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
        """Sources and targets, by position, and weights at theta, one entry an edge."""
        array = self.trace.array
        form_start = array("form_start").astype(np.intp)
        form_of_term = np.repeat(np.arange(len(form_start) - 1), np.diff(form_start))
        terms = array("form_coefficient") * theta[array("form_parameter")]
        forms = array("form_base") + np.bincount(form_of_term, terms, len(form_start) - 1)
        edge_start = array("edge_start").astype(np.intp)
        source = np.repeat(np.arange(len(edge_start) - 1), np.diff(edge_start))
        # Rounding may leave a weight that is meant to be 0 below it.
        weight = np.maximum(forms[array("edge_form")], 0.0)
        return source, array("edge_target").astype(np.intp), weight

    def edge_coefficients(self, edges: NDArray[np.bool_]) -> Array:
        """Derivatives in theta of the weights of chosen edges: (chosen, n_parameters)."""
        array = self.trace.array
        form_start = array("form_start").astype(np.intp)
        form = array("edge_form")[edges].astype(np.intp)
        # The terms of one form after those of another, for all chosen edges.
        counts = np.diff(form_start)[form]
        row = np.repeat(np.arange(len(form)), counts)
        before = np.cumsum(counts) - counts
        term = np.arange(len(row)) + np.repeat(form_start[form] - before, counts)
        slopes = np.zeros((len(form), self.n_parameters))
        np.add.at(slopes, (row, array("form_parameter")[term]), array("form_coefficient")[term])
        return slopes

    def chain(self, theta: Array, **options: Any) -> Chain:
        """For the density family; options of `Chain`."""
        return Chain(self.trace, theta, self.context(theta[np.newaxis], 0), **options)

    # ---- results, one row a theta

    def moments(
        self, thetas: Array, order: int, rewards: Array | None, gradient: bool, threads: int = 1
    ) -> tuple[Array, Array | None]:
        """(n, order), and (n, order, n_parameters) or None."""
        order = self._checked_order(order)
        out = np.empty((len(thetas), order))
        slope = np.empty((len(thetas), order, self.n_parameters)) if gradient else None

        def call(workspace: Workspace, rows: slice) -> int:
            return workspace.moments(thetas[rows], rewards, order, out[rows], _rows(slope, rows))

        self._run(call, thetas, Options(order, 1, gradient, len(thetas)), threads)
        return out, slope

    def factorial_moments(
        self, thetas: Array, order: int, gradient: bool = False, threads: int = 1
    ) -> tuple[Array, Array | None]:
        """(n, order), and (n, order, n_parameters) or None; discrete traces only."""
        order = self._checked_order(order)
        if not self.discrete:
            raise NumericError(
                "FATAL: factorial moments are those of a number of steps, and time is continuous",
                code="NOT_DISCRETE",
                hint="build the graph with discrete=True, or ask for moments",
            )
        out = np.empty((len(thetas), order))
        slope = np.empty((*out.shape, self.n_parameters)) if gradient else None

        def call(workspace: Workspace, rows: slice) -> int:
            return workspace.factorial_moments(thetas[rows], order, out[rows], _rows(slope, rows))

        self._run(call, thetas, Options(order, 1, False, len(thetas)), threads)
        return out, slope

    def vertex_moments(
        self, thetas: Array, order: int, rewards: Array | None, gradient: bool = False
    ) -> tuple[Array, Array | None]:
        """(n, n_vertices), and with n_parameters behind, or None: the moment of one order, from
        each vertex on."""
        out = np.empty((len(thetas), self.n_vertices))
        slope = np.empty((*out.shape, self.n_parameters)) if gradient else None

        def call(workspace: Workspace, rows: slice) -> int:
            return workspace.vertex_moments(
                thetas[rows], rewards, order, out[rows], _rows(slope, rows)
            )

        self._run(call, thetas, Options(order, 1, False, len(thetas)), 1)
        return out, slope

    def joint_moments(
        self, thetas: Array, rewards: Array, powers: NDArray[np.int32], gradient: bool
    ) -> tuple[Array, Array | None]:
        """(n,), and (n, n_parameters) or None: E[Π Y_i^powers[i]] of rewards (r, n_vertices)."""
        out = np.empty(len(thetas))
        slope = np.empty((len(thetas), self.n_parameters)) if gradient else None
        solutions = max(1, math.prod(int(k) + 1 for k in powers) - 1)

        def call(workspace: Workspace, rows: slice) -> int:
            return workspace.joint_moments(
                thetas[rows], rewards, powers, out[rows], _rows(slope, rows)
            )

        self._run(call, thetas, Options(solutions, 1, gradient, len(thetas)), 1)
        return out, slope

    def central_moments(
        self, thetas: Array, order: int, rewards: Array | None, gradient: bool = False
    ) -> tuple[Array, Array, Array | None]:
        """(n, order), bounds of their rounding errors, and (n, order, n_parameters) or None."""
        out, bounds = np.empty((len(thetas), order)), np.empty((len(thetas), order))
        slope = np.empty((*out.shape, self.n_parameters)) if gradient else None

        def call(workspace: Workspace, rows: slice) -> int:
            return workspace.central_moments(
                thetas[rows], rewards, order, out[rows], bounds[rows], _rows(slope, rows)
            )

        self._run(call, thetas, Options(2 * order, 1, False, len(thetas)), 1)
        return out, bounds, slope

    def moment_hessians(self, thetas: Array, order: int, rewards: Array | None) -> Array:
        """(n, order, n_parameters, n_parameters)."""
        order = self._checked_order(order)
        out = np.empty((len(thetas), order, self.n_parameters, self.n_parameters))

        def call(workspace: Workspace, rows: slice) -> int:
            return workspace.moment_hessians(thetas[rows], rewards, order, out[rows])

        self._run(call, thetas, Options(1, 1, False, len(thetas)), 1)
        return out

    def covariances(
        self, thetas: Array, rewards: Array, gradient: bool, threads: int = 1
    ) -> tuple[Array, Array, Array | None, Array | None]:
        """Means (n, r), covariances (n, r, r), and the same with n_parameters behind, or None."""
        shape = (len(thetas), rewards.shape[0])
        means, covariances = np.empty(shape), np.empty((*shape, shape[1]))
        mean_slope = np.empty((*shape, self.n_parameters)) if gradient else None
        slope = np.empty((*covariances.shape, self.n_parameters)) if gradient else None

        def call(workspace: Workspace, rows: slice) -> int:
            return workspace.covariances(
                thetas[rows],
                rewards,
                means[rows],
                covariances[rows],
                _rows(mean_slope, rows),
                _rows(slope, rows),
            )

        self._run(call, thetas, Options(2, shape[1], gradient, len(thetas)), threads)
        return means, covariances, mean_slope, slope

    def expected_sojourn(self, thetas: Array) -> Array:
        """(n, n_vertices)."""
        out = np.empty((len(thetas), self.n_vertices))

        def call(workspace: Workspace, rows: slice) -> int:
            return workspace.expected_sojourn(thetas[rows], out[rows])

        self._run(call, thetas, Options(1, 1, False, len(thetas)), 1)
        return out

    def sojourn_gradient(self, thetas: Array) -> Array:
        """At one theta: (n_vertices, n_parameters)."""
        slope = np.zeros((self.n_vertices, self.n_parameters))
        vertex = self.trace.array("position_vertex")
        for v in vertex[self.trace.meta["n_absorbing"] : -1].tolist():
            found = self.moments(thetas, 1, np.eye(1, self.n_vertices, v)[0], True)[1]
            if found is not None:
                slope[v] = found[0, 0]
        return slope

    def absorption_probabilities(
        self, thetas: Array, targets: NDArray[np.int64], gradient: bool
    ) -> tuple[Array, Array | None]:
        """(n, n_targets), and with n_parameters behind, or None. Targets are absorbing."""
        shape = (len(thetas), targets.shape[0])
        out = np.empty(shape)
        slope = np.empty((*shape, self.n_parameters)) if gradient else None

        def call(workspace: Workspace, rows: slice) -> int:
            return workspace.absorption_probabilities(
                thetas[rows], targets, out[rows], _rows(slope, rows)
            )

        self._run(call, thetas, Options(1, 1, gradient, len(thetas)), 1)
        return out, slope

    def defect(self, thetas: Array, rewards: Array | None) -> Array:
        """(n,)."""
        out = np.empty(len(thetas))

        def call(workspace: Workspace, rows: slice) -> int:
            return workspace.defect(thetas[rows], rewards, out[rows])

        self._run(call, thetas, Options(1, 1, False, len(thetas)), 1)
        return out

    def defect_gradient(self, thetas: Array, rewards: Array | None) -> Array:
        """At one theta: (n_parameters,)."""
        paid = np.ones(self.n_vertices) if rewards is None else rewards
        slope = self.transform(thetas, np.where(paid > 0, np.inf, 0.0)[np.newaxis], True)[1]
        return np.empty(0) if slope is None else slope[0, 0]

    def transform(self, thetas: Array, shifts: Array, gradient: bool) -> tuple[Array, Array | None]:
        """(n, n_points), and with n_parameters behind, or None. Shifts (n_points, n_vertices)."""
        shape = (len(thetas), len(shifts))
        out = np.empty(shape)
        slope = np.empty((*shape, self.n_parameters)) if gradient else None

        def call(workspace: Workspace, rows: slice) -> int:
            return workspace.transform(thetas[rows], shifts, out[rows], _rows(slope, rows))

        self._run(call, thetas, Options(1, 1, gradient, len(thetas)), 1, points=len(shifts))
        return out, slope

    def opened(self, theta: Array) -> OpenedEvaluation:
        """The eliminated chain at one theta."""
        with self._workspace(Options(1, 1, False, 1)) as workspace:
            return workspace.opened(theta, self.context(theta[np.newaxis], 0))

    def _checked_order(self, order: int) -> int:
        order = at_least_one(order, "the order of moments")
        # Discrete moments are sums over all lower ones, with binomial coefficients.
        steps = order**3 if self.discrete else order
        if steps > _MOST_STEPS or order * self.n_vertices > _MOST_NUMBERS:
            raise NumericError(
                f"FATAL: moments up to order {order} of {self.n_vertices} vertices are asked for",
                code="TOO_MUCH_WORK",
                hint="ask for lower orders",
            )
        return order

    # ---- running

    def _run(
        self,
        call: Callable[[Workspace, slice], int],
        thetas: Array,
        options: Options,
        threads: int,
        points: int = 1,
    ) -> None:
        """`points`: how many answers a theta has, each of them in a lane of its own."""
        n_thetas = len(thetas)
        options = options._replace(n_thetas=_lanes(n_thetas * points))
        chunk = max(1, self._chunk(options) // max(1, points))
        starts = range(0, n_thetas, chunk)

        def run(start: int) -> None:
            rows = slice(start, min(start + chunk, n_thetas))
            with self._workspace(options) as workspace:
                status = call(workspace, rows)
                if status:
                    failed = start + max(0, workspace.failed_theta)
                    workspace.check(status, self.context(thetas, failed))

        in_chunks(run, starts, threads)

    def _chunk(self, options: Options) -> int:
        meta = self.trace.meta
        per_theta = 4 * meta["multiply_adds"] + 8 * meta["n_edges"] + meta["n_vertices"]
        per_theta *= options.max_order * options.max_rewards * (4 if options.gradient else 1)
        groups = _CHUNK_WORK // (max(1, per_theta) * _CHUNK_THETAS)
        return _CHUNK_THETAS * min(64, max(1, groups))

    @contextmanager
    def _workspace(self, options: Options) -> Iterator[Workspace]:
        """A workspace of this thread's own for the length of the block, kept for later calls."""
        workspace = None
        with self._lock:
            for number, (made_for, idle) in enumerate(self._idle):
                if made_for == options:
                    workspace = idle
                    del self._idle[number]
                    break
        if workspace is None:
            workspace = Workspace(self.trace, options)
        try:
            yield workspace
        finally:
            with self._lock:
                self._idle.append((options, workspace))
                while len(self._idle) > _MOST_KEPT or self._idle_bytes() > _MOST_KEPT_BYTES:
                    del self._idle[0]

    def _idle_bytes(self) -> int:
        return sum(idle.n_bytes for _, idle in self._idle)


def _lanes(n_thetas: int) -> int:
    """How many thetas a workspace is made for: few values, so that workspaces are reused."""
    return min(_CHUNK_THETAS, 1 << (n_thetas - 1).bit_length()) if n_thetas > 1 else 1


def _rows(array: Array | None, rows: slice) -> Array | None:
    return None if array is None else array[rows]
