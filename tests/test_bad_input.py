"""Bad input, one row a fault: class, code, words, hint; in bounded time, with nothing left behind.

The faults of the issue's list that concern models, theta and files. Each row builds a model or a
theta and uses it as a caller would; the table says what must come back.
"""

from __future__ import annotations

import gc
import struct
import threading
import time
import traceback
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest

from cli_runner import phasic
from engines import ENGINES
from phasic import EliminationTrace, Graph, PhasicError, PhasicWarning
from phasic.errors import FormatError, GraphError, NumericError, TraceError
from phasic.trace_elimination import record_elimination_trace
from reference.engine import ReferenceFailure
from reference.model import Model
from rules import coalescent_graph, queue_graph

SECONDS = 10.0
MEGABYTES = 200.0


def rule(transitions: dict[tuple[int, ...], Any], **options: Any) -> Graph:
    """A callback model from a table: state -> what the callback returns; () is the start."""

    def callback(state: np.ndarray) -> Any:
        found = transitions.get(tuple(int(x) for x in state), [])
        return found() if callable(found) else found

    return Graph(callback=callback, **options)


def endless(state: np.ndarray) -> list[Any]:
    return [([0 if state.size == 0 else int(state[0]) + 1], 1.0)]


def endless_batch(states: np.ndarray) -> tuple[Any, ...]:
    return np.arange(len(states)), states + 1, np.ones(len(states)), np.zeros((len(states), 0))


def chain(weight: Any) -> Graph:
    """start -> (1,) -> (0,) with one weight that may be anything."""
    return rule({(): [([1], 1.0)], (1,): [([0], weight)]})


def affine(base: float, coefficients: list[float], start: float = 1.0) -> Graph:
    return rule(
        {
            (): [([1], start, [0.0] * len(coefficients))],
            (1,): [([0], base, coefficients)],
        }
    )


def raising() -> list[Any]:
    raise KeyError("no such rate")


def theta_of_length(n: int) -> np.ndarray:
    return np.ones(n)


@dataclass
class Fault:
    """What is done, and what must be said."""

    act: Callable[[], object]
    error: type[PhasicError]
    code: str
    words: tuple[str, ...]
    hint: str


def at(graph: Callable[[], Graph], *theta: float) -> Callable[[], object]:
    return lambda: graph().at(theta).moments(2)


RATES_HINT = "rates must be finite"

FAULTS = {
    "evaluation before theta is set": Fault(
        lambda: queue_graph().moments(2),
        NumericError,
        "THETA_NOT_SET",
        ("FATAL:", "2 parameters"),
        "update_parameterized_weights",
    ),
    "theta on a graph built as constant": Fault(
        lambda: Graph(
            callback=lambda s: [([1], 1.0)] if s.size == 0 else [], parameterized=False
        ).update_parameterized_weights([1.0]),
        NumericError,
        "NOT_PARAMETERIZED",
        ("FATAL:", "parameterized=False"),
        "parameterized=True",
    ),
    "infinite rule": Fault(
        lambda: Graph(callback=endless, max_vertices=3000).moments(1),
        TraceError,
        "GRAPH_TOO_LARGE",
        ("FATAL: trace", "3,000", "(2999,)"),
        "max_vertices",
    ),
    "infinite batch rule": Fault(
        lambda: Graph(rule=endless_batch, start=[([0], 1.0)], max_vertices=3000).moments(1),
        TraceError,
        "GRAPH_TOO_LARGE",
        ("FATAL: trace", "3,000"),
        "max_vertices",
    ),
    "NaN weight": Fault(
        at(lambda: chain(float("nan"))),
        GraphError,
        "GRAPH_WEIGHT_NOT_FINITE",
        ("(1,)", "(0,)", "nan"),
        RATES_HINT,
    ),
    "infinite weight": Fault(
        at(lambda: chain(float("inf"))),
        GraphError,
        "GRAPH_WEIGHT_NOT_FINITE",
        ("(1,)", "(0,)", "inf"),
        RATES_HINT,
    ),
    "negative weight": Fault(
        at(lambda: chain(-0.5)),
        GraphError,
        "GRAPH_WEIGHT_NEGATIVE",
        ("(1,)", "(0,)", "-0.5"),
        RATES_HINT,
    ),
    "NaN coefficient": Fault(
        at(lambda: affine(1.0, [float("nan")]), 1.0),
        GraphError,
        "GRAPH_WEIGHT_NOT_FINITE",
        ("(1,)", "(0,)", "nan"),
        RATES_HINT,
    ),
    "theta too short": Fault(
        at(queue_graph, 1.0), NumericError, "THETA_LENGTH", ("FATAL:", "1", "2"), "theta"
    ),
    "theta too long": Fault(
        at(queue_graph, 1.0, 2.0, 3.0), NumericError, "THETA_LENGTH", ("FATAL:", "3", "2"), "theta"
    ),
    "NaN in theta": Fault(
        at(queue_graph, 1.0, float("nan")),
        NumericError,
        "THETA_NOT_FINITE",
        ("FATAL:", "theta[1]"),
        "theta",
    ),
    "infinite theta": Fault(
        at(queue_graph, float("inf"), 1.0),
        NumericError,
        "THETA_NOT_FINITE",
        ("FATAL:", "theta[0]"),
        "theta",
    ),
    "theta that makes a rate negative": Fault(
        at(queue_graph, -1.0, 1.0),
        NumericError,
        "WEIGHT_NEGATIVE",
        ("FATAL:", "-1", "theta = [-1.0, 1.0]"),
        RATES_HINT,
    ),
    "theta that makes a rate infinite": Fault(
        at(lambda: affine(0.0, [1e308]), 100.0),
        NumericError,
        "WEIGHT_NOT_FINITE",
        ("FATAL:", "(1,)", "theta = [100.0]"),
        RATES_HINT,
    ),
    "theta that cuts off absorption": Fault(
        at(lambda: affine(0.0, [1.0]), 0.0),
        NumericError,
        "ABSORPTION_UNREACHABLE",
        ("FATAL:", "(1,)", "theta = [0.0]"),
        "cuts every path",
    ),
    "theta that leaves no start": Fault(
        at(lambda: rule({(): [([1], 0.0, [1.0])], (1,): [([0], 1.0, [0.0])]}), 0.0),
        NumericError,
        "START_WEIGHT_ZERO",
        ("FATAL:", "theta = [0.0]"),
        "start",
    ),
    "no absorption": Fault(
        at(lambda: rule({(): [([1], 1.0)], (1,): [([2], 1.0)], (2,): [([1], 1.0)]})),
        GraphError,
        "GRAPH_NO_ABSORPTION",
        ("(1,)", "cannot reach"),
        "path to",
    ),
    "closed class beside absorption": Fault(
        at(
            lambda: rule(
                {
                    (): [([1], 1.0)],
                    (1,): [([0], 1.0), ([3], 1.0)],
                    (3,): [([4], 1.0)],
                    (4,): [([3], 1.0)],
                }
            )
        ),
        GraphError,
        "GRAPH_NO_ABSORPTION",
        ("(3,)", "cannot reach"),
        "improper=True",
    ),
    "empty graph": Fault(
        lambda: Graph(1).moments(1), GraphError, "GRAPH_EMPTY", ("no vertex",), "start"
    ),
    "no start edges": Fault(
        at(lambda: rule({})), GraphError, "GRAPH_EMPTY", ("no vertex",), "start edges"
    ),
    "duplicate states with different edges": Fault(
        lambda: Graph.from_matrices(
            [1.0, 0.0], [[-2.0, 1.0], [0.0, -3.0]], states=[[7], [7]]
        ).moments(1),
        GraphError,
        "GRAPH_STATE_REPEATED",
        ("(7,)",),
        "merge",
    ),
    "state of wrong length": Fault(
        at(lambda: rule({(): [([1], 1.0)], (1,): [([1, 2], 1.0)]})),
        GraphError,
        "CALLBACK_RESULT",
        ("(1,)", "length"),
        "",
    ),
    "state of wrong type": Fault(
        at(lambda: rule({(): [([1], 1.0)], (1,): [(["a"], 1.0)]})),
        GraphError,
        "CALLBACK_RESULT",
        ("(1,)",),
        "",
    ),
    "state with a fraction": Fault(
        at(lambda: rule({(): [([1], 1.0)], (1,): [([0.5], 1.0)]})),
        GraphError,
        "CALLBACK_RESULT",
        ("(1,)",),
        "",
    ),
    "state beyond 32 bits": Fault(
        at(lambda: rule({(): [([1], 1.0)], (1,): [([2**40], 1.0)]})),
        GraphError,
        "STATE_RANGE",
        ("(1,)", str(2**40)),
        "finite",
    ),
    "callback that raises": Fault(
        at(lambda: rule({(): [([1], 1.0)], (1,): raising})),
        GraphError,
        "CALLBACK_RAISED",
        ("(1,)", "KeyError", "no such rate"),
        "",
    ),
    "callback that returns nonsense": Fault(
        at(lambda: rule({(): [([1], 1.0)], (1,): 42})),
        GraphError,
        "CALLBACK_RESULT",
        ("(1,)", "42"),
        "",
    ),
    "callback that returns None": Fault(
        at(lambda: rule({(): [([1], 1.0)], (1,): lambda: None})),
        GraphError,
        "CALLBACK_RESULT",
        ("(1,)", "None"),
        "",
    ),
    "probabilities above one": Fault(
        at(
            lambda: rule(
                {(): [([1], 1.0)], (1,): [([0], 0.6), ([2], 0.5)], (2,): [([0], 1.0)]},
                discrete=True,
            )
        ),
        NumericError,
        "PROBABILITY_ABOVE_ONE",
        ("FATAL:", "(1,)", "1.1"),
        "at most 1",
    ),
    "negative reward": Fault(
        lambda: queue_graph().at([1.0, 2.0]).moments(1, [0, 1, 1, -1, 1, 1]),
        NumericError,
        "REWARD_INVALID",
        ("FATAL:", "(2,)"),
        "rewards",
    ),
    "rewards of wrong length": Fault(
        lambda: queue_graph().at([1.0, 2.0]).moments(1, [1.0, 1.0]),
        NumericError,
        "REWARD_LENGTH",
        ("FATAL:", "2", "6"),
        "rewards",
    ),
    "result beyond the range of double": Fault(
        at(lambda: affine(0.0, [1.0]), 1e-200),
        NumericError,
        "RESULT_OVERFLOW",
        ("FATAL:", "theta = [1e-200]"),
        "",
    ),
    "trace too large": Fault(
        lambda: record_elimination_trace(queue_graph(2000), max_trace_bytes=1000),
        TraceError,
        "TRACE_TOO_LARGE",
        ("FATAL: trace", "bytes"),
        "max_trace_bytes",
    ),
    "bytes that are no trace": Fault(
        lambda: EliminationTrace.from_bytes(b"no trace at all" * 10),
        FormatError,
        "FORMAT_MAGIC",
        ("not a trace",),
        "record",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault(name: str, cache_directory: Path) -> None:
    fault = FAULTS[name]
    threads = threading.active_count()
    gc.collect()
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(fault.error) as caught:
            fault.act()
    finally:
        seconds = time.process_time() - began
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
    error = caught.value
    assert error.code == fault.code
    for word in fault.words:
        assert word in error.message
    assert error.hint, "every fault comes with a hint"
    assert fault.hint in error.hint
    assert seconds < SECONDS
    assert peak < MEGABYTES
    assert threading.active_count() == threads
    # A model that is refused leaves no file; one that is refused at theta only has its trace.
    kept = list(cache_directory.rglob("*")) if cache_directory.exists() else []
    assert all(path.suffix == ".trace" for path in kept)
    if issubclass(fault.error, (GraphError, FormatError, TraceError)):
        assert kept == []


def test_a_refused_theta_leaves_the_graph_as_it_was() -> None:
    graph = coalescent_graph(5)
    graph.update_parameterized_weights([1.0])
    before = graph.moments(2)
    for bad in ([], [1.0, 2.0], [float("nan")]):
        with pytest.raises(NumericError):
            graph.update_parameterized_weights(bad)
        assert np.array_equal(graph.moments(2), before)


def test_the_traceback_of_a_callback_is_kept() -> None:
    with pytest.raises(GraphError) as caught:
        FAULTS["callback that raises"].act()
    text = "".join(traceback.format_exception(caught.value))
    assert "in raising" in text
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_constant_graph_works_in_full() -> None:
    graph = Graph(
        callback=lambda s: [([2], 1.0)] if s.size == 0 else [([s[0] - 1], 3.0)] if s[0] else [],
        parameterized=False,
    )
    assert graph.moments(2) == pytest.approx([2 / 3, 6 / 9], rel=1e-15)
    assert graph.variance() == pytest.approx(2 / 9, rel=1e-15)


def test_a_closed_class_that_cannot_be_reached_is_left_out_and_said() -> None:
    graph = Graph(1)
    one, two, three, zero = (graph.find_or_create_vertex([k]) for k in (1, 2, 3, 0))
    graph.starting_vertex().add_edge(one, 1.0)
    one.add_edge(zero, 4.0)
    two.add_edge(three, 1.0)
    three.add_edge(two, 1.0)
    with pytest.warns(PhasicWarning, match="VERTICES_DROPPED"):
        values, slopes = graph.at().moments(1, gradient=True)
    assert values == [0.25]
    assert slopes.shape == (1, 0)
    assert graph.variance() == 1 / 16


def test_a_start_into_absorption_only_gives_zero_and_is_said() -> None:
    graph = rule({(): [([0], 1.0)]})
    with pytest.warns(PhasicWarning, match="START_ABSORBED"):
        assert graph.moments(3).tolist() == [0.0, 0.0, 0.0]
    assert graph.defect() == 1.0


def test_a_trap_is_accepted_where_asked_for_and_named_where_it_leaves_no_answer() -> None:
    graph = Graph(1, improper=True, n_parameters=1)
    one, two, three, zero = (graph.find_or_create_vertex([k]) for k in (1, 2, 3, 0))
    graph.starting_vertex().add_edge(one, 1.0)
    one.add_edge(zero, 3.0)
    one.add_edge_parameterized(two, 0.0, [1.0])
    two.add_edge(three, 1.0)
    three.add_edge(two, 1.0)
    with pytest.warns(PhasicWarning, match="VERTICES_DROPPED"):
        at = graph.at([1.0])
    assert at.moments(2).tolist() == [np.inf, np.inf]
    assert at.absorption_probabilities([1], gradient=True)[0] == [0.75]
    # only what lies before the trap is paid for: finite
    assert at.moments(1, [0.0, 0.0, 1.0, 0.0, 0.0]).tolist() == [0.25]
    for ask in (at.variance, lambda: at.moments(1, gradient=True)):
        with pytest.raises(NumericError, match=r"vertex \(2,\) cannot reach") as caught:
            ask()
        assert caught.value.code == "ABSORPTION_UNREACHABLE"
    # at this theta nothing leads there
    assert graph.at([0.0]).moments(1).tolist() == [1 / 3]


# ---- both engines agree about what has no answer


def two_step(**changes: Any) -> Model:
    plain: dict[str, Any] = {
        "n_vertices": 3,
        "start": [(0, 0.0, (1.0, 0.0))],
        "edges": [(0, 1, 0.0, (0.0, 1.0)), (1, 2, 1.0, (0.0, 0.0))],
        "n_parameters": 2,
    }
    return Model(**{**plain, **changes})


BOTH = {
    "negative at theta": (two_step(), [1.0, -1.0], "WEIGHT_NEGATIVE"),
    "not finite": (two_step(), [1.0, float("nan")], "THETA_NOT_FINITE"),
    "unreachable": (two_step(), [1.0, 0.0], "ABSORPTION_UNREACHABLE"),
    "no start weight": (two_step(), [0.0, 1.0], "START_WEIGHT_ZERO"),
    "wrong length": (two_step(), [1.0], "THETA_LENGTH"),
    "no absorption": (
        two_step(edges=[(0, 1, 1.0, (0.0, 0.0)), (1, 0, 1.0, (0.0, 0.0))]),
        [1.0, 1.0],
        "GRAPH_NO_ABSORPTION",
    ),
    "negative constant": (
        two_step(edges=[(0, 1, -1.0, (0.0, 0.0)), (1, 2, 1.0, (0.0, 0.0))]),
        [1.0, 1.0],
        "GRAPH_WEIGHT_NEGATIVE",
    ),
    "NaN constant": (
        two_step(edges=[(0, 1, float("nan"), (0.0, 0.0)), (1, 2, 1.0, (0.0, 0.0))]),
        [1.0, 1.0],
        "GRAPH_WEIGHT_NOT_FINITE",
    ),
    "no start": (two_step(start=[]), [1.0, 1.0], "GRAPH_NO_START"),
    "probabilities above one": (
        two_step(discrete=True),
        [1.0, 1.5],
        "PROBABILITY_ABOVE_ONE",
    ),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", BOTH)
def test_engines_agree_on_what_has_no_answer(name: str, engine: str) -> None:
    model, theta, code = BOTH[name]
    with pytest.raises((ReferenceFailure, PhasicError)) as caught:
        ENGINES[engine](model).moments(theta, 1)
    assert caught.value.code == code


# ---- a graph too large


def grid(states: np.ndarray, size: int = 120) -> tuple[Any, ...]:
    """A torus with a way out in one corner: it fills in."""
    rows, targets = [], []
    for step in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        inside = np.flatnonzero((states >= 0).all(axis=1))
        rows.append(inside)
        targets.append((states[inside] + step) % size)
    corner = np.flatnonzero((states == 0).all(axis=1))
    rows.append(corner)
    targets.append(np.full((len(corner), 2), -1))
    row = np.concatenate(rows)
    return row, np.concatenate(targets), np.ones(len(row)), np.zeros((len(row), 0))


def test_a_graph_that_fills_in_is_estimated_before_it_is_eliminated() -> None:
    graph = Graph(rule=grid, start=[([1, 1], 1.0)])
    assert graph.n_vertices == 120 * 120 + 2
    began = time.process_time()
    with pytest.raises(TraceError, match="bytes") as caught:
        record_elimination_trace(graph, max_trace_bytes=8_000_000)
    assert time.process_time() - began < SECONDS
    needed = int("".join(c for c in caught.value.message.split("bytes")[0] if c.isdigit()))
    assert needed > 8_000_000
    # the number is what recording then takes, to within a factor of 2
    assert needed / 2 < record_elimination_trace(graph).n_bytes < needed * 2


# ---- files


def forged(data: bytes, name: str, change: Callable[[np.ndarray], None]) -> bytes:
    """The file with one array changed, and every checksum made right again."""
    (length,) = struct.unpack_from("<I", data, 12)
    header = msgpack.unpackb(data[20 : 20 + length])
    bytes_ = bytearray(data)
    for entry in header["arrays"]:
        if entry["name"] == name:
            count = int(np.prod(entry["shape"]))
            array = np.frombuffer(data, entry["dtype"], count, entry["offset"]).copy()
            change(array)
            bytes_[entry["offset"] : entry["offset"] + array.nbytes] = array.tobytes()
            # the header keeps its length: a crc32 is written in 5 bytes whatever its value
            place = data.index(msgpack.packb(name) + msgpack.packb("dtype"), 20, 20 + length)
            place = data.index(msgpack.packb("crc32"), place, 20 + length) + 6
            struct.pack_into(">BI", bytes_, place, 0xCE, zlib.crc32(array.tobytes()))
    struct.pack_into("<I", bytes_, 16, zlib.crc32(bytes(bytes_[20 : 20 + length])))
    return bytes(bytes_)


def array_names(data: bytes) -> list[str]:
    (length,) = struct.unpack_from("<I", data, 12)
    header = msgpack.unpackb(data[20 : 20 + length])
    return [entry["name"] for entry in header["arrays"] if np.prod(entry["shape"])]


TRACE = record_elimination_trace(queue_graph(12)).to_bytes()


def test_the_forger_changes_nothing_where_it_changes_nothing() -> None:
    for name in array_names(TRACE):
        assert forged(TRACE, name, lambda array: None) == TRACE


@pytest.mark.parametrize("name", array_names(TRACE))
def test_a_forged_array_is_refused_or_harmless(name: str) -> None:
    """Every element, one at a time, set to the largest value, to 0 and to its neighbour."""
    (length,) = struct.unpack_from("<I", TRACE, 12)
    header = msgpack.unpackb(TRACE[20 : 20 + length])
    (entry,) = (e for e in header["arrays"] if e["name"] == name)
    count = int(np.prod(entry["shape"]))
    largest = np.inf if entry["dtype"] == "<f8" else np.iinfo(entry["dtype"]).max
    refused, others = set(), set()
    for k in range(count):
        for value in (largest, 0, "next"):

            def change(array: np.ndarray, k: int = k, value: Any = value) -> None:
                if value != "next":
                    array[k] = value
                elif array[k] != largest:
                    array[k] += 1

            data = forged(TRACE, name, change)
            if data == TRACE:
                continue
            try:
                trace = EliminationTrace.from_bytes(data)
            except FormatError as error:
                refused.add(error.code)
                continue
            # another program of valid indices computes something else, safely
            try:
                trace.moments([[1.0, 2.0]], 2)
            except NumericError as error:
                others.add(error.code)
    assert refused
    assert refused <= {"TRACE_INVALID", "FORMAT_KEY", "FORMAT_HEADER"}
    assert others <= {"RESULT_OVERFLOW", "ABSORPTION_UNREACHABLE"}


@pytest.mark.parametrize("length", range(0, len(TRACE), 37))
def test_a_truncated_file_is_refused(length: int) -> None:
    with pytest.raises(FormatError):
        EliminationTrace.from_bytes(TRACE[:length])


def test_every_flipped_bit_is_noticed() -> None:
    rng = np.random.default_rng(1)
    for at_byte in range(len(TRACE)):
        data = bytearray(TRACE)
        data[at_byte] ^= 1 << int(rng.integers(8))
        with pytest.raises(FormatError):
            EliminationTrace.from_bytes(bytes(data))


def test_a_length_that_lies_takes_no_memory() -> None:
    # the number of items of the first array, written as huge
    data = TRACE.replace(msgpack.packb("shape") + b"\x92", msgpack.packb("shape") + b"\x92\xce\xff")
    tracemalloc.start()
    with pytest.raises(FormatError):
        EliminationTrace.from_bytes(data)
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


@pytest.mark.parametrize("kind", ["truncated", "flipped", "forged"])
def test_a_bad_entry_is_quarantined_and_recorded_again(kind: str, cache_directory: Path) -> None:
    expected = queue_graph(12).at([1.0, 2.0]).moments(3)
    (entry,) = cache_directory.iterdir()
    good = entry.read_bytes()
    assert good == TRACE
    bad = {
        "truncated": good[:-100],
        "flipped": good[:-20] + bytes([good[-20] ^ 16]) + good[-19:],
        "forged": forged(good, "edge_target", lambda array: array.fill(2**31)),
    }[kind]
    entry.unlink()
    entry.write_bytes(bad)
    with pytest.warns(PhasicWarning, match="CACHE_ENTRY_BAD"):
        found = queue_graph(12).at([1.0, 2.0]).moments(3)
    assert np.array_equal(found, expected)
    assert entry.read_bytes() == good
    (moved,) = (cache_directory / ".quarantine").iterdir()
    assert moved.read_bytes() == bad


# ---- the command line


def model_text(body: str) -> str:
    return "def model(state):\n    if state.size == 0:\n        return [([1], 1.0, [0.0])]\n" + body


MODEL_FILES = {
    "does not exist": (None, "MODEL_NOT_FOUND"),
    "has no model": ("x = 1\n", "MODEL_NONE"),
    "has several": (
        model_text("    return []\n") + "def other(state):\n    return []\n",
        "MODEL_SEVERAL",
    ),
    "raises": (model_text("    raise ValueError(state)\n"), "CALLBACK_RAISED"),
    "has no end": (
        model_text("    return [([int(state[0]) + 1], 1.0, [0.0])]\n"),
        "GRAPH_TOO_LARGE",
    ),
    "has no absorption": (
        model_text("    return [([3 - int(state[0])], 1.0, [0.0])]\n"),
        "GRAPH_NO_ABSORPTION",
    ),
}


@pytest.mark.parametrize("name", MODEL_FILES)
def test_a_model_file_that(name: str, tmp_path: Path, cache_directory: Path) -> None:
    text, code = MODEL_FILES[name]
    path = tmp_path / "model.py"
    if text is not None:
        path.write_text(text)
    outcome = phasic("record", str(path), "--max-vertices", "1000", "--json")
    assert outcome.code == 1
    assert outcome.envelope["error"]["code"] == code
    assert outcome.envelope["error"]["hint"]
    assert f"error[{code}]" in outcome.err
    assert not cache_directory.exists()
