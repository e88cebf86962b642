"""Graphs from edges, names of parameters and states, states that a rule is given beforehand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from phasic import Graph
from phasic.errors import GraphError, TraceError
from phasic.hash import compute_graph_hash
from phasic.models import coalescent, structured
from strategies import continuous_models


def content(graph):
    return compute_graph_hash(graph).hash_hex


def again(graph):
    """The same graph, from its edges."""
    return Graph.from_edges(*graph.edges(), graph.states(), discrete=graph.discrete)


@pytest.mark.parametrize(
    "graph", [coalescent.site_frequency(6), structured.migration([3, 2])], ids=["sfs", "demes"]
)
def test_edges_make_the_graph_that_they_are_of(graph):
    assert content(again(graph)) == content(graph)
    np.testing.assert_array_equal(again(graph).states(), graph.states())


@given(continuous_models())
def test_edges_of_random_models(model):
    n_parameters = len(model.theta)
    source, target, base, coefficients = zip(
        *[(u + 1, v + 1, b, c) for u, v, b, c in model.edges], strict=True
    )
    start = Graph.from_edges(
        [0, *source],
        [1, *target],
        [1.0, *base],
        [[0.0] * n_parameters, *coefficients],
        n_vertices=model.n_vertices + 1,
    )
    assert content(again(start)) == content(start)


def test_parallel_edges_add_and_states_sort():
    graph = Graph.from_edges([0, 1, 1], [1, 2, 2], [1, 2, 3], states=[[0], [7], [3]])
    assert graph.at().mean() == pytest.approx(0.2, rel=1e-14)
    assert graph.states().ravel().tolist() == [0, 3, 7]


def test_a_state_that_stands_there_twice_is_named():
    with pytest.raises(GraphError, match=r"the state \(3, 1\) stands there twice"):
        Graph.from_edges([0], [1], [1.0], states=[[0, 0], [3, 1], [2, 2], [3, 1]])


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (([0], [1, 2], [1.0]), {}),
        (([0.5], [1], [1.0]), {}),
        (([0], [1], ["x"]), {}),
        (([[0]], [1], [1.0]), {}),
        (([-1], [1], [1.0]), {}),
        (([0], [5], [1.0]), {"n_vertices": 3}),
        (([0], [1], [1.0], [1.0]), {}),
        (([0], [1], [1.0], [[1.0], [2.0]]), {}),
        (([0, 1], [1, 2], [1.0, 1.0], None, [[0], [3], [3]]), {}),
        (([0, 1], [1, 2], [1.0, 1.0], None, [[0], [3]]), {}),
        (([0, 1], [1, 2], [1.0, 1.0], None, [0, 1, 2]), {}),
        (([0, 1], [1, 2], [1.0, 1.0], None, [[0], [3], [4]]), {"n_vertices": 4}),
    ],
)
def test_edges_that_do_not_fit(arguments, options):
    with pytest.raises(GraphError) as raised:
        Graph.from_edges(*arguments, **options)
    assert raised.value.code == "EDGES_INVALID"
    assert raised.value.hint


def test_too_many_vertices():
    graph = Graph.from_edges([0, 1, 2], [1, 2, 3], [1.0] * 3, max_vertices=2)
    with pytest.raises(TraceError, match="max_vertices = 2"):
        graph.at()


# -- names


def test_names():
    graph = coalescent.kingman(3)
    assert (graph.parameter_names, graph.state_names) == (("coalescence",), ("lineages",))
    plain = Graph.from_edges([0, 1], [1, 2], [1.0, 1.0], [[0.0], [1.0]], [[0, 0], [1, 2], [3, 4]])
    assert (plain.parameter_names, plain.state_names) == (("theta1",), ("x1", "x2"))


@pytest.mark.parametrize("names", ["ab", ["a", "a"], ["a b"], [""], [3]])
def test_names_that_are_none(names):
    with pytest.raises(GraphError) as raised:
        Graph(1, state_names=names)
    assert raised.value.code == "NAMES"


def test_names_that_do_not_fit():
    graph = Graph.from_edges([0, 1], [1, 2], [1.0, 1.0], parameter_names=["a"], state_names=["b"])
    with pytest.raises(GraphError, match="1 names, and the graph 0"):
        _ = graph.parameter_names
    with pytest.raises(GraphError, match="1 names, and the graph 0"):
        _ = graph.state_names


# -- states known beforehand


def kingman(**options):
    start = [((50,), 1.0, [0.0])]
    return Graph(rule=coalescent.kingman_rule, start=start, parameterized=True, **options)


def test_known_states_change_nothing():
    known = kingman(known_states=np.arange(1, 51)[:, np.newaxis])
    assert content(known) == content(kingman())
    assert content(kingman(known_states=[[7]])) == content(kingman())
    assert content(kingman(known_states=np.zeros((0, 1)))) == content(kingman())


def test_known_states_that_do_not_fit():
    with pytest.raises(GraphError, match="known_states"):
        kingman(known_states=[[1, 2]]).at([1.0])
    with pytest.raises(GraphError, match="known_states"):
        kingman(known_states=[[0.5]]).at([1.0])
    with pytest.raises(GraphError, match="without a rule"):
        Graph(1, known_states=[[1]])
    with pytest.raises(TraceError, match="max_vertices"):
        kingman(known_states=np.arange(1, 51)[:, np.newaxis], max_vertices=10).at([1.0])
