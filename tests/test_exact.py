"""Random models and hard chains against exact rationals.

Values must be right to 1e-12 relative, whatever their size. A gradient component is measured
relative to itself on the hard chains. On random graphs a component may be a difference of terms far
larger than itself, which no method in doubles resolves: there the error is measured relative to the
larger of the component and |value| / |theta|, the size of a change of the value when theta changes
by its own size; at theta = 0, to the sum over edges of the absolute terms of the chain rule.
"""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chains import CHAINS
from engines import ENGINES, Distributions, with_start
from reference.exact import Dual, Oracle
from reference.model import START, Model
from strategies import continuous_models, discrete_models, magnitudes, rewards_for

TOLERANCE = Fraction(1, 10**12)
# Beyond it a double ends, or loses digits to gradual underflow.
SMALLEST, LARGEST = Fraction(10) ** -250, Fraction(10) ** 250

random_models = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def representable(dual: Dual) -> bool:
    return dual.value == 0 or SMALLEST < abs(dual.value) < LARGEST


def assert_close(got: float, exact: Fraction, scale: Fraction | None = None) -> None:
    error = abs(Fraction(float(got)) - exact)
    allowed = TOLERANCE * max(abs(exact), scale or Fraction(0))
    assert error <= allowed, (got, float(exact), float(error / allowed) if allowed else None)


def slope_of(dual: Dual, parameter: int) -> Fraction:
    return dual.gradient[parameter] if dual.gradient else Fraction(0)


def sensitivity(model: Model, parameter: int) -> Fraction:
    """The largest share by which a unit of the parameter changes the weights out of one vertex, at
    least 1 / theta."""
    theta = [Fraction(x) for x in model.theta]
    leaving: dict[int, Fraction] = {}
    change: dict[int, Fraction] = {}
    rows = [(START, v, base, c) for v, base, c in model.start] + list(model.edges)
    for u, v, base, coefficients in rows:
        if u != v:
            weight = Fraction(base)
            for c, x in zip(coefficients, theta, strict=True):
                weight += Fraction(c) * x
            leaving[u] = leaving.get(u, Fraction(0)) + weight
            change[u] = max(change.get(u, Fraction(0)), abs(Fraction(coefficients[parameter])))
    largest = max(change[u] / total for u, total in leaving.items())
    return max(largest, 1 / theta[parameter]) if theta[parameter] else largest


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("models", [continuous_models(), discrete_models()], ids=["ctmc", "dtmc"])
class TestRandomModels:
    @random_models
    @given(data=st.data())
    def test_moments_and_their_gradients(
        self, models: st.SearchStrategy[Model], engine: str, data: st.DataObject
    ) -> None:
        model = data.draw(models)
        rewards = data.draw(rewards_for(model))
        oracle = Oracle(model)
        by_vertex = oracle.vertex_moments(4, rewards)
        order = 0
        while order < 4 and all(map(representable, by_vertex[order + 1].values())):
            order += 1
        if order == 0:
            return
        exact = oracle.moments(order, rewards)
        scales = [sensitivity(model, p) for p in range(model.n_parameters)]
        values, slopes = ENGINES[engine](model).moments(model.theta, order, rewards, True)
        for k, dual in enumerate(exact):
            assert_close(values[k], dual.value)
            for p in range(model.n_parameters):
                assert_close(slopes[k][p], slope_of(dual, p), scales[p] * dual.value)

    @random_models
    @given(data=st.data())
    def test_variance_and_covariance(
        self, models: st.SearchStrategy[Model], engine: str, data: st.DataObject
    ) -> None:
        model = data.draw(models)
        rows = [data.draw(rewards_for(model)), data.draw(rewards_for(model))]
        oracle = Oracle(model, gradient=False)
        second = [oracle.vertex_moments(2, row)[2].values() for row in rows]
        if not all(representable(dual) for values in second for dual in values):
            return
        means, matrix, _, _ = ENGINES[engine](model).covariances(model.theta, rows)
        for i, row in enumerate(rows):
            assert_close(means[i], oracle.moments(1, row)[0].value)
            # discrete: a variance that comes from one probability 1 - sum alone has that
            # difference's error
            square = oracle.moments(2, row)[1].value if model.discrete else Fraction(0)
            assert_close(matrix[i][i], oracle.covariance(row, row).value, square)
        # correlated to any degree: relative to the product of the deviations
        size = oracle.covariance(rows[0], rows[0]).value * oracle.covariance(rows[1], rows[1]).value
        exact = oracle.covariance(*rows).value
        error = Fraction(float(matrix[0][1])) - exact
        slack = oracle.moments(1, rows[0])[0].value * oracle.moments(1, rows[1])[0].value
        allowed = TOLERANCE**2 * (size + (slack**2 if model.discrete else 0))
        assert error**2 <= allowed
        assert matrix[0][1] == matrix[1][0]

    @random_models
    @given(data=st.data())
    def test_sojourn_absorption_and_defect(
        self, models: st.SearchStrategy[Model], engine: str, data: st.DataObject
    ) -> None:
        model = data.draw(models)
        rewards = data.draw(rewards_for(model))
        oracle = Oracle(model)
        evaluator = ENGINES[engine](model)
        sojourn = evaluator.sojourn(model.theta)
        for v in range(model.n_vertices):
            exact = oracle.sojourn(v)
            if representable(exact):
                assert_close(sojourn[v], exact.value)
        scales = [sensitivity(model, p) for p in range(model.n_parameters)]
        values, slopes = evaluator.absorption(model.theta, oracle.absorbing, True)
        for k, v in enumerate(oracle.absorbing):
            exact = oracle.absorption(v)
            if not representable(exact):
                continue
            assert_close(values[k], exact.value)
            for p in range(model.n_parameters):
                assert_close(slopes[k][p], slope_of(exact, p), scales[p] * exact.value)
        exact = oracle.defect(rewards)
        if representable(exact):
            assert_close(evaluator.defect(model.theta, rewards), exact.value)

    @random_models
    @given(data=st.data())
    def test_transforms_and_their_gradients(
        self, models: st.SearchStrategy[Model], engine: str, data: st.DataObject
    ) -> None:
        model = data.draw(models)
        if model.discrete:  # exact powers of z are whole
            whole = st.lists(
                st.integers(0, 3), min_size=model.n_vertices, max_size=model.n_vertices
            )
            rows = [data.draw(whole), data.draw(whole)]
            point = [data.draw(st.floats(2.0**-10, 1.0)), data.draw(st.floats(0.5, 1.0))]
        else:
            rows = [data.draw(rewards_for(model)) or [1.0] * model.n_vertices for _ in range(2)]
            point = [data.draw(magnitudes()), data.draw(st.one_of(st.just(0.0), magnitudes()))]
        exact = Oracle(model).transform(point, rows)
        if not representable(exact):
            return
        value, slopes = ENGINES[engine](model).transform(model.theta, point, rows, True)
        assert_close(value, exact.value)
        for p in range(model.n_parameters):
            scale = sensitivity(model, p)
            assert_close(slopes[p], slope_of(exact, p), scale * exact.value)

    @random_models
    @given(data=st.data())
    def test_joint_moments_and_their_gradients(
        self, models: st.SearchStrategy[Model], engine: str, data: st.DataObject
    ) -> None:
        model = data.draw(models)
        rows = [data.draw(rewards_for(model)), data.draw(rewards_for(model))]
        powers = [data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2))]
        found = Oracle(model).joint_moments(rows, powers)
        if not all(representable(x) for by_vertex in found for x in by_vertex.values()):
            return
        exact = Oracle(model).joint_moment(rows, powers)
        value, slopes = ENGINES[engine](model).joint_moment(model.theta, rows, powers, True)
        assert_close(value, exact.value)
        for p in range(model.n_parameters):
            scale = sensitivity(model, p)
            assert_close(slopes[p], slope_of(exact, p), scale * exact.value)


@pytest.mark.parametrize("models", [continuous_models(), discrete_models()], ids=["ctmc", "dtmc"])
class TestRandomModelsOfTheLibrary:
    @random_models
    @given(data=st.data())
    def test_central_moments_are_within_their_bounds(
        self, models: st.SearchStrategy[Model], data: st.DataObject
    ) -> None:
        model = data.draw(models)
        rewards = data.draw(rewards_for(model))
        oracle = Oracle(model, gradient=False)
        if not all(map(representable, oracle.vertex_moments(4, rewards)[4].values())):
            return
        about_zero = [Fraction(1)] + [x.value for x in oracle.moments(4, rewards)]
        at = Distributions(model).at(model.theta)
        row = None if rewards is None else with_start(rewards, model.n_vertices)
        values, bounds, _ = at._evaluator.central_moments(at._thetas, 4, row)
        mean = about_zero[1]
        for k in range(1, 5):
            terms = [comb(k, i) * (-mean) ** (k - i) * about_zero[i] for i in range(k + 1)]
            error = abs(Fraction(float(values[0, k - 1])) - sum(terms))
            bound = Fraction(float(bounds[0, k - 1]))
            # where the sum of moments about 0 is good, so is the answer
            assert error <= bound <= TOLERANCE * sum(map(abs, terms))

    @random_models
    @given(data=st.data())
    def test_hessians_of_moments(
        self, models: st.SearchStrategy[Model], data: st.DataObject
    ) -> None:
        model = data.draw(models)
        rewards = data.draw(rewards_for(model))
        oracle = Oracle(model)
        if not all(map(representable, oracle.vertex_moments(2, rewards)[2].values())):
            return
        exact = oracle.moments(2, rewards)
        row = None if rewards is None else with_start(rewards, model.n_vertices)
        _, _, hessians = Distributions(model).at(model.theta).moments(2, row, hessian=True)
        scales = [sensitivity(model, p) for p in range(model.n_parameters)]
        for p in range(model.n_parameters):
            aside = [gradients_aside(model, p, h, rewards) for h in (STEP, -STEP)]
            for k in range(2):
                for q in range(model.n_parameters):
                    second = (aside[0][k][q] - aside[1][k][q]) / (2 * STEP)
                    scale = scales[p] * scales[q] * exact[k].value
                    assert_close(hessians[k][p][q], second, 2 * scale)


STEP = Fraction(1, 10**60)


def gradients_aside(
    model: Model, parameter: int, step: Fraction, rewards: list[float] | None
) -> list[list[Fraction]]:
    """Exact gradients of the first two moments with one parameter moved."""
    theta = [Fraction(x) for x in model.theta]
    theta[parameter] += step
    found = Oracle(model, theta).moments(2, rewards)
    return [[slope_of(dual, p) for p in range(model.n_parameters)] for dual in found]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", CHAINS)
def test_hard_chain(name: str, engine: str) -> None:
    """Each gradient component relative to itself."""
    model = CHAINS[name]
    oracle = Oracle(model)
    evaluator = ENGINES[engine](model)
    values, slopes = evaluator.moments(model.theta, 3, None, True)
    for k, exact in enumerate(oracle.moments(3)):
        assert_close(values[k], exact.value)
        for p in range(model.n_parameters):
            assert_close(slopes[k][p], slope_of(exact, p))
    _, matrix, _, matrix_slopes = evaluator.covariances(model.theta, [None], True)
    exact = oracle.covariance()
    assert_close(matrix[0][0], exact.value)
    for p in range(model.n_parameters):
        assert_close(matrix_slopes[0][0][p], slope_of(exact, p))
    sojourn = evaluator.sojourn(model.theta)
    for v in oracle.transient:
        assert_close(sojourn[v], oracle.sojourn(v).value)


def test_the_textbook_adjoint_would_fail_the_hard_chains() -> None:
    """g_i (h_j - h_i) with the exact potentials rounded to doubles, for the fast parameter."""
    model = CHAINS["nearly decomposable 1e-18"]
    oracle = Oracle(model)
    h = {v: float(x.value) for v, x in oracle.vertex_moments(1)[1].items()}
    h[model.absorbing()[0]] = 0.0
    g = {v: float(oracle.sojourn(v).value) for v in oracle.transient}
    got = sum(c[0] * g[u] * (h[v] - h[u]) for u, v, _, c in model.edges)
    exact = float(slope_of(oracle.moments(1)[0], 0))
    assert abs(got - exact) > 1e-3 * abs(exact)


def test_elimination_with_subtraction_would_fail_the_hard_chains() -> None:
    model = CHAINS["weak exit 1e-18"]
    oracle = Oracle(model, gradient=False)
    n = len(oracle.transient)
    matrix = np.zeros((n, n))
    for u, v, base, c in model.edges:
        weight = base + float(np.dot(c, model.theta))
        matrix[u, u] += weight
        if v < n:
            matrix[u, v] -= weight
    exact = float(oracle.moments(1)[0].value)
    got = (np.linalg.pinv(matrix) @ np.ones(n))[0]
    assert abs(got - exact) > 0.5 * exact
