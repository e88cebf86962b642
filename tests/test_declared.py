"""Declared transitions: what they compile to, and what hostile or mistaken declarations get."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasic.declared import Process, Transition, expressions, process, transition
from phasic.declared.expressions import Names, parse
from phasic.errors import GraphError

STATES = {"n": np.array([0.0, 1.0, 2.0, 7.0]), "k": np.array([3.0, 0.0, 2.0, 1.0])}
NAMES = Names(("n", "k"), ("a", "b"), {"N": 10.0})


def evaluate(text):
    """(base, [coefficients]) on STATES, as arrays (4,)."""
    formula = parse(text, NAMES, "the rate")

    def column(part):
        return np.broadcast_to(0.0 if part is None else part(STATES), (4,)).astype(float)

    with np.errstate(all="ignore"):
        return column(formula.base), [column(formula.coefficients.get(i)) for i in range(2)]


@pytest.mark.parametrize("module", [expressions, process, transition])
def test_examples_of_the_docstrings(module):
    failed, tried = doctest.testmod(module)
    assert failed == 0
    assert tried > 0


# -- formulas


n, k = STATES["n"], STATES["k"]


@pytest.mark.parametrize(
    ("text", "base", "a", "b"),
    [
        ("3", 3 + 0 * n, 0 * n, 0 * n),
        ("n * k / N", n * k / 10, 0 * n, 0 * n),
        ("a", 0 * n, 1 + 0 * n, 0 * n),
        ("a * n + b", 0 * n, n, 1 + 0 * n),
        ("n * a * k - 2 * b / 4", 0 * n, n * k, -0.5 + 0 * n),
        ("(a + b) * (n + 1)", 0 * n, n + 1, n + 1),
        ("1 - a", 1 + 0 * n, -1 + 0 * n, 0 * n),
        ("-(a - 2)", 2 + 0 * n, -1 + 0 * n, 0 * n),
        ("+n ** 2 % 5", n**2 % 5, 0 * n, 0 * n),
        ("min(n, k, 2) * a", 0 * n, np.minimum(np.minimum(n, k), 2), 0 * n),
        ("max(n, k)", np.maximum(n, k), 0 * n, 0 * n),
        ("a * choose(n, 2)", 0 * n, n * (n - 1) / 2, 0 * n),
        ("choose(n, 0) + choose(n, 3)", 1 + n * (n - 1) * (n - 2) / 6, 0 * n, 0 * n),
        ("(n > k) * 2", (n > k) * 2.0, 0 * n, 0 * n),
        ("0 < n <= 2", ((n > 0) & (n <= 2)) * 1.0, 0 * n, 0 * n),
        ("n == 1 or not k != 3", ((n == 1) | (k == 3)) * 1.0, 0 * n, 0 * n),
        ("n and k", ((n != 0) & (k != 0)) * 1.0, 0 * n, 0 * n),
        (" 1e3 ", 1000 + 0 * n, 0 * n, 0 * n),
    ],
)
def test_formulas(text, base, a, b):
    found, coefficients = evaluate(text)
    np.testing.assert_array_equal(found, base)
    np.testing.assert_array_equal(coefficients, [a, b])


OPERANDS = st.sampled_from(["n", "k", "N", "2", "0.5"])
TREES = st.recursive(
    OPERANDS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda t: f"min({t}, k)"),
        inner.map(lambda t: f"-{t}"),
    ),
    max_leaves=12,
)


@given(TREES)
def test_arithmetic_is_python_s(text):
    """The test's own text, evaluated by Python state by state."""
    found, _ = evaluate(text)
    for row in range(4):
        values = {"n": n[row], "k": k[row], "N": 10.0, "min": min}
        assert found[row] == eval(text, {"__builtins__": {}}, values)  # noqa: S307


@given(TREES, TREES, TREES)
def test_linear_formulas_are_linear(base, of_a, of_b):
    found, coefficients = evaluate(f"{base} + a * {of_a} - {of_b} * b")
    np.testing.assert_array_equal(found, evaluate(base)[0])
    np.testing.assert_array_equal(coefficients[0], evaluate(of_a)[0])
    np.testing.assert_array_equal(coefficients[1], -evaluate(of_b)[0])


HOSTILE = [
    "__import__('os').system('touch /tmp/owned')",
    "().__class__.__bases__[0].__subclasses__()",
    "n.__class__",
    "n[0]",
    "lambda: 1",
    "[x for x in (1, 2)]",
    "(n := 3)",
    "open('/etc/passwd')",
    "eval('1')",
    "exec('1')",
    "print(n)",
    "f'{n}'",
    "'text'",
    "b'bytes'",
    "None",
    "True",
    "1j",
    "n if k else 1",
    "min(*[1, 2])",
    "min(n, key=k)",
    "min(n, k, **{})",
    "await n",
    "yield n",
    "n; k",
    "n\nk",
    "import os",
    "n = 3",
    "n is k",
    "n in (1, 2)",
    "n // 2",
    "n << 64",
    "n @ k",
    "~n",
    "{1: 2}",
    "...",
    "",
    " ",
    "1 +",
    "n\0",
    "0or 1",
    "'\\d'",
    "9" * 900,
    "1" + "0" * 400 + ".0 * n",
    "(" * 500,
    "-" * 900 + "n",
    "n" + " + n" * 200,
    "n" * 2000,
    "choose(n, k)",
    "choose(n, 99)",
    "choose(n, -1)",
    "choose(n)",
    "min(n)",
    "sqrt(n)",
    "unknown * n",
    "\ud800",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_and_mistaken_formulas_are_refused(text):
    with pytest.raises(GraphError) as raised:
        parse(text, NAMES, "the rate of 'x'")
    assert raised.value.code == "FORMULA"
    assert raised.value.message.startswith("the rate of 'x' ")
    assert raised.value.hint
    assert len(raised.value.message) < 2000


def outcome(text):
    try:
        parse(text, NAMES, "the rate")
    except GraphError as error:
        return error.code
    return "read"


@given(st.text(max_size=60))
def test_any_text_is_a_formula_or_refused(text):
    assert outcome(text) in ("read", "FORMULA")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0 / 0 > 1", np.nan),
        ("not 0 / 0", np.nan),
        ("0 / 0 > 1 and 1 > 2", 0.0),
        ("0 / 0 > 1 and 2 > 1", np.nan),
        ("0 / 0 > 1 or 2 > 1", 1.0),
        ("0 / 0 > 1 or 1 > 2", np.nan),
        ("1 / 0 > 1", 1.0),
    ],
)
def test_a_condition_on_nothing_is_not_decided(text, value):
    np.testing.assert_array_equal(evaluate(text)[0], np.full(4, value))


def test_powers_do_not_eat_the_machine():
    found, _ = evaluate("9 ** 9 ** 9 ** 9 + n")
    assert np.isinf(found).all()


@pytest.mark.parametrize(
    "text", ["a * b", "a ** 2", "n / a", "min(a, n)", "a > 1", "2 ** a", "a % 2"]
)
def test_what_is_not_linear_is_refused(text):
    with pytest.raises(GraphError, match="not linear"):
        parse(text, NAMES, "the rate")


def test_a_typo_is_told_its_neighbour():
    with pytest.raises(GraphError) as raised:
        parse("infectoin * n", Names(["n"], ["infection"]), "the rate of 'x'")
    assert "did you mean infection?" in str(raised.value)


# -- processes


def birth_death(**changes):
    options = {
        "variables": ["x"],
        "parameters": ["birth", "death"],
        "transitions": [
            Transition("birth", {"x": +1}, rate="birth * x", when="x < top"),
            Transition("death", {"x": -1}, rate="death * x"),
        ],
        "constants": {"top": 5},
    }
    return Process(**{**options, **changes})


def test_a_process_is_the_rule_written_by_hand():
    def callback(state):
        if state.size == 0:
            return [([2], 1.0, [0.0, 0.0])]
        x = int(state[0])
        up = [([x + 1], 0.0, [float(x), 0.0])] if 0 < x < 5 else []
        return up + ([([x - 1], 0.0, [0.0, float(x)])] if x else [])

    from phasic import Graph
    from phasic.hash import compute_graph_hash

    declared = birth_death().graph(start={"x": 2})
    by_hand = Graph(callback=callback, parameterized=True)
    assert compute_graph_hash(declared).hash_hex == compute_graph_hash(by_hand).hash_hex
    assert declared.parameter_names == ("birth", "death")
    assert declared.state_names == ("x",)


def test_a_distribution_over_the_start():
    graph = birth_death().graph(start=[({"x": 1}, 0.25), ({"x": 3}, 0.75)])
    ones = birth_death().graph(start={"x": 1}).at([0.5, 1.0]).mean()
    threes = birth_death().graph(start={"x": 3}).at([0.5, 1.0]).mean()
    assert graph.at([0.5, 1.0]).mean() == pytest.approx(0.25 * ones + 0.75 * threes, rel=1e-13)


def test_a_base_rate_needs_no_parameter():
    process = Process(["x"], [], [Transition("decay", {"x": -1}, rate="2 * x")])
    assert process.graph(start={"x": 2}).at().mean() == pytest.approx(0.75, rel=1e-14)


def test_absorbing_states_have_no_transitions():
    process = birth_death(absorbing="x == 3 or x == 0")
    assert process.graph(start={"x": 2}).states().ravel().tolist() == [0, 0, 1, 2, 3]


def test_a_guard_keeps_a_rate_from_being_asked_for():
    down = Transition("down", {"x": -1}, rate="1 / (x - 1)", when="x > 1")
    process = Process(["x"], [], [down])
    assert process.graph(start={"x": 3}).at().mean() == pytest.approx(3.0, rel=1e-14)


def refusal(make):
    with pytest.raises(GraphError) as raised:
        make()
    assert raised.value.hint
    return raised.value


def test_a_rate_that_is_no_number_names_the_state():
    process = Process(["x"], [], [Transition("down", {"x": -1}, rate="1 / (x - 1)")])
    error = refusal(lambda: process.graph(start={"x": 3}).n_vertices)
    assert error.code == "DECLARATION"
    assert "'down' has no finite rate at x = 1" in error.message


def test_a_count_below_0_names_transition_and_state():
    process = Process(["x", "y"], ["r"], [Transition("down", {"x": -2}, rate="r * x")])
    error = refusal(lambda: process.graph(start={"x": 3, "y": 4}).n_vertices)
    assert "'down' leads to (-1, 4), a count below 0 at x = 1, y = 4" in error.message


def test_a_condition_without_a_value_names_the_state():
    process = birth_death(absorbing="0 / (x - 1) == 0")
    error = refusal(lambda: process.graph(start={"x": 1}).n_vertices)
    assert "what is absorbing has no value at x = 1" in error.message


@pytest.mark.parametrize(
    "make",
    [
        lambda: birth_death(variables=["x", "x"]),
        lambda: birth_death(parameters=["birth", "x"]),
        lambda: birth_death(variables=["not a name"]),
        lambda: birth_death(variables=["lambda"]),
        lambda: birth_death(variables=["min"]),
        lambda: birth_death(variables=[3]),
        lambda: birth_death(constants={"top": "5"}),
        lambda: birth_death(constants={"top": float("nan")}),
        lambda: birth_death(constants={"top": 5, "birth": 1}),
        lambda: birth_death(transitions=[Transition("t", {"y": 1}, rate="1")]),
        lambda: birth_death(transitions=[Transition("t", {"x": 0.5}, rate="1")]),
        lambda: birth_death(transitions=[Transition("t", {"x": True}, rate="1")]),
        lambda: birth_death().graph(start={"y": 1}),
        lambda: birth_death().graph(start={"x": -1}),
        lambda: birth_death().graph(start={"x": 1.5}),
    ],
)
def test_wrong_declarations_are_named(make):
    assert refusal(make).code == "DECLARATION"


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"rate": "birth * y"}, "the rate of 't' names 'y'"),
        ({"rate": 3}, "the rate of 't' is int"),
        ({"rate": "1", "when": "birth > 1"}, "when of 't' names 'birth'"),
    ],
)
def test_formulas_are_named_by_their_transition(options, what):
    transitions = [Transition("t", {"x": 1}, **options)]
    assert what in refusal(lambda: birth_death(transitions=transitions)).message
