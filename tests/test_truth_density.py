"""Every reference answer about times, at its own tolerance: densities, distribution functions,
quantiles, where a process is at a time, likelihoods, and the gradients of them."""

from __future__ import annotations

import warnings
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from engines import graph_of, with_start
from phasic import PhasicWarning
from test_truth import CASES, EPOCH_CASES, name_of
from truth.truth_io import check, model_of

EXPECTED_COUNT = {
    "pdf": 125,
    "cdf": 163,
    "sf": 42,
    "pmf": 44,
    "quantile": 7,
    "sub_cdf": 5,
    "state_probability": 18,
    "accumulated_time": 17,
    "loglik": 23,
    "gradient of pdf": 42,
    "gradient of cdf": 29,
    "gradient of pmf": 8,
    "gradient of loglik": 18,
}
# Names of the arguments that hold times, and of functions that the library calls otherwise.
TIMES = {"pmf": "k", "quantile": "p", "loglik": "data"}
LIBRARY = {"accumulated_time": "accumulated_visiting_time"}


def entries_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry for entry in case["expected"] if name_of(entry) in EXPECTED_COUNT]


def numbers(values: Any) -> Any:
    if isinstance(values, list):
        return [numbers(value) for value in values]
    return float(Fraction(values))


def distribution_of(case: dict[str, Any]) -> Any:
    model = model_of(case)
    with warnings.catch_warnings():
        # of dropped vertices and of a start that is absorbed: both are asked for here
        warnings.simplefilter("ignore", PhasicWarning)
        graph = graph_of(model)
        if not case["model"].get("epochs"):
            return graph.at(model.theta)
        changes = [(numbers(e["t"]), numbers(e["theta"])) for e in case["model"]["epochs"]]
        assert changes[0][0] == 0
        return graph.at(changes[0][1], epochs=changes[1:])


def answer(distribution: Any, case: dict[str, Any], entry: dict[str, Any]) -> Any:
    """What the library says to one entry."""
    slope = entry["quantity"] == "gradient"
    of = entry["args"]["of"] if slope else entry
    args = dict(of["args"])
    quantity = of["quantity"]
    options: dict[str, Any] = {"gradient": True} if slope else {}
    name = args.pop("reward", None)
    if name is not None:
        model = model_of(case)
        options["rewards"] = with_start(model.rewards[name], model.n_vertices)
    times = numbers(args.pop(TIMES.get(quantity, "t")))
    function = getattr(distribution, LIBRARY.get(quantity, quantity))
    if quantity in ("state_probability", "accumulated_time"):
        vertices = np.array(args.pop("vertices")) + 1
        assert not args
        return function(times, **options)[vertices]
    if quantity == "sub_cdf":
        options["vertex"] = args.pop("vertex") + 1
    assert not args
    found = function(times, **options)
    return found[1] if slope else found


def test_every_entry_is_counted() -> None:
    counts = Counter(name_of(entry) for case in CASES.values() for entry in entries_of(case))
    assert counts == EXPECTED_COUNT
    # those of a theta that changes in time among them
    assert sum(len(entries_of(CASES[name])) for name in EPOCH_CASES) == 12


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    case = CASES[name]
    entries = entries_of(case)
    distribution = distribution_of(case)
    failures = []
    for entry in entries:
        got = answer(distribution, case, entry)
        if not check(entry, got) <= 1:
            failures.append((name_of(entry), entry["args"], got, entry["value"]))
    assert not failures
