"""Our side: a model's arrays through the binding, recorded and evaluated."""

import time
from dataclasses import dataclass

import numpy as np
from measure import fastest
from models import Arrays, Floats

from phasic._engine.graph import GraphHandle
from phasic._engine.status import Context
from phasic._engine.trace import TraceHandle
from phasic._engine.workspace import Options, Workspace

MAX_TRACE_BYTES = 4 << 30
CONTEXT = Context()


@dataclass(frozen=True)
class Recording:
    """A trace and the CPU seconds that it took: freezing the graph, then ordering and plan."""

    trace: TraceHandle
    freeze: float
    record: float


def record(arrays: Arrays) -> Recording:
    """Records the model afresh, as often as the budget allows, and keeps the fastest."""
    states = arrays.states.astype(np.int32)
    source = np.concatenate([[0], arrays.source + 1])
    target = np.concatenate([[1], arrays.target + 1])
    base = np.concatenate([[1.0], arrays.base])
    coefficients = np.vstack([np.zeros_like(arrays.coefficients[:1]), arrays.coefficients])
    fastest_yet: Recording | None = None
    spent, repeat = 0.0, 0
    while repeat < 2 or (spent < 0.5 and repeat < 20):
        graph = GraphHandle(False, arrays.coefficients.shape[1], states.shape[1])
        graph.add_vertices(len(states), states)
        graph.add_edges(source, target, base, coefficients)
        began = time.process_time()
        graph.freeze(False)
        frozen = time.process_time()
        trace = TraceHandle.record(graph, max_trace_bytes=MAX_TRACE_BYTES, context=CONTEXT)
        done = time.process_time()
        if fastest_yet is None or done - began < fastest_yet.freeze + fastest_yet.record:
            fastest_yet = Recording(trace, frozen - began, done - frozen)
        spent, repeat = spent + done - began, repeat + 1
    assert fastest_yet is not None
    return fastest_yet


@dataclass(frozen=True)
class Evaluator:
    """Moments of one trace at many thetas in one call, made for `lanes` thetas at a time."""

    workspace: Workspace
    thetas: Floats
    moments: Floats  # (n_thetas, order)
    gradient: Floats | None  # (n_thetas, order, n_parameters)

    @classmethod
    def create(
        cls, trace: TraceHandle, thetas: Floats, lanes: int, order: int, gradient: bool
    ) -> "Evaluator":
        """A workspace and its outputs."""
        n_thetas, n_parameters = thetas.shape
        return cls(
            Workspace(
                trace,
                Options(max_order=order, max_rewards=1, gradient=gradient, n_thetas=lanes),
            ),
            thetas,
            np.empty((n_thetas, order)),
            np.empty((n_thetas, order, n_parameters)) if gradient else None,
        )

    def run(self) -> None:
        """Fills `moments` and `gradient`."""
        order = self.moments.shape[1]
        status = self.workspace.moments(self.thetas, None, order, self.moments, self.gradient)
        self.workspace.check(status, CONTEXT)

    def seconds_a_theta(self) -> float:
        """CPU seconds of `run`, divided by the thetas."""
        return fastest(self.run) / len(self.thetas)
