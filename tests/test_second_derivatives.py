"""Hessians of hazards, quantiles, logarithms of probabilities close to 1 and of intervals, against
closed forms and a dense oracle of 40 digits that differentiates by differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from phasic import Graph, NumericError

DIGITS = 50
STEP = mp.mpf(10) ** -12
THETA = (1.5, 0.75)


@pytest.fixture(autouse=True)
def digits() -> Any:
    with mp.workdps(DIGITS):
        yield


def cycle() -> Graph:
    """Two vertices that change into each other, with rates that are no multiples of theta and a
    start that depends on it."""
    graph = Graph(state_length=1)
    one, two, end = (graph.find_or_create_vertex([k]) for k in (1, 2, 3))
    graph.starting_vertex().add_edge(one, [1.0, 0.0])
    graph.starting_vertex().add_edge(two, 1.0)
    one.add_edge_parameterized(two, 0.0, [0.5, 1.0])
    two.add_edge(one, [1.0, 0.0])
    two.add_edge(end, [0.0, 1.0])
    one.add_edge(end, 0.25)
    return graph


def survival(x: Any, y: Any, t: Any) -> Any:
    s = mp.matrix([[-(x / 2 + y + mp.mpf(1) / 4), x / 2 + y], [x, -(x + y)]])
    row = mp.matrix([[x / (x + 1), 1 / (x + 1)]]) * mp.expm(s * t)
    return row[0] + row[1]


def density(x: Any, y: Any, t: Any) -> Any:
    s = mp.matrix([[-(x / 2 + y + mp.mpf(1) / 4), x / 2 + y], [x, -(x + y)]])
    row = mp.matrix([[x / (x + 1), 1 / (x + 1)]]) * mp.expm(s * t)
    return row[0] / 4 + row[1] * y


def derivatives(function: Callable[..., Any], theta: tuple[float, float]) -> tuple[Any, Any]:
    """(2,) and (2, 2)."""
    at = tuple(mp.mpf(x) for x in theta)
    slope = [mp.diff(function, at, n, h=STEP) for n in ((1, 0), (0, 1))]
    second = [mp.diff(function, at, n, h=STEP) for n in ((2, 0), (1, 1), (0, 2))]
    return np.array(slope, float), np.array([second[:2], second[1:]], float)


def assert_close(found: np.ndarray, exact: np.ndarray, rtol: float) -> None:
    np.testing.assert_allclose(found, exact, rtol=rtol, atol=rtol * np.abs(exact).max())


@pytest.mark.parametrize("t", [0.0, 0.25, 1.5, 12.0])
def test_hazard(t: float) -> None:
    value, slope, curvature = cycle().at(THETA).hazard(t, hessian=True)

    def exact(x: Any, y: Any) -> Any:
        return density(x, y, t) / survival(x, y, t)

    gradient, hessian = derivatives(exact, THETA)
    assert value == pytest.approx(float(exact(*map(mp.mpf, THETA))), rel=1e-12)
    assert_close(slope, gradient, 1e-11)
    assert_close(curvature, hessian, 1e-10)


def test_hazard_of_steps() -> None:
    """Of two geometric numbers in a row."""
    graph = Graph(state_length=1, discrete=True)
    one, two, end = (graph.find_or_create_vertex([k]) for k in (1, 2, 3))
    graph.starting_vertex().add_edge(one, 1.0)
    one.add_edge(two, [1.0])
    two.add_edge(end, [1.0])
    value, slope, curvature = graph.at([0.25]).hazard([1, 2, 5], hessian=True)
    for i, k in enumerate((1, 2, 5)):

        def exact(p: Any, k: int = k) -> Any:
            pmf = (k - 1) * p**2 * (1 - p) ** (k - 2)
            left = (1 - p) ** (k - 1) + (k - 1) * p * (1 - p) ** (k - 2)
            return pmf / left

        p = mp.mpf(0.25)
        assert value[i] == pytest.approx(float(exact(p)), rel=1e-13, abs=1e-300)
        assert slope[i, 0] == pytest.approx(float(mp.diff(exact, p)), rel=1e-11, abs=1e-30)
        assert curvature[i, 0, 0] == pytest.approx(float(mp.diff(exact, p, 2)), rel=1e-10, abs=1e-9)


@pytest.mark.parametrize("method", ["auto", "uniformise", "contour"])
def test_quantiles(method: str) -> None:
    p = [1e-6, 0.1, 0.5, 0.9, 1 - 2.0**-30]
    values, slopes, curvatures = cycle().at(THETA).quantile(p, hessian=True, method=method)
    for k, probability in enumerate(p):

        def exact(x: Any, y: Any, p: float = probability, near: float = values[k]) -> Any:
            left = 1 - mp.mpf(p)
            return mp.findroot(lambda t: mp.log(survival(x, y, t) / left), near, tol=1e-90)

        gradient, hessian = derivatives(exact, THETA)
        assert values[k] == pytest.approx(float(exact(*map(mp.mpf, THETA))), rel=1e-11)
        assert_close(slopes[k], gradient, 1e-10)
        assert_close(curvatures[k], hessian, 1e-9)


def test_quantiles_of_rewards() -> None:
    """Two for each time unit in the first vertex, none in the second: exponential with an atom."""
    p = 0.75
    at = cycle().at(THETA)
    value, slope, curvature = at.quantile(p, rewards=[0, 2, 0, 0], hessian=True)

    def exact(x: Any, y: Any) -> Any:
        back = x / (x + y)
        rate = (mp.mpf(1) / 4 + (x / 2 + y) * (1 - back)) / 2
        share = (x + back) / (x + 1)
        return mp.log(share / (1 - mp.mpf(p))) / rate

    gradient, hessian = derivatives(exact, THETA)
    assert value == pytest.approx(float(exact(*map(mp.mpf, THETA))), rel=1e-12)
    assert_close(slope, gradient, 1e-11)
    assert_close(curvature, hessian, 1e-10)


def test_quantiles_at_the_edges_have_no_derivatives() -> None:
    _, slope, curvature = cycle().at(THETA).quantile([0.0, 1.0], hessian=True)
    assert not slope.any()
    assert not curvature.any()


def test_a_quantile_of_steps_has_no_derivatives() -> None:
    graph = Graph.from_matrices([1.0], [[0.5]], discrete=True)
    for order in ("gradient", "hessian"):
        with pytest.raises(NumericError, match="whole number") as caught:
            graph.at().quantile(0.5, **{order: True})
        assert caught.value.code == "NOT_DIFFERENTIABLE"


def test_a_quantile_whose_hessian_has_no_digits_is_refused() -> None:
    graph = Graph(state_length=1)
    one, two, end = (graph.find_or_create_vertex([k]) for k in (1, 2, 3))
    graph.starting_vertex().add_edge(one, 1.0)
    one.add_edge(two, [1.0, 0.0])
    two.add_edge(one, [2.0, 0.0])
    two.add_edge(end, [0.0, 1.0])
    at = graph.at([1e9, 1.0])
    value, slope = at.quantile(0.5, gradient=True, tolerance=1e-3)
    assert slope[1] == pytest.approx(-value, rel=1e-6)
    with pytest.raises(NumericError, match="fastest rate is 2e\\+09") as caught:
        at.quantile(0.5, hessian=True, tolerance=1e-3)
    assert caught.value.code == "NO_DIGITS"


@pytest.mark.parametrize("t", [30.0, 200.0])
def test_log_cdf_close_to_0(t: float) -> None:
    value, slope, curvature = cycle().at(THETA).logcdf(t, hessian=True)

    def exact(x: Any, y: Any) -> Any:
        return mp.log1p(-survival(x, y, t))

    with mp.workdps(150):
        gradient, hessian = derivatives(exact, THETA)
        assert value == pytest.approx(float(exact(*map(mp.mpf, THETA))), rel=1e-11)
    assert_close(slope, gradient, 1e-10)
    assert_close(curvature, hessian, 1e-9)


def test_log_sf_close_to_0() -> None:
    t = 1e-9
    value, slope, curvature = cycle().at(THETA).logsf(t, hessian=True)
    gradient, hessian = derivatives(lambda x, y: mp.log(survival(x, y, t)), THETA)
    assert value == pytest.approx(float(mp.log(survival(*map(mp.mpf, THETA), t))), rel=1e-12)
    assert_close(slope, gradient, 1e-11)
    assert_close(curvature, hessian, 1e-9)


@pytest.mark.parametrize("interval", [(0.0, 0.5), (0.5, 0.75), (6.0, 7.0), (2.0, np.inf)])
def test_likelihood_of_an_interval(interval: tuple[float, float]) -> None:
    begin, end = interval
    data = {"intervals": [interval], "right_censored": [1.0]}
    value, slope, curvature = cycle().at(THETA).loglik([], hessian=True, **data)

    def exact(x: Any, y: Any) -> Any:
        late = survival(x, y, end) if np.isfinite(end) else 0
        return mp.log(survival(x, y, begin) - late) + mp.log(survival(x, y, 1))

    gradient, hessian = derivatives(exact, THETA)
    assert value == pytest.approx(float(exact(*map(mp.mpf, THETA))), rel=1e-11)
    assert_close(slope, gradient, 1e-10)
    assert_close(curvature, hessian, 1e-9)


def test_the_limit_of_one_end_has_no_hessian() -> None:
    at = cycle().at(THETA)
    with pytest.raises(NumericError, match="infinite time") as caught:
        at.sub_cdf(np.inf, 3, hessian=True)
    assert caught.value.code == "NOT_DIFFERENTIABLE"
    _, slope, curvature = at.cdf(np.inf, hessian=True)
    assert not slope.any()
    assert not curvature.any()
