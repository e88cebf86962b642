"""One measurement of a Python peer, run by peers.py in the peers' environment.

All times are CPU seconds of this process, the minimum of several repeats.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle
from typing import Any

import callbacks
from measure import fastest, peak_bytes
from workers import serve


def versions(request: dict[str, Any]) -> dict[str, Any]:
    """What is installed, and what importing it costs."""
    from importlib.metadata import version

    began = time.process_time()
    import phasic

    return {
        "import_seconds": time.process_time() - began,
        "modules": len(sys.modules),
        "bytes": peak_bytes(),
        "module_version": phasic.__version__,
        "versions": {name: version(name) for name in ("phasic", "numpy", "scipy", "jax")},
    }


def splu(request: dict[str, Any]) -> dict[str, Any]:
    """scipy's SuperLU, which has no refactorisation: a factorisation and a solve for every theta,
    with the better of its default ordering and minimum degree with diagonal pivots."""
    import numpy as np
    from scipy.sparse import csc_matrix
    from scipy.sparse.linalg import splu as factorise

    data = np.load(request["data"])
    n, values = int(data["n"]), data["values"]
    ones = np.ones(n)
    choices = {
        "COLAMD": {},
        "MMD_AT_PLUS_A": {
            "permc_spec": "MMD_AT_PLUS_A",
            "diag_pivot_thresh": 0.001,
            "options": {"SymmetricMode": True},
        },
    }

    def solve(name: str, k: int) -> float:
        matrix = csc_matrix((values[k], data["row"], data["column_start"]), shape=(n, n))
        return float(factorise(matrix, **choices[name]).solve(ones)[int(data["start"])])

    seconds = {name: fastest(partial(solve, name, 0)) for name in choices}
    best = min(seconds, key=lambda name: seconds[name])
    means = [solve(best, k) for k in (0, -1)]
    return {"one_theta": seconds[best], "ordering": best, "means": means}


def _builder(data: Any) -> Callable[[], Any]:
    """Builds the model of `data` vertex by vertex through the public interface."""
    from phasic import Graph

    states = data["states"].tolist()
    edges = list(
        zip(*(data[name].tolist() for name in ("source", "target", "coefficients")), strict=True)
    )

    def build() -> Any:
        graph = Graph(len(states[0]))
        vertices = [graph.find_or_create_vertex(state) for state in states]
        graph.starting_vertex().add_edge(vertices[0], 1.0)
        for i, j, coefficients in edges:
            vertices[i].add_edge(vertices[j], coefficients)
        return graph

    return build


def moments(request: dict[str, Any]) -> dict[str, Any]:
    """phasic 0.32.1: the model built, moments at the first theta, and at a new theta."""
    import numpy as np

    data = np.load(request["data"])
    thetas, order = data["thetas"], int(request["order"])
    build = _builder(data)
    began = time.process_time()
    graph = build()
    built = time.process_time()
    graph.update_weights(thetas[0])
    first = graph.moments(order)
    done = time.process_time()
    k = 0

    def again() -> None:
        nonlocal k
        k += 1
        graph.update_weights(thetas[k % len(thetas)])
        graph.moments(order)

    new_theta = fastest(again)
    graph.update_weights(thetas[-1])
    return {
        "build": built - began,
        "first_theta": done - built,
        "new_theta": new_theta,
        "means": [float(first[0]), float(graph.moments(order)[0])],
        "bytes": peak_bytes(),
    }


def _generator(data: Any) -> Any:
    """S as a sparse matrix."""
    from scipy.sparse import csc_matrix

    n = int(data["n"])
    return -csc_matrix((data["values"], data["row"], data["column_start"]), shape=(n, n))


def expm_multiply(request: dict[str, Any]) -> dict[str, Any]:
    """A density by scipy's action of the exponential, which takes equidistant times in one go."""
    import numpy as np
    from scipy.sparse.linalg import expm_multiply as action

    data = np.load(request["data"])
    generator, times, start = _generator(data), data["times"], int(data["start"])
    trace = generator.diagonal().sum()
    values = np.empty(len(times))

    def solve() -> None:
        rows = action(
            generator,
            data["exit"],
            start=times[0],
            stop=times[-1],
            num=len(times),
            endpoint=True,
            traceA=trace,
        )
        values[:] = rows[:, start]

    return {"seconds": fastest(solve), "values": values.tolist()}


def dense_expm(request: dict[str, Any]) -> dict[str, Any]:
    """A density by scipy's exponential of a dense matrix over one time step, and its powers."""
    import numpy as np
    from scipy.linalg import expm

    data = np.load(request["data"])
    generator, times = _generator(data).toarray(), data["times"]
    values = np.empty(len(times))

    def solve() -> None:
        step = expm(generator * (times[1] - times[0]))
        vector = expm(generator * times[0])[int(data["start"])]
        for k in range(len(times)):
            values[k] = vector @ data["exit"]
            vector = vector @ step

    return {"seconds": fastest(solve), "values": values.tolist()}


def density(request: dict[str, Any]) -> dict[str, Any]:
    """phasic 0.32.1: the density of a built model at its own default error.

    It remembers the last answer, so the theta changes from call to call.
    """
    import numpy as np

    data = np.load(request["data"])
    graph, theta, times = _builder(data)(), data["thetas"][0], data["times"]
    calls = 0

    def evaluate(scale: float) -> Any:
        graph.update_weights(scale * theta)
        return graph.pdf(times)

    def again() -> None:
        nonlocal calls
        calls += 1
        evaluate(1 + 1e-3 * (calls % 7))

    seconds = fastest(again)
    return {"seconds": seconds, "values": np.asarray(evaluate(1.0)).tolist()}


def trace(request: dict[str, Any]) -> dict[str, Any]:
    """phasic 0.32.1's elimination trace, of an acyclic model: it records no other."""
    import numpy as np

    from phasic.trace_elimination import record_elimination_trace

    build = _builder(np.load(request["data"]))
    best = float("inf")
    for _ in range(3):
        graph = build()  # recording consumes it
        began = time.process_time()
        record_elimination_trace(graph)
        best = min(best, time.process_time() - began)
    return {"seconds": best}


def callback(request: dict[str, Any]) -> dict[str, Any]:
    """phasic 0.32.1's state space of callbacks.islands."""
    from phasic import Graph

    n = int(request["n"])
    graphs = []

    def build() -> None:
        graphs[:] = [Graph(callbacks.islands, ipv=callbacks.start(n), graph_cache=False)]

    seconds = fastest(build)
    return {"seconds": seconds, "vertices": graphs[0].vertices_length(), "bytes": peak_bytes()}


def jax_density(request: dict[str, Any]) -> dict[str, Any]:
    """phasic 0.32.1's JAX model of the coalescent, compiled: a call, and with its gradient."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    from phasic import Graph

    model = Graph.pmf_from_graph(Graph(callbacks.coalescent, ipv=[int(request["n"])]))
    times, theta = jnp.asarray(request["times"]), jnp.ones(1)
    # In turn, should it remember an answer.
    thetas = cycle([theta * (1 + 1e-3 * k) for k in range(7)])
    f = jax.jit(model)
    slope = jax.jit(jax.value_and_grad(lambda theta: model(theta, times).sum()))
    return {
        "value": fastest(lambda: jax.block_until_ready(f(next(thetas), times))),
        "gradient": fastest(lambda: jax.block_until_ready(slope(next(thetas)))),
        "values": f(theta, times).tolist(),
        "slope": slope(theta)[1].tolist(),
    }


def svgd(request: dict[str, Any]) -> dict[str, Any]:
    """phasic 0.32.1: a posterior of the coalescent, from the graph to the result.

    Where fewer `iterations` are `timed`, `seconds` is that many times the mean of those that
    follow the first, and the posterior is left out.
    """
    import jax
    import numpy as np

    jax.config.update("jax_enable_x64", True)
    from phasic import Graph
    from phasic.svgd import GaussPrior

    times, (mean, sd) = np.load(request["data"])["times"], request["prior"]

    def fit(iterations: int) -> tuple[float, Any]:
        began = time.process_time()
        graph = Graph(callbacks.coalescent, ipv=[int(request["n"])])
        fitted = graph.svgd(
            times,
            prior=GaussPrior(mean=mean, std=sd),
            n_particles=request["particles"],
            n_iterations=iterations,
            theta_dim=1,
            seed=1,
            progress=False,
        )
        return time.process_time() - began, fitted

    iterations, timed = request["iterations"], request["timed"]
    if timed < iterations:
        fit(1)
        first, all_timed = fit(1)[0], fit(1 + timed)[0]
        return {"seconds": iterations * (all_timed - first) / timed}
    seconds, fitted = fit(iterations)
    result = fitted.get_results()
    return {
        "seconds": seconds,
        "mean": float(result["theta_mean"][0]),
        "sd": float(result["theta_std"][0]),
    }


JAX_TASKS = [jax_density, svgd]

if __name__ == "__main__":
    serve(
        [versions, splu, moments, expm_multiply, dense_expm, density, trace, callback, *JAX_TASKS]
    )
