"""One measurement of the library as a user meets it, run in a fresh process by sessions.py.

All times are CPU seconds of this process; `PHASIC_CACHE_DIR` is an empty directory of the caller's.
"""

import time

import callbacks
import models
import numpy as np
from measure import fastest, peak_bytes
from workers import Request, serve

from phasic import Graph
from phasic import hash as phasic_hash
from phasic.models import coalescent, structured
from phasic.trace_elimination import record_elimination_trace
from phasic.trace_serialization import load_trace_from_cache, save_trace_to_cache


def batch(request: Request) -> dict[str, float]:
    """A state space of a million states from a batch rule."""
    model = models.walk(int(request["side"]))
    start = [(model.start, 1.0, [0.0] * len(model.theta))]
    began, cpu_began = time.perf_counter(), time.process_time()
    graph = Graph(
        rule=model.rule, start=start, n_parameters=len(model.theta), max_vertices=2_000_000
    )
    vertices = len(graph.states())
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "vertices": vertices,
        "bytes": peak_bytes(),
    }


def callback(request: Request) -> dict[str, float]:
    """The state space of callbacks.islands, and what the callback alone takes of the time."""
    explored: list[np.ndarray] = []

    def build() -> None:
        graph = Graph(callback=callbacks.with_start(int(request["n"])), parameterized=True)
        explored[:] = graph.states()

    def alone() -> None:
        for state in explored:
            callbacks.islands(state)

    seconds = fastest(build)
    return {
        "seconds": seconds,
        "alone": fastest(alone),
        "vertices": len(explored),
        "bytes": peak_bytes(),
    }


def moments(request: Request) -> dict[str, float]:
    """Coalescent: state space, trace (recorded, or found in the cache) and two moments."""
    began = time.process_time()
    graph = coalescent.kingman(int(request["n"]))
    graph.update_parameterized_weights(np.array([1.0]))
    mean = graph.moments(2)[0]
    return {"seconds": time.process_time() - began, "mean": float(mean)}


def load(request: Request) -> dict[str, float]:
    """A trace found in the cache, and its size."""
    name, n = request["model"], int(request["n"])
    graph = coalescent.kingman(n) if name == "kingman" else coalescent.site_frequency(n)
    key = phasic_hash.compute_graph_hash(graph).hash_hex
    trace = record_elimination_trace(graph)
    save_trace_to_cache(key, trace)
    found = load_trace_from_cache(key)
    if found is None:
        raise AssertionError("the trace that was just saved is not in the cache")
    return {
        "seconds": fastest(lambda: load_trace_from_cache(key)),
        "bytes": len(found.to_bytes()),
        "vertices": found.n_vertices,
    }


def hierarchical(request: Request) -> dict[str, float]:
    """Traces of island models of growing n, with and without plans of components kept."""
    seconds = {"plain": 0.0, "kept": 0.0}
    for n in range(int(request["first"]), int(request["last"]) + 1):
        graph = structured.migration([n, *[0] * (int(request["demes"]) - 1)])
        graph.states()
        traces = {}
        for name, keep in (("plain", False), ("kept", True)):
            began = time.process_time()
            traces[name] = record_elimination_trace(graph, hierarchical=keep, min_size=50)
            seconds[name] += time.process_time() - began
        if traces["plain"].to_bytes() != traces["kept"].to_bytes():
            raise AssertionError(f"n = {n}: hierarchical=True gives other bytes")
    return seconds


def svgd(request: Request) -> dict[str, float]:
    """A posterior of the coalescent, from the graph to the result, compilation included."""
    import jax

    from phasic.inference import SVGD

    jax.config.update("jax_enable_x64", True)
    times, (mean, sd) = np.load(request["data"])["times"], request["prior"]
    began = time.process_time()
    posterior = SVGD(
        coalescent.kingman(int(request["n"])),
        times,
        prior=lambda theta: -0.5 * ((theta[0] - mean) / sd) ** 2,
        transform="positive",
        n_particles=request["particles"],
        n_iterations=request["iterations"],
        seed=1,
        progress=False,
    ).fit()
    return {
        "seconds": time.process_time() - began,
        "mean": float(posterior.mean[0]),
        "sd": float(posterior.sd[0]),
    }


if __name__ == "__main__":
    serve([batch, callback, moments, load, hierarchical, svgd])
