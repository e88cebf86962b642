"""Posteriors and estimates against exact ones that nobody here computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engines import graph_of
from inference_models import prior_of
from phasic.inference import SVGD, log_posterior, maximum_likelihood
from test_truth import CASES
from truth.truth_io import check, model_of

INFERENCE = {name: case for name, case in CASES.items() if "inference" in case["tags"]}


def entry(case: dict[str, Any], quantity: str) -> dict[str, Any] | None:
    return next((e for e in case["expected"] if e["quantity"] == quantity), None)


def numbers(values: Any) -> np.ndarray:
    return np.array(values, dtype=float)


def test_there_are_cases() -> None:
    assert len(INFERENCE) == 5
    assert sum(entry(case, "mle") is not None for case in INFERENCE.values()) == 4


@pytest.mark.parametrize("name", INFERENCE)
def test_particles_have_the_exact_means_and_standard_deviations(name: str) -> None:
    case = INFERENCE[name]
    mean, sd = entry(case, "posterior_mean"), entry(case, "posterior_sd")
    assert mean is not None
    assert sd is not None
    graph = graph_of(model_of(case))
    prior = prior_of(mean["args"]["prior"])
    posterior = SVGD(graph, numbers(mean["args"]["data"]), prior=prior, n_particles=200).fit()
    exact_sd = numbers(sd["value"])
    assert (np.abs(posterior.mean - numbers(mean["value"])) < 0.1 * exact_sd).all()
    np.testing.assert_allclose(posterior.sd, exact_sd, rtol=0.1)
    quantile = entry(case, "posterior_quantile")
    if quantile is not None:
        found = posterior.quantile(numbers(quantile["args"]["p"]))[:, 0]
        assert (np.abs(found - numbers(quantile["value"])) < 0.2 * exact_sd).all()


@pytest.mark.parametrize("name", [n for n, case in INFERENCE.items() if entry(case, "mle")])
def test_maximum_likelihood_is_exact(name: str) -> None:
    case = INFERENCE[name]
    mle, value = entry(case, "mle"), entry(case, "max_loglik")
    assert mle is not None
    found = maximum_likelihood(graph_of(model_of(case)), numbers(mle["args"]["data"]))
    np.testing.assert_allclose(found.theta, numbers(mle["value"]), rtol=1e-8)
    assert value is None or check(value, [found.value]) <= 1


@pytest.mark.parametrize("name", INFERENCE)
def test_the_log_posterior_is_the_exact_one(name: str) -> None:
    case = INFERENCE[name]
    asked = [e for e in case["expected"] if e["quantity"] == "log_posterior_unnormalised"]
    for expected in asked:
        args = expected["args"]
        target = log_posterior(
            graph_of(model_of(case)), numbers(args["data"]), prior=prior_of(args["prior"])
        )
        theta = numbers(args["theta"])
        found = target.likelihood(theta) + target.parameters.log_prior(theta)
        assert check(expected, [float(found)]) <= 1
    assert asked or name in ("inf-geom-01", "inf-hyperexp-01")
