"""Densities against the peers: 100 times in the body of each model, everyone's error beside it.

Our figure is the whole call at a theta, `graph.at(theta).pdf(times)`, on a graph that is recorded
already. Errors are against uniformisation in extended precision where that can be had, else against
our own methods that did not give the answer.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import density_reference
import numpy as np
from density_models import DENSITY_SECONDS
from linear import columns
from measure import fastest
from models import Arrays, Floats, Model, coalescent, explore
from peers import PeerEnvironment
from results import DensityRow, Results
from workers import Failed

from phasic import Graph
from phasic.errors import NumericError

N_TIMES = 100
TOLERANCE = 1e-12
ROUNDS = 2
METHODS = ("uniformise", "contour", "dense")
PEERS = ("expm_multiply", "dense expm", "phasic 0.32.1")
MOST_DENSE_STATES = 1000
N_OBSERVATIONS = 100_000
N_SAMPLES = 1_000_000


def build(model: Model) -> Graph:
    """The model through the public interface."""
    start = [(model.start, 1.0, [0.0] * len(model.theta))]
    return Graph(rule=model.rule, start=start, n_parameters=len(model.theta))


def body(graph: Graph, theta: Floats) -> Floats:
    """From the 5 % to the 95 % quantile; equidistant, which suits the peers best."""
    first, last = graph.at(theta).quantile([0.05, 0.95])
    return np.linspace(first, last, N_TIMES)


def run(model: Model, peers: PeerEnvironment | None, work_dir: Path, results: Results) -> None:
    """Adds the model's row and its figures to `results`."""
    arrays = explore(model)
    graph = build(model)
    times = body(graph, model.theta)

    def ask(**options: Any) -> Any:
        return graph.at(model.theta).pdf(times, tolerance=TOLERANCE, **options)

    answer = ask(full_output=True)
    row = DensityRow(
        model=model.name,
        states=int(arrays.transient.sum()),
        method=" ".join(sorted(set(answer.method.tolist()))),
        kind=" ".join(sorted(set(answer.kind.tolist()))),
        bound=float(answer.bound.max()),
        seconds=np.inf,
        gradient=np.inf,
    )
    results.densities.append(row)
    for _ in range(ROUNDS):
        row.seconds = min(row.seconds, fastest(ask))
        row.gradient = min(row.gradient, fastest(partial(ask, gradient=True)))
    _each_method(ask, answer.method, answer.value, row)
    reference = density_reference.density(arrays, model.theta, times)
    if reference is not None:
        row.differences["reference"] = _difference(answer.value, reference)
    if peers is not None:
        _peers(row, peers, work_dir, arrays, model.theta, times, answer.value)
    _figures(row, results)


def _difference(theirs: Floats, ours: Floats) -> float:
    return float(np.max(np.abs(theirs / ours - 1)))


def _each_method(ask: Callable[..., Any], chosen: Floats, ours: Floats, row: DensityRow) -> None:
    """What every method that can answer takes, and how far it is from the answer."""
    for method in METHODS:
        try:
            value = ask(method=method)
        except NumericError as refused:
            row.failures[method] = refused.code
            continue
        row.methods[method] = fastest(partial(ask, method=method))
        if set(chosen.tolist()) != {method}:
            row.differences[method] = _difference(value, ours)


def _peers(
    row: DensityRow,
    peers: PeerEnvironment,
    work_dir: Path,
    arrays: Arrays,
    theta: Floats,
    times: Floats,
    ours: Floats,
) -> None:
    data = work_dir / "density.npz"
    system = columns(arrays, theta[None, :])
    weights = arrays.weights(theta[None, :])[0]
    inner = arrays.transient[arrays.target]
    leaving = (np.cumsum(arrays.transient) - 1)[arrays.source[~inner]]
    arrays.save(
        data,
        theta[None, :],
        n=system.n,
        start=system.start,
        column_start=system.column_start,
        row=system.row,
        values=system.values[0],
        exit=np.bincount(leaving, weights=weights[~inner], minlength=system.n),
        times=times,
    )
    for peer, task in zip(PEERS, ("expm_multiply", "dense_expm", "density"), strict=True):
        if peer == "dense expm" and row.states > MOST_DENSE_STATES:
            row.failures[peer] = f"not asked above {MOST_DENSE_STATES} states"
            continue
        try:
            answer = peers.call(task, data)
        except Failed as failed:
            row.failures[peer] = str(failed)
        else:
            row.peers[peer] = answer["seconds"]
            row.differences[peer] = _difference(np.array(answer["values"]), ours)


def _figures(row: DensityRow, results: Results) -> None:
    name = f"density of {row.model}"
    bound = DENSITY_SECONDS.get(row.model)
    target = {} if bound is None else {"at_most": 1e3 * bound}
    results.add(f"{name}: {N_TIMES} times", 1e3 * row.seconds, "ms", **target)
    if row.error is not None:
        results.add(f"{name}: relative error", row.error, at_most=TOLERANCE)
    least = 3.0 if row.method == "contour" else 4.0
    results.add(f"{name}: with gradient", row.gradient / row.seconds, "x", at_most=least)
    for peer, ratio in (("phasic 0.32.1", 100.0), ("expm_multiply", 50.0)):
        theirs = row.peers.get(peer)
        why = row.failures.get(peer, "" if theirs is not None else results.absent.get(peer, ""))
        # Where the peer has no answer there is nothing to be faster than.
        target = {} if peer in row.failures else {"at_least": ratio}
        value = None if theirs is None else theirs / row.seconds
        results.add(f"{name}: against {peer}", value, "x", note=why, **target)


def beside(results: Results) -> None:
    """What a hundred thousand observations add to a density, and how fast samples are."""
    model = coalescent(67)
    graph = build(model)
    few = body(graph, model.theta)
    many = np.random.default_rng(1).choice(few, N_OBSERVATIONS)
    many *= np.random.default_rng(2).uniform(0.99, 1.01, N_OBSERVATIONS)

    def seconds(times: Floats) -> float:
        return fastest(lambda: graph.at(model.theta).logpdf(times))

    added = seconds(many) - seconds(few)
    name = f"density of {model.name}: {N_OBSERVATIONS:,} observations, added"
    results.add(name, 1e3 * added, "ms", at_most=15)

    model = coalescent(20)
    dist = build(model).at(model.theta)
    rate = N_SAMPLES / fastest(lambda: dist.sample(N_SAMPLES, seed=1, threads=1))
    results.add(f"{model.name}: samples a second", rate, at_least=1e6)
