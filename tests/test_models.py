"""Models that ship, against closed forms and published values."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from phasic.errors import GraphError
from phasic.models import birth_death, coalescent, structured

CLOSE = 1e-12


def harmonic(n: int, power: int = 1) -> Fraction:
    return sum((Fraction(1, i**power) for i in range(1, n + 1)), Fraction(0))


def mean_and_variance(graph, theta, rewards=None):
    first, second = graph.at(theta).moments(2, rewards=rewards)
    return first, second - first * first


# -- coalescent by count: Kingman 1982, Tavaré 1984


@pytest.mark.parametrize("n", [2, 5, 67])
@pytest.mark.parametrize("rate", [1.0, 0.25])
def test_kingman_time_to_the_common_ancestor(n, rate):
    mean, variance = mean_and_variance(coalescent.kingman(n), [rate])
    assert mean == pytest.approx(2 * (1 - 1 / n) / rate, rel=CLOSE)
    exact = sum(Fraction(4, (i * (i - 1)) ** 2) for i in range(2, n + 1))
    assert variance == pytest.approx(float(exact) / rate**2, rel=1e-11)


@pytest.mark.parametrize("n", [2, 5, 30])
def test_kingman_total_branch_length(n):
    graph = coalescent.kingman(n)
    mean, variance = mean_and_variance(graph, [1.0], rewards=graph.states()[:, 0])
    assert mean == pytest.approx(float(2 * harmonic(n - 1)), rel=CLOSE)
    assert variance == pytest.approx(float(4 * harmonic(n - 1, 2)), rel=1e-11)


# -- site-frequency states: Fu 1995


def fu_covariance(n: int) -> np.ndarray:
    """Fu 1995, equations 1-5: cov(xi_i, xi_j) = [i = j] theta / i + sigma_ij theta^2."""
    a = [float(harmonic(k - 1)) for k in range(n + 2)]  # a[k] = 1 + … + 1/(k - 1)

    def beta(i: int) -> float:
        return 2 * n / ((n - i + 1) * (n - i)) * (a[n + 1] - a[i]) - 2 / (n - i)

    sigma = np.zeros((n, n))
    for i in range(1, n):
        if 2 * i < n:
            sigma[i, i] = beta(i + 1)
        elif 2 * i == n:
            sigma[i, i] = 2 * (a[n] - a[i]) / (n - i) - 1 / i**2
        else:
            sigma[i, i] = beta(i) - 1 / i**2
        for j in range(1, i):
            if i + j < n:
                value = (beta(i + 1) - beta(i)) / 2
            elif i + j == n:
                value = (
                    (a[n] - a[i]) / (n - i)
                    + (a[n] - a[j]) / (n - j)
                    - (beta(i) + beta(j + 1)) / 2
                    - 1 / (i * j)
                )
            else:
                value = (beta(j) - beta(j + 1)) / 2 - 1 / (i * j)
            sigma[i, j] = sigma[j, i] = value
    return sigma[1:, 1:]


@pytest.mark.parametrize("n", [2, 3, 6, 12])
def test_mean_branch_lengths_by_descendants(n):
    graph = coalescent.site_frequency(n)
    for i in range(1, n):
        (mean,) = graph.at([1.0]).moments(1, rewards=graph.states()[:, i - 1])
        assert mean == pytest.approx(2 / i, rel=CLOSE)


@pytest.mark.parametrize("n", [3, 6, 9])
def test_covariances_of_branch_lengths_by_descendants(n):
    """A branch length is the mean of its mutations' Poisson number, so its covariances are 4 sigma.

    The covariance of two comes from the variance of their sum.
    """
    graph = coalescent.site_frequency(n)
    columns = graph.states()[:, : n - 1]

    def variance(rewards):
        return mean_and_variance(graph, [1.0], rewards=rewards)[1]

    found = np.empty((n - 1, n - 1))
    for i in range(n - 1):
        for j in range(n - 1):
            both = variance(columns[:, i] + columns[:, j])
            found[i, j] = (both - variance(columns[:, i]) - variance(columns[:, j])) / 2
    np.testing.assert_allclose(found, 4 * fu_covariance(n), rtol=1e-9, atol=1e-10)


def test_site_frequency_states_are_partitions():
    # Partitions of 30 (OEIS A000041), and the start.
    assert len(coalescent.site_frequency(30).states()) == 5604 + 1


def test_site_frequency_total_is_kingman():
    n = 8
    graph = coalescent.site_frequency(n)
    lengths = graph.states().sum(axis=1)
    found = graph.at([0.5]).moments(3, rewards=lengths)
    kingman = coalescent.kingman(n)
    expected = kingman.at([0.5]).moments(3, rewards=kingman.states()[:, 0])
    np.testing.assert_allclose(found, expected, rtol=CLOSE)


# -- structured coalescent: Notohara 1990, Slatkin 1991


@pytest.mark.parametrize("demes", [2, 3, 5])
@pytest.mark.parametrize("rate", [1e-8, 0.3, 4.0])
def test_two_lineages_of_the_island_model(demes, rate):
    within = structured.migration(2, demes)
    (mean,) = within.at([1.0, rate]).moments(1)
    assert mean == pytest.approx(demes, rel=CLOSE)
    between = structured.migration([1, 1] + [0] * (demes - 2))
    (mean,) = between.at([1.0, rate]).moments(1)
    assert mean == pytest.approx(demes + (demes - 1) / (2 * rate), rel=CLOSE)


def test_unequal_demes_against_first_step_equations():
    """Two demes with rates c, d and migrations m (1 to 2) and w (2 to 1), in exact rationals.

    x = within 1, y = between, z = within 2:
    (c + 2m) x = 1 + 2m y,  (m + w) y = 1 + m z + w x,  (d + 2w) z = 1 + 2w y.
    """
    c, d, m, w = Fraction(2), Fraction(1, 3), Fraction(1, 100), Fraction(5)
    # y from the second equation with x and z put in.
    x_of_y = (1 / (c + 2 * m), 2 * m / (c + 2 * m))
    z_of_y = (1 / (d + 2 * w), 2 * w / (d + 2 * w))
    y = (1 + m * z_of_y[0] + w * x_of_y[0]) / (m + w - m * z_of_y[1] - w * x_of_y[1])
    x = x_of_y[0] + x_of_y[1] * y
    z = z_of_y[0] + z_of_y[1] * y
    theta = [float(v) for v in (c, d, m, w)]
    for sample, expected in (([2, 0], x), ([1, 1], y), ([0, 2], z)):
        graph = structured.migration(sample, symmetric=False)
        (mean,) = graph.at(theta).moments(1)
        assert mean == pytest.approx(float(expected), rel=CLOSE)


@pytest.mark.parametrize(("n", "demes", "transient"), [(40, 3, 12_337), (20, 4, 10_621)])
def test_structured_state_counts(n, demes, transient):
    """C(n + d, d) - 1 ways to have 1 to n lineages in d demes, d of them with one (absorbing)."""
    assert math.comb(n + demes, demes) - 1 - demes == transient
    graph = structured.migration(n, demes)
    assert len(graph.states()) == transient + demes + 1


# -- birth and death: Karlin & McGregor 1957, Kleinrock 1975, Kendall 1948


def passage_up(births, deaths, target):
    """Mean time from 0 to `target`, by Karlin & McGregor's sum, in exact rationals."""
    total = Fraction(0)
    step = Fraction(0)
    for i in range(target):
        step = (1 + (deaths[i] * step if i else 0)) / births[i]
        total += step
    return total


@pytest.mark.parametrize("servers", [1, 3])
@pytest.mark.parametrize(
    ("capacity", "arrival", "service"), [(1, 3, 5), (4, 2, 1), (10, Fraction(1, 2), 1), (40, 1, 10)]
)
def test_overflow_of_a_queue(capacity, arrival, service, servers):
    births = [Fraction(arrival)] * capacity
    deaths = [min(i, servers) * Fraction(service) for i in range(capacity)]
    expected = passage_up(births, deaths, capacity)
    graph = birth_death.overflow(capacity, servers=servers)
    (mean,) = graph.at([float(arrival), float(service)]).moments(1)
    assert mean == pytest.approx(float(expected), rel=CLOSE)


@pytest.mark.parametrize(("capacity", "arrival", "service"), [(1, 3, 2), (8, 2, 1), (12, 3, 3)])
def test_busy_period_of_a_queue(capacity, arrival, service):
    rho = Fraction(arrival, service)
    expected = sum(rho**j for j in range(capacity)) / service
    (mean,) = birth_death.busy_period(capacity).at([arrival, service]).moments(1)
    assert mean == pytest.approx(float(expected), rel=CLOSE)


def test_busy_period_tends_to_that_of_an_unbounded_queue():
    # M/M/1: mean 1 / (s - a), variance (s + a) / (s - a)^3 (Kleinrock 1975, section 5.8).
    mean, variance = mean_and_variance(birth_death.busy_period(400), [0.5, 1.0])
    assert mean == pytest.approx(2.0, rel=CLOSE)
    assert variance == pytest.approx(12.0, rel=1e-11)


def test_pure_death_is_the_longest_of_exponential_lifetimes():
    mean, variance = mean_and_variance(birth_death.extinction(40, 40), [0.0, 0.2])
    assert mean == pytest.approx(float(5 * harmonic(40)), rel=CLOSE)
    assert variance == pytest.approx(float(25 * harmonic(40, 2)), rel=1e-11)


def test_linear_birth_death_dies_out():
    # Kendall 1948: -log(1 - b/d) / b from one individual, no bound.
    (mean,) = birth_death.extinction(1, 200).at([0.5, 1.0]).moments(1)
    assert mean == pytest.approx(2 * math.log(2), rel=CLOSE)


# -- all of them


MODELS = {
    "kingman": lambda: coalescent.kingman(7),
    "site_frequency": lambda: coalescent.site_frequency(7),
    "migration": lambda: structured.migration([3, 1, 2]),
    "migration, asymmetric": lambda: structured.migration([3, 2], symmetric=False),
    "overflow": lambda: birth_death.overflow(6, servers=2),
    "busy_period": lambda: birth_death.busy_period(6, servers=2),
    "extinction": lambda: birth_death.extinction(2, 6),
}
N_PARAMETERS = {
    "kingman": 1,
    "site_frequency": 1,
    "migration": 2,
    "migration, asymmetric": 4,
    "overflow": 2,
    "busy_period": 2,
    "extinction": 2,
}


@pytest.mark.parametrize("name", MODELS)
def test_scaling_all_rates_scales_time(name):
    theta = np.linspace(0.5, 1.5, N_PARAMETERS[name])
    graph = MODELS[name]()
    one = np.array(graph.at(theta).moments(3))
    four = np.array(graph.at(4 * theta).moments(3))
    np.testing.assert_allclose(four * 4.0 ** np.arange(1, 4), one, rtol=CLOSE)


@pytest.mark.parametrize(
    "make",
    [
        lambda: coalescent.kingman(1),
        lambda: coalescent.kingman(2.5),
        lambda: coalescent.site_frequency("ten"),
        lambda: structured.migration(1),
        lambda: structured.migration(4, 1),
        lambda: structured.migration([3]),
        lambda: structured.migration([1, 0]),
        lambda: structured.migration([2, -1]),
        lambda: structured.migration([2, 1], 3),
        lambda: birth_death.overflow(0),
        lambda: birth_death.busy_period(3, servers=0),
        lambda: birth_death.extinction(5, 4),
    ],
)
def test_bad_arguments_are_named(make):
    with pytest.raises(GraphError) as raised:
        make()
    assert raised.value.code == "MODEL_ARGUMENT"
    assert raised.value.hint


@pytest.mark.parametrize(
    ("rule", "state_length", "width"),
    [
        (coalescent.kingman_rule, 1, 1),
        (coalescent.site_frequency_rule, 5, 1),
    ],
)
def test_rules_accept_frontiers_without_transitions(rule, state_length, width):
    absorbed = np.zeros((2, state_length), np.int32)
    absorbed[:, -1] = 1
    source, next_states, base, coefficients = rule(absorbed)
    assert source.shape == (0,)
    assert next_states.shape == (0, state_length)
    assert base.shape == (0,)
    assert coefficients.shape == (0, width)
