"""The key depends on the graph and on nothing else."""

from __future__ import annotations

import hashlib
import itertools
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from phasic import Graph
from phasic import hash as phasic_hash
from rules import coalescent_graph, queue, queue_graph


def key(graph: Graph) -> str:
    return phasic_hash.compute_graph_hash(graph).hash_hex


def shuffled(seed: int) -> Graph:
    """The queue's graph built by hand in a random order, edges split at random."""
    shuffle = random.Random(seed)
    graph = Graph(1, n_parameters=2)
    edges = [([1], None, 1.0, ())]
    for n in range(1, 5):
        edges += [(t[0], [n], *t[1:]) for t in queue(np.array([n]))]
    shuffle.shuffle(edges)
    for to, source, base, coefficients in edges:
        vertex = graph.starting_vertex() if source is None else graph.find_or_create_vertex(source)
        vertex.add_edge_parameterized(graph.find_or_create_vertex(to), base, coefficients)
    return graph


def test_the_order_of_exploration_does_not_matter() -> None:
    expected = key(queue_graph())
    bytes_expected = queue_graph().compute_trace().to_bytes()
    for seed in range(20):
        graph = shuffled(seed)
        assert key(graph) == expected
        assert graph.compute_trace().to_bytes() == bytes_expected


def test_the_order_of_transitions_does_not_matter() -> None:
    keys = set()
    for order in itertools.permutations(range(3)):

        def model(s, order=order):
            if s.size == 0:
                return [([3], 1.0)]
            out = [([k], 1.0 + k) for k in range(int(s[0]))]
            return [out[k] for k in order if k < len(out)]

        keys.add(key(Graph(callback=model)))
    assert len(keys) == 1


@pytest.mark.parametrize(
    "other",
    [
        lambda: queue_graph(5),
        lambda: Graph(callback=queue, discrete=True),
        lambda: Graph(callback=lambda s: [(t[0], 1e-300 + t[1], t[2]) for t in queue(s)]),
        lambda: Graph(callback=queue, n_parameters=3),
    ],
    ids=["size", "kind", "weight", "parameters"],
)
def test_another_graph_has_another_key(other) -> None:
    assert phasic_hash.compute_graph_hash(other()) != phasic_hash.compute_graph_hash(queue_graph())


def test_the_key_names_the_trace() -> None:
    graph = coalescent_graph()
    names = phasic_hash.compute_graph_hash(graph)
    trace = graph.compute_trace()
    assert (trace.key, trace.content_hash) == (names.hash_hex, names.content_hex)
    assert names.hash_hex != names.content_hex
    assert str(names) == names.hash_hex
    assert len(bytes.fromhex(names.hash_hex)) == hashlib.sha256().digest_size


def test_python_hash_seeds_and_threads_do_not_matter() -> None:
    script = (
        "import hashlib, sys; sys.path.insert(0, sys.argv[1])\n"
        "from rules import queue_graph\n"
        "print(hashlib.sha256(queue_graph(30).compute_trace().to_bytes()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script, str(Path(__file__).parent)],
            env={**os.environ, "PYTHONHASHSEED": seed, "PHASIC_DISABLE_CACHE": "1"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(digests) == 1
