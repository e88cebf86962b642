"""Files of other programs, or written by hand after a format's documentation, and stock readers."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import msgpack
import numpy as np
import pytest
import scipy.io
import scipy.sparse

from first_step import mean_time, solve
from phasic import Graph
from phasic.errors import GraphError
from phasic.interchange import read, read_rewards, write
from phasic.models import coalescent, epidemics, phase_types, walks

FILES = Path(__file__).parent / "interchange_files"
ALPHA = [0.75, 0.25]
S = [[-2.0, 1.0], [0.5, -3.0]]


def close(value, rel=1e-12):
    return pytest.approx(float(value), rel=rel)


# -- Storm: what it exported, and what it found (10 digits are exported, 1e-6 is its precision)


def test_a_ctmc_of_storm():
    """The queue of storm_queue.prism: its mean by first-step equations, and Storm's own."""
    lam, mu = Fraction(3, 2), Fraction(3, 4)

    def moves(state):
        q, lost = state
        if q == 0:
            return []
        out = [((q - 1, lost), mu)]
        if q < 4:
            out.append(((q + 1, lost), lam))
        return [*out, ((4, True), lam / 7)] if q == 4 else out

    path = FILES / "storm_queue.drn"
    distribution = read(path).at()
    assert distribution.mean() == close(mean_time((1, False), moves), rel=1e-9)
    (customers,) = read_rewards(path).values()
    expected = solve((1, False), moves, lambda state: state[0], lambda state: 0)
    assert distribution.mean(customers) == close(expected, rel=1e-9)
    # Storm's answers.
    assert distribution.mean() == close(20.000005176461627, rel=1e-6)
    assert distribution.mean(customers) == close(65.33335187666994, rel=1e-6)


@pytest.mark.parametrize("target", [None, "done", "deadlock"])
def test_a_dtmc_of_storm(target):
    """Thirds are printed with ten digits; what they lack to 1 is no chance to stay."""
    third, seventh = Fraction(1, 3), Fraction(1, 7)

    def moves(s):
        return {
            0: [(1, third), (2, third), (0, third)],
            1: [(3, third), (2, 2 * third)],
            2: [(3, seventh), (1, 6 * seventh)],
            3: [],
        }[s]

    graph = read(FILES / "storm_walk.drn", target=target)
    assert graph.discrete
    assert graph.state_names == ("s",)
    assert graph.at().mean() == close(mean_time(0, moves), rel=1e-9)
    assert graph.at().mean() == close(5.61111225134457, rel=1e-6)  # Storm's answer
    assert list(read_rewards(FILES / "storm_walk.drn")) == ["steps"]


def test_a_parametric_ctmc_of_storm():
    """Placeholders, fractions and sums, as Storm writes rational functions."""
    graph = read(FILES / "storm_parametric.drn")
    assert graph.parameter_names == ("a", "b")
    for a, b in ((1, 2), (Fraction(1, 3), Fraction(7, 2))):

        def moves(s, a=Fraction(a), b=Fraction(b)):
            return {0: [(1, a / 2), (2, a + 2 * b)], 1: [(0, b), (2, Fraction(1, 2))], 2: []}[s]

        assert graph.at([float(a), float(b)]).mean() == close(mean_time(0, moves))


def test_a_target_cuts_the_model_short():
    graph = read(FILES / "storm_queue.drn", target="empty")
    assert graph.at().mean() == read(FILES / "storm_queue.drn").at().mean()


DRN_BY_HAND = """\
// By hand, after https://www.stormchecker.org/documentation/usage/drn.html
@type: CTMC
@parameters
k
@placeholders
$twice : 2*k
@reward_models
cost time
@nr_states
3
@nr_choices
2
@model
state 0 [3, 1] !3*k "the start" init

\taction 0
\t\t1 : $twice
\t\t2 : k
state 1 !5 [0.5,1]
\taction go
\t\t1 : 4
\t\t2 : 1
state 2 done
"""


def test_drn_by_hand(tmp_path):
    path = tmp_path / "model.drn"
    path.write_text(DRN_BY_HAND)
    graph = read(path)
    distribution = graph.at([2.0])
    assert distribution.mean() == close(Fraction(1, 6) + Fraction(2, 3))  # loops are nothing
    rewards = read_rewards(path)
    assert list(rewards) == ["cost", "time"]
    assert distribution.mean(rewards["cost"]) == close(Fraction(3, 6) + Fraction(2, 3) / 2)
    assert distribution.mean(rewards["time"]) == close(distribution.mean())


def test_a_markov_automaton_by_hand(tmp_path):
    """The example of stormvogel's test of Markov automata, cut down: probabilities beside rates."""
    (tmp_path / "m.drn").write_text(
        "@type: Markov Automaton\n@nr_states\n4\n@model\n"
        "state 0 !4\n\taction {a,b}\n\t\t3 : 1\n"
        "state 1 !0 init\n\taction 0\n\t\t0 : 0.25\n\t\t2 : 0.75\n"
        "state 2 !2\n\taction 0\n\t\t0 : 0.3333333333\n\t\t3 : 0.6666666667\n"
        "state 3 !0 goal\n"
    )
    graph = read(tmp_path / "m.drn")
    assert graph.at().mean() == close(Fraction(1, 16) + Fraction(3, 4) * Fraction(7, 12), rel=1e-9)


# -- PRISM


def prism(folder):
    """After the appendix "Explicit model files" of PRISM's manual."""
    (folder / "m.tra").write_text("4 5\n1 0 .5\n1 2 5.0e-1\n0 3 1\n2 2 7\n2 3 +2\n")
    (folder / "m.lab").write_text('0="init" 1="deadlock" 2="half done"\n1: 0\n0: 2\n2: 2\n3: 1\n')
    (folder / "m.sta").write_text("(x,on)\n0:(0,true)\n1:(5,false)\n2:(-3,true)\n3:(9,false)\n")
    (folder / "m.cost.srew").write_text(
        '# Reward structure "cost"\n# State rewards\n4 2\n1 3\n2 4\n'
    )
    (folder / "m.srew").write_text("4 1\n0 1.5\n")
    return folder / "m.tra"


def test_prism_by_hand(tmp_path):
    graph = read(prism(tmp_path), discrete=False)
    assert graph.state_names == ("x", "on")
    assert graph.states().tolist() == [[0, 0], [-3, 1], [0, 1], [5, 0], [9, 0]]
    distribution = graph.at()
    assert distribution.mean() == close(1 + Fraction(1, 2) + Fraction(1, 4))
    rewards = read_rewards(tmp_path / "m.tra")
    assert rewards.keys() == {"cost", "reward"}
    assert distribution.mean(rewards["cost"]) == close(3 + Fraction(4, 4))
    assert distribution.mean(rewards["reward"]) == close(Fraction(3, 4))


def test_prism_target(tmp_path):
    assert read(prism(tmp_path), target="half done").at().mean() == close(1)


def test_prism_without_labels_starts_in_0(tmp_path):
    (tmp_path / "m.tra").write_text("2 1\n0 1 4\n")
    assert read(tmp_path / "m.tra").at().mean() == close(0.25)


def test_a_tra_file_may_have_to_be_told_what_it_is(tmp_path):
    (tmp_path / "m.tra").write_text("2 2\n0 0 0.75\n0 1 0.25\n")
    with pytest.raises(ValueError, match="DTMC or a CTMC") as raised:
        read(tmp_path / "m.tra")
    assert raised.value.code == "FILE_KIND"
    assert read(tmp_path / "m.tra", discrete=True).at().mean() == close(4)
    assert read(tmp_path / "m.tra", discrete=False).at().mean() == close(4)
    steps, time = (read(tmp_path / "m.tra", discrete=kind).at().moments(2)[1] for kind in (1, 0))
    assert (steps, time) == (close(28), close(32))


def test_what_prism_is_given(tmp_path):
    write(walks.gamblers_ruin(1, 3), tmp_path / "m.tra", theta=[0.5, 0.25])
    assert (tmp_path / "m.tra").read_text().splitlines() == [
        "4 8",
        "0 0 1",
        "1 0 0.25",
        "1 1 0.25",
        "1 2 0.5",
        "2 1 0.25",
        "2 2 0.25",
        "2 3 0.5",
        "3 3 1",
    ]
    assert (tmp_path / "m.lab").read_text().splitlines() == [
        '0="init" 1="deadlock" 2="absorbed"',
        "0: 1 2",
        "1: 0",
        "3: 1 2",
    ]
    assert (tmp_path / "m.sta").read_text() == "(capital)\n0:(0)\n1:(1)\n2:(2)\n3:(3)\n"


# -- matrices


def matrix_mean():
    return Graph.from_matrices(ALPHA, S).at().mean()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_saves(order, save, tmp_path):
    save(tmp_path / "m.npz", alpha=np.array(ALPHA), S=np.array(S, order=order))
    assert read(tmp_path / "m.npz").at().mean() == matrix_mean()
    states = np.array([[7, 1], [3, 3]], np.int16)
    save(tmp_path / "m.npz", alpha=np.array(ALPHA, np.float32), S=S, states=states, discrete=False)
    assert read(tmp_path / "m.npz").states().tolist() == [[0, 0], [3, 3], [7, 1], [8, 4]]


def test_what_numpy_loads(tmp_path):
    write(epidemics.sir(3), tmp_path / "m.npz", theta=[2.0, 1.0])
    with np.load(tmp_path / "m.npz", allow_pickle=False) as arrays:
        assert set(arrays) == {"alpha", "S", "states", "discrete"}
        mean = -arrays["alpha"] @ np.linalg.solve(arrays["S"], np.ones(arrays["alpha"].size))
    assert mean == close(epidemics.sir(3).at([2.0, 1.0]).mean())


@pytest.mark.parametrize("matrix", [np.array(S), scipy.sparse.coo_matrix(S)])
def test_what_scipy_writes_as_matrix_market(matrix, tmp_path):
    scipy.io.mmwrite(tmp_path / "m.mtx", matrix, comment="a comment", precision=17)
    scipy.io.mmwrite(tmp_path / "m.alpha.mtx", np.array([ALPHA]))
    assert read(tmp_path / "m.mtx").at().mean() == close(matrix_mean())


def test_a_symmetric_matrix_market_file(tmp_path):
    symmetric = np.array([[-2.0, 0.5], [0.5, -3.0]])
    scipy.io.mmwrite(tmp_path / "m.mtx", scipy.sparse.coo_matrix(symmetric), symmetry="symmetric")
    scipy.io.mmwrite(tmp_path / "m.alpha.mtx", np.array([ALPHA]).T)
    assert "symmetric" in (tmp_path / "m.mtx").read_text().splitlines()[0]
    expected = Graph.from_matrices(ALPHA, symmetric).at().mean()
    assert read(tmp_path / "m.mtx").at().mean() == close(expected)


def test_what_scipy_reads_of_ours(tmp_path):
    write(Graph.from_matrices(ALPHA, S), tmp_path / "m.mtx")
    np.testing.assert_array_equal(scipy.io.mmread(tmp_path / "m.mtx").toarray(), S)
    np.testing.assert_array_equal(scipy.io.mmread(tmp_path / "m.alpha.mtx").ravel(), ALPHA)


def test_the_example_of_the_nist_report(tmp_path):
    """The format's own example, 5 x 5, is no sub-intensity matrix: it is read, then refused."""
    (tmp_path / "m.mtx").write_text(
        "%%MatrixMarket matrix coordinate real general\n% a comment\n%\n5 5 8\n"
        "1 1 1.000e+00\n2 2 1.050e+01\n3 3 1.500e-02\n1 4 6.000e+00\n"
        "4 2 2.505e+02\n4 4 -2.800e+02\n4 5 3.332e+01\n5 5 1.200e+01\n"
    )
    (tmp_path / "m.alpha.mtx").write_text(
        "%%MatrixMarket matrix array real general\n5 1\n1\n0\n0\n0\n0\n"
    )
    with pytest.raises(GraphError, match="row 0 of S sums to"):
        read(tmp_path / "m.mtx")


def test_matrices_as_csv_by_hand(tmp_path):
    (tmp_path / "m.csv").write_text("alpha, S1, S2\r\n.75, -2, 1e0\r\n0.25, +0.5, -3.\r\n")
    assert read(tmp_path / "m.csv").at().mean() == matrix_mean()
    (tmp_path / "m.csv").write_text("# discrete\n\nalpha,S1\n1.0,0.75\n")
    assert read(tmp_path / "m.csv").discrete
    assert read(tmp_path / "m.csv").at().mean() == close(4)


# -- edge lists


def test_edges_as_csv_by_hand(tmp_path):
    (tmp_path / "m.csv").write_text("source,target,base\n0,1,1\nstart,2,3\n1,3,2\n2,3,4\n")
    assert read(tmp_path / "m.csv").at().mean() == close(Fraction(1, 8) + Fraction(3, 16))


def test_edges_as_a_spreadsheet_saves_them(tmp_path):
    (tmp_path / "m.csv").write_bytes(b"\xef\xbb\xbfsource,target,base\r\nstart,1,1\r\n1,2,4\r\n")
    assert read(tmp_path / "m.csv").at().mean() == close(0.25)


def test_edges_with_states_and_parameters_by_hand(tmp_path):
    (tmp_path / "m.csv").write_text(
        "# Two lineages in two demes.\n# state: here there\n"
        "source,target,base,merge,move\n"
        "start, 1 1, 1, 0, 0\n1 1, 2 0, 0, 0, 2\n# and back\n2 0,1 1,0,0,2\n2 0,1 0,0,1,0\n"
    )
    graph = read(tmp_path / "m.csv")
    assert graph.parameter_names == ("merge", "move")
    assert graph.state_names == ("here", "there")
    # From apart: 1 / (2 m); together: the race of merging and moving.
    assert graph.at([1.0, 0.5]).mean() == close(1 + 1 + 1)


def test_stock_readers_read_our_documents(tmp_path):
    graph = coalescent.kingman(3)
    write(graph, tmp_path / "m.json")
    write(graph, tmp_path / "m.msgpack")
    document = json.loads((tmp_path / "m.json").read_text())
    assert document == msgpack.unpackb((tmp_path / "m.msgpack").read_bytes())
    assert document == {
        "format": "phasic-edges/1",
        "discrete": False,
        "parameters": ["coalescence"],
        "state": ["lineages"],
        "states": [[0], [1], [2], [3]],
        "edges": [[0, 3, 1.0, 0.0], [2, 1, 0.0, 1.0], [3, 2, 0.0, 3.0]],
    }


def test_a_document_by_hand(tmp_path):
    (tmp_path / "m.json").write_text(
        '{"format": "phasic-edges/1", "n_vertices": 3, "edges": [[0, 1, 1], [1, 2, 4]]}'
    )
    assert read(tmp_path / "m.json").at().mean() == close(0.25)


# -- NetworkX


def test_networkx():
    networkx = pytest.importorskip("networkx")
    from phasic.hash import compute_graph_hash
    from phasic.interchange.networkx_graphs import from_networkx, to_networkx

    for graph, theta in (
        (epidemics.sir(4), [2.0, 1.0]),
        (walks.gamblers_ruin(1, 4), [0.5, 0.25]),
        (phase_types.hyperexponential(2), [0.5, 0.5, 1.0, 3.0]),
        (Graph.from_matrices(ALPHA, S), None),
    ):
        made = to_networkx(graph, theta)
        assert isinstance(made, networkx.DiGraph)
        hashes = {compute_graph_hash(g).hash_hex for g in (graph, from_networkx(made))}
        assert len(hashes) == 1
        assert sum(data["weight"] for *_, data in made.out_edges("start", data=True)) == close(1)
    assert networkx.is_directed_acyclic_graph(to_networkx(epidemics.sir(4)))

    by_hand = networkx.DiGraph()
    by_hand.add_edge("start", "a", weight=1)
    by_hand.add_edge("a", "b", weight=2.0)
    assert from_networkx(by_hand).at().mean() == close(0.5)
    for wrong in ({}, {"weight": "x"}, {"base": 1, "coefficients": [1]}, {"coefficients": []}):
        by_hand.add_edge("a", "c", **wrong)
        with pytest.raises(GraphError) as raised:
            from_networkx(by_hand)
        assert raised.value.code == "NETWORKX"
        assert "'a' -> 'c'" in raised.value.message
        by_hand.remove_edge("a", "c")
    for wrong in (networkx.Graph([("start", 1)]), networkx.DiGraph([(1, 2)])):
        with pytest.raises(GraphError, match="'start'"):
            from_networkx(wrong)


def test_networkx_is_asked_for_by_name(monkeypatch):
    import sys

    from phasic.errors import DependencyError
    from phasic.interchange.networkx_graphs import to_networkx

    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(DependencyError) as raised:
        to_networkx(coalescent.kingman(3))
    assert "phasic[networkx]" in str(raised.value)
