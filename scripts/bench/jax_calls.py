"""What a call from a JAX program costs, and what a batch saves.

Everything is compiled and warmed up; CPU seconds of the process, XLA's threads among them.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from densities import N_TIMES, body, build
from measure import fastest
from models import Model, coalescent, islands
from peers import PeerEnvironment
from results import Results
from workers import Failed

LOOP = 1000
N_THETAS = 100
LARGE = (3, 40)  # demes, lineages: 12,337 states


def run(peers: PeerEnvironment | None, results: Results) -> None:
    """Adds all figures to `results`."""
    jax.config.update("jax_enable_x64", True)
    _overhead(results)
    _batch(results)
    for n in (10, 67):
        _density(coalescent(n), n, peers, results)


def _seconds(function: Callable[[], Any]) -> float:
    return fastest(lambda: jax.block_until_ready(function()))


def _in_a_loop(moments: Callable[[Any], Any]) -> float:
    """Seconds of one call inside a compiled loop, whose own steps are taken off."""

    def loop(body: Callable[[Any], Any]) -> float:
        step = jax.jit(lambda x: jax.lax.fori_loop(0, LOOP, lambda _, y: y + 1e-9 * body(y), x))
        start = jnp.array([1.3])
        return _seconds(lambda: step(start)) / LOOP

    return loop(lambda y: moments(y)[0]) - loop(lambda y: y[0])


def _overhead(results: Results) -> None:
    graph = build(coalescent(10))
    trace = graph.compute_trace()
    model = graph.moments_from_graph(1)
    ours = _in_a_loop(model)

    def on_host(theta: Any) -> Any:
        return trace.moments(np.asarray(theta)[np.newaxis], threads=1)[0]

    through_python = _in_a_loop(
        lambda theta: jax.pure_callback(on_host, jax.ShapeDtypeStruct((1,), jnp.float64), theta)
    )
    kernel = fastest(lambda: trace.moments(np.full((64, 1), 1.3), threads=1)) / 64
    name = "JAX: mean of coalescent 10 inside jit"
    results.add(f"{name}, a call", 1e6 * ours, "us", note=f"in a batch {1e6 * kernel:.2g} us")
    results.add("JAX: overhead of a call inside jit, at most", 1e6 * ours, "us", at_most=15)
    results.add(f"{name}, against pure_callback", through_python / ours, "x", at_least=5)


def _batch(results: Results) -> None:
    model = islands(*LARGE)
    mean = build(model).moments_from_graph(1)
    scale = np.random.default_rng(1).uniform(0.5, 2, (N_THETAS, 1))
    thetas = jnp.asarray(model.theta * scale)
    one, many = jax.jit(mean), jax.jit(jax.vmap(mean))
    slope = jax.jit(jax.value_and_grad(lambda theta: mean(theta)[0]))

    def all_calls() -> Any:
        return [one(theta) for theta in thetas]

    name = f"JAX: mean of {model.name}"
    ratio = _seconds(all_calls) / _seconds(lambda: many(thetas))
    results.add(f"{name}, {N_THETAS} thetas at once against one by one", ratio, "x", at_least=4)
    with_slope = _seconds(lambda: slope(thetas[0])) / _seconds(lambda: one(thetas[0]))
    results.add(f"{name}, with gradient", with_slope, "x", at_most=4.5)


def _density(model: Model, n: int, peers: PeerEnvironment | None, results: Results) -> None:
    graph = build(model)
    times = jnp.asarray(body(graph, model.theta))
    theta = jnp.asarray(model.theta)
    f = jax.jit(graph.pmf_from_graph())
    total = jax.jit(jax.value_and_grad(lambda theta: f(theta, times).sum()))
    value = _seconds(lambda: f(theta, times))
    name = f"JAX: density of {model.name}, {N_TIMES} times"
    results.add(name, 1e3 * value, "ms")
    gradient = _seconds(lambda: total(theta))
    values, slope = f(theta, times), total(theta)[1]
    results.add(f"{name}, with gradient", gradient / value, "x", at_most=4.5)
    if peers is None:
        results.add(f"{name}, against phasic 0.32.1", None, note=results.absent["phasic 0.32.1"])
        return
    try:
        theirs = peers.call("jax_density", n=n, times=np.asarray(times).tolist())
    except Failed as failed:
        results.add(f"{name}, against phasic 0.32.1", None, note=str(failed))
        return
    results.add(f"{name}, against phasic 0.32.1", theirs["value"] / value, "x")
    off = _difference(theirs["values"], values)
    results.add(f"{name}, phasic 0.32.1's relative difference", off)
    results.add(f"{name}, with gradient, against it", theirs["gradient"] / gradient, "x")
    off = _difference(theirs["slope"], slope)
    results.add(f"{name}, phasic 0.32.1's gradient, relative difference", off)


def _difference(theirs: list[float], ours: Any) -> float:
    return float(np.max(np.abs(np.array(theirs) / np.asarray(ours) - 1)))
