"""Derivatives where the value itself is 0 at theta, for the sake of a parameter that is 0 there."""

from __future__ import annotations

import math

import numpy as np
import pytest

from phasic import Graph, NumericError, PhasicWarning


def forked() -> Graph:
    """1 goes to 2 at theta[0], to 4 (an end) at theta[1]; 2 ends in 3 at theta[1]."""
    graph = Graph(state_length=1)
    one, two, three, four = (graph.find_or_create_vertex([k]) for k in (1, 2, 3, 4))
    graph.starting_vertex().add_edge(one, 1.0)
    one.add_edge(two, [1.0, 0.0])
    one.add_edge(four, [0.0, 1.0])
    two.add_edge(three, [0.0, 1.0])
    return graph


@pytest.mark.parametrize("method", ["auto", "uniformise", "dense"])
def test_an_end_that_is_not_reached_at_theta(method: str) -> None:
    # a / (a + b) paths through 2; at a = 0 the derivative in a is that of a b t e^{-bt} integrated.
    b = 2.0
    times = np.array([1e-3, 0.5, 3.0, 40.0])
    at = forked().at([0.0, b])
    value, slope = at.sub_cdf(times, 3, gradient=True, method=method)
    assert not value.any()
    exact = [1 / b - math.exp(-b * t) / b - t * math.exp(-b * t) for t in times.tolist()]
    exact[0] = b * 1e-6 / 2 * (1 - 2 * b * 1e-3 / 3 + b**2 * 1e-6 / 4)
    np.testing.assert_allclose(slope[:, 0], exact, rtol=1e-8)
    np.testing.assert_allclose(slope[1:, 0], exact[1:], rtol=1e-13)
    np.testing.assert_array_equal(slope[:, 1], 0)


def test_its_limit() -> None:
    at = forked().at([0.0, 2.0])
    for vertex, sign in ((3, 1), (4, -1)):
        _, slope = at.sub_cdf([0.0, math.inf], vertex, gradient=True)
        np.testing.assert_allclose(slope, [[0, 0], [sign * 0.5, 0]], atol=1e-15)


def test_contours_say_nothing() -> None:
    with pytest.raises(NumericError) as caught:
        forked().at([0.0, 2.0]).sub_cdf(0.5, 3, gradient=True, method="contour")
    assert caught.value.code == "DENSITY_REFUSED"
    assert forked().at([0.0, 2.0]).sub_cdf(0.5, 3, method="contour") == 0


@pytest.mark.parametrize("method", ["auto", "uniformise", "dense"])
def test_a_number_of_steps_that_is_impossible_at_theta(method: str) -> None:
    graph = Graph(state_length=1, discrete=True)
    one, two, end = (graph.find_or_create_vertex([k]) for k in (1, 2, 3))
    graph.starting_vertex().add_edge(one, 1.0)
    one.add_edge(end, [1.0, 0.0])
    one.add_edge(two, 0.5)
    two.add_edge(end, [0.0, 1.0])
    at = graph.at([0.0, 0.25])
    value, slope = at.pmf([0, 1, 2, 3], gradient=True, method=method)
    # P(T = 1) = a; P(T = 2) = (1/2 - a) a + b / 2
    np.testing.assert_allclose(value, [0, 0, 0.125, 0.15625], rtol=1e-14)
    np.testing.assert_allclose(slope[:3], [[0, 0], [1, 0], [0.5, 0.5]], rtol=1e-14)
    _, slope = at.cdf([1], gradient=True, method=method)
    np.testing.assert_allclose(slope, [[1, 0]], rtol=1e-14)
    _, slope, curvature = at.hazard([1, 2], hessian=True)
    # P(T = 2 | T >= 2) = ((1/2 - a) a + b / 2) / (1 - a)
    np.testing.assert_allclose(slope, [[1, 0], [0.625, 0.5]], rtol=1e-13)
    np.testing.assert_allclose(
        curvature, [[[0, 0], [0, 0]], [[-0.75, 0.5], [0.5, 0]]], rtol=1e-13, atol=1e-15
    )


def entered() -> Graph:
    """The end at once, with weight 1, or after a stay, with weight theta."""
    graph = Graph(state_length=1)
    one, end = (graph.find_or_create_vertex([k]) for k in (1, 2))
    graph.starting_vertex().add_edge(one, [1.0])
    graph.starting_vertex().add_edge(end, 1.0)
    one.add_edge(end, 2.0)
    return graph


def test_a_start_that_is_absorbed_at_theta_alone() -> None:
    at = entered().at([0.0])
    times = np.array([0.0, 0.75, 5.0])
    left = np.exp(-2 * times)
    for name, value, slope in (("pdf", 0, 2 * left), ("sf", 0, left), ("cdf", 1, -left)):
        found, gradient = getattr(at, name)(times, gradient=True)
        np.testing.assert_array_equal(found, value)
        np.testing.assert_allclose(gradient[:, 0], slope, rtol=1e-14, atol=1e-15)
    # sf = theta / (1 + theta) exp(-2 t)
    _, _, curvature = at.sf(times, hessian=True)
    np.testing.assert_allclose(curvature[:, 0, 0], -2 * left, rtol=1e-14)
    _, gradient = at.logcdf(times, gradient=True)
    np.testing.assert_allclose(gradient[:, 0], -left, rtol=1e-14)
    _, gradient = at.state_probability(times, gradient=True)
    np.testing.assert_allclose(gradient[:, 1, 0], left, rtol=1e-14)
    _, gradient = at.accumulated_visiting_time(times, gradient=True)
    np.testing.assert_allclose(gradient[:, 1, 0], (1 - left) / 2, rtol=1e-13)
    with pytest.raises(NumericError):
        at.sf(times[1:], gradient=True, method="dense")


def test_the_logarithm_of_0_has_derivatives_of_0() -> None:
    value, slope = entered().at([0.0]).logsf([1.0], gradient=True)
    assert value == -math.inf
    assert slope == 0
    value, slope = entered().at([0.0]).loglik([1.0], gradient=True)
    assert value == -math.inf
    assert slope.tolist() == [0.0]


def test_the_limit_of_an_improper_time() -> None:
    graph = Graph(state_length=1, improper=True)
    begin, end, trap, other = (graph.find_or_create_vertex([k]) for k in (0, 1, 2, 3))
    graph.starting_vertex().add_edge(begin, 1.0)
    begin.add_edge(end, [1.0])
    begin.add_edge(trap, 3.0)
    trap.add_edge(other, 1.0)
    other.add_edge(trap, 1.0)
    with pytest.warns(PhasicWarning, match="absorption"):
        at = graph.at([1.0])
    value, slope = at.cdf([math.inf], gradient=True)
    assert value == pytest.approx(0.25)
    assert slope[0, 0] == pytest.approx(3 / 16, rel=1e-14)
    value, slope = at.sf([math.inf], gradient=True)
    assert value == pytest.approx(0.75)
    assert slope[0, 0] == pytest.approx(-3 / 16, rel=1e-14)
    _, slope = at.loglik([], right_censored=[math.inf], gradient=True)
    assert slope[0] == pytest.approx(-0.25, rel=1e-14)


@pytest.mark.parametrize("theta", [0.0, 1e-30])
@pytest.mark.parametrize("method", ["auto", "uniformise", "dense"])
def test_what_opens_a_slower_way(method: str, theta: float) -> None:
    """The density falls like exp(-100 t), its derivative like exp(-t)."""
    graph = Graph(state_length=1)
    fast, slow, end = (graph.find_or_create_vertex([k]) for k in (1, 2, 3))
    graph.starting_vertex().add_edge(fast, 1.0)
    fast.add_edge(end, 100.0)
    fast.add_edge(slow, [1.0])
    slow.add_edge(end, 1.0)
    at = graph.at([theta])
    for t in (0.5, 2.0, 3.0):
        # a = theta, s = 99 + a: f = 100 e^{-(100 + a) t} + a (e^{-t} - e^{-(100 + a) t}) / s
        gone, left = math.exp(-100 * t), math.exp(-t)
        value, slope = at.pdf(t, gradient=True, method=method)
        assert value == pytest.approx(100 * gone + theta * left / 99, rel=1e-11)
        assert slope[0] == pytest.approx((left - gone) / 99 - 100 * t * gone, rel=1e-12)
        where, slope = at.state_probability(t, gradient=True)
        assert where[1] == pytest.approx(gone, rel=1e-12)
        assert slope[2, 0] == pytest.approx((left - gone) / 99, rel=1e-12)
        _, slope = at.accumulated_visiting_time(t, gradient=True)
        exact = (1 - left) / 99 - (1 - gone) / 9900
        assert slope[2, 0] == pytest.approx(exact, rel=1e-12)


def test_derivatives_beyond_the_range_of_double_are_refused() -> None:
    graph = Graph(state_length=1)
    fast, slow, end = (graph.find_or_create_vertex([k]) for k in (1, 2, 3))
    graph.starting_vertex().add_edge(fast, 1.0)
    fast.add_edge(end, 100.0)
    fast.add_edge(slow, [1.0])
    slow.add_edge(end, 1.0)
    with pytest.raises(NumericError) as caught:
        graph.at([0.0]).logpdf(30.0, gradient=True)
    assert caught.value.code == "DENSITY_REFUSED"
    assert graph.at([0.0]).logpdf(30.0) == pytest.approx(math.log(100) - 3000, rel=1e-13)


def test_no_hazard_of_what_has_ended_at_theta() -> None:
    with pytest.raises(NumericError) as raised:
        entered().at([0.0]).hazard([1.0], gradient=True)
    assert raised.value.code == "HAZARD_UNDEFINED"
