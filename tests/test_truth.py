"""Every reference answer of this issue's quantities, at its own tolerance, by every engine.

The quantities are moments, also joint, variances, covariances, means, expected sojourn times,
absorption probabilities, defects, Laplace transforms and generating functions, also joint, and the
gradients of each. Models whose theta changes in time (`epochs`) are
answered by the library alone: the reference engine has no epochs.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from engines import ENGINES, Distributions, Evaluator, graph_of, with_start
from truth.truth_io import check, load, model_of

CASES = {case["id"]: case for case in load()}

QUANTITIES = (
    "moment",
    "variance",
    "covariance",
    "covariance_matrix",
    "mean_vector",
    "expected_sojourn",
    "absorption_probability",
    "defect",
    "laplace",
    "joint_laplace",
    "pgf",
    "joint_pgf",
    "joint_moment",
)

# Entries of the quantities above, and of their gradients, over all cases without epochs.
EXPECTED_COUNT = {
    "moment": 559,
    "variance": 170,
    "covariance": 4,
    "covariance_matrix": 61,
    "mean_vector": 52,
    "expected_sojourn": 30,
    "absorption_probability": 15,
    "defect": 46,
    "laplace": 44,
    "joint_laplace": 22,
    "pgf": 17,
    "joint_pgf": 3,
    "joint_moment": 58,
    "gradient of moment": 143,
    "gradient of variance": 36,
    "gradient of covariance": 34,
    "gradient of absorption_probability": 11,
    "gradient of laplace": 22,
}
HESSIANS = 21  # of moments

EPOCH_CASES = {
    "co-epoch-varmig-22",
    "co-epoch2-2pop-05",
    "co-epoch3-bottleneck-05",
    "gen-epoch-03",
    "gen-epoch-04",
}
EPOCH_COUNT = {"moment": 25, "variance": 10, "mean_vector": 4, "covariance_matrix": 4}


def name_of(entry: dict[str, Any]) -> str:
    if entry["quantity"] == "gradient":
        return "gradient of " + entry["args"]["of"]["quantity"]
    return entry["quantity"]


def entries_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    wanted = {*QUANTITIES, *(f"gradient of {name}" for name in QUANTITIES)}
    return [entry for entry in case["expected"] if name_of(entry) in wanted]


def numbers(texts: list[str]) -> list[float]:
    return [float(Fraction(text)) for text in texts]


def answer(
    evaluator: Evaluator, case: dict[str, Any], quantity: str, args: dict[str, Any], slope: bool
) -> Any:
    """What an engine says to one entry; with `slope` its gradient."""
    model = model_of(case)
    theta = model.theta

    def reward(name: str | None) -> Any:
        return None if name is None else model.rewards[name]

    if quantity == "moment":
        values, slopes = evaluator.moments(theta, args["order"], reward(args.get("reward")), slope)
        return slopes[-1] if slope else values[-1]
    if quantity in ("variance", "covariance", "covariance_matrix", "mean_vector"):
        names = args.get("rewards") or [args.get("reward")]
        means, matrix, mean_slopes, slopes = evaluator.covariances(
            theta, [reward(name) for name in names], slope
        )
        if quantity == "mean_vector":
            return mean_slopes if slope else means
        if quantity == "covariance_matrix":
            return slopes if slope else matrix
        return slopes[0][-1] if slope else matrix[0][-1]
    if quantity == "absorption_probability":
        vertices = args["vertex"] if isinstance(args["vertex"], list) else [args["vertex"]]
        values, slopes = evaluator.absorption(theta, vertices, slope)
        return slopes if slope else values
    if quantity == "joint_moment":
        rows = [reward(name) for name in args["rewards"]]
        value, slopes = evaluator.joint_moment(theta, rows, args["powers"], slope)
        return slopes if slope else value
    if quantity in ("joint_laplace", "joint_pgf"):
        rows = [reward(name) for name in args["rewards"]]
        return evaluator.transform(theta, numbers(args["s" if "s" in args else "z"]), rows)[0]
    if quantity in ("laplace", "pgf"):
        points = args["s" if "s" in args else "z"]
        rows = [reward(args.get("reward"))]
        if isinstance(points, list):
            assert not slope
            return [evaluator.transform(theta, [s], rows)[0] for s in numbers(points)]
        value, slopes = evaluator.transform(theta, numbers([points]), rows, slope)
        return slopes if slope else value
    assert not slope, f"no gradient of {quantity} is defined"
    if quantity == "expected_sojourn":
        found = evaluator.sojourn(theta)
        return [found[v] for v in args["vertices"]]
    assert quantity == "defect"
    return evaluator.defect(theta, reward(args.get("reward")))


def test_every_entry_is_counted() -> None:
    counts: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}
    for case in CASES.values():
        for entry in entries_of(case):
            counts[case["id"] in EPOCH_CASES][name_of(entry)] += 1
    assert {case["id"] for case in CASES.values() if case["model"].get("epochs")} == EPOCH_CASES
    assert counts[False] == EXPECTED_COUNT
    assert counts[True] == EPOCH_COUNT


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", [name for name in CASES if name not in EPOCH_CASES])
def test_case(name: str, engine: str) -> None:
    case = CASES[name]
    entries = entries_of(case)
    evaluator = ENGINES[engine](model_of(case))
    failures = []
    for entry in entries:
        slope = entry["quantity"] == "gradient"
        of = entry["args"]["of"] if slope else entry
        got = answer(evaluator, case, of["quantity"], of["args"], slope)
        worst = check(entry, got)
        if not worst <= 1:
            failures.append((name_of(entry), of["args"], got, entry["value"], worst))
    assert not failures


def test_hessians_of_moments() -> None:
    count = 0
    for case in CASES.values():
        entries = [entry for entry in case["expected"] if entry["quantity"] == "hessian"]
        if not entries:
            continue
        model = model_of(case)
        at = Distributions(model).at(model.theta)
        for entry in entries:
            of = entry["args"]["of"]
            assert of["quantity"] == "moment", case["id"]
            name = of["args"].get("reward")
            row = None if name is None else with_start(model.rewards[name], model.n_vertices)
            order = of["args"]["order"]
            values, slopes, hessians = at.moments(order, row, hessian=True)
            assert np.array_equal(values, at.moments(order, row))
            assert np.array_equal(slopes, at.moments(order, row, gradient=True)[1])
            assert check(entry, hessians[-1]) <= 1, case["id"]
            count += 1
    assert count == HESSIANS


@pytest.mark.parametrize("name", sorted(EPOCH_CASES))
def test_epochs(name: str) -> None:
    case = CASES[name]
    model = model_of(case)
    changes = [
        (float(Fraction(epoch["t"])), [float(Fraction(x)) for x in epoch["theta"]])
        for epoch in case["model"]["epochs"]
    ]
    assert changes[0][0] == 0
    distribution = graph_of(model).at(changes[0][1], epochs=changes[1:])

    def reward(name: str | None) -> Any:
        return None if name is None else with_start(model.rewards[name], model.n_vertices)

    failures = []
    for entry in entries_of(case):
        args = entry["args"]
        got: Any
        if entry["quantity"] == "moment":
            got = distribution.moments(args["order"], reward(args.get("reward")))[-1]
        elif entry["quantity"] == "variance":
            got = distribution.variance(reward(args.get("reward")))
        else:
            rewards = [reward(name) for name in args["rewards"]]
            got = getattr(distribution, entry["quantity"])(rewards)
        if not check(entry, got) <= 1:
            failures.append((name_of(entry), args, got, entry["value"]))
    assert not failures


def test_a_wrong_value_is_refused() -> None:
    entry = {"value": ["1", "2"], "rel_tol": 1e-10}
    assert check(entry, [1.0, 2.0 * (1 + 0.9e-10)]) <= 1
    assert check(entry, [1.0, 2.0 * (1 + 1.1e-10)]) > 1
    assert check(entry, [1.0]) > 1
    assert check(entry, [1.0, float("nan")]) > 1
    assert check({"value": "inf", "rel_tol": 0.0}, 1e308) > 1
