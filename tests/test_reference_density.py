"""The oracle for densities, against values from outside it."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction as F
from math import comb, factorial

import pytest

from reference.density import Answer, DensityOracle, Interval
from reference.model import Model
from test_truth import CASES, EPOCH_CASES
from truth.truth_io import check, model_of

PARTS = {
    "pdf": "density",
    "pmf": "density",
    "cdf": "distribution",
    "sub_cdf": "distribution",
    "sf": "survival",
}
SMALL = [
    name
    for name, case in CASES.items()
    if name not in EPOCH_CASES
    and case["model"]["n_vertices"] <= 12
    and not {"stiff", "nearly-decomposable"} & set(case["tags"])
]


def contains(interval: Interval, value: F) -> bool:
    return interval.lower <= value <= interval.upper


def exponential(x: F) -> F:
    """e^x for small x, to far more digits than are asked for."""
    return sum((x**k / factorial(k) for k in range(300)), F(0))


@pytest.mark.parametrize("name", SMALL)
def test_oracle_gives_the_reference_answers(name: str) -> None:
    case = CASES[name]
    model = model_of(case, exact=True)
    for entry in case["expected"]:
        if entry["quantity"] not in PARTS:
            continue
        args = entry["args"]
        times = [F(t) for t in args.get("t", args.get("k"))]
        reward = model.rewards[args["reward"]] if "reward" in args else None
        oracle = DensityOracle(model, rewards=reward, target=args.get("vertex"))
        at_zero = {
            "pdf": sum(
                (a * s for a, s in zip(oracle.chain.alpha, oracle.chain.exits, strict=True))
            ),
            "sf": 1 - oracle.chain.atom,
        }.get(entry["quantity"], oracle.chain.atom)
        added = oracle.chain.atom if "cdf" in entry["quantity"] else F(0)
        answers = iter(oracle.answers([t for t in times if t]))
        found = [
            getattr(next(answers), PARTS[entry["quantity"]]).lower + added if t else at_zero
            for t in times
        ]
        # published values have few digits, the others about 30
        tolerance = entry["rel_tol"] if entry["rel_tol"] > 1e-6 else 1e-13
        assert check({**entry, "rel_tol": tolerance, "abs_tol": 1e-30}, found) <= 1, entry


def erlang(stages: int, rate: float) -> Model:
    edges = [(i, i + 1, rate, ()) for i in range(stages)]
    return Model(stages + 1, [(0, 1.0, ())], edges)


@pytest.mark.parametrize("time", [F(1, 2**60), F(1, 3), F(7)])
def test_intervals_contain_the_erlang_distribution(time: F) -> None:
    (answer,) = DensityOracle(erlang(5, 3.0)).answers([time])
    x = 3 * time
    decay = 1 / exponential(x)
    survival = decay * sum(x**k / factorial(k) for k in range(5))
    density = 3 * decay * x**4 / factorial(4)
    assert answer.density.narrower_than(F(1, 10**20))
    assert answer.survival.narrower_than(F(1, 10**20))
    # the series for e^x ends too early by far less than the width of an interval
    for interval, value in ((answer.density, density), (answer.survival, survival)):
        slack = interval.upper / 10**200
        assert interval.lower - slack <= value <= interval.upper + slack


@pytest.mark.parametrize("steps", [1, 2, 9, 60, 3000])
def test_intervals_contain_the_negative_binomial_distribution(steps: int) -> None:
    p = F(1, 4)
    model = Model(3, [(0, 1, ())], [(0, 1, p, ()), (1, 2, p, ())], discrete=True)
    mass = comb(steps - 1, 1) * p**2 * (1 - p) ** (steps - 2) if steps > 1 else F(0)
    survival = (1 - p) ** steps + steps * p * (1 - p) ** (steps - 1)
    for rewards, k in ((None, steps), ([2.0, 2.0, 0.0], 2 * steps)):
        (answer,) = DensityOracle(model, rewards=rewards).answers([k])
        assert contains(answer.density, mass)
        assert contains(answer.survival, survival)
        assert contains(answer.distribution, 1 - survival)


def test_squaring_and_the_plain_sum_agree() -> None:
    model = Model(
        4,
        [(0, 1, ())],
        [(0, 1, F(2), ()), (1, 2, F(3), ()), (2, 0, F(1), ()), (2, 3, F(1, 100), ())],
    )
    # 20: by the sum; together with 10^6 by squaring
    (alone,) = DensityOracle(model).answers([20])
    both: Answer = DensityOracle(model).answers([20, 10**6])[0]
    for part in ("density", "distribution", "survival"):
        one, other = getattr(alone, part), getattr(both, part)
        assert max(one.lower, other.lower) <= min(one.upper, other.upper)
        assert one != other


def test_logarithm_of_an_interval() -> None:
    tiny = F(1, 10**300)
    value = Interval(tiny, tiny).logarithm()
    assert abs(value + 300 * Decimal(10).ln()) < Decimal("1e-24")
