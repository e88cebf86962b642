"""Stein variational gradient descent: its step, its results, what stops it, and its options."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from inference_models import DATA, exponential, hyperexponential
from phasic import Graph
from phasic.errors import ConfigError, NumericError, PhasicWarning
from phasic.inference import (
    SVGD,
    Beta,
    Dirichlet,
    Gamma,
    Kernel,
    Normal,
    Observations,
    svgd,
)
from phasic.inference.diagnostics import stein_discrepancy
from phasic.inference.stein import median_bandwidth, stein_direction
from phasic.models import coalescent

PRIOR = Gamma(3, 2)
# conjugate: gamma(3 + n, 2 + sum)
SHAPE, RATE = 3 + len(DATA), 2 + DATA.sum()
MEAN, SD = SHAPE / RATE, np.sqrt(SHAPE) / RATE


def fit(model=exponential, data=DATA, theta_dim=1, prior=PRIOR, **options):
    options = {"n_particles": 40, "n_iterations": 120, "progress": False, **options}
    return SVGD(model, data, theta_dim, prior=prior, **options).fit()


def assert_exact(posterior, mean=MEAN, sd=SD):
    assert abs(posterior.mean[0] - mean) < 0.05 * sd
    assert posterior.sd[0] == pytest.approx(sd, rel=0.05)


# ---- the step


def test_the_direction_is_the_sum_that_defines_it():
    rng = np.random.default_rng(0)
    x, s = rng.normal(size=(2, 7, 3))
    kernel = Kernel(bandwidth=0.8, linear=0.6)
    weight = 2 * 0.6 / (1 + (x**2).sum() / 21)

    def k(a, b):
        return jnp.exp(-jnp.sum((a - b) ** 2) / 0.8) + weight * (1 + a @ b)

    slope = jax.grad(k)
    for i in range(7):
        exact = sum(k(x[j], x[i]) * s[j] + slope(x[j], x[i]) for j in range(7)) / 7
        found = stein_direction(jnp.array(x[i : i + 1]), jnp.array(x), jnp.array(s), kernel)[0]
        np.testing.assert_allclose(found, exact, rtol=1e-12)


def test_the_bandwidth_is_the_median():
    x = np.random.default_rng(1).normal(size=(31, 2))
    apart = ((x[:, None] - x) ** 2).sum(-1)[np.triu_indices(31, 1)]
    assert float(median_bandwidth(jnp.array(x))) == pytest.approx(
        np.median(apart) / np.log(31), rel=1e-6
    )
    assert np.isfinite(median_bandwidth(jnp.ones((5, 2))))


@pytest.mark.parametrize(("d", "n"), [(1, 100), (5, 100), (10, 200)])
def test_a_normal_target_has_its_standard_deviation_in_many_dimensions(d, n):
    force = svgd.stein_force(lambda z, key: -0.5 * jnp.sum((z - 0.5) ** 2), Kernel())
    optimizer = optax.sgd(0.3)
    start = jnp.array(np.random.default_rng(2).normal(size=(n, d)))
    state = svgd.init(start, optimizer, jax.random.PRNGKey(0))
    state = jax.jit(lambda s: svgd.advance(s, 400, force, optimizer))(state)
    np.testing.assert_allclose(state.particles.mean(axis=0), 0.5, atol=0.02)
    np.testing.assert_allclose(state.particles.std(axis=0), 1.0, rtol=0.02)


def test_many_steps_are_steps_one_by_one():
    force = svgd.stein_force(lambda z, key: -0.5 * jnp.sum(z**2), Kernel())
    optimizer = optax.adam(0.05)
    start = jnp.array(np.random.default_rng(2).normal(size=(10, 2)))
    one = many = svgd.init(start, optimizer, jax.random.PRNGKey(0))
    for _ in range(5):
        one = svgd.step(one, force, optimizer)
    many = svgd.advance(many, 5, force, optimizer)
    np.testing.assert_allclose(one.particles, many.particles, rtol=1e-12)
    assert int(many.iteration) == 5


# ---- results


def test_a_conjugate_posterior():
    posterior = fit(n_particles=200)
    assert_exact(posterior)
    low, high = posterior.interval(0.9)[0]
    import scipy.stats

    exact = scipy.stats.gamma(SHAPE, scale=1 / RATE).ppf([0.05, 0.95])
    assert np.abs([low, high] - exact).max() < 0.1 * SD
    assert posterior.covariance.shape == (1, 1)
    assert posterior.covariance[0, 0] == pytest.approx(posterior.sd[0] ** 2)
    assert posterior.iterations == 120
    assert posterior.trace.shape == (len(posterior.trace_iterations), 200, 1)
    np.testing.assert_array_equal(posterior.trace[-1], posterior.particles)
    assert posterior.effective_sample_size > 200


def test_a_graph_is_the_model_of_its_density():
    graph = coalescent.kingman(2)  # an exponential time
    by_graph, by_model = fit(graph, theta_dim=None), fit(graph.pmf_from_graph(), theta_dim=None)
    np.testing.assert_allclose(by_graph.particles, fit().particles, rtol=1e-6)
    np.testing.assert_allclose(by_graph.particles, by_model.particles, rtol=1e-6)


def test_the_seed_is_all_that_is_random():
    np.testing.assert_array_equal(fit(seed=1).particles, fit(seed=1).particles)
    assert not np.array_equal(fit(seed=1).particles, fit(seed=2).particles)


def test_discrepancy_and_effective_size_tell_independent_draws_from_wrong_ones():
    rng = np.random.default_rng(5)
    sizes = []
    for _ in range(50):
        x = rng.normal(size=(100, 2))
        sizes.append(1 / stein_discrepancy(x, -x)[1])
    assert 1 / np.mean(sizes) == pytest.approx(100, rel=0.25)
    x = rng.normal(size=(100, 2)) + 1
    assert stein_discrepancy(x, -x)[1] < 10


# ---- options


def test_fixed_parameters_are_held():
    posterior = fit(hyperexponential, theta_dim=3, prior=PRIOR, fixed={1: 9.0, 2: 1.0})
    assert_exact(posterior)
    assert (posterior.particles[:, 1:] == [9.0, 1.0]).all()
    assert posterior.fixed == (1, 2)


def test_several_data_sets_with_a_model_each():
    fast = lambda theta, times: exponential(2 * theta, times)  # noqa: E731
    posterior = fit([exponential, fast], [DATA, DATA / 2])
    n, total = 2 * len(DATA), 2 * DATA.sum()
    assert_exact(posterior, (3 + n) / (2 + total), np.sqrt(3 + n) / (2 + total))


def test_several_features_with_missing_ones():
    graph = coalescent.kingman(2)
    rewards = np.array([[0, 0], [0, 0], [1, 2]], dtype=float)
    assert graph.n_vertices == 3
    # state order: start, 1 lineage, 2 lineages
    rows = np.stack([DATA, 2 * DATA], axis=1)
    rows[0, 1] = np.nan
    posterior = fit(graph, rows, theta_dim=None, rewards=rewards)
    n, total = 2 * len(DATA) - 1, 2 * DATA.sum() - DATA[0]
    assert_exact(posterior, (3 + n) / (2 + total), np.sqrt(3 + n) / (2 + total))


def test_weights_and_censored_observations():
    data = Observations(DATA, weights=[2.0] * len(DATA), right_censored=[3.0])
    posterior = fit(coalescent.kingman(2), data, theta_dim=None)
    shape, rate = 3 + 2 * len(DATA), 2 + 2 * DATA.sum() + 3
    assert_exact(posterior, shape / rate, np.sqrt(shape) / rate)


def test_a_prior_on_a_simplex():
    # three kinds of times that are told apart: weights are Dirichlet(1 + counts)
    def kinds(theta, times):
        return theta[jnp.asarray(times, int)]

    data = np.repeat([0.0, 1.0, 2.0], [12, 5, 8])
    posterior = fit(kinds, data, 3, Dirichlet(1, 1, 1), n_particles=100)
    a = np.array([13.0, 6.0, 9.0])
    mean = a / a.sum()
    sd = np.sqrt(mean * (1 - mean) / (a.sum() + 1))
    assert (np.abs(posterior.mean - mean) < 0.1 * sd).all()
    np.testing.assert_allclose(posterior.sd, sd, rtol=0.1)
    np.testing.assert_allclose(posterior.particles.sum(axis=1), 1, rtol=1e-12)


def test_a_prior_that_is_a_function():
    def log_prior(theta):
        return 2 * jnp.log(theta[0]) - 2 * theta[0]

    assert_exact(fit(prior=log_prior))


def test_minibatches_are_right_on_average():
    data = np.random.default_rng(3).exponential(0.5, 400)
    falling = optax.cosine_decay_schedule(0.2, 600)
    posterior = fit(data=data, minibatch=100, n_iterations=600, optimizer=falling)
    shape, rate = 3 + 400, 2 + data.sum()
    sd = np.sqrt(shape) / rate
    assert abs(posterior.mean[0] - shape / rate) < 0.3 * sd
    assert posterior.sd[0] == pytest.approx(sd, rel=0.3)


@pytest.mark.parametrize("optimizer", [0.3, optax.adam(0.05), optax.constant_schedule(0.3)])
def test_optimisers_and_schedules(optimizer):
    assert_exact(fit(optimizer=optimizer, n_iterations=300))


def test_a_start_from_the_prior_or_from_thetas():
    assert_exact(fit(start="prior", n_iterations=500, optimizer=optax.adam(0.05)))
    thetas = np.linspace(0.5, 2.0, 40)[:, None]
    assert_exact(fit(start=thetas, n_iterations=500, optimizer=optax.adam(0.05)))


def test_modes_get_their_share_of_particles():
    # log theta is 1/4 of it at -3 and 3/4 at 3
    def two(theta, times):
        x = theta[0]
        return (
            0.25 * jnp.exp(-0.5 * ((x + 3) / 0.3) ** 2)
            + 0.75 * jnp.exp(-0.5 * ((x - 3) / 0.3) ** 2)
            + 0 * times
        )

    posterior = fit(two, [1.0], 1, Normal(0, 5), n_particles=80)
    assert (posterior.particles < 0).mean() == pytest.approx(0.25, abs=0.03)
    assert posterior.mean[0] == pytest.approx(1.5, abs=0.15)
    assert posterior.particles[posterior.particles > 0].std() == pytest.approx(0.3, rel=0.25)


def test_it_ends_early_where_nothing_moves():
    posterior = fit(tolerance=0.05, n_iterations=2000)
    assert posterior.rests
    assert posterior.movement <= 0.05
    assert posterior.iterations < 2000
    assert not fit(tolerance=1e-300).rests


def test_moment_regularisation_pulls_towards_the_moments():
    graph = coalescent.kingman(2)
    prior = Gamma(200, 100)  # far from the data
    free = fit(graph, theta_dim=None, prior=prior)
    pulled = fit(graph, theta_dim=None, prior=prior, regularization=10.0)
    wanted = 1 / DATA.mean()
    assert abs(pulled.mean[0] - wanted) < abs(free.mean[0] - wanted)
    with pytest.raises(ConfigError, match="Graph"):
        fit(regularization=1.0)


def test_discrete_models_have_a_uniform_prior():
    graph = Graph(1, n_parameters=1, discrete=True)
    one, end = graph.find_or_create_vertex([1]), graph.find_or_create_vertex([2])
    graph.starting_vertex().add_edge(one, 1.0)
    graph.add_edge_parameterized(one, one, 1.0, [-1.0])
    graph.add_edge_parameterized(one, end, 0.0, [1.0])
    steps = np.array([1, 3, 2, 1, 5, 1, 2])
    posterior = fit(graph, steps, None, None)
    a, b = 1 + len(steps), 1 + steps.sum() - len(steps)
    exact = Beta(a, b)
    mean = exact.a / (exact.a + exact.b)
    assert_exact(posterior, mean, np.sqrt(mean * (1 - mean) / (a + b + 1)))


def test_progress_is_told():
    seen = []
    fit(progress=lambda done, total: seen.append((done, total)), n_iterations=100)
    assert seen[-1] == (100, 100)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


# ---- what stops it


def test_a_gradient_that_is_not_finite_names_the_particle_and_theta():
    @jax.custom_jvp
    def broken(x):
        return jnp.zeros_like(x)

    @broken.defjvp
    def _(primals, tangents):
        (x,), (dx,) = primals, tangents
        return jnp.zeros_like(x), jnp.where(x > 2.0, jnp.nan, 0.0) * dx

    def model(theta, times):
        return exponential(theta, times) * jnp.exp(broken(theta[0]))

    thetas = np.linspace(0.5, 1.5, 40)[:, None]
    thetas[7] = 2.5
    with pytest.raises(NumericError, match=r"particle 7 at theta = \[2\.5") as caught:
        fit(model, start=thetas)
    assert caught.value.code == "GRADIENT_NOT_FINITE"
    assert "step 0" in str(caught.value)


def test_data_outside_the_support_are_refused_before_the_start():
    model = lambda theta, times: jnp.where(times < 2, exponential(theta, times), 0.0)  # noqa: E731
    with pytest.raises(NumericError, match=r"times\[3\] = 2.5 has log density -inf") as caught:
        fit(model)
    assert caught.value.code == "DATA_OUTSIDE_SUPPORT"
    graph = Graph.from_matrices([1.0], [[0.5]], discrete=True)
    assert graph.pmf_from_graph().logpdf([], 1.5) == -np.inf


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ([-1.0, 2.0], "TIME_INVALID"),
        ([1.0, np.nan], "TIME_INVALID"),
        ([], "DATA_EMPTY"),
        (np.ones((2, 2)), "REWARDS_SHAPE"),
        (np.ones((2, 2, 2)), "DATA_SHAPE"),
        (1.0, "DATA_SHAPE"),
        ([[1.0, 2.0], [3.0]], "NOT_NUMBERS"),
        ("times.csv", "NOT_NUMBERS"),
        (None, "NOT_NUMBERS"),
    ],
)
def test_bad_data(data, code):
    with pytest.raises(NumericError) as caught:
        fit(data=data)
    assert caught.value.code == code
    assert str(caught.value).startswith("FATAL: ")


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: Observations([1.0], weights=[1.0, 2.0]), "WEIGHTS_INVALID"),
        (lambda: Observations([1.0], weights=[-1.0]), "WEIGHTS_INVALID"),
        (lambda: Observations([1.0, 2.0], weights=[0.0, 0.0]), "DATA_EMPTY"),
        (lambda: Observations([[np.nan]], rewards=np.ones((3, 1))), "DATA_EMPTY"),
        (lambda: Observations([1.0], intervals=[[2.0, 1.0]]), "INTERVALS_INVALID"),
        (lambda: Observations([1.0], right_censored=[-2.0]), "TIME_INVALID"),
        (
            lambda: Observations([[1.0]], rewards=np.ones((3, 1)), right_censored=[1.0]),
            "DATA_SHAPE",
        ),
    ],
)
def test_bad_observations(make, code):
    with pytest.raises(NumericError) as caught:
        make()
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"theta_dim": None}, "THETA_LENGTH"),
        ({"model": coalescent.kingman(3), "theta_dim": 2}, "THETA_LENGTH"),
        ({"prior": [PRIOR, PRIOR]}, "PRIOR_LENGTH"),
        ({"start": np.ones((3, 1))}, "THETA_LENGTH"),
        ({"start": "middle"}, "START_INVALID"),
        ({"n_particles": 1}, "COUNT_INVALID"),
        ({"n_particles": 40.0}, "COUNT_INVALID"),
        ({"n_iterations": True}, "COUNT_INVALID"),
        ({"seed": -1}, "COUNT_INVALID"),
        ({"minibatch": 0}, "COUNT_INVALID"),
        ({"minibatch": 1.5}, "COUNT_INVALID"),
        ({"tolerance": np.nan}, "TOLERANCE_INVALID"),
        ({"tolerance": -0.1}, "TOLERANCE_INVALID"),
        ({"optimizer": "adam"}, "OPTIMIZER_INVALID"),
        ({"optimizer": -0.1}, "OPTIMIZER_INVALID"),
        ({"optimizer": np.nan}, "OPTIMIZER_INVALID"),
        ({"kernel": "rbf"}, "KERNEL_INVALID"),
        ({"start": np.full((40, 1), -1.0)}, "START_INVALID"),
        ({"start": np.full((40, 1), np.nan)}, "START_INVALID"),
        ({"data": Observations(DATA), "rewards": np.ones(3)}, "REWARDS_UNUSED"),
        ({"data": [Observations(DATA), DATA], "rewards": np.ones(3)}, "REWARDS_UNUSED"),
        (
            {
                "model": coalescent.kingman(2),
                "rewards": np.full(3, 2.0),
                "regularization": 1.0,
            },
            "DATA_SHAPE",
        ),
        ({"model": "kingman"}, "MODEL_INVALID"),
        ({"model": [exponential, exponential]}, "MODELS_LENGTH"),
        ({"data": Observations(DATA, right_censored=[1.0])}, "CENSORED_UNSUPPORTED"),
        ({"devices": jax.devices() * 3}, "PARTICLES_UNEVEN"),
    ],
)
def test_what_does_not_go_together(options, code):
    with pytest.raises(ConfigError) as caught:
        fit(**options)
    assert caught.value.code == code
    assert caught.value.hint


def test_kernels_that_are_none():
    with pytest.raises(ConfigError):
        Kernel(bandwidth=-1.0)
    with pytest.raises(ConfigError):
        Kernel(linear=-1.0)


def test_32_bit_mode_is_said_once_with_the_line_to_add():
    with jax.enable_x64(False):
        with pytest.warns(PhasicWarning, match=r'jax.config.update\("jax_enable_x64", True\)'):
            posterior = fit()
        assert posterior.mean[0] == pytest.approx(MEAN, rel=0.05)
        fit()  # warnings are errors here: it is not said again


def test_what_was_not_seen_changes_nothing_however_impossible_it_is():
    weights = [*np.ones(len(DATA)), 0.0]
    data = Observations([*DATA, 1e6], weights=weights)  # exp(-1e6 theta) is 0, its log -inf
    assert_exact(fit(data=data))


def test_missing_features_hide_no_impossible_ones():
    rewards = np.ones((3, 2))
    data = Observations([[1.0, np.nan], [np.nan, np.inf]], rewards=rewards, name="measurements")
    with pytest.raises(NumericError, match=r"measurements .* times\[\(1, 1\)\]") as caught:
        fit(coalescent.kingman(2), data)
    assert caught.value.code == "DATA_OUTSIDE_SUPPORT"


@pytest.mark.parametrize("level", [0.0, 1.0, 1.5, np.nan])
def test_levels_that_are_none(level):
    posterior = fit(n_particles=5, n_iterations=1)
    with pytest.raises(ConfigError) as caught:
        posterior.interval(level)
    assert caught.value.code == "LEVEL_INVALID"
