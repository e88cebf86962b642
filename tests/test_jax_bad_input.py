"""What does not fit is an error: at once where shapes show it, at run time where numbers do."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jax_models import EXAMPLES, steps_graph
from phasic.errors import DependencyError, PhasicError
from phasic.jax import targets

QUEUE = EXAMPLES["two parameters"].graph
THETA = np.array([0.7, 1.9])


def code_of(run: Any) -> str:
    with pytest.raises(PhasicError) as raised:
        run()
    assert raised.value.hint
    return raised.value.code


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (lambda m: m([1.0], 1.0), "THETA_LENGTH"),
        (lambda m: m([THETA], 1.0), "THETA_LENGTH"),
        (lambda m: m(THETA, 1.0, np.ones(3)), "REWARD_LENGTH"),
        (lambda m: m(THETA, 1.0, np.ones((6, 2, 2))), "REWARD_LENGTH"),
        (lambda m: m(THETA, 1.0, np.ones((QUEUE.n_vertices, 2))), "TIMES_SHAPE"),
        (lambda m: m(THETA, [1.0, 2.0, 3.0], np.ones((QUEUE.n_vertices, 2))), "TIMES_SHAPE"),
        (lambda m: m(THETA, np.ones((2, 0)), np.ones((QUEUE.n_vertices, 0))), "TIMES_SHAPE"),
        (lambda m: m(THETA + 0j, 1.0), "NUMBERS_COMPLEX"),
        (lambda m: m(THETA, 1.0j), "NUMBERS_COMPLEX"),
        (
            lambda m: jax.grad(lambda r: m(THETA, 1.0, r))(np.ones(QUEUE.n_vertices)),
            "NOT_DIFFERENTIABLE",
        ),
        (
            lambda m: jax.jacfwd(jax.hessian(lambda theta: m(theta, 1.0)))(THETA),
            "NOT_DIFFERENTIABLE",
        ),
    ],
)
def test_what_shapes_show(run: Any, code: str) -> None:
    model = QUEUE.pmf_from_graph()
    assert code_of(lambda: run(model)) == code
    assert code_of(lambda: jax.jit(lambda _: run(model))(0.0)) == code


def test_steps_have_no_derivative_in_their_number() -> None:
    model = steps_graph().pmf_from_graph()
    for function in (model, model.logcdf):
        assert code_of(lambda f=function: jax.grad(f, 1)([0.5, 0.25], 3.0)) == "NOT_DIFFERENTIABLE"


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: QUEUE.pmf_from_graph(discrete=True), "NOT_DISCRETE"),
        (lambda: steps_graph().pmf_from_graph(discrete=False), "NOT_CONTINUOUS"),
        (lambda: QUEUE.pmf_from_graph(method="guess"), "METHOD_UNKNOWN"),
        (lambda: QUEUE.pmf_from_graph(tolerance=2.0), "TOLERANCE"),
        (lambda: QUEUE.moments_from_graph(0), "ORDER"),
        (lambda: QUEUE.loglik_from_graph([1.0, np.nan]), "TIME_NAN"),
        (lambda: QUEUE.loglik_from_graph([1.0, 2.0], [1.0]), "WEIGHTS_INVALID"),
        (lambda: QUEUE.loglik_from_graph([], intervals=[[2.0, 1.0]]), "INTERVALS_INVALID"),
    ],
)
def test_models_that_cannot_be(make: Any, code: str) -> None:
    assert code_of(make) == code


@pytest.mark.parametrize(
    ("theta", "times", "words"),
    [
        ([-1.0, 1.9], [1.0], ["WEIGHT_NEGATIVE", "theta = [-1, 1.9]", "lane 0 of 1"]),
        ([np.nan, 1.9], [1.0], ["THETA_NOT_FINITE", "nan"]),
        ([0.7, 1.9], [0.5, np.nan], ["TIME_NAN", "(1, nan)"]),
        ([0.7, 0.0], [1.0], ["ABSORPTION_UNREACHABLE"]),
    ],
)
def test_what_only_numbers_show(theta: Any, times: Any, words: list[str]) -> None:
    model = jax.jit(QUEUE.pmf_from_graph())
    with pytest.raises((jax.errors.JaxRuntimeError, ValueError)) as raised:
        model(np.array(theta), np.array(times)).block_until_ready()
    assert all(word in str(raised.value) for word in words), str(raised.value)


def test_the_lane_that_fails_is_named() -> None:
    thetas = np.tile(THETA, (200, 1))
    thetas[150, 0] = -3.0
    thetas[170, 0] = -4.0
    for model in (QUEUE.moments_from_graph(2), lambda theta: QUEUE.pmf_from_graph()(theta, 1.0)):
        with pytest.raises((jax.errors.JaxRuntimeError, ValueError)) as raised:
            jax.jit(jax.vmap(model))(thetas).block_until_ready()
        assert "lane 150 of 200, theta = [-3, 1.9]" in str(raised.value)


def test_times_outside_the_support_are_their_limits() -> None:
    model = QUEUE.pmf_from_graph()
    times = np.array([-1.0, -np.inf, np.inf])
    assert model(THETA, times).tolist() == [0.0] * 3
    assert model.logpdf(THETA, times).tolist() == [-np.inf] * 3
    assert model.cdf(THETA, times).tolist() == [0.0, 0.0, 1.0]
    assert model.sf(THETA, times).tolist() == [1.0, 1.0, 0.0]
    assert jax.grad(model.logpdf)(THETA, -1.0).tolist() == [0.0, 0.0]
    assert model(THETA, np.zeros((0, 3))).shape == (0, 3)


def test_a_tolerance_that_cannot_be_met_is_an_error() -> None:
    model = QUEUE.pmf_from_graph(method="contour", tolerance=1e-15)
    with pytest.raises((jax.errors.JaxRuntimeError, ValueError), match="DENSITY_REFUSED"):
        model(THETA, np.linspace(0.1, 3, 50)).block_until_ready()
    with pytest.raises((jax.errors.JaxRuntimeError, ValueError), match="DENSITY_REFUSED"):
        QUEUE.pmf_from_graph()(THETA, 1e300).block_until_ready()


def test_another_version_of_the_interface_is_refused() -> None:
    with pytest.raises(DependencyError, match=r"version 0\.3 .* has 0\.2"):
        targets._check_version((0, 2), (0, 3))
    with pytest.raises(DependencyError):
        targets._check_version((1, 3), (0, 3))
    targets._check_version((0, 4), (0, 3))


def test_likelihood_is_the_library_s() -> None:
    data = [0.5, 1.5, 0.5, 2.0]
    options: dict[str, Any] = {"right_censored": [3.0, 2.0], "intervals": [[0.1, 0.2], [2.0, 5.0]]}
    weights = [1.0, 2.0, 3.0, 0.0]
    expected, slope = QUEUE.at(THETA).loglik(data, weights, gradient=True, **options)
    loglik = QUEUE.loglik_from_graph(data, weights, **options)
    value, gradient = jax.jit(jax.value_and_grad(loglik))(THETA)
    np.testing.assert_allclose(value, expected, rtol=1e-13)
    np.testing.assert_allclose(gradient, slope, rtol=1e-10)
    assert np.isfinite(jax.hessian(loglik)(THETA)).all()
    assert QUEUE.loglik_from_graph([-1.0])(THETA) == -np.inf


FAMILY = ("__call__", "logpdf", "cdf", "logcdf", "sf", "logsf")


@pytest.mark.parametrize("function", FAMILY)
def test_beyond_the_support_nothing_changes_in_time(function: str) -> None:
    value = getattr(QUEUE.pmf_from_graph(), function)
    for time in (-1.0, np.inf):
        assert jax.grad(value, 1)(THETA, time) == 0.0
        assert jax.hessian(value, 1)(THETA, time) == 0.0


def test_the_slope_of_a_density_at_time_0_is_not_known() -> None:
    model = QUEUE.pmf_from_graph()
    for function in (model, model.logpdf):
        slope = jax.grad(lambda times, f=function: f(THETA, times).sum())(np.array([0.0, 1.0]))
        assert np.isnan(slope[0])
        assert np.isfinite(slope[1])
    assert jax.grad(model.cdf, 1)(THETA, 0.0) == QUEUE.at(THETA).pdf(0.0)


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16])
def test_half_precision_is_read_as_single(dtype: Any) -> None:
    theta = jnp.array([0.75, 2.0], dtype)  # exact in both
    found = QUEUE.pmf_from_graph()(theta, jnp.array([1.0], dtype))
    assert found.dtype == jnp.float32
    assert found.tolist() == QUEUE.at([0.75, 2.0]).pdf([1.0]).astype(np.float32).tolist()
    assert QUEUE.moments_from_graph(1)(theta).dtype == jnp.float32


def test_too_many_nested_vmaps_are_an_error_of_ours() -> None:
    nested: Any = QUEUE.moments_from_graph(1)
    for _ in range(17):
        nested = jax.vmap(nested)
    with pytest.raises((jax.errors.JaxRuntimeError, ValueError), match=r"phasic: .*nested vmaps"):
        nested(THETA.reshape((1,) * 17 + (2,))).block_until_ready()
