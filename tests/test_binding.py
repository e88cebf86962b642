"""The compiled module: every struct, every status, views that keep their owner, a clean exit."""

from __future__ import annotations

import gc
import itertools
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from phasic import Graph, errors
from phasic._engine import ffi, lib, status
from phasic._engine.views import view
from rules import queue_graph

HEADER = Path(__file__).parents[1] / "engine_c" / "include" / "ptd.h"
ROWS = re.findall(r"ROW\(PTD_(\w+), (\d+), \"(.*)\"\)", HEADER.read_text())
STRUCTS = (
    "ptd_error",
    "ptd_graph_view",
    "ptd_trace_meta",
    "ptd_array",
    "ptd_record_options",
    "ptd_workspace_options",
    "ptd_chain_options",
    "ptd_chain_view",
    "ptd_density_options",
    "ptd_values_options",
    "ptd_trace_result",
)


@pytest.mark.parametrize("name", STRUCTS)
def test_a_struct_has_the_layout_that_the_compiler_saw(name: str) -> None:
    # cffi compares its declaration with the compiled one at the first use of the struct.
    struct = ffi.new(f"{name} *")
    for field, _ in ffi.typeof(name).fields:
        getattr(struct, field)
    header = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)
    bodies = re.findall(r"typedef struct \{([^}]*)\} (\w+);", header)
    declared = {struct_name: body for body, struct_name in bodies}
    in_header = re.findall(r"(\w+);", declared[name])
    assert [field for field, _ in ffi.typeof(name).fields] == in_header


def test_all_structs_are_listed_here() -> None:
    assert set(re.findall(r"^\} (ptd_\w+);", HEADER.read_text(), flags=re.M)) - {
        "ptd_status", "ptd_kind", "ptd_vertex_class", "ptd_trace_array_id", "ptd_dtype",
        "ptd_function", "ptd_method", "ptd_bound_kind",
    } == set(STRUCTS)  # fmt: skip


def test_every_status_has_one_row_or_is_a_defect() -> None:
    codes = {name for name, _, _ in ROWS}
    assert len(ROWS) > 30
    assert set(status.ROWS) <= codes
    assert codes - set(status.ROWS) == {"OK", "GRAPH_NOT_FROZEN", "INVALID_ARGUMENT"}


@pytest.mark.parametrize(("name", "number", "text"), ROWS)
def test_a_status_becomes_an_exception(name: str, number: str, text: str) -> None:
    error = ffi.new("ptd_error *", {"status": int(number), "index": 3, "value": 7.0})
    if name == "OK":
        status.check(int(number), error)
        return
    raised = status.exception(int(number), error, status.Context(place="here"))
    if name in status.ROWS:
        assert raised.code == name
        assert type(raised) is status.ROWS[name].exception
        fatal = isinstance(raised, errors.TraceError | errors.NumericError)
        assert raised.message.startswith("FATAL: ") is fatal
    else:
        assert isinstance(raised, errors.InternalError)
        assert text in raised.message


def test_an_unknown_status_is_a_defect() -> None:
    error = ffi.new("ptd_error *")
    assert isinstance(status.exception(9999, error, status.Context()), errors.InternalError)


def test_a_view_keeps_its_owner_and_is_read_only() -> None:
    memory = ffi.new("double[]", [1.0, 2.0, 3.0])
    array = view(memory, 3, np.float64, memory)
    del memory
    gc.collect()
    junk = [ffi.new("double[]", [9.0] * 3) for _ in range(100)]
    assert array.tolist() == [1.0, 2.0, 3.0]
    assert len(junk) == 100
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 5.0


def test_states_outlive_their_graph() -> None:
    states = queue_graph().states()
    expected = states.copy()
    gc.collect()
    junk = [queue_graph().states() for _ in range(20)]
    assert np.array_equal(states, expected)
    assert len(junk) == 20


def test_trace_arrays_outlive_their_trace() -> None:
    graph = queue_graph()
    states = graph.compute_trace().states
    del graph
    gc.collect()
    assert states[:, 0].tolist() == [0, 0, 1, 2, 3, 4]


EXIT_SCRIPT = """
import sys
import numpy as np
from phasic import Graph
from phasic.trace_elimination import evaluate_trace
graph = Graph.from_matrices([1.0, 0.0], [[-2.0, 1.0], [1.0, -3.0]])
trace = graph.compute_trace()
workspace = trace.evaluator
distribution = graph.at()
distribution.moments(2)
result = evaluate_trace(trace, [])
states = graph.states()
objects = dict(graph=graph, trace=trace, workspace=workspace, distribution=distribution,
               result=result, states=states)
del graph, trace, workspace, distribution, result, states
{ending}
"""
ENDINGS = [
    # kept alive to the very end, in a cycle, by a module, by a thread's locals
    "sys.keep = objects",
    "objects['self'] = objects; del objects",
    "import phasic; phasic.keep = objects; del objects",
    "import atexit; atexit.register(lambda kept=objects: kept['distribution'].moments(1))",
    "import threading; threading.local().keep = objects",
    "import builtins; builtins.keep = list(objects.values()); sys.modules.clear()",
    *(
        "\n".join(f"del objects[{name!r}]" for name in order)
        for order in itertools.islice(
            itertools.permutations(("graph", "trace", "workspace", "distribution", "result")),
            0,
            120,
            29,
        )
    ),
]


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_interpreter_exits_cleanly(ending: str) -> None:
    script = EXIT_SCRIPT.replace("{ending}", ending)
    run = subprocess.run(
        [sys.executable, "-X", "dev", "-c", script], capture_output=True, text=True
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_progress_can_stop_a_recording() -> None:
    class StopNow(Exception):
        pass

    def progress(done: int, total: int) -> None:
        raise StopNow(f"{done} of {total}")

    n = 60
    S = np.random.default_rng(0).random((n, n))
    np.fill_diagonal(S, 0)
    np.fill_diagonal(S, -S.sum(axis=1) - 1)
    graph = Graph.from_matrices(np.full(n, 1 / n), S)
    with pytest.raises(StopNow):
        graph.compute_trace(progress=progress)
    assert graph.compute_trace().n_vertices == n + 2


def test_the_build_says_which_sanitizers_it_has() -> None:
    assert ffi.string(lib.phasic_built_sanitizers()).decode() in (
        "", "address", "undefined", "address,undefined",
    )  # fmt: skip
