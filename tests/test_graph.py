"""Graphs whatever they come from: connections, theta, matrices, building by hand, threads."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from phasic import Graph, GraphError, NumericError, PhasicWarning
from rules import coalescent_graph, queue_graph

# ---- connections


def chain(*edges, start=((1, 1.0),)):
    """A graph by hand from (from, to, weight)."""
    graph = Graph(1)
    vertex = graph.find_or_create_vertex
    for to, weight in start:
        graph.starting_vertex().add_edge(vertex([to]), weight)
    for source, to, weight in edges:
        vertex([source]).add_edge(vertex([to]), weight)
    return graph


def test_a_vertex_that_cannot_reach_absorption_is_named() -> None:
    graph = chain((1, 2, 1.0), (1, 3, 1.0), (3, 4, 1.0), (4, 3, 1.0))
    with pytest.raises(GraphError, match=r"vertex \([34],\) cannot reach") as caught:
        graph.moments(1)
    assert caught.value.code == "GRAPH_NO_ABSORPTION"


def test_a_closed_class_that_is_not_reached_is_dropped_and_said() -> None:
    graph = chain((1, 2, 2.0), (3, 4, 1.0), (4, 3, 1.0))
    with pytest.warns(PhasicWarning, match=r"2 vertices.*\(3,\), \(4,\)"):
        assert graph.mean() == 0.5


def test_traps_are_accepted_where_asked_for() -> None:
    graph = Graph(1, improper=True)
    one, two, trap, trapped = (graph.find_or_create_vertex([k]) for k in (1, 2, 3, 4))
    graph.starting_vertex().add_edge(one, 1.0)
    one.add_edge(two, 1.0)
    one.add_edge(trap, 1.0)
    trap.add_edge(trapped, 1.0)
    trapped.add_edge(trap, 1.0)
    with pytest.warns(PhasicWarning, match="VERTICES_DROPPED"):
        assert graph.mean() == np.inf
    assert graph.absorption_probabilities().tolist() == [0, 0, 0.5, 0, 0]


@pytest.mark.parametrize(
    "model", [lambda s: [], lambda s: (), lambda s: iter([])], ids=["list", "tuple", "iterator"]
)
def test_an_empty_graph_is_refused(model) -> None:
    with pytest.raises(GraphError) as caught:
        Graph(callback=model).moments(1)
    assert caught.value.code in ("GRAPH_EMPTY", "GRAPH_NO_START")


def test_a_graph_by_hand_without_anything_is_refused() -> None:
    with pytest.raises(GraphError) as caught:
        Graph(1).moments(1)
    assert caught.value.code == "GRAPH_EMPTY"


def test_a_start_without_edges_is_refused() -> None:
    with pytest.raises(GraphError) as caught:
        chain((1, 2, 1.0), start=()).moments(1)
    assert caught.value.code == "GRAPH_NO_START"


def test_a_start_into_absorption_only_gives_zero_and_is_said() -> None:
    graph = chain(start=((1, 1.0), (2, 3.0)))
    with pytest.warns(PhasicWarning, match="START_ABSORBED"):
        assert graph.moments(3).tolist() == [0, 0, 0]
    assert graph.defect() == 1.0
    assert graph.absorption_probabilities().tolist() == [0, 0.25, 0.75]


# ---- theta


def test_evaluation_before_theta_says_which_call_to_make() -> None:
    graph = queue_graph()
    with pytest.raises(RuntimeError, match=r"FATAL: .*theta is not set.*2 parameters") as caught:
        graph.moments(2)
    assert "graph.update_parameterized_weights(theta) with 2 values" in caught.value.hint
    graph.update_parameterized_weights([1.0, 2.0])
    assert graph.moments(2).shape == (2,)


@pytest.mark.parametrize(
    ("theta", "message"),
    [
        ([1.0], r"shape \(1,\).*2 parameters"),
        ([1.0, 2.0, 3.0], r"shape \(3,\)"),
        ([[1.0, 2.0]], r"shape \(1, 2\)"),
        ([1.0, np.nan], r"theta\[1\] is nan"),
        ([np.inf, 1.0], r"theta\[0\] is inf"),
        (["a", "b"], "no numbers"),
        (None, "no numbers: None"),
    ],
)
def test_a_theta_that_does_not_fit_is_refused(theta, message) -> None:
    graph = queue_graph()
    for use in (graph.update_parameterized_weights, graph.at):
        with pytest.raises(NumericError, match=f"FATAL: .*{message}"):
            use(theta)


def test_a_negative_rate_names_edge_and_theta() -> None:
    with pytest.raises(
        NumericError, match=r"FATAL: the transition \(1,\) -> \(2,\) has weight -1 at .*\[-1.0, 2.0"
    ):
        queue_graph(2).at([-1.0, 2.0]).moments(1)


def test_a_weight_of_zero_may_cut_off_absorption() -> None:
    with pytest.raises(NumericError, match="cannot reach absorption") as caught:
        queue_graph().at([1.0, 0.0]).moments(1)
    assert caught.value.code == "ABSORPTION_UNREACHABLE"
    assert queue_graph().at([0.0, 2.0]).mean() == 0.5


def test_probabilities_above_one_are_refused() -> None:
    graph = Graph(1, discrete=True)
    one, two = graph.find_or_create_vertex([1]), graph.find_or_create_vertex([2])
    graph.starting_vertex().add_edge(one, 1.0)
    one.add_edge(two, [1.0])
    assert graph.at([0.5]).mean() == 2.0
    with pytest.raises(NumericError, match=r"vertex \(1,\) add up to 1.5"):
        graph.at([1.5]).mean()


def test_a_theta_that_was_set_does_not_follow_its_array() -> None:
    theta = np.array([1.0, 2.0])
    graph = queue_graph()
    graph.update_parameterized_weights(theta)
    before = graph.mean()
    theta[:] = 5.0
    assert graph.mean() == before
    graph.update_parameterized_weights(theta)
    assert graph.mean() != before


# ---- by hand


def test_a_graph_by_hand() -> None:
    graph = Graph(2)
    start = graph.starting_vertex()
    a, b = graph.find_or_create_vertex([1, 0]), graph.find_or_create_vertex((0, 1))
    end = graph.find_or_create_vertex(np.array([0, 0]))
    assert graph.find_or_create_vertex([1, 0]) == a
    graph.add_edge(start, a, 3.0)
    graph.add_edge(start, b, 1.0)
    a.add_edge_parameterized(b, 1.0, [0.0, 1.0])
    a.add_edge(end, [1.0, 0.0])
    b.add_edge(end, 4.0)
    assert a.state().tolist() == [1, 0]
    assert [(to, base, c) for to, base, c in a.edges()] == [
        (b, 1.0, (0.0, 1.0)),
        (end, 0.0, (1.0, 0.0)),
    ]
    theta = (2.0, 5.0)
    expected = 0.75 * (1 / 8 + 6 / 8 / 4) + 0.25 / 4
    assert graph.at(theta).mean() == pytest.approx(expected, rel=1e-15)
    with pytest.raises(GraphError, match="in use"):
        a.add_edge(end, 1.0)
    with pytest.raises(GraphError, match="in use"):
        graph.find_or_create_vertex([5, 5])


@pytest.mark.parametrize("state", [[1], [1, 2, 3], [1.5, 0], "ab", [2**40, 0], 3])
def test_a_state_by_hand_must_fit(state) -> None:
    with pytest.raises(GraphError):
        Graph(2).find_or_create_vertex(state)


def test_vertices_belong_to_their_graph() -> None:
    graph, other = Graph(1), Graph(1)
    with pytest.raises(GraphError, match="no vertex of this graph"):
        graph.starting_vertex().add_edge(other.find_or_create_vertex([1]), 1.0)
    with pytest.raises(GraphError, match="no number"):
        graph.starting_vertex().add_edge(graph.find_or_create_vertex([1]), "much")
    graph.find_or_create_vertex([1]).add_edge(graph.starting_vertex(), 1.0)
    with pytest.raises(GraphError, match="leads into the start"):
        graph.moments(1)


def test_only_graphs_by_hand_are_built_by_hand() -> None:
    with pytest.raises(GraphError, match="cannot be built by hand"):
        coalescent_graph().starting_vertex()


# ---- matrices

ALPHA = np.array([0.5, 0.3, 0.1])
SUB = np.array([[-3.0, 1.0, 1.5], [0.2, -1.0, 0.0], [0.0, 2.0, -2.5]])


def test_matrices_there_and_back() -> None:
    graph = Graph.from_matrices(ALPHA, SUB)
    alpha, sub, vertices = graph.as_matrices()
    assert alpha == pytest.approx(ALPHA, rel=1e-15)
    assert sub == pytest.approx(SUB, rel=1e-15)
    assert vertices.tolist() == [1, 2, 3]
    inverse = np.linalg.inv(-SUB)
    assert graph.mean() == pytest.approx(float(ALPHA @ inverse.sum(axis=1)), rel=1e-14)
    assert graph.defect() == pytest.approx(0.1, rel=1e-15)
    assert graph.expected_sojourn_time()[1:4] == pytest.approx(ALPHA @ inverse, rel=1e-14)


def test_discrete_matrices_there_and_back() -> None:
    sub = np.array([[0.5, 0.25], [0.125, 0.0]])
    graph = Graph.from_matrices([1.0, 0.0], sub, discrete=True)
    alpha, back, _ = graph.as_matrices()
    assert alpha.tolist() == [1.0, 0.0]
    assert back == pytest.approx(sub, rel=1e-15)
    steps = np.linalg.inv(np.eye(2) - sub)
    assert graph.mean() == pytest.approx(float(steps[0].sum()), rel=1e-14)


def test_matrices_with_states() -> None:
    graph = Graph.from_matrices([1.0, 0.0], [[-1.0, 1.0], [0.0, -2.0]], states=[[7, 1], [3, 2]])
    assert graph.states().tolist() == [[0, 0], [3, 2], [7, 1], [8, 3]]
    assert graph.as_matrices().S.tolist() == [[-2.0, 0.0], [1.0, -1.0]]
    assert graph.mean() == 1.5


def test_a_parameterised_graph_gives_matrices_at_theta() -> None:
    alpha, sub, _ = queue_graph(2).as_matrices([1.0, 3.0])
    assert alpha.tolist() == [1.0, 0.0]
    assert sub.tolist() == [[-4.0, 1.0], [3.0, -3.0]]


@pytest.mark.parametrize(
    ("alpha", "sub", "message"),
    [
        ([1.0], [[-1.0, 0.0]], "shape"),
        ([1.0, 0.5], [[-1.0, 0.0], [0.0, -1.0]], "sums to 1.5"),
        ([-0.5], [[-1.0]], "least entry -0.5"),
        ([1.0], [[np.nan]], r"S\[0, 0\] is nan"),
        ([1.0, 0.0], [[-1.0, -1.0], [0.0, -1.0]], r"S\[0, 1\] is -1.0, negative"),
        ([1.0, 0.0], [[-1.0, 2.0], [0.0, -1.0]], "row 0 of S sums to 1.0"),
        ([], [], "shape"),
        ([1.0], [["a"]], "no matrix of numbers"),
        ([1.0], [[0.0]], "cannot reach|GRAPH"),
    ],
)
def test_matrices_that_are_no_distribution(alpha, sub, message) -> None:
    if message.startswith("cannot"):
        # A row of zeros is an absorbing vertex: the time is 0.
        with pytest.warns(PhasicWarning, match="START_ABSORBED"):
            assert Graph.from_matrices(alpha, sub).mean() == 0.0
        return
    with pytest.raises(GraphError, match=message):
        Graph.from_matrices(alpha, sub)


def test_two_rows_with_one_state_are_refused() -> None:
    graph = Graph.from_matrices([1.0, 0.0], [[-1.0, 1.0], [0.0, -2.0]], states=[[7], [7]])
    with pytest.raises(GraphError, match=r"two vertices have the state \(7,\)"):
        graph.mean()


def test_rounding_in_a_row_is_no_exit() -> None:
    thirds = np.array([[-1.0, 0.1 + 0.2 + 0.7], [0.5, -1.0]])
    assert Graph.from_matrices([1.0, 0.0], thirds).edges().source.tolist() == [0, 1, 2, 2]


# ---- threads


def test_two_threads_on_two_graphs_and_on_one() -> None:
    expected = {n: coalescent_graph(n).at([1.0]).moments(4) for n in range(2, 40)}
    shared = queue_graph(30)
    shared_expected = queue_graph(30).at([1.0, 1.1]).moments(4)
    wrong = []

    def work(numbers) -> None:
        for n in numbers:
            if not np.array_equal(coalescent_graph(n).at([1.0]).moments(4), expected[n]):
                wrong.append(n)
            if not np.array_equal(shared.at([1.0, 1.1]).moments(4), shared_expected):
                wrong.append("shared")

    threads = [
        threading.Thread(target=work, args=(numbers,))
        for numbers in (range(2, 40), range(39, 1, -1), range(2, 40))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
