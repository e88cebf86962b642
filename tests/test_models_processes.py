"""Epidemics, queues, phase types, reliability, survival and walks that ship, against closed forms
and exact first-step equations."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from first_step import absorption, mean_time
from phasic.errors import GraphError
from phasic.models import epidemics, phase_types, queues, reliability, survival, walks

CLOSE = 1e-12


def close(value, rel=CLOSE):
    return pytest.approx(float(value), rel=rel)


def mean_and_variance(graph, theta):
    first, second = graph.at(theta).moments(2)
    return first, second - first * first


def ends(graph, theta):
    """Absorption probabilities by state."""
    distribution = graph.at(theta)
    vertices = distribution.trace.evaluator.ends
    probabilities = distribution.absorption_probabilities(vertices)
    return {
        tuple(state): p
        for state, p in zip(graph.states()[vertices].tolist(), probabilities.tolist(), strict=True)
    }


# -- epidemics


def sir_moves(population, beta, gamma):
    def moves(state):
        s, i = state
        return [((s - 1, i + 1), beta * s * i / population), ((s, i - 1), gamma * i)]

    return moves


@pytest.mark.parametrize(("population", "infected"), [(1, 1), (4, 1), (9, 2)])
def test_sir_time_and_final_size(population, infected):
    beta, gamma = Fraction(3, 2), Fraction(2, 3)
    theta = [float(beta), float(gamma)]
    graph = epidemics.sir(population, infected)
    start, moves = (population - infected, infected), sir_moves(population, beta, gamma)
    assert graph.at(theta).mean() == close(mean_time(start, moves))
    for state, probability in ends(graph, theta).items():
        assert probability == close(absorption(start, moves, state), rel=1e-11)


def test_sir_final_size_of_a_pair():
    """Bailey 1975: with one susceptible, infection comes first as often as its rate beta/2 says."""
    found = ends(epidemics.sir(2), [3.0, 2.0])
    assert found[(0, 0)] == close(Fraction(3, 2) / (Fraction(3, 2) + 2))


@pytest.mark.parametrize("model", [epidemics.sir, epidemics.sis])
def test_without_infection_the_longest_infectious_period_counts(model):
    expected = sum(Fraction(1, k) for k in range(1, 8)) / 3
    assert model(7, 7).at([0.0, 3.0]).mean() == close(expected)


def test_seir_time():
    beta, sigma, gamma, n = Fraction(3, 2), Fraction(1, 2), Fraction(2, 3), 5

    def moves(state):
        s, e, i = state
        return [
            ((s - 1, e + 1, i), beta * s * i / n),
            ((s, e - 1, i + 1), sigma * e),
            ((s, e, i - 1), gamma * i),
        ]

    found = epidemics.seir(n, 2).at([float(x) for x in (beta, sigma, gamma)]).mean()
    assert found == close(mean_time((3, 0, 2), moves))


def test_latency_does_not_change_the_final_size():
    latent, plain = epidemics.seir(12), epidemics.sir(12)
    found = {s: p for (s, _, _), p in ends(latent, [2.0, 0.1, 1.0]).items()}
    expected = {s: p for (s, _), p in ends(plain, [2.0, 1.0]).items()}
    assert found.keys() == expected.keys()
    for size, probability in expected.items():
        assert found[size] == close(probability, rel=1e-11)


@pytest.mark.parametrize("population", [1, 2, 10, 30])
@pytest.mark.parametrize("ratio", [Fraction(1, 2), Fraction(1), Fraction(3)])
def test_sis_extinction_from_one(population, ratio):
    """Weiss & Dishon 1971, and Norden 1982 for the sum."""
    n = population
    expected = sum(
        (ratio / n) ** (k - 1) * Fraction(math.factorial(n - 1), math.factorial(n - k) * k)
        for k in range(1, n + 1)
    )
    assert epidemics.sis(n).at([2 * float(ratio), 2.0]).mean() == close(expected / 2)


# -- queues


@pytest.mark.parametrize(("first", "second"), [(1, 1), (2, 3), (4, 2)])
def test_tandem_queues(first, second):
    a, s, t = Fraction(1), Fraction(3, 2), Fraction(5, 7)

    def moves(state):
        if state == "lost":
            return []
        x, y = state
        out = [((x + 1, y) if x < first else "lost", a)]
        if x > 0 and y < second:
            out.append(((x - 1, y + 1), s))
        if y > 0:
            out.append(((x, y - 1), t))
        return out

    found = queues.tandem(first, second).at([float(x) for x in (a, s, t)]).mean()
    assert found == close(mean_time((0, 0), moves))


EXPONENTIAL = ([1.0], [[-1.0]])
ERLANG_2 = ([1.0, 0.0], [[-2.0, 2.0], [0.0, -2.0]])  # mean 1, second moment 3/2
HYPER = ([0.25, 0.75], [[-0.5, 0.0], [0.0, -1.5]])  # mean 1, second moment 8/3


@pytest.mark.parametrize(("capacity", "arrival", "service"), [(1, 3, 2), (8, 2, 1), (12, 3, 3)])
def test_exponential_ph_ph_1_is_m_m_1(capacity, arrival, service):
    """Kleinrock 1975: the sum of (a / s)^j / s for j = 0, …, K - 1."""
    expected = sum(Fraction(arrival, service) ** j for j in range(capacity)) / service
    graph = queues.ph_ph_1(EXPONENTIAL, EXPONENTIAL, capacity)
    assert graph.at([arrival, service]).mean() == close(expected)


@pytest.mark.parametrize(
    ("service", "second"), [(EXPONENTIAL, 2), (ERLANG_2, 1.5), (HYPER, Fraction(8, 3))]
)
def test_busy_period_of_m_g_1(service, second):
    """Kleinrock 1975, equations 5.141 and 5.142, with a capacity that is hardly reached."""
    rho = Fraction(1, 4)
    first_moment, second_moment = (
        queues.ph_ph_1(EXPONENTIAL, service, 120).at([0.25, 1.0]).moments(2)
    )
    assert first_moment == close(1 / (1 - rho))
    assert second_moment == close(Fraction(second) / (1 - rho) ** 3)


def test_ph_ph_1_against_first_step_equations():
    """E_2/H_2/1/3: arrivals in two stages of rate 2 each, services by one of two branches."""
    p, rates = (Fraction(1, 4), Fraction(3, 4)), (Fraction(1, 2), Fraction(3, 2))
    capacity, faster = 3, Fraction(2, 3)

    def moves(state):
        n, stage, branch = state
        if n == 0:
            return []
        arrived = (min(n + 1, capacity), 0, branch)
        out = [((n, 1, branch) if stage == 0 else arrived, 2 * faster)]
        for after, share in enumerate(p):
            out.append(((n - 1, stage, after) if n > 1 else (0, 0, 0), rates[branch] * share))
        return out

    expected = sum(share * mean_time((1, 0, b), moves) for b, share in enumerate(p))
    found = queues.ph_ph_1(ERLANG_2, HYPER, capacity).at([float(faster), 1.0]).mean()
    assert found == close(expected)


# -- phase types


@pytest.mark.parametrize("stages", [1, 2, 40])
def test_erlang(stages):
    graph = phase_types.erlang(stages)
    mean, variance = mean_and_variance(graph, [4.0])
    assert mean == close(stages / 4)
    assert variance == close(stages / 16, rel=1e-11)
    # The survival function is a Poisson distribution function.
    x = 4 * 2.5
    expected = math.fsum(x**k * math.exp(-x) / math.factorial(k) for k in range(stages))
    assert graph.at([4.0]).sf(2.5) == close(expected, rel=1e-10)


def test_hypoexponential():
    rates = [1.0, 3.0, 0.5]
    graph = phase_types.hypoexponential(3)
    mean, variance = mean_and_variance(graph, rates)
    assert mean == close(1 + Fraction(1, 3) + 2)
    assert variance == close(1 + Fraction(1, 9) + 4, rel=1e-11)
    t = 0.7
    density = sum(
        math.exp(-a * t) * a * math.prod(b / (b - a) for b in rates if b != a) for a in rates
    )
    assert graph.at(rates).pdf(t) == close(density, rel=1e-10)


@pytest.mark.parametrize("scale", [1.0, 8.0])
def test_hyperexponential_weights_are_relative(scale):
    theta = [0.25 * scale, 0.5 * scale, 0.25 * scale, 1.0, 3.0, 0.5]
    distribution = phase_types.hyperexponential(3).at(theta)
    parts = [(Fraction(1, 4), 1), (Fraction(1, 2), 3), (Fraction(1, 4), Fraction(1, 2))]
    assert distribution.mean() == close(sum(p / rate for p, rate in parts))
    assert distribution.moments(2)[1] == close(sum(2 * p / rate**2 for p, rate in parts))
    expected = sum(float(p) * math.exp(-float(rate) * 1.3) for p, rate in parts)
    assert distribution.sf(1.3) == close(expected, rel=1e-10)


def test_coxian():
    on, out = (Fraction(2), Fraction(1, 3)), (Fraction(1), Fraction(1, 2), Fraction(3))

    def moves(stage):
        if stage == "out":
            return []
        return [("out", out[stage])] + ([(stage + 1, on[stage])] if stage < 2 else [])

    theta = [float(x) for x in (*on, *out)]
    assert phase_types.coxian(3).at(theta).mean() == close(mean_time(0, moves))
    a, b, d = 2.0, 1.0, 0.5
    assert phase_types.coxian(2).at([a, b, d]).mean() == close((1 + a / d) / (a + b))


def test_a_coxian_of_one_stage_is_exponential():
    assert phase_types.coxian(1).at([4.0]).mean() == close(0.25)


# -- reliability: Barlow & Proschan 1975, Trivedi 2001


@pytest.mark.parametrize(("n", "k"), [(1, 1), (3, 2), (10, 4)])
def test_k_out_of_n_without_repair(n, k):
    expected = sum(Fraction(1, i) for i in range(k, n + 1)) / 2
    for graph, theta in (
        (reliability.k_out_of_n(n, k), [2.0, 0.0]),
        (reliability.k_out_of_n(n, k, repairers=0), [2.0, 5.0]),
    ):
        assert graph.at(theta).mean() == close(expected)


def test_two_in_parallel_with_repair():
    # (3 failure + repair) / (2 failure²): Trivedi 2001, example 8.22.
    failure, repair = Fraction(1, 1000), Fraction(1)
    expected = (3 * failure + repair) / (2 * failure**2)
    assert reliability.k_out_of_n(2, 1).at([float(failure), 1.0]).mean() == close(expected)


@pytest.mark.parametrize("repairers", [1, 2, 5])
def test_k_out_of_n_with_repairers(repairers):
    failure, repair = Fraction(1, 3), Fraction(7, 2)

    def moves(failed):
        if failed == 4:
            return []
        return [(failed + 1, failure * (5 - failed)), (failed - 1, repair * min(failed, repairers))]

    graph = reliability.k_out_of_n(5, 2, repairers=repairers)
    assert graph.at([float(failure), float(repair)]).mean() == close(mean_time(0, moves))


def test_cold_standby_without_repair_is_erlang():
    found = reliability.standby(4, repairers=0).at([2.0, 0.0, 1.0]).moments(3)
    np.testing.assert_allclose(found, phase_types.erlang(4).at([2.0]).moments(3), rtol=CLOSE)


def test_hot_standby_is_one_out_of_n():
    found = reliability.standby(4).at([2.0, 2.0, 0.7]).moments(3)
    expected = reliability.k_out_of_n(4, 1).at([2.0, 0.7]).moments(3)
    np.testing.assert_allclose(found, expected, rtol=CLOSE)


def test_two_units_in_cold_standby():
    failure, repair = Fraction(1, 1000), Fraction(2)
    expected = (2 * failure + repair) / failure**2
    assert reliability.standby(2).at([float(failure), 0.0, 2.0]).mean() == close(expected)


# -- survival: Fix & Neyman 1951


@pytest.mark.parametrize("rates", [(1, 1, 1, 1), (2, Fraction(1, 3), Fraction(1, 50), 4)])
def test_illness_and_death(rates):
    a, b, c, d = map(Fraction, rates)
    graph = survival.illness_death()
    distribution = graph.at([float(rate) for rate in rates])
    assert distribution.mean() == close((a + b + d) / (a * d + b * c + c * d))
    ill = graph.states()[:, 0] == 1
    assert distribution.mean(ill.astype(float)) == close(a / (a * d + b * c + c * d))


def test_illness_and_death_without_recovery_has_a_known_survival():
    a, c, d, t = 0.4, 0.1, 1.5, 2.0
    healthy = math.exp(-(a + c) * t)
    ill = a / (a + c - d) * (math.exp(-d * t) - healthy)
    assert survival.illness_death().at([a, 0.0, c, d]).sf(t) == close(healthy + ill, rel=1e-10)


# -- walks: Feller 1968


@pytest.mark.parametrize(("capital", "target"), [(1, 2), (3, 10), (9, 10), (20, 40)])
@pytest.mark.parametrize("p", [Fraction(1, 2), Fraction(3, 5), Fraction(1, 5)])
def test_gamblers_ruin(capital, target, p):
    z, a, q = capital, target, 1 - p
    if p == q:
        ruin, mean = 1 - Fraction(z, a), Fraction(z * (a - z))
    else:
        r = q / p
        ruin = (r**a - r**z) / (r**a - 1)
        mean = z / (q - p) - a / (q - p) * (1 - r**z) / (1 - r**a)
    graph = walks.gamblers_ruin(capital, target)
    theta = [float(p), float(q)]
    assert graph.at(theta).mean() == close(mean)
    assert ends(graph, theta)[(0,)] == close(ruin)


def test_draws_only_delay():
    assert walks.gamblers_ruin(3, 10).at([0.125, 0.125]).mean() == close(21 * 4)


@pytest.mark.parametrize("coupons", [1, 2, 6, 50])
def test_coupon_collector(coupons):
    n = coupons
    mean, variance = mean_and_variance(walks.coupon_collector(n), [])
    assert mean == close(n * sum(Fraction(1, i) for i in range(1, n + 1)))
    expected = sum(Fraction(n * (n - i), i * i) for i in range(1, n + 1))
    assert variance == pytest.approx(float(expected), rel=1e-10, abs=1e-12)


def test_coupon_collector_distribution():
    """P(T <= t) by inclusion and exclusion (Feller, section IV.2)."""
    n = 6
    for t in (6, 10, 30):
        exact = sum((-1) ** i * math.comb(n, i) * Fraction(n - i, n) ** t for i in range(n + 1))
        assert walks.coupon_collector(n).at([]).cdf(t) == close(exact, rel=1e-10)


@pytest.mark.parametrize(
    "make",
    [
        lambda: epidemics.sir(0),
        lambda: epidemics.sir(4, 5),
        lambda: epidemics.seir(4, 0),
        lambda: epidemics.sis(2.5),
        lambda: queues.tandem(0, 1),
        lambda: queues.ph_ph_1(EXPONENTIAL, EXPONENTIAL, 0),
        lambda: queues.ph_ph_1(3, EXPONENTIAL, 2),
        lambda: queues.ph_ph_1(EXPONENTIAL, ([0.5], [[-1.0]]), 2),
        lambda: phase_types.erlang(0),
        lambda: phase_types.hypoexponential(-1),
        lambda: phase_types.hyperexponential(0),
        lambda: phase_types.coxian(0),
        lambda: reliability.k_out_of_n(2, 3),
        lambda: reliability.standby(0),
        lambda: reliability.standby(2, repairers=-1),
        lambda: walks.gamblers_ruin(5, 5),
        lambda: walks.coupon_collector(0),
    ],
)
def test_bad_arguments_are_named(make):
    with pytest.raises(GraphError) as raised:
        make()
    assert raised.value.code == "MODEL_ARGUMENT"
    assert raised.value.hint


def test_matrices_that_are_none_are_refused_as_everywhere():
    with pytest.raises(GraphError, match="sums to"):
        queues.ph_ph_1(EXPONENTIAL, ([1.0], [[1.0]]), 2)
