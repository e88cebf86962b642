"""The same graph gives the same trace file, byte for byte, however and wherever it is recorded.

Over twenty orders of exploration, one and two threads, two Python hash seeds, and two instruction
sets: the C program of test_interop is built without any extension and for this processor, and
evaluation gives the same bits in every instruction set that there is.
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from c_programs import compile_program
from phasic import Graph
from phasic._engine.workspace import Options, Workspace
from phasic.models.coalescent import site_frequency
from phasic.models.structured import migration
from phasic.trace_elimination import record_elimination_trace
from rules import queue_graph

ORDERS = 20
CAPACITY = 40  # of the queue in interop.c
SOURCE = Path(__file__).parent / "interop" / "interop.c"

Transitions = list[tuple[tuple[int, ...], float, list[float]]]


def islands(state: tuple[int, ...]) -> Transitions:
    """Lineages in three demes: components with fill, all with different weights."""
    demes = range(len(state))
    if sum(state) == 1:
        return []
    found: Transitions = []
    for i in demes:
        k = state[i]
        if k > 1:
            moved = tuple(state[d] - (d == i) for d in demes)
            found.append((moved, 0.0, [k * (k - 1) / 2, 0.0]))
        for j in demes:
            if k and j != i:
                moved = tuple(state[d] - (d == i) + (d == j) for d in demes)
                found.append((moved, 0.0, [0.0, k * (1.0 + 0.25 * j)]))
    return found


def reliability(state: tuple[int, ...]) -> Transitions:
    """Five machines of two kinds with a repairman each: cycles, base weights, several ends."""
    a, b = state
    if a + b >= 5 or a == 4:
        return []
    found: Transitions = [((a + 1, b), 0.125, [1.0, 0.0]), ((a, b + 1), 0.0, [0.5, 0.0])]
    if a:
        found.append(((a - 1, b), 0.0, [0.0, 3.0]))
    if b:
        found.append(((a, b - 1), 0.0, [0.0, 7.0]))
    return found


RULES: dict[str, tuple[Callable[[tuple[int, ...]], Transitions], tuple[int, ...]]] = {
    "islands": (islands, (3, 3, 2)),
    "reliability": (reliability, (0, 0)),
}


def explored(name: str, seed: int) -> Graph:
    """The model by a callback that lists its transitions in an order of its own, in parts."""
    rule, first = RULES[name]
    shuffle = random.Random(seed).shuffle

    def callback(state: np.ndarray) -> list[tuple[list[int], float, list[float]]]:
        if state.size == 0:
            return [(list(first), 1.0, [0.0, 0.0])]
        found = []
        for target, base, coefficients in rule(tuple(int(x) for x in state)):
            # two parallel edges, the same in sum whatever their order
            halves = [0.5 * c for c in coefficients]
            found.append((list(target), 0.5 * base, halves))
            found.append((list(target), 0.5 * base, halves))
        shuffle(found)
        return found

    return Graph(callback=callback, parameterized=True)


def by_hand(name: str, seed: int) -> Graph:
    """The model with vertices and edges added in any order whatever."""
    rule, first = RULES[name]
    states, waiting = {first}, [first]
    while waiting:
        for target, _, _ in rule(waiting.pop()):
            if target not in states:
                states.add(target)
                waiting.append(target)
    rng = random.Random(seed)
    order = sorted(states)
    rng.shuffle(order)
    graph = Graph(len(first), n_parameters=2)
    vertices = {state: graph.find_or_create_vertex(state) for state in order}
    edges = [(state, *edge) for state in order for edge in rule(state)]
    rng.shuffle(edges)
    graph.starting_vertex().add_edge_parameterized(vertices[first], 1.0, [0.0, 0.0])
    for source, target, base, coefficients in edges:
        vertices[source].add_edge_parameterized(vertices[target], base, coefficients)
    return graph


def digest(graph: Graph) -> str:
    return hashlib.sha256(record_elimination_trace(graph).to_bytes()).hexdigest()


@pytest.mark.parametrize("name", RULES)
def test_the_order_of_exploration_does_not_matter(name: str) -> None:
    digests = {digest(explored(name, seed)) for seed in range(ORDERS)}
    digests |= {digest(by_hand(name, seed)) for seed in range(ORDERS)}
    assert len(digests) == 1


def test_another_weight_does_matter() -> None:
    assert digest(migration(5, 2)) != digest(migration(5, 2, symmetric=False))
    assert digest(queue_graph(7)) != digest(queue_graph(8))


def test_one_and_two_threads_record_the_same() -> None:
    expected = [digest(by_hand(name, 0)) for name in RULES]
    found: dict[int, list[str]] = {}
    together = threading.Barrier(2)

    def work(number: int) -> None:
        together.wait()
        found[number] = [digest(by_hand(name, number + k)) for name in RULES for k in range(4)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [d for d in expected for _ in range(4)] for number in range(2)}


def test_the_number_of_configured_threads_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    thetas = np.random.default_rng(5).uniform(0.1, 3.0, (300, 2))
    digests, answers = set(), []
    for count in ("1", "2"):
        monkeypatch.setenv("PHASIC_THREADS", count)
        trace = record_elimination_trace(by_hand("islands", 0))
        digests.add(hashlib.sha256(trace.to_bytes()).hexdigest())
        answers.append(trace.moments(thetas, 4, gradient=True))
    assert len(digests) == 1
    for one, two in zip(*answers, strict=True):
        assert np.array_equal(one, two)


def test_hash_seeds_and_processes_do_not_matter(tmp_path: Path) -> None:
    # Each process writes into a cache of its own: what is compared are the files.
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_determinism import RULES, explored\n"
        "for name in RULES: explored(name, int(sys.argv[2])).compute_trace()\n"
    )
    contents = []
    for seed in ("0", "12345"):
        directory = tmp_path / seed
        subprocess.run(
            [sys.executable, "-c", script, Path(__file__).parent, seed],
            env={**os.environ, "PYTHONHASHSEED": seed, "PHASIC_CACHE_DIR": str(directory)},
            check=True,
        )
        contents.append({path.name: path.read_bytes() for path in directory.iterdir()})
    assert len(contents[0]) == len(RULES)
    assert contents[0] == contents[1]


def test_builds_for_two_instruction_sets_record_the_same(
    tmp_path: Path, cache_directory: Path
) -> None:
    vectors = ("-O1", "-ftree-vectorize")
    builds = {"plain": vectors, "native": (*vectors, "-march=native")}
    expected = record_elimination_trace(queue_graph(CAPACITY))
    for name, flags in builds.items():
        program = compile_program(SOURCE, tmp_path / name, *flags)
        subprocess.run(
            [program, "record", tmp_path / f"{name}-cache"], check=True, capture_output=True
        )
        (entry,) = (tmp_path / f"{name}-cache").iterdir()
        assert entry.name == f"{expected.key}.trace"
        assert entry.read_bytes() == expected.to_bytes()
    # the two builds are not one: the second one's code uses registers that the first one lacks
    assert (tmp_path / "plain" / "interop").read_bytes() != (
        tmp_path / "native" / "interop"
    ).read_bytes()


MODELS = {
    "islands": (lambda: by_hand("islands", 0), 2),
    "acyclic": (lambda: site_frequency(12), 1),
    "queue": (lambda: queue_graph(60), 2),
}


@pytest.mark.parametrize("count", [1, 13])
@pytest.mark.parametrize("name", MODELS)
def test_every_instruction_set_gives_the_same_bits(name: str, count: int) -> None:
    make, n_parameters = MODELS[name]
    trace = record_elimination_trace(make())
    thetas = np.random.default_rng(7).uniform(0.05, 2.0, (count, n_parameters))
    answers = {}
    for wanted in ("baseline", "avx2", "avx512"):
        workspace = Workspace(trace.handle, Options(4, 1, True, count), wanted)
        values = np.empty((count, 4))
        slopes = np.empty((count, 4, n_parameters))
        assert workspace.moments(thetas, None, 4, values, slopes) == 0
        # a processor without the wanted one falls back to the widest that it has
        answers[workspace.instruction_set] = (values.tobytes(), slopes.tobytes())
    assert "baseline" in answers
    assert len(set(answers.values())) == 1
