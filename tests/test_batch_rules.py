"""Graphs from batch rules: the same as by a callback; what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from phasic import Graph, GraphError, TraceError
from rules import coalescent, queue_graph


def queue_rule(states, capacity=4):
    n = states[:, 0]
    down, up = np.flatnonzero(n > 0), np.flatnonzero((n > 0) & (n < capacity))
    source = np.concatenate([down, up])
    step = np.repeat([-1, 1], [down.size, up.size])
    coefficients = np.zeros((source.size, 2))
    coefficients[step == -1, 1] = 1.0
    coefficients[step == 1, 0] = 1.0
    return source, states[source] + step[:, np.newaxis], np.zeros(source.size), coefficients


def test_a_batch_rule_gives_the_graph_of_its_callback() -> None:
    batch = Graph(rule=queue_rule, start=[([1], 1.0)], capacity=7)
    single = queue_graph(7)
    assert batch.frozen.trace_key == single.frozen.trace_key
    theta = [1.0, 2.0]
    assert batch.at(theta).moments(3).tolist() == single.at(theta).moments(3).tolist()


def arrays(**changed):
    def rule(states):
        source = np.flatnonzero(states[:, 0] > 0)
        parts = {
            "source": source,
            "states": states[source] - 1,
            "base": np.ones(source.size),
            "coefficients": None,
        }
        parts.update({name: make(parts[name]) for name, make in changed.items()})
        return tuple(parts.values())

    return rule


def test_coefficients_may_be_left_out() -> None:
    assert Graph(rule=arrays(), start=[([3], 1.0)]).mean() == 3.0


BAD_ARRAYS = {
    "three arrays": (lambda states: (1, 2, 3), "not a tuple of four arrays"),
    "no arrays": (lambda states: None, "NoneType, not a tuple"),
    "rows outside": (arrays(source=lambda v: v + 100), "source rows outside"),
    "rows below": (arrays(source=lambda v: v - 1), "source rows outside"),
    "fewer states": (arrays(states=lambda v: v[:-1]), "next_states of shape"),
    "short states": (arrays(states=lambda v: v[:, :0]), "next_states of shape"),
    "states of floats": (arrays(states=lambda v: v * 1.0), "next_states of type float64"),
    "weights of text": (arrays(base=lambda v: v.astype(str)), "base of type"),
    "flat coefficients": (arrays(coefficients=lambda v: np.ones(1)), "coefficients of shape"),
    "NaN": (arrays(base=lambda v: v * np.nan), r"\(3,\) -> \(2,\) has the weight nan"),
    "negative": (arrays(base=lambda v: -v), "has the negative weight -1"),
    "far states": (arrays(states=lambda v: v + 2**40), r"from state \(3,\); .*32-bit"),
}


@pytest.mark.parametrize(("rule", "message"), BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_bad_arrays_are_refused(rule, message) -> None:
    with pytest.raises(GraphError, match=message):
        Graph(rule=rule, start=[([3], 1.0)]).mean()


def test_a_rule_that_raises_keeps_its_cause() -> None:
    def rule(states):
        raise LookupError("inside")

    with pytest.raises(GraphError, match=r"1 states from \(3,\) to \(3,\)") as caught:
        Graph(rule=rule, start=[([3], 1.0)]).mean()
    assert isinstance(caught.value.__cause__, LookupError)


def test_an_endless_batch_rule_fails_with_the_bound() -> None:
    def rule(states):
        rows = np.arange(len(states))
        return rows, states + 1, np.ones(len(states)), None

    with pytest.raises(TraceError, match=r"FATAL: trace .*max_vertices = 100.*\(100,\)"):
        Graph(rule=rule, start=[([1], 1.0)], max_vertices=100).mean()


def test_a_rule_needs_a_start() -> None:
    with pytest.raises(GraphError, match="start edges"):
        Graph(rule=queue_rule)


@pytest.mark.parametrize(
    "arguments",
    [
        {"callback": coalescent, "rule": queue_rule},
        {"callback": 3},
        {"nr_samples": 3},
        {"start": []},
    ],
)
def test_models_that_make_no_sense(arguments) -> None:
    with pytest.raises(GraphError):
        Graph(**arguments)
