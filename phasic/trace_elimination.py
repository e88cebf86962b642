"""Elimination traces: record one from a graph, evaluate it for any theta, look inside.

A trace is immutable, may be shared by threads, and is the same byte for byte whoever records it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import config, density_batch, notebook, trace_cache, trace_json
from ._engine.record import Progress
from ._engine.status import Context
from ._engine.trace import TraceHandle
from .arguments import Array
from .asking import as_method, as_times, as_tolerance
from .errors import TraceError
from .evaluation import Evaluator, thread_count
from .hash import Freezable
from .messages import debug
from .operations import Operations

PLAN_DIRECTORY = ".plans"


class EliminationTrace:
    """The elimination of one graph, written down.

    Made by `record_elimination_trace`, `load`, `from_bytes`, `from_json`.

    Example:
        >>> from phasic import Graph
        >>> from phasic.trace_elimination import record_elimination_trace
        >>> graph = Graph.from_matrices([1.0], [[-2.0]])
        >>> record_elimination_trace(graph).n_vertices
        3
    """

    def __init__(self, handle: TraceHandle) -> None:
        self.handle = handle
        self.evaluator = Evaluator(handle)

    # ---- what it is

    @property
    def key(self) -> str:
        """The trace key in hexadecimal; names its file in the cache."""
        return self.handle.hashes[1].hex()

    @property
    def content_hash(self) -> str:
        """The content key of its graph in hexadecimal."""
        return self.handle.hashes[0].hex()

    @property
    def n_vertices(self) -> int:
        """Vertices, the start included."""
        return self.evaluator.n_vertices

    @property
    def n_parameters(self) -> int:
        """Length of theta."""
        return self.evaluator.n_parameters

    @property
    def param_length(self) -> int:
        """The same as `n_parameters`."""
        return self.evaluator.n_parameters

    @property
    def state_length(self) -> int:
        return self.handle.meta["state_length"]

    @property
    def reward_length(self) -> int:
        """Length of a reward vector: one a vertex, in the order of `states`."""
        return self.evaluator.n_vertices

    @property
    def discrete(self) -> bool:
        return self.evaluator.discrete

    @property
    def starting_vertex(self) -> int:
        """The number of the start: always 0."""
        return 0

    @property
    def states(self) -> NDArray[np.int32]:
        """(n_vertices, state_length) in canonical order; the start's row is zeros."""
        return self.evaluator.states

    @property
    def n_bytes(self) -> int:
        """Bytes of its file."""
        return self.handle.n_bytes

    def statistics(self) -> dict[str, int]:
        """Numbers of vertices, edges, components, multiply-adds, fill and the like, by name."""
        return {**self.handle.meta, "bytes": self.n_bytes}

    def summary(self) -> str:
        """A few lines of text: size, components, work, key."""
        meta = self.handle.meta
        kind = "discrete" if self.discrete else "continuous"
        parameters = "1 parameter" if self.n_parameters == 1 else f"{self.n_parameters} parameters"
        return "\n".join(
            (
                f"elimination trace {self.key}",
                f"  {kind}, {meta['n_vertices']:,} vertices ({meta['n_absorbing']:,} absorbing, "
                f"{meta['n_dropped']:,} dropped), {meta['n_edges']:,} edges",
                f"  {parameters}, states of length {meta['state_length']}",
                f"  {meta['n_components']:,} components, the largest with "
                f"{meta['largest_component']:,} vertices; {meta['n_blocks']:,} blocks",
                f"  {meta['multiply_adds']:,} multiply-adds, fill-in {meta['fill_in']:,}, "
                f"{self.n_bytes:,} bytes",
            )
        )

    def __repr__(self) -> str:
        return f"<EliminationTrace {self.key[:12]}: {self.n_vertices} vertices>"

    def _repr_html_(self) -> str:
        meta = self.handle.meta
        rows = [
            ("key", self.key),
            ("kind", "discrete" if self.discrete else "continuous"),
            ("vertices", meta["n_vertices"]),
            ("edges", meta["n_edges"]),
            ("parameters", meta["n_parameters"]),
            ("components", meta["n_components"]),
            ("largest component", meta["largest_component"]),
            ("fill-in", meta["fill_in"]),
            ("multiply-adds", meta["multiply_adds"]),
            ("bytes", self.n_bytes),
        ]
        return notebook.shown("Elimination trace", rows, drawing=self._drawing)

    @property
    def _drawing(self) -> Callable[[], str] | None:
        """What draws its states for a notebook, if they are few."""
        meta = self.handle.meta
        if (
            meta["n_vertices"] > notebook.MOST_DRAWN_VERTICES
            or meta["n_edges"] > notebook.MOST_DRAWN_EDGES
        ):
            return None

        def draw() -> str:
            from .plots import plot_graph, svg_element

            return svg_element(plot_graph(self))

        return draw

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EliminationTrace) and self.handle.hashes == other.handle.hashes

    def __hash__(self) -> int:
        return hash(self.handle.hashes)

    def __reduce__(self) -> tuple[object, tuple[bytes]]:
        # For executors of processes: a trace travels as the bytes of its file, validated again.
        return EliminationTrace.from_bytes, (self.to_bytes(),)

    # ---- the operations

    @property
    def operations(self) -> Operations:
        """The eight operation types CONST PARAM DOT ADD MUL DIV INV SUM, numbered from 0.

        A view: each pass expands the trace anew, so a long one is never all in memory.
        """
        return Operations(self.handle)

    @property
    def vertex_rates(self) -> list[int]:
        """For each vertex the number of the operation that gives its rate; -1 has none."""
        return self._tables.tables.rates

    @property
    def edge_probs(self) -> list[list[int]]:
        """For each vertex the numbers of the operations that give its probabilities."""
        return self._tables.tables.probabilities

    @property
    def vertex_targets(self) -> list[list[int]]:
        """For each vertex where those lead; -1: out of a component of several vertices."""
        return self._tables.tables.targets

    @property
    def _tables(self) -> Operations:
        if not hasattr(self, "_kept_tables"):
            self._kept_tables = self.operations
        return self._kept_tables

    # ---- evaluation of many thetas

    def moments(
        self,
        thetas: ArrayLike,
        order: int = 1,
        rewards: ArrayLike | None = None,
        *,
        gradient: bool = False,
        threads: int | None = None,
    ) -> Array | tuple[Array, Array]:
        """Raw moments at many thetas.

        Args:
            thetas: (n, n_parameters).
            order: highest moment.
            rewards: (n_vertices,), not negative; None: the time itself.
            gradient: whether derivatives by theta are given too.
            threads: at most so many; None: `threads` of the configuration.

        Returns:
            (n, order); with `gradient` also (n, order, n_parameters).

        Raises:
            NumericError: theta or rewards do not fit, a weight is negative or not finite, or
                absorption is unreachable at one of them.
        """
        evaluator = self.evaluator
        values, slope = evaluator.moments(
            evaluator.as_thetas(thetas),
            order,
            evaluator.as_rewards(rewards),
            gradient,
            thread_count() if threads is None else threads,
        )
        return values if slope is None else (values, slope)

    def density(
        self,
        thetas: ArrayLike,
        times: ArrayLike,
        function: str = "pdf",
        rewards: ArrayLike | None = None,
        *,
        method: str = "auto",
        tolerance: float | None = None,
        gradient: bool = False,
        hessian: bool = False,
        threads: int | None = None,
    ) -> Array | tuple[Array, ...]:
        """A function of times at many thetas, each value as `graph.at(theta)` has it.

        Args:
            thetas: (n, n_parameters).
            times: any shape.
            function: "pdf", "cdf", "sf", discrete "pmf" for "pdf", or "log" and one of these.
            rewards: (n_vertices,), not negative; None: the time itself.
            method, tolerance: as for `Distribution.pdf`.
            gradient, hessian: whether derivatives in theta are given too.
            threads: at most so many; None: `threads` of the configuration.

        Returns:
            (n, …), the shape of `times` behind; with `gradient` also the same with n_parameters
            behind, with `hessian` also with (n_parameters, n_parameters) behind.

        Raises:
            NumericError: arguments do not fit, or no method reaches the tolerance at one of them.

        Example:
            >>> from phasic.models.coalescent import kingman
            >>> kingman(2).compute_trace().density([[1.0], [2.0]], [0.0, 1.0]).round(12).tolist()
            [[1.0, 0.367879441171], [2.0, 0.270670566473]]
        """
        parts = density_batch.density(
            self.evaluator,
            self.evaluator.as_thetas(thetas),
            as_times(times),
            density_batch.as_function(function, self.discrete),
            self.evaluator.as_rewards(rewards),
            (as_method(method), as_tolerance(tolerance)),
            2 if hessian else 1 if gradient else 0,
            thread_count() if threads is None else threads,
        )
        return parts if gradient or hessian else parts[0]

    def factorial_moments(
        self, thetas: ArrayLike, order: int = 1, *, threads: int | None = None
    ) -> Array:
        """E[T (T-1) … (T-k+1)] of the number of steps, k = 1..order: (n, order). Discrete only."""
        return self.evaluator.factorial_moments(
            self.evaluator.as_thetas(thetas),
            order,
            threads=thread_count() if threads is None else threads,
        )[0]

    def covariances(
        self,
        thetas: ArrayLike,
        rewards: ArrayLike,
        *,
        gradient: bool = False,
        threads: int | None = None,
    ) -> tuple[Array, ...]:
        """Means (n, r) and covariances (n, r, r) of several rewards (r, n_vertices).

        With `gradient`, also their derivatives, with n_parameters behind.
        """
        evaluator = self.evaluator
        means, covariances, mean_slope, slope = evaluator.covariances(
            evaluator.as_thetas(thetas),
            evaluator.as_reward_rows(rewards),
            gradient,
            thread_count() if threads is None else threads,
        )
        if mean_slope is None or slope is None:
            return means, covariances
        return means, covariances, mean_slope, slope

    # ---- forms outside the process

    def to_bytes(self) -> bytes:
        """The bytes of its file."""
        return self.handle.encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> EliminationTrace:
        """From the bytes of a trace file.

        Raises:
            FormatError: they are none, or damaged.
        """
        return cls(TraceHandle.decode(data))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a trace file, durably, replacing what is there.

        Raises:
            CacheError: it cannot be written.
        """
        self.handle.save(os.fspath(path))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> EliminationTrace:
        """From a trace file.

        Raises:
            FormatError: it is none, or damaged.
            CacheError: it cannot be read.
        """
        return cls(TraceHandle.load(os.fspath(path)))

    def to_json(self) -> str:
        """The trace as JSON text, for other languages; `from_json` gives an equal trace."""
        return trace_json.dump(self.handle)

    @classmethod
    def from_json(cls, text: str) -> EliminationTrace:
        """From `to_json`.

        Raises:
            FormatError: it is not such a text, or its data are inconsistent.
        """
        return cls(trace_json.parse(text))


class PerVertex(Sequence[NDArray[Any]]):
    """One array a vertex, cut out of a flat one."""

    def __init__(self, start: NDArray[np.int64], values: NDArray[Any]) -> None:
        self._start = start
        self._values = values

    def __len__(self) -> int:
        return len(self._start) - 1

    def __getitem__(self, vertex):  # type: ignore[no-untyped-def]
        if isinstance(vertex, slice):
            return [self[k] for k in range(*vertex.indices(len(self)))]
        at = vertex + len(self) if vertex < 0 else vertex
        if not 0 <= at < len(self):
            raise IndexError(f"vertex {vertex} of {len(self)}")
        return self._values[self._start[at] : self._start[at + 1]]

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self[vertex] for vertex in range(len(self)))


class TraceEvaluation(NamedTuple):
    """The eliminated, acyclic chain at one theta, by vertex.

    Attributes:
        rates: (n_vertices,); the rate at which a vertex is left for good, 0 where it is not.
        probabilities: for each vertex those of its targets; they sum to 1.
        targets: for each vertex where it leads; -1: anywhere outside its component of several
            vertices.
    """

    rates: NDArray[np.float64]
    probabilities: PerVertex
    targets: PerVertex


def record_elimination_trace(
    graph: Freezable,
    *,
    hierarchical: bool = False,
    min_size: int = 50,
    max_trace_bytes: int | None = None,
    progress: Progress | None = None,
) -> EliminationTrace:
    """Records the elimination of a graph. Neither looks into the cache nor writes traces there.

    Args:
        graph: a `Graph`; it is explored if that has not happened yet.
        hierarchical: keep the orders of components of at least `min_size` vertices in the
            directory `.plans` of the cache, and use those that are there. The trace is the same,
            byte for byte. Expect little: a third of a recording was the most that was saved on
            island models, where every plan was there already.
        min_size: see `hierarchical`.
        max_trace_bytes: refuse a larger trace before working; None: the configured bound.
        progress: called now and then with work done and in all.

    Raises:
        GraphError: the graph is not valid.
        TraceError: the rule has no end, or the trace would be too large.
    """
    frozen = graph.frozen
    directory = None
    if hierarchical and trace_cache.cache_is_enabled():
        directory = os.path.join(config.get_str("cache_dir"), PLAN_DIRECTORY)
    began = perf_counter()
    handle = TraceHandle.record(
        frozen.handle,
        max_trace_bytes=max_trace_bytes or config.get_int("max_trace_bytes"),
        plan_directory=directory,
        plan_min_vertices=min_size,
        progress=progress,
        context=Context(vertex=frozen.label, edge=frozen.edge_label),
    )
    debug(
        f"recorded: {frozen.trace_key.hex()}, {handle.meta['n_vertices']} vertices, "
        f"{handle.meta['multiply_adds']} multiply-adds, {perf_counter() - began:.3f} s"
    )
    return EliminationTrace(handle)


class ObtainedTrace(NamedTuple):
    """A trace; whether it is newly recorded, and whether the cache holds it now."""

    trace: EliminationTrace
    recorded: bool
    kept: bool


def record_and_keep(
    graph: Freezable,
    *,
    hierarchical: bool = False,
    min_size: int = 50,
    progress: Progress | None = None,
) -> EliminationTrace:
    """Records a graph and keeps the trace in the cache; failing to keep it is a warning."""
    trace = record_elimination_trace(
        graph, hierarchical=hierarchical, min_size=min_size, progress=progress
    )
    trace_cache.keep(trace.handle)
    return trace


def obtain_trace(
    graph: Freezable,
    *,
    hierarchical: bool = False,
    min_size: int = 50,
    progress: Progress | None = None,
) -> ObtainedTrace:
    """The graph's trace: from the cache, else recorded and kept.

    Of all processes that want it at the same time one records it and the others wait.
    """

    def record() -> TraceHandle:
        return record_elimination_trace(
            graph, hierarchical=hierarchical, min_size=min_size, progress=progress
        ).handle

    obtained = trace_cache.obtain(graph.frozen.trace_key, record)
    return ObtainedTrace(EliminationTrace(obtained.value), obtained.recorded, obtained.kept)


def obtain_trace_by_itself(graph: Freezable) -> ObtainedTrace:
    """As `obtain_trace`; this is what evaluation calls.

    Raises:
        TraceError: recording by itself is switched off.
    """
    if graph.frozen.n_parameters and config.get_bool("disable_auto_trace"):
        raise TraceError(
            "FATAL: trace needed and not recorded by itself: PHASIC_DISABLE_AUTO_TRACE is set",
            code="AUTO_TRACE_DISABLED",
            hint="call graph.compute_trace() first, or unset PHASIC_DISABLE_AUTO_TRACE",
        )
    return obtain_trace(graph)


def evaluate_trace(trace: EliminationTrace, theta: ArrayLike) -> TraceEvaluation:
    """Replays a trace at one theta.

    Args:
        trace: a recorded trace.
        theta: (n_parameters,).

    Raises:
        NumericError: theta does not fit, or the chain is not valid there.

    Example:
        >>> from phasic import Graph
        >>> from phasic.trace_elimination import evaluate_trace, record_elimination_trace
        >>> trace = record_elimination_trace(Graph.from_matrices([1.0], [[-2.0]]))
        >>> float(evaluate_trace(trace, []).rates[1])
        2.0
    """
    opened = trace.evaluator.opened(trace.evaluator.as_theta(theta))
    return TraceEvaluation(
        opened.rates,
        PerVertex(opened.start, opened.probabilities),
        PerVertex(opened.start, opened.targets),
    )
