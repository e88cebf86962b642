"""Maximum likelihood, maximum a posteriori and moments against closed forms; bounds; no maximum."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from inference_models import DATA, exponential, hyperexponential
from phasic import Graph
from phasic.errors import ConfigError, NumericError, PhasicWarning
from phasic.inference import (
    Gamma,
    Interval,
    Observations,
    Positive,
    maximum_a_posteriori,
    maximum_likelihood,
    method_of_moments,
)
from phasic.models import coalescent

N, TOTAL = len(DATA), DATA.sum()


def test_maximum_likelihood_of_an_exponential():
    found = maximum_likelihood(exponential, DATA, 1)
    rate = N / TOTAL
    assert found.theta[0] == pytest.approx(rate, rel=1e-12)
    assert found.standard_errors[0] == pytest.approx(rate / np.sqrt(N), rel=1e-10)
    assert found.value == pytest.approx(N * np.log(rate) - N, rel=1e-12)
    low, high = found.interval(0.95)[0]
    assert (high - low) / 2 == pytest.approx(1.959963984540054 * rate / np.sqrt(N), rel=1e-10)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_the_unit_of_time_does_not_matter(unit):
    found = maximum_likelihood(coalescent.kingman(2), unit * DATA)
    assert found.theta[0] == pytest.approx(N / TOTAL / unit, rel=1e-9)


def test_weights_and_censoring():
    data = Observations([1.0, 2.0], weights=[3, 1], right_censored=[4.0, 5.0])
    found = maximum_likelihood(coalescent.kingman(2), data)
    assert found.theta[0] == pytest.approx(4 / (3 + 2 + 9), rel=1e-9)


def test_maximum_a_posteriori_is_the_mode_in_theta():
    found = maximum_a_posteriori(exponential, DATA, 1, prior=Gamma(3, 2))
    shape, rate = 3 + N, 2 + TOTAL
    assert found.theta[0] == pytest.approx((shape - 1) / rate, rel=1e-12)
    assert found.standard_errors[0] == pytest.approx(np.sqrt(shape - 1) / rate, rel=1e-9)


def test_several_data_sets_share_theta():
    # the second data set runs twice as fast
    fast = lambda theta, times: exponential(2 * theta, times)  # noqa: E731
    found = maximum_likelihood([exponential, fast], [DATA, DATA], 1)
    assert found.theta[0] == pytest.approx(2 * N / (3 * TOTAL), rel=1e-12)


def test_fixed_parameters_are_held():
    data = np.random.default_rng(2).exponential(1.0, 50)
    found = maximum_likelihood(hyperexponential, data, 3, fixed={1: 5.0, 2: 1.0})
    assert found.theta[1:].tolist() == [5.0, 1.0]
    assert found.theta[0] == pytest.approx(1 / data.mean(), rel=1e-9)
    assert found.standard_errors[1:].tolist() == [0.0, 0.0]


def test_an_estimate_at_a_bound_is_said():
    # a mixture of two known rates, data of the first alone: the weight of the second is 0
    def mixture(theta, times):
        slow = jnp.exp(-times)
        return theta[0] * slow + (1 - theta[0]) * 100 * jnp.exp(-100 * times)

    with pytest.warns(PhasicWarning, match="bound"):
        found = maximum_likelihood(mixture, [1.0, 2.0, 3.0], 1, transform="unit")
    assert found.theta.tolist() == [1.0]
    assert found.at_bound == (0,)
    assert np.isnan(found.standard_errors).all()
    assert found.value == pytest.approx(-6.0, rel=1e-12)


def test_a_bound_leaves_the_other_parameters_their_errors():
    def both(theta, times):
        return exponential(theta, times) * jnp.exp(-theta[1])

    with pytest.warns(PhasicWarning, match=r"theta\[1\]"):
        found = maximum_likelihood(both, DATA, 2)
    assert found.theta[1] == 0.0
    assert found.theta[0] == pytest.approx(N / TOTAL, rel=1e-9)
    assert found.standard_errors[0] == pytest.approx(N / TOTAL / np.sqrt(N), rel=1e-9)


def test_parameters_that_the_data_do_not_tell_apart():
    product = lambda theta, times: exponential(theta[:1] * theta[1], times)  # noqa: E731
    with pytest.raises(NumericError) as caught:
        maximum_likelihood(product, DATA, 2)
    assert caught.value.code == "NOT_IDENTIFIED"
    found = maximum_likelihood(product, DATA, 2, fixed={1: 2.0})
    assert found.theta[0] == pytest.approx(N / TOTAL / 2, rel=1e-9)


def test_a_likelihood_without_a_maximum():
    rising = lambda theta, times: theta[0] * jnp.ones_like(times)  # noqa: E731
    with pytest.raises(NumericError) as caught:
        maximum_likelihood(rising, DATA, 1)
    assert caught.value.code == "NOT_CONVERGED"


def test_moments_match_exactly():
    found = method_of_moments(coalescent.kingman(2), DATA)
    assert found.theta[0] == pytest.approx(1 / DATA.mean(), rel=1e-10)
    # the delta method: sd(mean) / mean^2
    assert found.standard_errors[0] == pytest.approx(
        DATA.std() / np.sqrt(N) / DATA.mean() ** 2, rel=1e-8
    )


def test_two_parameters_by_two_moments():
    graph = Graph(1, n_parameters=2)
    one, two, end = (graph.find_or_create_vertex([k]) for k in (1, 2, 3))
    graph.starting_vertex().add_edge(one, 1.0)
    graph.add_edge_parameterized(one, two, 0.0, [1.0, 0.0])
    graph.add_edge_parameterized(two, end, 0.0, [0.0, 1.0])
    data = graph.at([1.0, 4.0]).sample(2000, seed=4)
    found = method_of_moments(graph, data)
    at = graph.at(found.theta).moments(2)
    np.testing.assert_allclose(at, [data.mean(), (data**2).mean()], rtol=1e-9)
    assert sorted(found.theta) == pytest.approx([1.0, 4.0], rel=0.3)


def test_more_moments_than_parameters():
    data = coalescent.kingman(5).at([1.0]).sample(5000, seed=1)
    found = method_of_moments(coalescent.kingman(5), data, nr_moments=3)
    assert abs(found.theta[0] - 1.0) < 4 * found.standard_errors[0]
    assert found.standard_errors[0] < 0.02


def test_moments_that_no_theta_has():
    # an exponential's second moment is twice the square of its mean
    both = lambda theta: jnp.array([1.0, 2.0, 6.0, 24.0]) / theta[0] ** jnp.arange(1, 5)  # noqa: E731
    with pytest.raises(ConfigError) as caught:
        method_of_moments(both, DATA, 1, nr_moments=0)
    assert caught.value.code == "MOMENTS_TOO_FEW"
    with pytest.raises(NumericError) as error:
        method_of_moments(both, [1.0, 1.0], 1)
    assert error.value.code == "DATA_TOO_FEW"
    far = lambda theta: 1e3 + theta[0] * jnp.ones(3)  # noqa: E731
    with pytest.warns(PhasicWarning):
        found = method_of_moments(far, DATA, 1)
    assert found.at_bound == (0,)


def test_a_start_must_fit():
    with pytest.raises(ConfigError) as caught:
        maximum_likelihood(exponential, DATA, 1, start=[1.0, 2.0])
    assert caught.value.code == "THETA_LENGTH"
    with pytest.raises(ConfigError) as caught:
        maximum_likelihood(exponential, DATA, 1, start=[-1.0])
    assert caught.value.code == "START_INVALID"
    assert maximum_likelihood(exponential, DATA, 1, start=[40.0]).theta[0] == pytest.approx(
        N / TOTAL, rel=1e-12
    )


def test_ranges_by_bijectors():
    found = maximum_likelihood(exponential, DATA, 1, transform=[Interval(0.0, 10.0)])
    assert found.theta[0] == pytest.approx(N / TOTAL, rel=1e-9)
    assert maximum_likelihood(exponential, DATA, 1, transform=Positive()).theta[0] == pytest.approx(
        N / TOTAL, rel=1e-9
    )


def test_what_was_observed_no_time_is_no_different_observation():
    graph = coalescent.kingman(2)
    found = method_of_moments(graph, Observations([1.0, 2.0, 3.0], weights=[1, 1, 0]))
    assert found.theta[0] == pytest.approx(1 / 1.5, rel=1e-9)


def test_an_interval_has_a_level():
    found = maximum_likelihood(coalescent.kingman(2), [1.0, 3.0])
    for level in (0.0, 1.0, 2.0, np.nan):
        with pytest.raises(ConfigError) as caught:
            found.interval(level)
        assert caught.value.code == "LEVEL_INVALID"


@pytest.mark.parametrize("unit", [1e10, 1e12])
def test_a_mode_is_found_in_whatever_unit_the_data_are(unit):
    data = unit * np.array([1.0, 3.0, 2.0])
    found = maximum_a_posteriori(coalescent.kingman(2), data, prior=Gamma(3, 2))
    assert found.theta == pytest.approx([(3 + 3 - 1) / (6 * unit + 2)], rel=1e-8)


def test_all_censored_is_named():
    for data in (
        Observations([], right_censored=[5.0]),
        Observations([1.0], weights=[0], right_censored=[5.0]),
    ):
        with pytest.raises(NumericError, match="all 1 observations are right-censored") as raised:
            maximum_likelihood(coalescent.kingman(2), data)
        assert raised.value.code == "DATA_ALL_CENSORED"


@pytest.mark.parametrize("times", [[1e200, 3e200], [1e-200, 3e-200], [1e-300, 1, 2, 4, 3e300]])
def test_moments_beyond_floats_are_an_error(times):
    with pytest.raises(NumericError) as raised:
        method_of_moments(coalescent.kingman(2), times)
    assert raised.value.code == "MOMENTS_OUT_OF_RANGE"
