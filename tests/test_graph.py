"""Graphs: callbacks, batch rules, by hand, matrices; what is refused and how."""

from __future__ import annotations

import threading
import time
import tracemalloc

import numpy as np
import pytest

from phasic import Graph, GraphError, NumericError, PhasicWarning, TraceError
from rules import coalescent, coalescent_graph, queue_graph

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


# ---- batch rules


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
