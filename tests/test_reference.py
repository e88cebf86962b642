"""The oracle and the reference engine themselves, against values from outside.

The oracle must give the reference answers to all their printed digits, from the exact rationals of
the cases; the textbook forms below are known in closed form.
"""

from __future__ import annotations

from fractions import Fraction as F

import pytest

from engines import ENGINES
from reference.elimination import minimum_degree, strong_components
from reference.exact import Oracle
from reference.model import Model
from test_truth import CASES, EPOCH_CASES, entries_of
from truth.truth_io import model_of

# Exact elimination without a good order: small cases only.
SMALL = [
    name
    for name, case in CASES.items()
    if name not in EPOCH_CASES and case["model"]["n_vertices"] <= 21
]


def exact_answer(oracle: Oracle, quantity: str, args: dict) -> list:
    """One entry as duals, flat and in the order of the entry's value."""
    rewards = oracle.model.rewards

    def reward(name: str | None) -> list | None:
        return None if name is None else rewards[name]

    if quantity == "moment":
        return [oracle.moments(args["order"], reward(args.get("reward")))[-1]]
    if quantity == "mean_vector":
        return [oracle.moments(1, reward(name))[0] for name in args["rewards"]]
    if quantity == "covariance_matrix":
        rows = [reward(name) for name in args["rewards"]]
        return [oracle.covariance(a, b) for a in rows for b in rows]
    if quantity in ("variance", "covariance"):
        names = args.get("rewards") or [args.get("reward")]
        return [oracle.covariance(reward(names[0]), reward(names[-1]))]
    if quantity == "expected_sojourn":
        return [oracle.sojourn(v) for v in args["vertices"]]
    if quantity == "absorption_probability":
        v = args["vertex"]
        return [oracle.absorption(i) for i in (v if isinstance(v, list) else [v])]
    if quantity == "joint_moment":
        rows = [reward(name) for name in args["rewards"]]
        return [oracle.joint_moment(rows, args["powers"])]
    if quantity in ("joint_laplace", "joint_pgf"):
        rows = [reward(name) for name in args["rewards"]]
        return [oracle.transform([F(x) for x in args["s" if "s" in args else "z"]], rows)]
    if quantity in ("laplace", "pgf"):
        points = flat(args["s" if "s" in args else "z"])
        return [oracle.transform([F(x)], [reward(args.get("reward"))]) for x in points]
    assert quantity == "defect"
    return [oracle.defect(reward(args.get("reward")))]


def flat(value: object) -> list:
    if isinstance(value, list):
        return [x for item in value for x in flat(item)]
    return [value]


def is_rounded_measurement(entry: dict) -> bool:
    """Published and simulated values are known to few digits; the others to about 30."""
    return entry["rel_tol"] > 1e-6 or "msprime" in entry["method"]


@pytest.mark.parametrize("name", SMALL)
def test_oracle_gives_the_reference_answers_to_their_last_digit(name: str) -> None:
    case = CASES[name]
    oracle = Oracle(model_of(case, exact=True))
    for entry in entries_of(case):
        if entry["value"] == "inf":
            assert oracle.improper
            continue
        slope = entry["quantity"] == "gradient"
        of = entry["args"]["of"] if slope else entry
        duals = exact_answer(oracle, of["quantity"], of["args"])
        if slope:
            zeros = (F(0),) * oracle.model.n_parameters
            got = [x for dual in duals for x in (dual.gradient or zeros)]
        else:
            got = [dual.value for dual in duals]
        values = [F(x) for x in flat(entry["value"])]
        assert len(got) == len(values)
        tolerance = F(entry["rel_tol"]) if is_rounded_measurement(entry) else F(1, 10**14)
        floor = F(entry.get("abs_tol", 0)) if is_rounded_measurement(entry) else F(1, 10**300)
        for x, y in zip(got, values, strict=True):
            assert abs(x - y) <= floor + tolerance * abs(y), (entry["quantity"], entry["args"])


def erlang(stages: int, discrete: bool = False) -> Model:
    edges = [(i, i + 1, 0.0, (1.0,)) for i in range(stages)]
    return Model(stages + 1, [(0, 1.0, (0.0,))], edges, 1, discrete=discrete)


def test_oracle_on_the_erlang_distribution() -> None:
    oracle = Oracle(erlang(5), [F(3)])
    # E[T^k] = 5 6 .. (4 + k) / rate^k, Var = 5 / rate^2
    assert [m.value for m in oracle.moments(3)] == [F(5, 3), F(30, 9), F(210, 27)]
    assert [m.gradient[0] for m in oracle.moments(3)] == [F(-5, 9), F(-60, 27), F(-630, 81)]
    assert oracle.covariance().value == F(5, 9)
    assert oracle.covariance().gradient == (F(-10, 27),)
    assert oracle.sojourn(2).value == F(1, 3)
    assert oracle.defect().value == 0


def test_oracle_on_the_negative_binomial_distribution() -> None:
    oracle = Oracle(erlang(2, discrete=True), [F(1, 4)])
    # steps until the second success: mean 2/p, variance 2(1-p)/p^2
    assert oracle.moments(1)[0].value == 8
    assert oracle.covariance().value == 24
    assert oracle.covariance().gradient == (F(2) / F(1, 16) - F(4) / F(1, 64),)


def test_oracle_on_the_gamblers_ruin() -> None:
    n, up, down = 7, F(3, 5), F(2, 5)
    edges = [(i, i + 1, up, ()) for i in range(1, n)] + [(i, i - 1, down, ()) for i in range(1, n)]
    oracle = Oracle(Model(n + 1, [(2, 1, ())], edges))
    q = down / up
    assert oracle.absorption(n).value == (1 - q**2) / (1 - q**n)
    assert oracle.absorption(n).value + oracle.absorption(0).value == 1


def test_oracle_says_that_a_model_is_improper() -> None:
    edges = [(0, 1, 1.0, ()), (0, 3, 1.0, ()), (1, 2, 1.0, ()), (2, 1, 1.0, ())]
    oracle = Oracle(Model(4, [(0, 1.0, ())], edges, improper=True))
    assert oracle.improper
    assert oracle.absorption(3).value == F(1, 2)


def test_components_come_downstream_first() -> None:
    successors = {0: [1], 1: [2, 3], 2: [1], 3: [4], 4: [3], 5: [0]}
    assert strong_components([0, 1, 2, 3, 4, 5], successors) == [[3, 4], [1, 2], [0], [5]]


def test_minimum_degree_leaves_the_hub_of_a_star_for_the_end() -> None:
    successors = {0: [1, 2, 3, 4], 1: [0], 2: [0], 3: [0], 4: [0]}
    order = minimum_degree([0, 1, 2, 3, 4], successors)
    assert order[:3] == [1, 2, 3]


@pytest.mark.parametrize("engine", ENGINES)
def test_small_variance_beside_a_large_mean_keeps_its_digits(engine: str) -> None:
    # a variance of 1e-10 beside a mean of 1: E[Y^2] - E[Y]^2 would lose ten digits
    model = Model(2, [(0, 1.0, ())], [(0, 1, 1.0 - 2.0**-33, ())], discrete=True)
    _, matrix, _, _ = ENGINES[engine](model).covariances([], [None])
    exact = Oracle(model).covariance().value
    assert abs(F(float(matrix[0][0])) - exact) <= F(1, 10**14) * exact


@pytest.mark.parametrize("engine", ENGINES)
def test_variance_of_a_long_erlang_distribution(engine: str) -> None:
    stages = 400
    evaluator = ENGINES[engine](erlang(stages))
    _, matrix, _, slopes = evaluator.covariances([3.0], [None], True)
    assert matrix[0][0] == pytest.approx(stages / 9, rel=1e-13)
    assert slopes[0][0][0] == pytest.approx(-2 * stages / 27, rel=1e-11)
