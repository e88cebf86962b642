"""One Python session that goes through all of the binding: `session.py DIRECTORY` (for its cache).

`scripts/check --valgrind` runs it under valgrind.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from phasic import EliminationTrace, Graph, GraphError
from phasic import hash as phasic_hash
from phasic.models import coalescent, structured
from phasic.trace_cache import clear_trace_cache
from phasic.trace_elimination import evaluate_trace, record_elimination_trace
from phasic.trace_serialization import load_trace_from_cache, save_trace_to_cache


def kingman(state: Any, nr_samples: int = 6) -> list[tuple[Any, ...]]:
    if state.size == 0:
        return [([nr_samples], 1.0, [0.0])]
    k = int(state[0])
    return [] if k == 1 else [([k - 1], 0.0, [k * (k - 1) / 2])]


def by_hand() -> Graph:
    graph = Graph(1, parameterized=True, n_parameters=1)
    one, two, end = (graph.find_or_create_vertex([k]) for k in (1, 2, 3))
    graph.add_edge(graph.starting_vertex(), one, 1.0)
    graph.add_edge_parameterized(one, two, 0.5, [1.0])
    graph.add_edge_parameterized(two, one, 0.0, [2.0])
    graph.add_edge_parameterized(two, end, 1.0, [0.0])
    return graph


def graphs() -> Iterator[tuple[Graph, list[float]]]:
    yield Graph(callback=kingman, parameterized=True, nr_samples=6), [2.0]
    yield coalescent.site_frequency(6), [1.5]
    yield structured.migration(3, 2), [1.0, 0.5]
    yield by_hand(), [1.0]
    yield Graph.from_matrices([0.25, 0.75], [[-3.0, 1.0], [0.5, -2.0]]), []


def use(graph: Graph, theta: list[float]) -> None:
    distribution = graph.at(theta)
    rewards = np.ones(graph.states().shape[0])
    answers = [
        distribution.moments(4),
        distribution.moments(2, rewards=rewards),
        distribution.variance(),
        distribution.covariance(rewards, rewards),
        distribution.expected_sojourn_time(),
        distribution.absorption_probabilities(),
        distribution.defect(),
    ]
    if theta:
        answers += distribution.moments(2, gradient=True)
    trace = record_elimination_trace(graph)
    key = phasic_hash.compute_graph_hash(graph).hash_hex
    save_trace_to_cache(key, trace)
    loaded = load_trace_from_cache(key)
    if loaded is None or loaded.to_bytes() != trace.to_bytes():
        raise SystemExit("the cache gave another trace back")
    answers.append(loaded.moments(np.tile(theta, (20, 1)), 2))
    answers.append(EliminationTrace.from_bytes(trace.to_bytes()).moments([theta], 1))
    evaluate_trace(loaded, np.asarray(theta))
    if not all(np.all(np.isfinite(answer)) for answer in answers):
        raise SystemExit("an answer is not finite")
    if len(list(trace.operations)) == 0:
        raise SystemExit("a trace without operations")


def refuse(graph: Graph) -> None:
    try:
        graph.moments(1)
    except GraphError:
        return
    raise SystemExit("a bad graph was accepted")


def main(directory: str) -> None:
    os.environ["PHASIC_CACHE_DIR"] = directory
    for graph, theta in graphs():
        use(graph, theta)
    refuse(Graph(callback=lambda state: [([1], 1.0)]))
    refuse(Graph(callback=lambda state: "no transitions"))
    clear_trace_cache()


if __name__ == "__main__":
    main(sys.argv[1])
