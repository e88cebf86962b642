"""The number of operations, against the expansion itself."""

from __future__ import annotations

import random

import pytest

from phasic import Graph
from phasic.models import birth_death, coalescent, structured
from phasic.operation_count import count_operations
from phasic.operations import Expansion
from phasic.trace_elimination import record_elimination_trace


def expanded(graph):
    """(counted from structure, counted by expanding)."""
    trace = record_elimination_trace(graph)
    assert len(trace.operations) == count_operations(trace.handle)
    return count_operations(trace.handle), sum(1 for _ in Expansion(trace.handle))


@pytest.mark.parametrize(
    "graph",
    [
        coalescent.kingman(6),
        coalescent.site_frequency(9),
        structured.migration(8, 3),
        structured.migration([3, 2], symmetric=False),
        birth_death.overflow(9),
        birth_death.busy_period(7, servers=3),
    ],
)
def test_models(graph):
    counted, true = expanded(graph)
    assert counted == true


def random_graph(seed: int) -> Graph:
    chance = random.Random(seed)
    graph = Graph(1)
    n = chance.randint(1, 14)
    vertices = [graph.find_or_create_vertex([i]) for i in range(n + 1)]
    start = graph.starting_vertex()
    for _ in range(chance.randint(1, 2)):
        start.add_edge(vertices[chance.randint(1, n)], 1.0)
    density = chance.choice([0.1, 0.25, 0.6])
    for i in range(1, n + 1):
        vertices[i].add_edge_parameterized(vertices[i - 1], 1.0, [0.0, 0.0])
        if chance.random() < 0.3:
            vertices[i].add_edge_parameterized(vertices[0], 0.5, [0.0, 0.0])
        for j in range(n + 1):
            if chance.random() < density:
                coefficients = [chance.choice([0.0, 1.0, 2.0]), 1.0]
                vertices[i].add_edge_parameterized(
                    vertices[j], chance.choice([0.0, 1.0]), coefficients
                )
    return graph


@pytest.mark.filterwarnings("ignore::phasic.PhasicWarning")
def test_random_graphs():
    for seed in range(150):
        counted, true = expanded(random_graph(seed))
        assert counted == true, f"seed {seed}"
