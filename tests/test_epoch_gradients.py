"""Derivatives under piecewise-constant theta against a dense oracle of 40 digits.

The oracle multiplies matrix exponentials and differentiates by differences of 1e-12 in arithmetic
that has digits to spare; it shares nothing with the engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from phasic import Distribution, Graph, NumericError

DIGITS = 40
METHODS = ("auto", "uniformise", "contour", "dense")


class Mixed:
    """Two vertices that change into each other and two ends; the start depends on theta too."""

    def __init__(self, changes: list[float], thetas: list[list[float]], fast: float = 2.0) -> None:
        self.changes, self.fast = changes, fast
        self.thetas = [[mp.mpf(x) for x in theta] for theta in thetas]
        graph = Graph(state_length=1)
        one, two, left, right = (graph.find_or_create_vertex([k]) for k in (1, 2, 3, 4))
        start = graph.starting_vertex()
        start.add_edge(one, [1.0, 0.0])
        start.add_edge(two, [0.0, 0.5])
        start.add_edge(left, 0.25)
        one.add_edge(two, [1.0, 0.25])
        one.add_edge(right, [0.0, 0.75])
        two.add_edge(one, [0.0, fast])
        two.add_edge(left, 0.125)
        two.add_edge_parameterized(right, 0.25, [0.5, 0.0])
        epochs = list(zip(changes, thetas[1:], strict=True))
        self.at: Any = graph.at(thetas[0], epochs=epochs)

    def generator(self, theta: list[Any]) -> Any:
        matrix = mp.zeros(4, 4)
        rates = {
            (0, 1): theta[0] + theta[1] / 4,
            (0, 3): 3 * theta[1] / 4,
            (1, 0): self.fast * theta[1],
            (1, 2): mp.mpf(1) / 8,
            (1, 3): mp.mpf(1) / 4 + theta[0] / 2,
        }
        for (i, j), rate in rates.items():
            matrix[i, j] += rate
            matrix[i, i] -= rate
        return matrix

    def where(self, thetas: list[list[Any]], t: float) -> Any:
        """Probabilities of the four vertices at t."""
        weights = [thetas[0][0], thetas[0][1] / 2, mp.mpf(1) / 4, mp.mpf(0)]
        row = mp.matrix([[w / sum(weights) for w in weights]])
        begin = mp.mpf(0)
        for theta, end in zip(thetas, [*self.changes, math.inf], strict=True):
            end = min(mp.mpf(t), mp.mpf(end))
            if end > begin:
                row = row * self.transitions(tuple(theta), end - begin)
                begin = end
        return row

    @cache  # noqa: B019
    def transitions(self, theta: tuple[Any, ...], length: Any) -> Any:
        with mp.workdps(DIGITS):
            return mp.expm(self.generator(list(theta)) * length)

    def spent(self, thetas: list[list[Any]], t: float) -> Any:
        """Expected time in the first two vertices until t."""
        times = [0.0, *(change for change in self.changes if change < t), t]
        total = mp.zeros(1, 2)
        for theta, begin, end in zip(thetas, times, times[1:], strict=False):
            moved = (self.where(thetas, end) - self.where(thetas, begin))[0, :2]
            total += moved * mp.inverse(self.generator(theta)[:2, :2])
        return total

    def pdf(self, thetas: list[list[Any]], t: float) -> Any:
        epoch = sum(t > change for change in self.changes)
        flow = self.where(thetas, t) * self.generator(thetas[epoch])
        return flow[2] + flow[3]

    def cdf(self, thetas: list[list[Any]], t: float) -> Any:
        where = self.where(thetas, t)
        return where[2] + where[3]

    def sf(self, thetas: list[list[Any]], t: float) -> Any:
        where = self.where(thetas, t)
        return where[0] + where[1]

    def sub_cdf(self, thetas: list[list[Any]], t: float) -> Any:
        return self.where(thetas, t)[2]

    def gradient(self, function: Callable[..., Any], t: float) -> np.ndarray:
        """By the theta of each epoch, one-sided where it is 0."""
        slope = np.zeros((len(self.thetas), 2))
        for epoch, theta in enumerate(self.thetas):
            for p, value in enumerate(theta):

                def moved(x: Any, epoch: int = epoch, p: int = p) -> Any:
                    thetas = [list(row) for row in self.thetas]
                    thetas[epoch][p] = x
                    return function(thetas, t)

                side = 1 if value == 0 else 0
                slope[epoch, p] = mp.diff(moved, value, h=mp.mpf(10) ** -14, direction=side)
        return slope


@pytest.fixture(autouse=True)
def digits() -> Any:
    with mp.workdps(DIGITS):
        yield


def assert_slopes(found: np.ndarray, exact: np.ndarray, rtol: float = 1e-11) -> None:
    np.testing.assert_allclose(found, exact, rtol=rtol, atol=rtol * np.abs(exact).max())


@cache
def three() -> Mixed:
    return Mixed([0.75, 1.5], [[1.0, 2.0], [0.5, 3.0], [2.5, 0.25]])


@pytest.mark.parametrize("method", METHODS)
def test_gradients_of_the_functions_of_time(method: str) -> None:
    model = three()
    for t in (0.25, 0.75, 1.25, 2.0, 6.0):
        for name in ("pdf", "cdf", "sf", "sub_cdf"):
            end = [3] if name == "sub_cdf" else []
            value, slope = getattr(model.at, name)(t, *end, gradient=True, method=method)
            function = getattr(model, name)
            assert value == pytest.approx(float(function(model.thetas, t)), rel=1e-13)
            assert slope.shape == (3, 2)
            assert_slopes(slope, model.gradient(function, t))
            after = sum(t > change for change in model.changes) + 1
            assert not slope[after:].any()


def test_gradients_of_logarithms_and_the_hazard() -> None:
    model = three()
    times = np.array([0.5, 1.0, 3.0])
    for name, of in (("logpdf", model.pdf), ("logcdf", model.cdf), ("logsf", model.sf)):
        value, slope = getattr(model.at, name)(times, gradient=True)
        assert slope.shape == (3, 3, 2)
        for k, t in enumerate(times.tolist()):
            exact = of(model.thetas, t)
            assert value[k] == pytest.approx(float(mp.log(exact)), rel=1e-13)
            assert_slopes(slope[k], model.gradient(of, t) / float(exact))
    _, slope = model.at.hazard(2.0, gradient=True)
    assert_slopes(slope, model.gradient(lambda th, t: model.pdf(th, t) / model.sf(th, t), 2.0))


def test_gradients_of_quantiles() -> None:
    model = three()
    value, slope = model.at.quantile([0.0, 0.4, 0.6, 0.99], gradient=True)
    assert slope.shape == (4, 3, 2)
    assert value[0] == 0
    assert not slope[0].any()
    for t, found in zip(value[1:].tolist(), slope[1:], strict=True):
        density = float(model.pdf(model.thetas, t))
        assert_slopes(found, -model.gradient(model.cdf, t) / density)


def test_gradient_of_a_likelihood() -> None:
    model = three()
    data = {"right_censored": [1.0], "intervals": [(0.25, 2.0)]}
    value, slope = model.at.loglik([0.5, 1.75], [2, 1], gradient=True, **data)

    def exact(thetas: list[list[Any]], _: float) -> Any:
        between = model.cdf(thetas, 2.0) - model.cdf(thetas, 0.25)
        parts = [model.pdf(thetas, 0.5)] * 2 + [model.pdf(thetas, 1.75), model.sf(thetas, 1.0)]
        return sum(mp.log(part) for part in [*parts, between])

    assert value == pytest.approx(float(exact(model.thetas, 0.0)), rel=1e-13)
    assert_slopes(slope, model.gradient(exact, 0.0))
    assert model.at.loglik([0.5, 1.75], [2, 1], **data) == pytest.approx(value, rel=1e-14)


def test_gradients_of_occupation() -> None:
    model = three()
    value, slope = model.at.state_probability([0.5, 2.0], gradient=True)
    assert slope.shape == (2, 5, 3, 2)
    np.testing.assert_array_equal(value, model.at.state_probability([0.5, 2.0]))
    for k, t in enumerate((0.5, 2.0)):
        for v in range(4):
            exact = model.gradient(lambda th, t, v=v: model.where(th, t)[v], t)
            assert_slopes(slope[k, v + 1], exact)
    spent, slope = model.at.accumulated_visiting_time(2.0, gradient=True)
    np.testing.assert_array_equal(spent, model.at.accumulated_visiting_time(2.0))

    for v in range(2):
        assert spent[v + 1] == pytest.approx(float(model.spent(model.thetas, 2.0)[v]), rel=1e-13)
        exact = model.gradient(lambda th, t, v=v: model.spent(th, t)[v], 2.0)
        assert_slopes(slope[v + 1], exact)


@pytest.mark.parametrize("method", ["auto", "uniformise", "dense"])
def test_parameters_that_are_0(method: str) -> None:
    """An epoch without a way between the two vertices, one whose start is never entered."""
    model = Mixed([0.5, 1.0], [[0.0, 1.0], [1.0, 0.0], [0.0, 2.0]])
    for t in (0.25, 0.75, 3.0):
        for name in ("pdf", "cdf", "sub_cdf"):
            end = [3] if name == "sub_cdf" else []
            _, slope = getattr(model.at, name)(t, *end, gradient=True, method=method)
            assert_slopes(slope, model.gradient(getattr(model, name), t))


def test_an_epoch_in_which_nothing_happens() -> None:
    graph = Graph(state_length=1)
    working, failed = (graph.find_or_create_vertex([k]) for k in (1, 0))
    graph.starting_vertex().add_edge(working, 1.0)
    working.add_edge(failed, [1.0])
    at = graph.at([1.0], epochs=[(1.0, [0.0]), (2.0, [3.0])])
    # f(1.5) = theta_1 exp(-theta_0 - theta_1 / 2)
    value, slope = at.pdf(1.5, gradient=True)
    assert value == 0
    np.testing.assert_allclose(slope[:, 0], [0.0, math.exp(-1), 0.0], rtol=1e-14)
    _, slope = at.hazard(1.5, gradient=True)
    np.testing.assert_allclose(slope[:, 0], [0.0, 1.0, 0.0], rtol=1e-14)
    _, slope = at.logsf(2.5, gradient=True)
    np.testing.assert_allclose(slope[:, 0], [-1.0, -1.0, -0.5], rtol=1e-13)


def test_fast_and_slow_rates_in_turn() -> None:
    """The two vertices change into each other 3e6 times as fast as they end."""
    model = Mixed([1.0, 1.5], [[2.0, 1e-3], [1.0, 1.0], [1e-3, 0.5]], fast=3e6)
    for t in (0.75, 1.25, 4.0):
        for name in ("pdf", "cdf"):
            _, slope = getattr(model.at, name)(t, gradient=True)
            assert_slopes(slope, model.gradient(getattr(model, name), t), rtol=1e-9)


def test_epochs_of_no_length_count_for_nothing() -> None:
    model = Mixed([0.0, 1.0, 1.0], [[1.0, 2.0], [0.5, 3.0], [9.0, 9.0], [2.0, 1.0]])
    _, slope = model.at.cdf(2.0, gradient=True)
    assert slope.shape == (4, 2)
    assert slope[0].any()  # the start is entered at the first theta
    assert not slope[2].any()
    assert_slopes(slope, model.gradient(model.cdf, 2.0))
    assert model.at.pdf(0.0) == pytest.approx(model.at.pdf(1e-9), rel=1e-8)


def test_one_epoch_has_the_gradients_of_its_distribution() -> None:
    graph = three().at
    plain = type(graph)(graph.trace, [1.0, 2.0], [])
    alone = Distribution(graph.trace, [1.0, 2.0])
    times = [0.0, 0.5, 2.0, math.inf]
    for name in ("pdf", "cdf", "logsf"):
        value, slope = getattr(plain, name)(times, gradient=True)
        expected, gradient = getattr(alone, name)(times, gradient=True)
        np.testing.assert_allclose(value, expected, rtol=1e-12)
        np.testing.assert_allclose(slope[:, 0], gradient, rtol=1e-11, atol=1e-15)


def test_the_limit_of_one_end() -> None:
    model = three()
    value, slope = model.at.sub_cdf(math.inf, 3, gradient=True)
    assert value == pytest.approx(float(model.sub_cdf(model.thetas, 90.0)), rel=1e-12)
    assert_slopes(slope, model.gradient(model.sub_cdf, 90.0), rtol=1e-10)


def test_hessians_are_refused() -> None:
    at = three().at
    for ask in (
        lambda: at.pdf(1.0, hessian=True),
        lambda: at.quantile(0.6, hessian=True),
        lambda: at.loglik([1.0], hessian=True),
    ):
        with pytest.raises(NumericError, match="no Hessians") as caught:
            ask()
        assert caught.value.code == "NOT_DIFFERENTIABLE"
        assert caught.value.hint


def test_a_start_that_is_absorbed_at_theta_alone() -> None:
    """Of the weights into the working vertex and into the end, the first is 0 at theta."""
    graph = Graph(state_length=1)
    working, failed = (graph.find_or_create_vertex([k]) for k in (1, 2))
    graph.starting_vertex().add_edge(working, [1.0])
    graph.starting_vertex().add_edge(failed, 1.0)
    working.add_edge(failed, 2.0)
    at = graph.at([0.0], epochs=[(0.5, [3.0])])
    for t in (0.25, 1.0):
        value, slope = at.sf(t, gradient=True)
        assert value == 0
        np.testing.assert_allclose(slope[:, 0], [math.exp(-2 * t), 0.0], rtol=1e-13)
        value, slope = at.cdf(t, gradient=True)
        assert value == 1
        np.testing.assert_allclose(slope[:, 0], [-math.exp(-2 * t), 0.0], rtol=1e-13)
        _, slope = at.state_probability(t, gradient=True)
        np.testing.assert_allclose(slope[1, :, 0], [math.exp(-2 * t), 0.0], rtol=1e-13)


@cache
def collecting(rewards: tuple[float, float], theta: tuple[Any, ...], length: Any) -> Any:
    """The row (P(X = v), E[Y; X = v], E[Y²; X = v] / 2) of three vertices, the ends together, moves
    by exp of [[S, R, 0], [0, S, R], [0, 0, S]]."""
    s = three().generator(list(theta))[:3, :3]
    for v in range(2):
        s[v, 2] = -s[v, 0] - s[v, 1]
    block = mp.zeros(9, 9)
    for k in range(3):
        block[3 * k : 3 * k + 3, 3 * k : 3 * k + 3] = s
        for v in range(2 if k < 2 else 0):
            block[3 * k + v, 3 * k + 3 + v] = rewards[v]
    return mp.expm(block * length)


@pytest.mark.parametrize("rewards", [(1.0, 1.0), (0.5, 3.0), (0.0, 2.0)])
def test_gradients_of_moments(rewards: tuple[float, float]) -> None:
    model = three()

    def moment(k: int) -> Callable[..., Any]:
        def exact(thetas: list[list[Any]], _: float) -> Any:
            weights = [thetas[0][0], thetas[0][1] / 2, mp.mpf(1) / 4]
            row = mp.matrix([[*(w / sum(weights) for w in weights), *[0] * 6]])
            times = [0.0, *model.changes, 120.0]
            for theta, begin, end in zip(thetas, times, times[1:], strict=False):
                row = row * collecting(rewards, tuple(theta), end - begin)
            return math.factorial(k) * sum(row[3 * k : 3 * k + 3])

        return exact

    first, second = (float(moment(k)(model.thetas, 0.0)) for k in (1, 2))
    slopes = [model.gradient(moment(k), 0.0) for k in (1, 2)]
    row = [0.0, *rewards, 0.0, 0.0]
    values, found = model.at.moments(2, row, gradient=True)
    np.testing.assert_allclose(values, [first, second], rtol=1e-12)
    np.testing.assert_array_equal(values, model.at.moments(2, row))
    assert found.shape == (2, 3, 2)
    for k in range(2):
        assert_slopes(found[k], slopes[k])
    value, slope = model.at.mean(row, gradient=True)
    assert value == values[0]
    np.testing.assert_array_equal(slope, found[0])
    of_variance = slopes[1] - 2 * first * slopes[0]
    value, slope = model.at.variance(row, gradient=True)
    assert value == pytest.approx(second - first**2, rel=1e-11)
    assert_slopes(slope, of_variance)
    value, slope = model.at.std(row, gradient=True)
    assert_slopes(slope, of_variance / (2 * math.sqrt(second - first**2)))
    # of one reward and twice it
    rows = np.array([row, row]) * [[1.0], [2.0]]
    value, slope = model.at.covariance_matrix(rows, gradient=True)
    assert slope.shape == (2, 2, 3, 2)
    for i, j in ((0, 0), (0, 1), (1, 1)):
        assert_slopes(slope[i, j], 2 ** (i + j) * of_variance, 1e-10)
    value, slope = model.at.covariance(*rows, gradient=True)
    assert_slopes(slope, 2 * of_variance, 1e-10)
    value, slope = model.at.mean_vector(rows, gradient=True)
    assert_slopes(slope[1], 2 * slopes[0])


def test_what_does_not_vary_has_no_derivative_of_its_deviation() -> None:
    with pytest.raises(NumericError, match="does not vary"):
        three().at.std(np.zeros(5), gradient=True)
