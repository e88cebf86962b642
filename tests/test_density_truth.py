"""Densities of hard models against references from outside, in the body and both tails to 1e-300.

Erlang, hyperexponential, Kingman and site-frequency models have closed forms; the others were found
in two ways that share no code (`truth_density`).
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest

from engines import graph_of, with_start
from phasic import NumericError
from truth_density import load
from truth_density.models import MODELS

REFERENCES = load()
FUNCTIONS = {"logpdf": "log_f", "logcdf": "log_F", "logsf": "log_S"}
LARGEST_ERROR = 1e-10
# Visits of edges that a forced uniformisation may cost here.
MOST_WORK = 3e8


@cache
def distribution_of(model: str) -> Any:
    return graph_of(MODELS[model]()).at(MODELS[model]().theta)


def rewards_of(reference: dict[str, Any]) -> np.ndarray | None:
    if reference["reward"] is None:
        return None
    model = MODELS[reference["model"]]()
    return with_start(model.rewards[reference["reward"]], model.n_vertices)


def values_of(reference: dict[str, Any], function: str) -> np.ndarray:
    return np.array([float(text) for text in reference[FUNCTIONS[function]]])


def answered(name: str, function: str, times: list[float], method: str) -> Any:
    """The library's Answer, or None where it refuses."""
    reference = REFERENCES[name]
    try:
        return getattr(distribution_of(reference["model"]), function)(
            times,
            rewards=rewards_of(reference),
            method=method,
            tolerance=LARGEST_ERROR,
            full_output=True,
        )
    except NumericError as error:
        if error.code != "DENSITY_REFUSED":
            raise
        return None


def errors_of(found: Any, values: np.ndarray) -> np.ndarray:
    """Errors of logarithms beyond what double's own rounding of them explains."""
    rounding = 2 * np.finfo(float).eps * np.abs(values)
    return np.maximum(np.abs(found.value - values) - rounding, 0.0)


def test_the_references_are_there() -> None:
    referenced = {reference["model"] for reference in REFERENCES.values()}
    assert referenced == set(MODELS)
    for name, reference in REFERENCES.items():
        for values in (values_of(reference, function) for function in FUNCTIONS):
            assert len(values) == len(reference["times"]) >= 21, name
        # both tails to 1e-300, each step of the times
        assert values_of(reference, "logcdf")[0] < math.log(1e-299), name
        assert values_of(reference, "logsf")[-1] < math.log(1e-297), name


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("name", REFERENCES)
def test_logarithms_in_the_body_and_both_tails(name: str, function: str) -> None:
    reference = REFERENCES[name]
    found = answered(name, function, reference["times"], "auto")
    assert found is not None, "refused"
    errors = errors_of(found, values_of(reference, function))
    assert (errors <= LARGEST_ERROR).all(), (errors.max(), reference["times"][errors.argmax()])
    assert (errors <= found.bound).all()


@pytest.mark.parametrize("method", ["uniformise", "contour", "dense"])
@pytest.mark.parametrize("name", REFERENCES)
def test_each_method_is_right_or_refuses(name: str, method: str) -> None:
    reference = REFERENCES[name]
    model = MODELS[reference["model"]]()
    out = np.zeros(model.n_vertices)
    for source, _, _, coefficients in model.edges:
        out[source] += np.dot(coefficients, model.theta)
    most = MOST_WORK / (out.max() * len(model.edges)) if method == "uniformise" else math.inf
    times = [t for t in reference["times"] if t <= most]
    for function in FUNCTIONS:
        values = values_of(reference, function)[: len(times)]
        found = [answered(name, function, [time], method) for time in times]
        for time, value, one in zip(times, values, found, strict=True):
            if one is not None:
                error = errors_of(one, value)[0]
                assert error <= min(LARGEST_ERROR, one.bound[0]), (function, time, error)
                assert one.method[0] in (method, "exact")
    if method == "uniformise":
        assert all(one is not None for one in found), "uniformisation refuses affordable times"
