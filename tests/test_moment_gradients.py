"""Gradients of central, standardised and factorial moments, of defects and of what is by vertex:
against exact rationals on random models, and against closed forms where digits are hard to keep."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines import Distributions, with_start
from phasic import Graph, NumericError
from reference.exact import Dual, Oracle
from reference.model import Model
from strategies import continuous_models, discrete_models, rewards_for
from test_exact import representable, sensitivity, slope_of

ORDER = 4
random_models = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def central(raw: list[Dual]) -> list[Dual]:
    """Moments about the mean from those about 0, in exact rationals."""
    about_zero = [Dual(Fraction(1)), *raw]
    found = []
    for k in range(1, len(about_zero)):
        total = Dual(Fraction(0))
        for i in range(k + 1):
            power = Dual(Fraction(math.comb(k, i) * (-1) ** (k - i)))
            for _ in range(k - i):
                power = power * raw[0]
            total = total + power * about_zero[i]
        found.append(total)
    return found


def assert_slopes(model: Model, found: Any, exact: Dual, size: float | None = None) -> None:
    """To 1e-12 of each derivative or of what a parameter's own size may change the value by."""
    size = abs(float(exact.value)) if size is None else size
    for p in range(model.n_parameters):
        wanted = float(slope_of(exact, p))
        scale = max(abs(wanted), float(sensitivity(model, p)) * size)
        assert abs(float(found[p]) - wanted) <= 1e-12 * scale


@pytest.mark.parametrize("models", [continuous_models(), discrete_models()], ids=["ctmc", "dtmc"])
class TestRandomModels:
    @random_models
    @given(data=st.data())
    def test_central_moments(self, models: st.SearchStrategy[Model], data: st.DataObject) -> None:
        model = data.draw(models)
        rewards = data.draw(rewards_for(model))
        raw = Oracle(model).moments(2 * ORDER, rewards)
        if not all(map(representable, raw)):
            return
        exact = central(raw)
        row = None if rewards is None else with_start(rewards, model.n_vertices)
        values, slopes = (
            Distributions(model).at(model.theta).central_moments(ORDER, row, gradient=True)
        )
        assert not slopes[0].any()
        for k in range(2, ORDER + 1):
            size = math.sqrt(exact[2 * k - 1].value)  # of |Y - E[Y]|^k, at least its mean
            assert abs(values[k - 1] - float(exact[k - 1].value)) <= 1e-12 * size
            assert_slopes(model, slopes[k - 1], exact[k - 1], size)

    @random_models
    @given(data=st.data())
    def test_by_vertex_and_defect(
        self, models: st.SearchStrategy[Model], data: st.DataObject
    ) -> None:
        model = data.draw(models)
        rewards = data.draw(rewards_for(model))
        oracle, at = Oracle(model), Distributions(model).at(model.theta)
        row = None if rewards is None else with_start(rewards, model.n_vertices)
        by_vertex = oracle.vertex_moments(1, rewards)[1]
        values, slopes = at.expected_waiting_time(row, gradient=True)
        np.testing.assert_array_equal(values, at.expected_waiting_time(row))
        for v, exact in by_vertex.items():
            if representable(exact):
                assert_slopes(model, slopes[v + 1], exact)
        values, slopes = at.expected_sojourn_time(gradient=True)
        np.testing.assert_array_equal(values, at.expected_sojourn_time())
        for v in range(model.n_vertices):
            exact = oracle.sojourn(v)
            if representable(exact):
                assert_slopes(model, slopes[v + 1], exact)
        value, slope = at.defect(row, gradient=True)
        exact = oracle.defect(rewards)
        if representable(exact):
            assert value == pytest.approx(float(exact.value), rel=1e-12)
            assert_slopes(model, slope, exact)


@random_models
@given(data=st.data())
def test_factorial_moments(data: st.DataObject) -> None:
    model = data.draw(discrete_models())
    raw = Oracle(model).moments(3)
    if not all(map(representable, raw)):
        return
    two, three = Dual(Fraction(2)), Dual(Fraction(3))
    exact = [raw[0], raw[1] - raw[0], raw[2] - three * raw[1] + two * raw[0]]
    values, slopes = Distributions(model).at(model.theta).factorial_moments(3, gradient=True)
    for k in range(3):
        # a share that stays is known to an epsilon
        assert abs(values[k] - float(exact[k].value)) <= 1e-12 * float(raw[k].value)
        assert_slopes(model, slopes[k], exact[k], float(raw[k].value))


def stages(n: int, discrete: bool = False) -> Graph:
    """n vertices in a row, each left at theta."""
    graph = Graph(state_length=1, discrete=discrete)
    row = [graph.find_or_create_vertex([k]) for k in range(n + 1)]
    graph.starting_vertex().add_edge(row[0], 1.0)
    for one, following in itertools.pairwise(row):
        one.add_edge(following, [1.0])
    return graph


@pytest.mark.parametrize("theta", [3.0, 1e-30, 1e30])
def test_a_scale_changes_central_moments_alone(theta: float) -> None:
    """The deviation is a twentieth of the mean."""
    at = stages(400).at([theta])
    values, slopes = at.central_moments(4, gradient=True)
    orders = np.arange(1, 5)
    np.testing.assert_allclose(slopes[:, 0], -orders * values / theta, rtol=1e-11)
    for value, slope in (at.skewness(gradient=True), at.kurtosis(gradient=True)):
        assert value > 0
        assert abs(slope[0]) * theta <= 1e-9 * value
    value, slope = at.std(gradient=True)
    assert value == pytest.approx(20 / theta, rel=1e-12)
    assert slope[0] == pytest.approx(-20 / theta / theta, rel=1e-11)
    for mean in (at.mean, at.expectation):
        value, slope = mean(gradient=True)
        assert value == pytest.approx(400 / theta, rel=1e-13)
        assert slope[0] == pytest.approx(-400 / theta / theta, rel=1e-13)


def test_steps_that_hardly_vary() -> None:
    """The mean is 3e4 deviations: a derivative by moments about 0 would have no digit."""
    q, n = 2.0**-20, 300
    at = stages(n, discrete=True).at([1 - q])
    found = [*at.central_moments(4, gradient=True)[1][1:, 0]]
    found += [function(gradient=True)[1][0] for function in (at.skewness, at.kurtosis)]

    def cumulants(p: Any) -> tuple[Any, Any, Any]:
        q = 1 - p
        return n * q / p**2, n * q * (2 - p) / p**3, n * q * (p**2 - 6 * p + 6) / p**4

    def moments(p: Any) -> list[Any]:
        k2, k3, k4 = cumulants(p)
        return [k2, k3, k4 + 3 * k2**2, k3 / k2**1.5, k4 / k2**2]

    with mp.workdps(60):
        p = 1 - mp.mpf(q)
        exact = [float(mp.diff(lambda x, k=k: moments(x)[k], p)) for k in range(5)]
    np.testing.assert_allclose(found, exact, rtol=1e-10)


def test_a_nearly_decomposable_chain() -> None:
    """A pair that turns with theta[0] and ends at theta[1], 1e12 times as slow."""
    graph = Graph(state_length=1)
    one, two, end = (graph.find_or_create_vertex([k]) for k in (1, 2, 3))
    graph.starting_vertex().add_edge(one, 1.0)
    one.add_edge(two, [1.0, 0.0])
    two.add_edge(one, [1.0, 0.0])
    two.add_edge(end, [0.0, 1.0])
    theta = (1e6, 1e-6)
    _, slopes = graph.at(theta).central_moments(3, gradient=True)
    _, by_vertex = graph.at(theta).expected_waiting_time(gradient=True)

    def moment(k: int) -> Any:
        def exact(a: Any, b: Any) -> Any:
            # x² + (2 a + b) x + a b has the two rates; cumulants of their sum
            root = mp.sqrt((2 * a + b) ** 2 - 4 * a * b)
            rates = ((2 * a + b + root) / 2, 2 * a * b / (2 * a + b + root))
            return math.factorial(k - 1) * sum(rate**-k for rate in rates)

        return exact

    with mp.workdps(60):
        at = tuple(map(mp.mpf, theta))
        for k in (2, 3):
            exact = [float(mp.diff(moment(k), at, n)) for n in ((1, 0), (0, 1))]
            assert slopes[k - 1, 1] == pytest.approx(exact[1], rel=1e-12)
            # to rounding of value / theta[0]
            size = float(moment(k)(*at)) / theta[0]
            assert slopes[k - 1, 0] == pytest.approx(exact[0], rel=1e-12, abs=1e-13 * size)
    # from the first vertex on 2 / theta[1] + 1 / theta[0]
    assert by_vertex[1, 1] == pytest.approx(-2 / theta[1] ** 2, rel=1e-13)
    assert by_vertex[2, 1] == pytest.approx(-2 / theta[1] ** 2, rel=1e-13)


def test_a_parameter_of_0() -> None:
    """A way out of the second of two phases that is closed at theta."""
    graph = Graph(state_length=1)
    one, two, end = (graph.find_or_create_vertex([k]) for k in (1, 2, 3))
    graph.starting_vertex().add_edge(one, 1.0)
    one.add_edge(two, 1.0)
    one.add_edge(end, [1.0])
    two.add_edge(end, 2.0)
    at = graph.at([0.0])

    def exact(k: int) -> Any:
        def moment(x: Any) -> Any:
            def raw(i: int) -> Any:
                first = [mp.factorial(j) / (1 + x) ** j for j in range(i + 1)]
                second = [mp.factorial(j) / mp.mpf(2) ** j for j in range(i + 1)]
                on = sum(math.comb(i, j) * first[j] * second[i - j] for j in range(i + 1))
                return (on + x * first[i]) / (1 + x)

            return sum(math.comb(k, i) * (-raw(1)) ** (k - i) * raw(i) for i in range(k + 1))

        return moment

    _, slopes = at.central_moments(4, gradient=True)
    with mp.workdps(40):
        for k in (2, 3, 4):
            assert slopes[k - 1, 0] == pytest.approx(float(mp.diff(exact(k), 0)), rel=1e-12)


def test_without_variance_a_deviation_has_no_derivatives() -> None:
    at = stages(3, discrete=True).at([1.0])
    assert at.std() == 0
    with pytest.raises(NumericError, match="does not vary") as caught:
        at.std(gradient=True)
    assert caught.value.code == "NO_VARIANCE"
    for function in (at.skewness, at.kurtosis):
        with pytest.raises(NumericError, match="does not vary"):
            function(gradient=True)


def test_absorption_out_of_reach_is_refused() -> None:
    for ask in ("central_moments", "expected_waiting_time", "expected_sojourn_time"):
        argument = [2] if ask == "central_moments" else []
        with pytest.raises(NumericError) as caught:
            getattr(stages(2).at([0.0]), ask)(*argument, gradient=True)
        assert caught.value.code == "ABSORPTION_UNREACHABLE"


def test_shapes_without_parameters() -> None:
    at = Graph.from_matrices([1.0], [[-2.0]]).at()
    assert at.central_moments(3, gradient=True)[1].shape == (3, 0)
    assert at.skewness(gradient=True)[1].shape == (0,)
    assert at.defect(gradient=True)[1].shape == (0,)
    assert at.expected_sojourn_time(gradient=True)[1].shape == (3, 0)
    assert at.expected_waiting_time(gradient=True)[1].shape == (3, 0)
