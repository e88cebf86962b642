"""Graphs from callbacks: what they may return, what is refused and how."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest

from phasic import Graph, GraphError, PhasicWarning, TraceError
from rules import coalescent, coalescent_graph

# ---- callbacks


def test_the_coalescent_has_its_known_mean_and_variance() -> None:
    graph = coalescent_graph(10)
    graph.update_parameterized_weights(np.array([1.0]))
    mean, second = graph.moments(2)
    variance = sum(4 / (k**2 * (k - 1) ** 2) for k in range(2, 11))
    assert mean == pytest.approx(2 * (1 - 1 / 10), rel=1e-14)
    assert second - mean**2 == pytest.approx(variance, rel=1e-12)
    assert graph.variance() == pytest.approx(variance, rel=1e-14)


def test_the_callback_is_called_once_for_each_state_with_its_own_array() -> None:
    seen = []

    def model(state):
        seen.append(state)
        if state.size == 0:
            return [([3], 1.0)]
        n = int(state[0])
        state[0] = 99  # Its own array: this changes nothing.
        return [([n - 1], 1.0)] if n else []

    graph = Graph(callback=model)
    assert graph.n_vertices == 5
    assert [array.dtype.kind for array in seen[1:]] == ["i"] * 4
    graph.moments(1)
    graph.states()
    assert len(seen) == 5


def test_nothing_is_explored_before_it_is_needed() -> None:
    def model(state):
        raise AssertionError

    assert "not explored yet" in repr(Graph(callback=model))


def test_arguments_reach_the_callback_if_it_takes_them() -> None:
    def few(state, n, *, rate=1.0):
        return [([n], rate)] if state.size == 0 else []

    def any_of_them(state, **arguments):
        return few(state, arguments["n"], rate=arguments["rate"])

    for callback in (few, any_of_them):
        graph = Graph(callback=callback, n=4, rate=2.0, **({"other": 1} if callback is few else {}))
        with pytest.warns(PhasicWarning, match="START_ABSORBED"):
            assert graph.states().tolist() == [[0], [4]]


SHAPES = {
    "two": lambda n: (n, 2.0),
    "three": lambda n: (n, 2.0, []),
    "lists": lambda n: [n, 2, [0.0]],
    "coefficients": lambda n: (n, [2.0]),
    "array": lambda n: (n, 0, np.array([2.0])),
    "numpy scalars": lambda n: (n, np.float32(2.0), ()),
}


@pytest.mark.parametrize("state", [list, tuple, np.array, lambda s: np.array(s, np.int8)])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_transitions_come_in_several_shapes(shape, state) -> None:
    def model(s):
        if s.size == 0:
            return [(state([2, 0]), 1.0, [0.0])]
        return [shape(state([s[0] - 1, 1]))] if s[0] else []

    graph = Graph(callback=model, n_parameters=1)
    assert graph.at([1.0]).mean() == 1.0


def test_shapes_may_be_mixed() -> None:
    def model(s):
        if s.size == 0:
            return [([3], 1.0, [1.0])]
        return {
            3: [([2], 1.0), ([1], 0.0, [1.0, 1.0]), ([2], [0.0, 2.0])],
            2: (t for t in [([1], np.float64(4.0), [])]),
            1: [(np.array([0]), 0, [2, 0])],
            0: (),
        }[int(s[0])]

    graph = Graph(callback=model, parameterized=True)
    assert graph.n_parameters == 2
    # 3 -> 2 at 1 + 2 * theta1, 3 -> 1 at theta0 + theta1, 2 -> 1 at 4, 1 -> 0 at 2 * theta0
    theta = (3.0, 0.5)
    out = 2.0 + 3.5
    assert graph.at(theta).mean() == pytest.approx(1 / out + 2 / out / 4 + 1 / 6, rel=1e-15)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (([1], 1.0, []), ([0], 0.0, [2.0])),
        ((np.array([1]), 1.0, [0.0]), ([0], 0.0, [2.0])),
        (([1], 1.0, [0.0]), (np.array([0]), 0.0, [2.0])),
    ],
    ids=["coefficients of one only", "array, list", "list, array"],
)
def test_shapes_may_be_mixed_within_a_state(first, second) -> None:
    def model(s):
        if s.size == 0:
            return [([2], 1.0)]
        return {2: [first, second], 1: [([0], 0.0, [1.0])], 0: []}[int(s[0])]

    # 2 -> 1 at 1, 2 -> 0 at 2 theta, 1 -> 0 at theta
    assert Graph(callback=model).at([2.0]).mean() == pytest.approx(1 / 5 + 1 / 5 / 2, rel=1e-15)


def test_a_buffer_may_be_reused() -> None:
    buffer = np.zeros(1, int)

    def model(s):
        buffer[0] = s[0] - 1 if s.size else 4
        return [(buffer, 1.0)] if s.size == 0 or s[0] else []

    assert Graph(callback=model).states()[:, 0].tolist() == [0, 0, 1, 2, 3, 4]


def test_transitions_to_the_same_state_add() -> None:
    def model(s):
        return [([1], 1.0)] if s.size == 0 else [([0], 1.0), ([0], 2.0)] if s[0] else []

    graph = Graph(callback=model)
    assert graph.mean() == pytest.approx(1 / 3, rel=1e-15)
    assert len(graph.edges().source) == 2


def test_constants_work_in_full_without_parameters() -> None:
    def model(s, n=3):
        return [([n], 1.0)] if s.size == 0 else [([s[0] - 1], 2.0)] if s[0] else []

    for parameterized in (False, None, True):
        graph = Graph(callback=model, parameterized=parameterized)
        assert graph.moments(2).tolist() == pytest.approx([1.5, 3.0], rel=1e-15)
        assert graph.n_parameters == 0
    with pytest.raises(RuntimeError, match=r"FATAL: theta cannot be set.*parameterized=False"):
        Graph(callback=model, parameterized=False).update_parameterized_weights([1.0])


# ---- what a callback may not do


def start_then(*transitions):
    def model(s):
        return [([1, 2], 1.0)] if s.size == 0 else list(transitions) if s[0] else []

    return model


NONSENSE = {
    "no tuple": ([3], "transition 0"),
    "too long": (([0, 0], 1.0, [1.0], 4), "expected a list of transitions"),
    "a short state": (([0], 1.0), r"\(0,\) of length 1.*length 2"),
    "a long state": (([0, 0, 0], 1.0), "of length 3"),
    "a scalar state": ((0, 1.0), "as the state of transition 0"),
    "a state of text": ((["a", "b"], 1.0), "expected integers"),
    "a state of text in one": (("ab", 1.0), "expected integers"),
    "a state with a fraction": (([0.5, 0], 1.0), "expected integers"),
    "a state with NaN": (([float("nan"), 0], 1.0), "expected integers"),
    "a nested state": (([[0], [0]], 1.0), "expected integers"),
    "a state beyond 32 bits": (([2**40, 0], 1.0), "1099511627776.*32-bit"),
    "a state beyond 64 bits": (([2**70, 0], 1.0), "32-bit|expected integers"),
    "a weight of text": (([0, 0], "1.0"), "'1.0' as a weight"),
    "no weight": (([0, 0], None), "None as a weight"),
    "a complex weight": (([0, 0], 1j), "1j as a weight"),
    "a NaN weight": (([0, 0], float("nan")), r"\(1, 2\) -> \(0, 0\) has the weight nan"),
    "an infinite weight": (([0, 0], float("inf")), "has the weight inf"),
    "a weight beyond double": (([0, 0], 10**400), "has the weight inf"),
    "a weight far below 0": (([0, 0], -(10**400)), "has the .*weight -inf"),
    "a coefficient beyond double": (([0, 0], 0.0, [10**400]), "has the weight inf"),
    "no state": ((None, 1.0), "None as the state"),
    "a negative weight": (([0, 0], -2.0), "has the negative weight -2"),
    "a NaN coefficient": (([0, 0], 0.0, [float("nan")]), "has the weight nan"),
    "a coefficient of text": (([0, 0], 0.0, ["a"]), "'a' as a coefficient"),
    "coefficients of text": (([0, 0], 0.0, "a"), "'a' as coefficients"),
    "coefficients of a number": (([0, 0], 0.0, 3.0), "3.0 as coefficients"),
}


@pytest.mark.parametrize(("transition", "message"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused_by_name(transition, message) -> None:
    graph = Graph(callback=start_then(transition))
    with pytest.raises(GraphError, match=message) as caught:
        graph.moments(1)
    assert "(1, 2)" in str(caught.value)


@pytest.mark.parametrize("state", [None, 0])
def test_nonsense_beside_an_array_is_refused_by_name(state) -> None:
    graph = Graph(callback=start_then((np.array([0, 0]), 1.0), (state, 1.0)))
    with pytest.raises(GraphError, match=f"{state} as the state of transition 1"):
        graph.moments(1)


@pytest.mark.parametrize("result", [None, 3, "text", {1: 2}, object()])
def test_a_result_that_is_no_list_is_refused(result) -> None:
    def model(s):
        return [([1], 1.0)] if s.size == 0 else result

    with pytest.raises(GraphError, match=r"the callback at state \(1,\) returned"):
        Graph(callback=model).moments(1)


def test_coefficients_of_different_lengths_are_refused() -> None:
    def model(s):
        if s.size == 0:
            return [([3], 1.0)]
        return [([s[0] - 1], 0.0, [1.0] * int(s[0]))] if s[0] else []

    with pytest.raises(GraphError, match=r"at state \(2,\).*length 2.*length 3"):
        Graph(callback=model).moments(1)


def test_coefficients_without_parameters_are_refused() -> None:
    graph = Graph(callback=coalescent, parameterized=False)
    with pytest.raises(GraphError, match="parameterized=False") as caught:
        graph.moments(1)
    assert "parameterized=True" in caught.value.hint


def test_an_endless_generator_is_refused() -> None:
    def model(s):
        if s.size == 0:
            return [([1], 1.0)]
        return (([1], 1.0) for _ in iter(int, 1))

    with pytest.raises(GraphError, match="more than 1000 transitions"):
        Graph(callback=model, max_vertices=1000).moments(1)


def test_a_callback_that_raises_keeps_its_traceback() -> None:
    def deep_inside(n):
        return 1 / (n - 2)

    def model(s):
        return [([3], 1.0)] if s.size == 0 else [([s[0] - 1], deep_inside(int(s[0])))]

    with pytest.raises(GraphError, match=r"raised ZeroDivisionError.*at state \(2,\)") as caught:
        Graph(callback=model).moments(1)
    assert caught.value.code == "CALLBACK_RAISED"
    cause = caught.value.__cause__
    assert isinstance(cause, ZeroDivisionError)
    names = []
    frame = cause.__traceback__
    while frame:
        names.append(frame.tb_frame.f_code.co_name)
        frame = frame.tb_next
    assert names[-2:] == ["model", "deep_inside"]


def test_an_interrupt_in_a_callback_passes() -> None:
    def model(s):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Graph(callback=model).moments(1)


ENDLESS = {
    "one number grows": lambda s: [([1, 0], 1.0)] if s.size == 0 else [(s + [1, 0], 1.0)],
    "doubling": lambda s: [([1, 0], 1.0)] if s.size == 0 else [(s * 2 + [0, 1], 1.0)],
    "branching": lambda s: (
        [([1, 0], 1.0)] if s.size == 0 else [(s + [1, 0], 1.0), (s + [0, 1], 2.0)]
    ),
}


@pytest.mark.parametrize("use", ["update_parameterized_weights", "moments", "compute_trace"])
@pytest.mark.parametrize("rule", ENDLESS.values(), ids=ENDLESS)
def test_an_endless_rule_fails_at_first_use(rule, use) -> None:
    graph = Graph(callback=rule, max_vertices=5000)
    argument = {"update_parameterized_weights": ([1.0],), "moments": (1,), "compute_trace": ()}
    with pytest.raises((RuntimeError, GraphError)) as caught:
        getattr(graph, use)(*argument[use])
    if rule is not ENDLESS["doubling"]:
        assert str(caught.value).startswith("FATAL: trace")
        assert "5,000" in str(caught.value)
        assert "(5000, 0)" in str(caught.value) or "last states seen" in str(caught.value)
        assert "max_vertices" in caught.value.hint
    else:
        assert caught.value.code in ("STATE_RANGE", "CALLBACK_RAISED")


def test_the_last_states_are_shown() -> None:
    with pytest.raises(TraceError, match=r"\(99, 0\), \(100, 0\)"):
        Graph(callback=ENDLESS["one number grows"], max_vertices=100).moments(1)


def test_an_endless_rule_takes_bounded_time_and_memory() -> None:
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(TraceError):
        Graph(callback=ENDLESS["branching"], max_vertices=20_000).moments(1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.process_time() - began < 10
    assert peak < 20_000_000
