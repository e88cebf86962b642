"""C and Python read each other's traces, with equal bytes; and stock libraries read them both."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from c_programs import compile_program
from factor_program import Replay
from phasic import EliminationTrace
from phasic import hash as phasic_hash
from phasic.models.coalescent import site_frequency
from phasic.models.structured import migration
from phasic.trace_elimination import record_elimination_trace
from phasic.trace_serialization import load_trace_from_cache, save_trace_to_cache
from rules import queue_graph
from test_trace_file import read

CAPACITY = 40  # of the queue in interop.c
SOURCE = Path(__file__).parent / "interop" / "interop.c"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_program(SOURCE, tmp_path_factory.mktemp("interop"), "-O0")


def run(program: Path, *arguments: object) -> str:
    words = [str(word) for word in arguments]
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_python_loads_what_c_recorded(program: Path, cache_directory: Path) -> None:
    key = run(program, "record", cache_directory).strip()
    assert [path.name for path in cache_directory.iterdir()] == [f"{key}.trace"]
    graph = queue_graph(CAPACITY)
    assert phasic_hash.compute_graph_hash(graph).hash_hex == key
    trace = load_trace_from_cache(key)
    assert trace is not None
    assert trace.key == key
    recorded = record_elimination_trace(graph)
    assert trace.to_bytes() == recorded.to_bytes()
    assert (cache_directory / f"{key}.trace").read_bytes() == recorded.to_bytes()
    theta = [[0.5, 1.5]]
    assert np.array_equal(trace.moments(theta, 4), recorded.moments(theta, 4))


def test_c_loads_what_python_recorded(program: Path, cache_directory: Path) -> None:
    graph = queue_graph(CAPACITY)
    trace = record_elimination_trace(graph)
    save_trace_to_cache(trace.key, trace)
    key, counts = run(program, "load", cache_directory, trace.key).split("\n", 1)
    assert key == trace.key
    assert counts.split() == [str(CAPACITY + 2), str(2 * CAPACITY)]
    # what C writes over it is the same file: it is there already and stays
    before = (cache_directory / f"{key}.trace").stat()
    assert run(program, "record", cache_directory).strip() == key
    assert (cache_directory / f"{key}.trace").stat().st_ino == before.st_ino


def test_c_writes_the_bytes_that_it_read(program: Path, tmp_path: Path) -> None:
    trace = record_elimination_trace(site_frequency(8))
    trace.save(tmp_path / "python.trace")
    run(program, "copy", tmp_path / "python.trace", tmp_path / "c.trace")
    assert (tmp_path / "c.trace").read_bytes() == trace.to_bytes()
    assert EliminationTrace.load(tmp_path / "c.trace") == trace


def test_c_refuses_what_python_damaged(program: Path, tmp_path: Path) -> None:
    data = record_elimination_trace(queue_graph(5)).to_bytes()
    (tmp_path / "bad.trace").write_bytes(data[:-1])
    words = [program, "copy", tmp_path / "bad.trace", tmp_path / "out.trace"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "PTD_FORMAT_TRUNCATED" in done.stderr
    assert not (tmp_path / "out.trace").exists()


MODELS = {
    "queue": (lambda: queue_graph(12), [0.7, 1.3]),
    "acyclic": (lambda: site_frequency(9), [1.25]),
    "islands, with fill": (lambda: migration(9, 3), [1.5, 0.3]),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_trace_is_replayed_from_its_file_by_the_header_alone(name: str) -> None:
    make, theta = MODELS[name]
    trace = record_elimination_trace(make())
    header, arrays = read(trace.to_bytes())
    replay = Replay(header["meta"], arrays, np.array(theta))
    assert replay.mean() == pytest.approx(trace.moments([theta])[0, 0], rel=1e-14)
