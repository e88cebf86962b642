"""No shared state: threads on two graphs, on one graph and on one trace give what one gives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines import graph_of
from phasic import EliminationTrace, NumericError
from phasic.models.structured import migration
from phasic.trace_elimination import evaluate_trace, record_elimination_trace
from reference.model import Model
from rules import coalescent_graph, queue_graph

ROUNDS = 12
THETAS = np.random.default_rng(3).uniform(0.1, 4.0, (40, 2))


def together(*tasks: Callable[[], Any]) -> list[Any]:
    """Runs every task in a thread of its own, all started at once; their results, or the first
    error."""
    barrier = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        barrier.wait(timeout=30)
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(run, task) for task in tasks]]


def all_of(trace: EliminationTrace, thetas: np.ndarray) -> list[np.ndarray]:
    """Every kind of answer, one after the other."""
    rewards = np.linspace(0.0, 1.0, trace.n_vertices)
    rows = np.array([rewards, rewards[::-1]])
    found = [*trace.moments(thetas, 4, gradient=True, threads=1)]
    found += [trace.moments(thetas, 2, rewards, threads=1)]
    found += list(trace.covariances(thetas, rows, gradient=True, threads=1))
    opened = evaluate_trace(trace, thetas[0])
    return [*found, opened.rates, np.concatenate(list(opened.probabilities))]


def same(one: list[np.ndarray], two: list[np.ndarray]) -> bool:
    return len(one) == len(two) and all(map(np.array_equal, one, two))


def test_two_threads_on_one_trace() -> None:
    trace = record_elimination_trace(migration(6, 3))
    expected = all_of(trace, THETAS)
    results = together(*[lambda: [all_of(trace, THETAS) for _ in range(ROUNDS)]] * 2)
    assert all(same(found, expected) for rounds in results for found in rounds)


def test_threads_with_different_thetas_do_not_mix() -> None:
    trace = record_elimination_trace(queue_graph(30))
    alone = {k: trace.moments(THETAS[k : k + 1], 4) for k in range(len(THETAS))}

    def task(first: int) -> Callable[[], list[tuple[int, np.ndarray]]]:
        order = range(first, len(THETAS), 4)
        return lambda: [
            (k, trace.moments(THETAS[k : k + 1], 4)) for _ in range(ROUNDS) for k in order
        ]

    for found in together(*(task(k) for k in range(4))):
        for k, values in found:
            assert np.array_equal(values, alone[k])


def test_two_threads_on_two_graphs() -> None:
    def task(make: Callable[[], Any]) -> Callable[[], list[bytes]]:
        return lambda: [record_elimination_trace(make()).to_bytes() for _ in range(ROUNDS)]

    makers = [lambda: migration(5, 3), lambda: queue_graph(50)]
    expected = [record_elimination_trace(make()).to_bytes() for make in makers]
    for found, data in zip(together(*map(task, makers)), expected, strict=True):
        assert set(found) == {data}


def test_two_threads_on_one_graph(cache_directory: Path) -> None:
    graph = coalescent_graph(40)
    expected = coalescent_graph(40).at([1.0]).moments(3)
    results = together(*[lambda: graph.at([1.0]).moments(3)] * 4)
    assert all(np.array_equal(found, expected) for found in results)
    (entry,) = cache_directory.iterdir()
    assert entry.read_bytes() == record_elimination_trace(coalescent_graph(40)).to_bytes()


def test_threads_share_the_work_of_one_call() -> None:
    trace = record_elimination_trace(migration(8, 3))
    thetas = np.random.default_rng(4).uniform(0.1, 4.0, (500, 2))
    one = trace.moments(thetas, 4, gradient=True, threads=1)
    for count in (2, 3, 8):
        several = trace.moments(thetas, 4, gradient=True, threads=count)
        assert all(map(np.array_equal, one, several))


def test_an_error_in_one_thread_stays_there() -> None:
    model = Model(2, [(0, 1.0, (0.0,))], [(0, 1, 0.0, (1.0,))], 1)
    trace = record_elimination_trace(graph_of(model))

    def good() -> list[float]:
        return [float(trace.moments([[2.0]], 1)[0, 0]) for _ in range(200)]

    def bad() -> int:
        refused = 0
        for theta in (-1.0, 0.0, float("nan"), float("inf")) * 50:
            with pytest.raises(NumericError):
                trace.moments([[theta]], 1)
            refused += 1
        return refused

    assert together(good, bad, good) == [[0.5] * 200, 200, [0.5] * 200]


def test_the_first_bad_theta_is_named_whatever_the_threads() -> None:
    trace = record_elimination_trace(queue_graph(30))
    thetas = np.ones((5000, 2))
    thetas[[1234, 4321]] = [-1.0, 1.0]
    messages = set()
    for count in (1, 2, 4):
        with pytest.raises(NumericError, match=r"-1\.0, 1\.0") as caught:
            trace.moments(thetas, 1, threads=count)
        messages.add(str(caught.value))
    assert len(messages) == 1


def test_a_trace_is_loaded_by_many_threads_at_once(tmp_path: Path) -> None:
    trace = record_elimination_trace(migration(6, 3))
    trace.save(tmp_path / "one.trace")
    expected = trace.moments(THETAS, 2)
    results = together(
        *[lambda: EliminationTrace.load(tmp_path / "one.trace").moments(THETAS, 2)] * 6
    )
    assert all(np.array_equal(found, expected) for found in results)
