"""Models in JAX give what the library gives, to the last bit, under every transformation."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jax_models import EXAMPLES, FUNCTIONS, Array, Example
from phasic import Graph
from phasic._engine import xla
from phasic.jax import DensityModel
from search_paths import search_path

each = pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
NEAR = 1e-12


def thetas_near(theta: Array, count: int) -> Array:
    return theta * np.linspace(0.6, 1.3, count)[:, np.newaxis]


def same(found: Any, expected: Any) -> bool:
    return np.array_equal(np.asarray(found), expected)


@each
@pytest.mark.parametrize("function", FUNCTIONS)
def test_values_are_the_library_s_to_the_last_bit(example: Example, function: str) -> None:
    expected = example.library(function)
    assert np.isfinite(expected).any()
    assert same(example.jax(function)(example.theta, example.times), expected)
    assert same(jax.jit(example.jax(function))(example.theta, example.times), expected)


@each
def test_a_batch_of_thetas_is_one_call(example: Example) -> None:
    thetas = thetas_near(example.theta, 9)
    batched = jax.jit(jax.vmap(example.jax(), in_axes=(0, None)))
    batched.lower(thetas, example.times).compile()
    before = xla.counts()
    found = batched(thetas, example.times).block_until_ready()
    calls, lanes = np.subtract(xla.counts(), before)
    features = 1 if example.times.ndim == 1 else example.times.shape[1]
    assert (calls, lanes) == (1, 9 * features)
    assert same(found, np.stack([example.library(theta=theta) for theta in thetas]))


def test_lanes_of_one_theta_are_one_question() -> None:
    example = EXAMPLES["two parameters"]
    times = np.sort(np.random.default_rng(1).uniform(0.1, 3, 40))
    found = jax.vmap(example.jax(), in_axes=(None, 0))(example.theta, times)
    # The contour's nodes are chosen for all times together: equal bits show that they were.
    assert same(found, example._replace(times=times).library())


@each
def test_vmap_over_both_and_nested(example: Example) -> None:
    thetas = thetas_near(example.theta, 3)
    later = np.stack([example.times + k for k in range(3)])
    f = example.jax()
    pairs = jax.vmap(f)(thetas, later)
    nested = jax.vmap(lambda at: jax.vmap(lambda theta: f(theta, at))(thetas))(later)
    assert pairs.shape == (3, *example.times.shape)
    assert nested.shape == (3, *pairs.shape)
    for i in range(3):
        for j in range(3):
            expected = example._replace(times=later[i]).library(theta=thetas[j])
            np.testing.assert_allclose(nested[i, j], expected, rtol=NEAR)
            if i == j:
                np.testing.assert_allclose(pairs[i], expected, rtol=NEAR)


@each
def test_gradients(example: Example) -> None:
    _, expected = example.library(gradient=True)
    f = example.jax()
    for jacobian in (jax.jacfwd, jax.jacrev):
        np.testing.assert_allclose(jacobian(f)(example.theta, example.times), expected, rtol=NEAR)
    tangent = np.linspace(1.0, 2.0, len(example.theta))
    value, change = jax.jvp(lambda theta: f(theta, example.times), (example.theta,), (tangent,))
    assert same(value, example.library())
    np.testing.assert_allclose(change, expected @ tangent, rtol=NEAR)

    def total(theta: Any) -> Any:
        return f(theta, example.times).sum()

    summed = expected.reshape(-1, len(example.theta)).sum(0)
    for gradient in (jax.grad(total), jax.jit(jax.grad(total)), jax.grad(jax.jit(total))):
        np.testing.assert_allclose(gradient(example.theta), summed, rtol=NEAR)
    value, gradient_with_value = jax.jit(jax.value_and_grad(total))(example.theta)
    np.testing.assert_allclose(value, example.library().sum(), rtol=NEAR)
    np.testing.assert_allclose(gradient_with_value, summed, rtol=NEAR)


@each
def test_hessians(example: Example) -> None:
    positive = example._replace(times=example.times + 1.0)
    _, _, expected = positive.library("logpdf", hessian=True)
    f = positive.jax("logpdf")

    def at(theta: Any) -> Any:
        return f(theta, positive.times)

    tops = (jax.jacfwd, jax.jacrev)
    for outer in tops:
        for inner in tops:
            found = outer(inner(at))(positive.theta)
            np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)
    thetas = thetas_near(positive.theta, 3)
    batched = jax.jit(jax.vmap(jax.hessian(lambda theta: at(theta).sum())))(thetas)
    for theta, found in zip(thetas, batched, strict=True):
        _, _, curvature = positive.library("logpdf", theta=theta, hessian=True)
        summed = curvature.reshape(-1, len(theta), len(theta)).sum(0)
        np.testing.assert_allclose(found, summed, rtol=1e-11, atol=1e-12)


@each
def test_vmap_of_gradients_is_one_call(example: Example) -> None:
    thetas = thetas_near(example.theta, 5)
    f = example.jax("logsf")
    gradients = jax.jit(jax.vmap(jax.grad(lambda theta: f(theta, example.times).sum())))
    gradients.lower(thetas).compile()
    before = xla.counts()
    found = gradients(thetas).block_until_ready()
    assert xla.counts()[0] - before[0] == 1
    for theta, slope in zip(thetas, found, strict=True):
        _, expected = example.library("logsf", theta=theta, gradient=True)
        summed = expected.reshape(-1, len(theta)).sum(0)
        np.testing.assert_allclose(slope, summed, rtol=1e-11, atol=1e-14)


@each
def test_checkpoint_and_scan(example: Example) -> None:
    f = example.jax("logpdf")
    times = example.times + 1.0
    positive = example._replace(times=times)
    _, slope, curvature = positive.library("logpdf", hessian=True)
    count = len(example.theta)
    slope, curvature = slope.reshape(-1, count).sum(0), curvature.reshape(-1, count, count).sum(0)

    def total(theta: Any) -> Any:
        return f(theta, times).sum()

    def scanned(theta: Any) -> Any:
        def body(so_far: Any, at: Any) -> Any:
            return so_far + f(theta, at[jnp.newaxis]).sum(), None

        return jax.lax.scan(body, 0.0, times)[0]

    for whole in (jax.checkpoint(total), scanned, jax.jit(scanned)):
        np.testing.assert_allclose(jax.grad(whole)(example.theta), slope, rtol=1e-10)
        np.testing.assert_allclose(jax.hessian(whole)(example.theta), curvature, rtol=1e-10)


def test_a_scan_over_thetas_that_depend_on_each_other() -> None:
    example = EXAMPLES["two parameters"]
    f = example.jax("logpdf")

    def walk(theta: Any) -> Any:
        def body(at: Any, _: Any) -> Any:
            return at * 0.9, f(at, 1.0)

        return jax.lax.scan(body, theta, None, length=3)[1].sum()

    expected = sum(
        0.9**k * example._replace(times=np.array(1.0)).library(
            "logpdf", theta=0.9**k * example.theta, gradient=True
        )[1]
        for k in range(3)
    )  # fmt: skip
    np.testing.assert_allclose(jax.grad(walk)(example.theta), expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["continuous", "two parameters", "rewarded", "multivariate"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_derivatives_in_times(name: str, function: str) -> None:
    # Against differences of the library's own values, in times far apart enough to tell.
    example = EXAMPLES[name]
    times, h = example.times + 0.5, 1e-4
    f = example.jax(function)
    slope = jax.jvp(lambda at: f(example.theta, at), (times,), (np.ones_like(times),))[1]

    def at(shift: float) -> Any:
        return example._replace(times=times + shift).library(function, tolerance=1e-13)

    difference = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    np.testing.assert_allclose(slope, difference, rtol=1e-7, atol=1e-9)
    mixed = jax.jacfwd(lambda theta: jax.jvp(
        lambda at: f(theta, at), (times,), (np.ones_like(times),))[1])(example.theta)  # fmt: skip
    turned = jax.jvp(lambda at: jax.jacrev(f)(example.theta, at), (times,), (np.ones_like(times),))[
        1
    ]
    np.testing.assert_allclose(mixed, turned, rtol=1e-8, atol=1e-10)


def test_moments() -> None:
    for name in ("two parameters", "discrete"):
        example = EXAMPLES[name]
        moments = example.graph.moments_from_graph(3)
        distribution = example.graph.at(example.theta)
        assert same(jax.jit(moments)(example.theta), distribution.moments(3))
        slope = distribution.moments(3, gradient=True)[1]
        np.testing.assert_allclose(jax.jacrev(moments)(example.theta), slope, rtol=NEAR)
        curvature = distribution.moments(3, hessian=True)[-1]
        np.testing.assert_allclose(jax.hessian(moments)(example.theta), curvature, rtol=1e-11)


def test_moments_of_many_thetas_and_features() -> None:
    example = EXAMPLES["multivariate"]
    assert example.rewards is not None
    moments = example.graph.moments_from_graph(2)
    thetas = thetas_near(example.theta, 150)  # more than a unit of work, and no multiple
    found = jax.jit(jax.vmap(lambda theta: moments(theta, example.rewards)))(thetas)
    assert found.shape == (150, 2, 2)
    for theta, values in zip(thetas, found, strict=True):
        distribution = example.graph.at(theta)
        for k in range(2):
            assert same(values[k], distribution.moments(2, example.rewards[:, k]))


def test_density_and_moments_together() -> None:
    example = EXAMPLES["multivariate"]
    model = example.graph.pmf_and_moments_from_graph_multivariate(2)
    density, moments = model(example.theta, example.times, example.rewards)
    assert same(density, example.library())
    assert density.shape == (5, 2)
    assert moments.shape == (2, 2)


def test_single_precision_is_double_rounded_at_the_edge() -> None:
    example = EXAMPLES["two parameters"]
    theta, times = example.theta.astype(np.float32), example.times.astype(np.float32)
    exact = example._replace(theta=theta.astype(float), times=times.astype(float))
    value, slope = exact.library(gradient=True)
    found = jax.jit(example.jax())(jnp.asarray(theta), jnp.asarray(times))
    assert found.dtype == jnp.float32
    assert same(found, value.astype(np.float32))
    jacobian = jax.jacrev(example.jax())(jnp.asarray(theta), jnp.asarray(times))
    np.testing.assert_allclose(jacobian, slope, rtol=1e-6, atol=1e-7)
    moments = example.graph.moments_from_graph(2)(jnp.asarray(theta))
    assert same(moments, exact.graph.at(exact.theta).moments(2).astype(np.float32))


def test_x64_off_is_said_once_and_works() -> None:
    program = """
import warnings
from phasic import PhasicWarning
from rules import coalescent_graph
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    model = coalescent_graph(5).pmf_from_graph()
    again = coalescent_graph(6).pmf_from_graph()
assert [w.category for w in said] == [PhasicWarning], said
assert 'jax.config.update("jax_enable_x64", True)' in str(said[0].message)
value = model([1.0], [1.0])
assert value.dtype == "float32", value.dtype
print(float(value[0]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": search_path()},
        capture_output=True,
        text=True,
        check=True,
    )
    expected = EXAMPLES["continuous"]._replace(times=np.array([1.0]))
    assert float(done.stdout) == pytest.approx(float(expected.library(theta=[1.0])[0]), rel=1e-7)


def test_importing_phasic_imports_no_jax() -> None:
    program = (
        "import sys, phasic; from phasic import Graph; "
        "Graph.from_matrices([1.0], [[-2.0]]).mean(); "
        "assert not [m for m in sys.modules if m.split('.')[0] in ('jax', 'jaxlib', 'optax')]"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_model_outlives_its_graph() -> None:
    f = jax.jit(partial(_fresh_model(), np.array([2.0])))
    compiled = f.lower(0.5).compile()
    del f
    jax.clear_caches()
    expected = EXAMPLES["continuous"].graph.at([2.0]).pdf(0.5)
    assert float(compiled(0.5)) == expected


def _fresh_model() -> DensityModel:
    return EXAMPLES["continuous"].graph.pmf_from_graph()


def test_rates_that_are_constant_have_no_slope_in_time_but_a_distribution_function() -> None:
    graph = Graph.from_matrices([1.0, 0.0], [[-2.0, 1.0], [0.0, -1.0]])
    model = graph.pmf_from_graph()
    none = np.zeros(0)
    assert float(jax.grad(model.cdf, 1)(none, 1.0)) == float(model(none, 1.0))
    with pytest.raises(ValueError, match="constants among them"):
        jax.grad(model, 1)(none, 1.0)


def test_models_have_shapes_without_being_run() -> None:
    graph = EXAMPLES["two parameters"].graph
    theta = jax.ShapeDtypeStruct((2,), np.float64)
    times = jax.ShapeDtypeStruct((3, 4), np.float64)
    assert jax.eval_shape(graph.pmf_from_graph(), theta, times).shape == (3, 4)
    assert jax.eval_shape(graph.moments_from_graph(3), theta).shape == (3,)
    assert jax.jit(graph.pmf_from_graph()).trace(theta, times).jaxpr.out_avals[0].shape == (3, 4)
