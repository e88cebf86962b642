"""Priors against SciPy, bijections against their inverses and numerical Jacobians."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from inference_models import DATA, exponential
from phasic.errors import ConfigError
from phasic.inference import (
    Beta,
    Dirichlet,
    Gamma,
    Interval,
    LogNormal,
    Normal,
    Positive,
    Real,
    Simplex,
    Uniform,
    log_posterior,
    parse_prior,
)
from phasic.inference.parameters import make_parameters

PRIORS = [
    (Gamma(2.5, 0.7), scipy.stats.gamma(2.5, scale=1 / 0.7)),
    (LogNormal(0.3, 1.2), scipy.stats.lognorm(1.2, scale=np.exp(0.3))),
    (Beta(2.0, 3.5), scipy.stats.beta(2.0, 3.5)),
    (Normal(-1.0, 2.0), scipy.stats.norm(-1.0, 2.0)),
    (Uniform(-1.0, 3.0), scipy.stats.uniform(-1.0, 4.0)),
]


@pytest.mark.parametrize(("prior", "exact"), PRIORS, ids=lambda value: type(value).__name__)
def test_densities_and_draws(prior, exact):
    points = exact.ppf([0.01, 0.3, 0.9])
    found = [float(prior.log_density(jnp.array([x]))) for x in points]
    np.testing.assert_allclose(found, exact.logpdf(points), rtol=1e-12)
    rng = np.random.default_rng(3)
    draws = np.concatenate([prior.sample(rng) for _ in range(2000)])
    assert scipy.stats.kstest(draws, exact.cdf).pvalue > 1e-3


def test_dirichlet():
    prior = Dirichlet(1.5, 2.0, 0.7)
    x = np.array([0.2, 0.5, 0.3])
    exact = scipy.stats.dirichlet([1.5, 2.0, 0.7])
    assert float(prior.log_density(jnp.array(x))) == pytest.approx(exact.logpdf(x), rel=1e-12)
    draws = np.array([prior.sample(np.random.default_rng(k)) for k in range(2000)])
    np.testing.assert_allclose(draws.mean(axis=0), exact.mean(), atol=0.03)


@pytest.mark.parametrize(
    "bijector", [Real(), Positive(), Interval(-1.0, 2.5), Simplex(2), Simplex(4)], ids=repr
)
def test_bijections_have_their_inverse_and_jacobian(bijector):
    u = jnp.array(np.random.default_rng(1).normal(0, 1.5, bijector.free))
    x = bijector.forward(u)
    assert x.shape == (bijector.size,)
    np.testing.assert_allclose(bijector.inverse(x), u, rtol=1e-10, atol=1e-12)
    jacobian = jax.jacfwd(bijector.forward)(u)[: bijector.free]
    exact = np.linalg.slogdet(np.asarray(jacobian)).logabsdet
    assert float(bijector.log_jacobian(u)) == pytest.approx(exact, rel=1e-10, abs=1e-12)


def test_the_simplex_adds_up_and_begins_in_the_centre():
    np.testing.assert_allclose(Simplex(5).forward(jnp.zeros(4)), 0.2, rtol=1e-12)
    x = Simplex(4).forward(jnp.array([3.0, -2.0, 1.0]))
    assert float(x.sum()) == pytest.approx(1, rel=1e-14)


def test_in_u_the_posterior_integrates_to_the_evidence():
    # prior gamma(2, 1), n exponential observations: evidence = (n + 1)! / (1 + sum)^(n + 2)
    target = log_posterior(exponential, DATA, 1, prior=Gamma(2, 1))
    u = np.linspace(-8, 4, 4001)
    values = np.exp(np.asarray(jax.vmap(target)(jnp.asarray(u)[:, None])))
    n = len(DATA)
    exact = scipy.special.gamma(n + 2) / (1 + DATA.sum()) ** (n + 2)
    assert np.sum(values) * (u[1] - u[0]) == pytest.approx(exact, rel=1e-9)


def test_theta_is_put_together_from_priors_and_fixed_entries():
    made = make_parameters(5, [Gamma(1, 1), None, Dirichlet(1, 1, 1)], fixed={1: 7.0})
    assert (made.theta_dim, made.n_free, made.fixed) == (5, 3, {1: 7.0})
    theta = made.constrain(jnp.array([0.5, 0.1, -0.3]))
    assert float(theta[1]) == 7.0
    assert float(theta[2:].sum()) == pytest.approx(1)
    np.testing.assert_allclose(made.unconstrain(theta), [0.5, 0.1, -0.3], rtol=1e-12)


@pytest.mark.parametrize(
    ("prior", "options", "code"),
    [
        ([Gamma(1, 1)] * 3, {}, "PRIOR_LENGTH"),
        (Dirichlet(1, 1, 1), {}, "PRIOR_LENGTH"),
        ([Gamma(1, 1), None], {}, "PRIOR_MISSING"),
        (Dirichlet(1, 1), {"fixed": {0: 0.5}}, "FIXED_INVALID"),
        (Gamma(1, 1), {"fixed": {2: 0.5}}, "FIXED_INVALID"),
        (Gamma(1, 1), {"fixed": {0: 1.0, 1: 2.0}}, "PARAMETERS_FIXED"),
        (Gamma(1, 1), {"transform": "real"}, "TRANSFORM_UNUSED"),
        ("gamma(2,1)", {}, "PRIOR_INVALID"),
        ([Gamma(1, 1), "gamma(2,1)"], {}, "PRIOR_INVALID"),
        (Gamma, {}, "PRIOR_INVALID"),
        (3.0, {}, "PRIOR_INVALID"),
        (Gamma(1, 1), {"fixed": {0.5: 1.0}}, "FIXED_INVALID"),
        (Gamma(1, 1), {"fixed": {"0": 1.0}}, "FIXED_INVALID"),
        (None, {"transform": 3}, "TRANSFORM_UNKNOWN"),
        (None, {"transform": "cube"}, "TRANSFORM_UNKNOWN"),
        (None, {"transform": "real"}, "PRIOR_MISSING"),
        (None, {"transform": ["real"]}, "TRANSFORM_LENGTH"),
    ],
)
def test_what_does_not_go_together(prior, options, code):
    with pytest.raises(ConfigError) as caught:
        make_parameters(2, prior, **options)
    assert caught.value.code == code
    assert caught.value.hint


@pytest.mark.parametrize(
    "make",
    [
        lambda: Gamma(0, 1),
        lambda: Gamma(1, float("nan")),
        lambda: Normal(float("inf"), 1),
        lambda: Uniform(2, 1),
        lambda: Dirichlet(1),
        lambda: parse_prior("gamma(1)"),
        lambda: parse_prior("gamma(1,x)"),
        lambda: parse_prior("cauchy(0,1)"),
        lambda: parse_prior("gamma 1,2"),
    ],
)
def test_no_priors(make):
    with pytest.raises(ConfigError) as caught:
        make()
    assert caught.value.code == "PRIOR_INVALID"


def test_priors_as_text():
    assert parse_prior("gamma(2,1)") == Gamma(2, 1)
    assert parse_prior(" Dirichlet( 1, 2 , 3 ) ") == Dirichlet(1, 2, 3)
    assert parse_prior("uniform(-1,1e3)") == Uniform(-1, 1000)
