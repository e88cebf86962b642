"""Traces: many thetas, the operations, forms outside the process."""

from __future__ import annotations

import json
import pickle
import tracemalloc
import zlib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgpack
import numpy as np
import pytest

from phasic import EliminationTrace, FormatError, Graph, NumericError, TraceError, config
from phasic.models import coalescent, structured
from phasic.operations import OUTSIDE, Operation, OperationType, run
from phasic.trace_elimination import evaluate_trace, record_elimination_trace
from rules import coalescent_graph, queue_graph


def random_graph(seed: int, n: int, density: float) -> Graph:
    """Strongly connected up to its end, two parameters, several start vertices."""
    rng = np.random.default_rng(seed)
    graph = Graph(1, n_parameters=2)
    vertices = [graph.find_or_create_vertex([k]) for k in range(n)]
    for k in rng.choice(n - 1, 3):
        graph.starting_vertex().add_edge(vertices[k], float(rng.random()))
    for i in range(n - 1):
        for j in np.flatnonzero(rng.random(n) < density):
            if i != j:
                base = float(rng.random() * (rng.random() < 0.5))
                vertices[i].add_edge_parameterized(vertices[j], base, rng.random(2).tolist())
        vertices[i].add_edge(vertices[(i + 1) % n], float(rng.random()))
    return graph


GRAPHS = {
    "coalescent": lambda: coalescent_graph(6),
    "queue": lambda: queue_graph(5),
    "site frequencies": lambda: coalescent.site_frequency(6),
    "islands": lambda: structured.migration([3, 3]),
    "sparse": lambda: random_graph(1, 40, 0.05),
    "dense": lambda: random_graph(2, 30, 0.5),
    "full": lambda: random_graph(3, 12, 1.0),
    "no states": lambda: Graph.from_matrices([0.5, 0.4], [[-2.0, 1.0], [0.5, -3.0]]),
    "discrete": lambda: Graph.from_matrices([1, 0], [[0.5, 0.25], [0.1, 0.3]], discrete=True),
}


@pytest.fixture(params=GRAPHS.values(), ids=GRAPHS)
def trace(request: pytest.FixtureRequest) -> EliminationTrace:
    return record_elimination_trace(request.param())


def theta_of(trace: EliminationTrace) -> np.ndarray:
    return np.linspace(0.7, 1.3, trace.n_parameters)


# ---- the operations


def test_the_operations_carried_out_give_the_evaluation(trace: EliminationTrace) -> None:
    theta = theta_of(trace)
    values = run(list(trace.operations), theta.tolist())
    result = evaluate_trace(trace, theta)
    assert len(result.probabilities) == len(result.targets) == trace.n_vertices
    for vertex in range(trace.n_vertices):
        assert result.targets[vertex].tolist() == trace.vertex_targets[vertex]
        rate = trace.vertex_rates[vertex]
        if rate == -1:
            assert result.rates[vertex] == 0
            assert trace.edge_probs[vertex] == []
            continue
        assert values[rate] == pytest.approx(result.rates[vertex], rel=1e-13)
        expected = values[trace.edge_probs[vertex]]
        assert expected == pytest.approx(result.probabilities[vertex], rel=1e-13)
        assert expected.sum() == pytest.approx(1, rel=1e-13)


def test_the_operations_are_numbered_and_typed(trace: EliminationTrace) -> None:
    operations = trace.operations
    listed = list(operations)
    assert len(operations) == len(listed)
    assert [operations[k] for k in (0, -1)] == [listed[0], listed[-1]]
    assert operations[1:9:2] == listed[1:9:2]
    assert operations[9:1:-3] == listed[9:1:-3]
    for number, operation in enumerate(listed):
        assert isinstance(operation, Operation)
        assert all(0 <= operand < number for operand in operation.operands)
        assert str(operation).startswith(operation.type.value)
    with pytest.raises(IndexError):
        operations[len(listed)]


def test_there_are_eight_types() -> None:
    names = [kind.value for kind in OperationType]
    assert names == ["CONST", "PARAM", "DOT", "ADD", "MUL", "DIV", "INV", "SUM"]


def test_operations_are_made_while_they_are_read() -> None:
    trace = record_elimination_trace(random_graph(4, 60, 0.5))
    listed = len(trace.operations)
    tracemalloc.start()
    assert sum(1 for _ in trace.operations) == listed > 50_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A list would hold more than 100 bytes an operation.
    assert peak < 20 * listed


def test_an_acyclic_chain_is_left_as_it_is() -> None:
    trace = coalescent_graph(4).compute_trace()
    result = evaluate_trace(trace, [2.0])
    # start, 1 (absorbing), 2, 3, 4
    assert result.rates.tolist() == [2, 0, 2, 6, 12]
    assert [targets.tolist() for targets in result.targets] == [[4], [], [1], [2], [3]]
    assert [p.tolist() for p in result.probabilities] == [[1], [], [1], [1], [1]]
    with pytest.raises(IndexError):
        result.targets[5]


def test_a_cyclic_chain_is_eliminated() -> None:
    trace = queue_graph(2).compute_trace()
    result = evaluate_trace(trace, [1.0, 3.0])
    # 1 -> 0 at 3, 1 -> 2 at 1, 2 -> 1 at 3: leaving 1 for good happens at rate 3 in any order.
    left = [v for v in (2, 3) if result.targets[v].tolist() == [OUTSIDE]]
    assert len(left) == 1
    assert result.rates[left[0]] == pytest.approx(3.0, rel=1e-15)


# ---- what it says of itself


def test_the_summary_and_the_numbers() -> None:
    trace = queue_graph(4).compute_trace()
    assert (trace.n_vertices, trace.n_parameters, trace.param_length) == (6, 2, 2)
    assert (trace.state_length, trace.reward_length, trace.starting_vertex) == (1, 6, 0)
    assert not trace.discrete
    assert trace.states[:, 0].tolist() == [0, 0, 1, 2, 3, 4]
    numbers = trace.statistics()
    assert (numbers["n_edges"], numbers["n_absorbing"], numbers["largest_component"]) == (8, 1, 4)
    assert numbers["bytes"] == trace.n_bytes == len(trace.to_bytes())
    summary = trace.summary()
    assert trace.key in summary
    assert "6 vertices (1 absorbing, 0 dropped), 8 edges" in summary
    assert f"\n  {trace.n_parameters} parameter{'' if trace.n_parameters == 1 else 's'}," in summary


# ---- many thetas


def test_a_batch_gives_the_bits_of_single_evaluations(trace: EliminationTrace) -> None:
    rng = np.random.default_rng(5)
    thetas = rng.uniform(0.5, 2, (1000, trace.n_parameters))
    moments, gradient = trace.moments(thetas, 3, gradient=True, threads=1)
    assert moments.shape == (1000, 3)
    assert gradient.shape == (1000, 3, trace.n_parameters)
    for threads in (1, 2, 3):
        assert np.array_equal(trace.moments(thetas, 3, threads=threads), moments)
        again = trace.moments(thetas, 3, gradient=True, threads=threads)
        assert np.array_equal(again[0], moments)
        assert np.array_equal(again[1], gradient)
    for row in (0, 1, 63, 64, 500, 999):
        assert np.array_equal(trace.moments(thetas[row : row + 1], 3)[0], moments[row])
    assert trace.moments(thetas[:0], 2).shape == (0, 2)


def test_gradients_are_differences_in_the_limit() -> None:
    trace = queue_graph(6).compute_trace()
    theta, step = np.array([1.0, 1.5]), 1e-6
    _, gradient = trace.moments([theta], 3, gradient=True)
    for k in range(2):
        shift = np.zeros(2)
        shift[k] = step
        up, down = trace.moments([theta + shift, theta - shift], 3)
        assert (up - down) / (2 * step) == pytest.approx(gradient[0, :, k], rel=1e-7)


def test_rewards_of_a_batch() -> None:
    trace = coalescent_graph(5).compute_trace()
    lineages = trace.states[:, 0]
    harmonic = sum(1 / k for k in range(1, 5))
    totals = trace.moments([[1.0], [2.0]], 1, rewards=lineages)
    assert totals[:, 0] == pytest.approx([2 * harmonic, harmonic], rel=1e-14)
    means, covariances = trace.covariances([[1.0]], [lineages, np.ones(6)])
    assert means[0] == pytest.approx([2 * harmonic, 1.6], rel=1e-14)
    assert covariances[0, 0, 1] == covariances[0, 1, 0]


@pytest.mark.parametrize(
    ("thetas", "message"),
    [
        ([1.0, 2.0], r"shape \(2,\)"),
        ([[1.0]], r"shape \(1, 1\).*\(n, 2\)"),
        ([[1.0, 2.0], [1.0, np.nan]], r"theta\[1\] is NaN"),
        ([[1.0, 2.0], [-1.0, 2.0]], r"\(row 1\)"),
        ("text", "no numbers"),
    ],
)
def test_thetas_that_do_not_fit(thetas, message) -> None:
    with pytest.raises(NumericError, match=f"FATAL: .*{message}"):
        queue_graph().compute_trace().moments(thetas, 2)


def test_of_several_bad_thetas_the_first_is_told() -> None:
    trace = queue_graph().compute_trace()
    thetas = np.ones((100_000, 2))
    thetas[[90_000, 30_000, 60_000], 0] = -1
    for threads in (1, 2):
        with pytest.raises(NumericError, match=r"\(row 30000\)"):
            trace.moments(thetas, 2, threads=threads)


@pytest.mark.parametrize("order", [0, -1, 1.5, True, "two"])
def test_an_order_that_is_none(order) -> None:
    with pytest.raises(NumericError, match="order of moments"):
        queue_graph().compute_trace().moments([[1.0, 2.0]], order)


@pytest.mark.parametrize("rewards", [[1.0], np.ones((2, 6)), "text", -np.ones(6), [np.nan] * 6])
def test_rewards_that_do_not_fit(rewards) -> None:
    with pytest.raises(NumericError, match="FATAL: "):
        queue_graph().compute_trace().moments([[1.0, 2.0]], 1, rewards=rewards)


# ---- outside the process


def test_bytes_json_and_files_give_equal_traces(trace: EliminationTrace, tmp_path: Path) -> None:
    path = tmp_path / "a b.trace"
    trace.save(path)
    copies = [
        EliminationTrace.load(path),
        EliminationTrace.from_bytes(trace.to_bytes()),
        EliminationTrace.from_json(trace.to_json()),
        pickle.loads(pickle.dumps(trace)),  # noqa: S301
    ]
    thetas = [theta_of(trace)]
    for copy in copies:
        assert copy == trace
        assert hash(copy) == hash(trace)
        assert copy.to_bytes() == trace.to_bytes()
        assert np.array_equal(copy.moments(thetas, 4), trace.moments(thetas, 4))
    assert path.read_bytes() == trace.to_bytes()
    assert trace != coalescent_graph(17).compute_trace()


def test_the_graph_comes_back_out_of_the_trace(trace: EliminationTrace) -> None:
    graph = trace.handle.graph()
    assert graph.trace_key().hex() == trace.key
    assert np.array_equal(graph.states, trace.states)


def test_stock_msgpack_and_numpy_read_a_trace_file(trace: EliminationTrace) -> None:
    # By the layout that engine_c/src/codec.c documents, without the engine.
    data = trace.to_bytes()
    version, length, checksum = np.frombuffer(data, "<u4", 3, 8).tolist()
    head = data[20 : 20 + length]
    assert (data[:8], version, checksum) == (b"\x93phase\r\n", 1, zlib.crc32(head))
    header = msgpack.unpackb(head)
    assert header["meta"] == trace.handle.meta
    assert header["key"].hex() == trace.key
    for array in header["arrays"]:
        count = int(np.prod(array["shape"]))
        assert array["offset"] % 64 == 0
        values = np.frombuffer(data, array["dtype"], count, array["offset"])
        assert zlib.crc32(values.tobytes()) == array["crc32"]
        assert np.array_equal(values, trace.handle.array(array["name"]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: "{", "no JSON"),
        (lambda d: "[" * 100_000, "no JSON"),
        (lambda d: "[]", "not of the format"),
        (lambda d: json.dumps({**d, "format": "other"}), "not of the format"),
        (lambda d: json.dumps({k: v for k, v in d.items() if k != "meta"}), "no 'meta'"),
        (lambda d: json.dumps({**d, "arrays": {}}), "lacks 'states'"),
        (lambda d: json.dumps({**d, "key": "0" * 64}), "key in the JSON"),
        (lambda d: json.dumps({**d, "meta": {**d["meta"], "n_vertices": "x"}}), "malformed"),
        (lambda d: json.dumps({**d, "meta": {**d["meta"], "n_vertices": 10**30}}), "malformed"),
        (lambda d: json.dumps({**d, "meta": {**d["meta"], "n_vertices": 99}}), "inconsistent"),
        (
            lambda d: json.dumps({**d, "arrays": {**d["arrays"], "edge_target": [[1], [2, 3]]}}),
            "malformed",
        ),
        (
            lambda d: json.dumps({**d, "arrays": {**d["arrays"], "edge_target": [77] * 8}}),
            "inconsistent",
        ),
    ],
)
def test_json_that_is_wrong_is_refused(change, message) -> None:
    document = json.loads(queue_graph().compute_trace().to_json())
    with pytest.raises(FormatError, match=message):
        EliminationTrace.from_json(change(document))


def _moments(trace: EliminationTrace, theta: float) -> list[float]:
    return trace.moments([[theta, 2.0]], 2)[0].tolist()


def test_a_trace_travels_to_other_processes() -> None:
    trace = queue_graph().compute_trace()
    thetas = [0.5, 1.0, 1.5]
    # Not by a fork: other tests of this process may have started JAX, which has threads.
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        results = list(executor.map(_moments, [trace] * 3, thetas))
    assert results == [_moments(trace, theta) for theta in thetas]


# ---- bounds


def test_a_trace_that_would_be_too_large_is_refused_with_the_estimate() -> None:
    graph = structured.migration([10, 10])
    with pytest.raises(TraceError, match=r"FATAL: trace would need about [\d,]+ bytes") as caught:
        record_elimination_trace(graph, max_trace_bytes=1000)
    assert "max_trace_bytes" in caught.value.hint
    with config.override(max_trace_bytes=1000), pytest.raises(TraceError):
        graph.compute_trace()


def test_progress_is_told_to_its_end() -> None:
    told = []
    graph = structured.migration([12, 12])
    record_elimination_trace(graph, progress=lambda done, total: told.append((done, total)))
    assert all(0 <= done <= total for done, total in told)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
