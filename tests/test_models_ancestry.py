"""Models of ancestry that ship, against published values and exact first-step equations."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from first_step import mean_time, solve
from phasic.errors import GraphError
from phasic.models import (
    coalescent,
    isolation,
    multiple_mergers,
    populations,
    seed_bank,
    structured,
    two_locus,
)

CLOSE = 1e-12


def close(value, rel=CLOSE):
    return pytest.approx(float(value), rel=rel)


# -- the folded spectrum: Fu 1995, equation 8: classes i and n - i are seen together


@pytest.mark.parametrize("n", [2, 3, 4, 7, 8])
def test_the_folded_spectrum(n):
    graph = coalescent.site_frequency(n)
    rewards = coalescent.spectrum_rewards(graph, folded=True)
    assert rewards.shape == (n // 2, graph.n_vertices)
    for i, row in enumerate(rewards, 1):
        expected = 2 / i if 2 * i == n else 2 / i + 2 / (n - i)
        assert graph.at([1.0]).mean(row) == close(expected)


def test_the_spectrum_sums_to_the_total_length():
    graph = coalescent.site_frequency(6)
    distribution = graph.at([1.0])
    folded = coalescent.spectrum_rewards(graph, folded=True).sum(axis=0)
    plain = coalescent.spectrum_rewards(graph).sum(axis=0)
    np.testing.assert_array_equal(folded, plain)
    assert distribution.mean(plain) == close(2 * sum(Fraction(1, i) for i in range(1, 6)))


# -- multiple mergers


def lambda_mean(n, rate):
    """Mean time from n lineages, given the rate at which some j of k merge."""

    def moves(k):
        return [(k - j + 1, rate(k, j)) for j in range(2, k + 1)]

    return mean_time(n, moves)


def bolthausen_sznitman(k, j):
    """C(k, j) (j - 2)! (k - j)! / (k - 1)! = k / (j (j - 1)): Bolthausen & Sznitman 1998."""
    return Fraction(k, j * (j - 1))


@pytest.mark.parametrize("n", [2, 3, 5, 12])
def test_bolthausen_sznitman(n):
    graph = multiple_mergers.beta(n, alpha=1.0)
    assert graph.at([2.0]).mean() == close(lambda_mean(n, bolthausen_sznitman) / 2)


@pytest.mark.parametrize("k", [2, 3, 10, 50])
def test_bolthausen_sznitman_leaves_k_lineages_at_rate_k_minus_1(k):
    graph = multiple_mergers.beta(k, alpha=1.0)
    edges = graph.edges()
    (start,) = edges.target[edges.source == 0]
    assert edges.coefficients[edges.source == start].sum() == close(k - 1)


@pytest.mark.parametrize("alpha", [Fraction(1, 2), Fraction(3, 2), Fraction(19, 10)])
@pytest.mark.parametrize("n", [2, 3, 8])
def test_beta_coalescent(n, alpha):
    """Beta functions of Schweinsberg 2003, equation 11, by the recursion of the gamma function."""

    def rate(k, j):
        # B(j - a, k - j + a) / B(2 - a, a) is Gamma(j - a) / Gamma(2 - a) times
        # Gamma(k - j + a) / Gamma(a) over (k - 1)!.
        top = math.prod((i - alpha for i in range(2, j)), start=Fraction(1))
        low = math.prod((i + alpha for i in range(k - j)), start=Fraction(1))
        return math.comb(k, j) * top * low / math.factorial(k - 1)

    graph = multiple_mergers.beta(n, alpha=float(alpha))
    assert graph.at([1.0]).mean() == close(lambda_mean(n, rate))


def test_beta_towards_2_is_kingman():
    found = multiple_mergers.beta(9, alpha=2 - 1e-13).at([1.0]).moments(3)
    np.testing.assert_allclose(found, coalescent.kingman(9).at([1.0]).moments(3), rtol=1e-11)


@pytest.mark.parametrize("psi", [Fraction(1, 10), Fraction(1, 2), Fraction(99, 100)])
@pytest.mark.parametrize("n", [2, 3, 9])
def test_dirac_coalescent(n, psi):
    def rate(k, j):
        pairs = Fraction(k * (k - 1), 2) if j == 2 else 0
        return pairs + 3 * math.comb(k, j) * psi**j * (1 - psi) ** (k - j)

    graph = multiple_mergers.dirac(n, psi=float(psi))
    assert graph.at([1.0, 3.0]).mean() == close(lambda_mean(n, rate))


def test_dirac_without_events_is_kingman():
    found = multiple_mergers.dirac(12, psi=0.3).at([1.0, 0.0]).moments(3)
    np.testing.assert_allclose(found, coalescent.kingman(12).at([1.0]).moments(3), rtol=CLOSE)


def spectrum_by_first_steps(n, rate):
    """Mean branch lengths by descendants: `rate(k, j)` for some j of k, each set alike."""

    def moves(state):
        k = len(state)
        out = []
        for j in range(2, k + 1):
            for chosen in itertools.combinations(range(k), j):
                others = [size for i, size in enumerate(state) if i not in chosen]
                after = tuple(sorted([*others, sum(state[i] for i in chosen)]))
                out.append((after, rate(k, j) / math.comb(k, j)))
        return out

    return [
        solve((1,) * n, moves, lambda state, i=i: state.count(i), lambda state: 0)
        for i in range(1, n)
    ]


@pytest.mark.parametrize("n", [2, 3, 6])
def test_spectra_with_multiple_mergers(n):
    """Lineages merged one set at a time, in exact fractions."""
    graph = multiple_mergers.beta_site_frequency(n, alpha=1.0)
    expected = spectrum_by_first_steps(n, bolthausen_sznitman)
    for row, value in zip(coalescent.spectrum_rewards(graph), expected, strict=True):
        assert graph.at([1.0]).mean(row) == close(value)

    psi = Fraction(1, 5)
    graph = multiple_mergers.dirac_site_frequency(n, psi=0.2)
    expected = spectrum_by_first_steps(
        n,
        lambda k, j: (
            (Fraction(k * (k - 1), 2) if j == 2 else 0)
            + 3 * math.comb(k, j) * psi**j * (1 - psi) ** (k - j)
        ),
    )
    for row, value in zip(coalescent.spectrum_rewards(graph), expected, strict=True):
        assert graph.at([1.0, 3.0]).mean(row) == close(value)


def test_spectra_sum_to_the_coalescent_by_count():
    joint = multiple_mergers.beta_site_frequency(9, alpha=1.3)
    plain = multiple_mergers.beta(9, alpha=1.3)
    np.testing.assert_allclose(joint.at([0.5]).moments(3), plain.at([0.5]).moments(3), rtol=CLOSE)
    length = plain.states()[:, 0] * (plain.states()[:, 0] > 1)
    total = coalescent.spectrum_rewards(joint).sum(axis=0)
    assert joint.at([0.5]).mean(total) == close(plain.at([0.5]).mean(length))


# -- isolation with migration


def hypergeometric_spectrum(first, second):
    """Means of Wakeley & Hey 1997 without a split: 2 / k, spread as k drawn from both samples."""
    means = np.zeros((first + 1, second + 1))
    for i in range(first + 1):
        for j in range(second + 1):
            k = i + j
            if 0 < k < first + second:
                ways = math.comb(first, i) * math.comb(second, j)
                means[i, j] = 2 / k * ways / math.comb(first + second, k)
    return means


@pytest.mark.parametrize("n", [(1, 1), (2, 1), (3, 2), (3, 3), (0, 4), (4, 0)])
def test_two_demes_that_are_one_have_the_hypergeometric_spectrum(n):
    graph = isolation.isolation_with_migration(n)
    rewards = isolation.spectrum_rewards(graph, n)
    distribution = graph.at([1.0, 1.0, 1.0, 0.7, 0.2])  # migration is of no matter then
    found = np.array([[distribution.mean(cell) for cell in row] for row in rewards])
    np.testing.assert_allclose(found, hypergeometric_spectrum(*n), rtol=CLOSE, atol=1e-15)


@pytest.mark.parametrize("time", [0.25, 3.0])
def test_isolation_until_a_split(time):
    """Two lineages in two demes meet after the split: T + 1; within one deme they may before.

    Takahata & Nei 1985: within, the mean is 1/c (1 - exp(-c T)) + exp(-c T) / a.
    """
    epochs = [(time, [0.5, 0.5, 0.5, 0.0, 0.0])]
    apart = [2.0, 4.0, 0.0, 0.0, 0.0]
    between = isolation.isolation_with_migration([1, 1]).at(apart, epochs=epochs)
    assert between.mean() == close(time + 2)
    for n, rate in (([2, 0], 2.0), ([0, 2], 4.0)):
        within = isolation.isolation_with_migration(n).at(apart, epochs=epochs)
        expected = -math.expm1(-rate * time) / rate + math.exp(-rate * time) * 2
        assert within.mean() == close(expected)


def test_migration_without_a_split_is_the_structured_coalescent():
    joint = isolation.isolation_with_migration([3, 2]).at([1.0, 0.3, 0.0, 0.8, 0.1])
    plain = structured.migration([3, 2], symmetric=False).at([1.0, 0.3, 0.8, 0.1])
    np.testing.assert_allclose(joint.moments(3), plain.moments(3), rtol=CLOSE)


def test_the_spectrum_with_migration_sums_to_the_total_length():
    n = [3, 2]
    graph = isolation.isolation_with_migration(n)
    theta = [1.0, 0.3, 0.0, 0.8, 0.1]
    total = graph.at(theta).mean(isolation.spectrum_rewards(graph, n).sum(axis=(0, 1)))
    plain = structured.migration(n, symmetric=False)
    lineages = plain.states().sum(axis=1) * (plain.states().sum(axis=1) > 1)
    assert total == close(plain.at([1.0, 0.3, 0.8, 0.1]).mean(lineages))


# -- seed bank: Blath et al. 2016


@pytest.mark.parametrize(("dormancy", "waking"), [(1, 1), (1e-6, 2e-6), (3, Fraction(1, 10))])
def test_two_lineages_of_a_seed_bank(dormancy, waking):
    theta = [1.0, float(dormancy), float(waking)]
    ratio = Fraction(dormancy) / Fraction(waking)
    assert seed_bank.seed_bank(2).at(theta).mean() == close((1 + ratio) ** 2)


@pytest.mark.parametrize("sample", [(2, 0), (1, 1), (0, 2), (3, 2)])
def test_seed_bank_against_first_step_equations(sample):
    c, fall, wake = Fraction(2), Fraction(1, 3), Fraction(1, 7)

    def moves(state):
        active, dormant = state
        if active + dormant == 1:
            return []
        return [
            ((active - 1, dormant), c * active * (active - 1) / 2),
            ((active - 1, dormant + 1), fall * active),
            ((active + 1, dormant - 1), wake * dormant),
        ]

    found = seed_bank.seed_bank(*sample).at([float(c), float(fall), float(wake)]).mean()
    assert found == close(mean_time(sample, moves))


# -- two loci: Griffiths 1981, Hudson 1983


@pytest.mark.parametrize("recombination", [0.0, 1e-3, 1.0, 7.5, 1e3])
def test_covariance_of_the_times_of_two_loci(recombination):
    graph = two_locus.two_locus(2)
    covariances = graph.at([1.0, recombination / 2]).covariance_matrix(
        two_locus.locus_rewards(graph)
    )
    r = recombination
    assert covariances[0, 1] == close((r + 18) / (r * r + 13 * r + 18), rel=1e-10)
    assert covariances[0, 0] == close(1)


@pytest.mark.parametrize("n", [3, 8])
@pytest.mark.parametrize("recombination", [0.0, 2.0])
def test_each_locus_alone_is_kingman(n, recombination):
    graph = two_locus.two_locus(n)
    expected = coalescent.kingman(n).at([1.0]).moments(3)
    for row in two_locus.locus_rewards(graph):
        found = graph.at([1.0, recombination]).moments(3, rewards=row)
        np.testing.assert_allclose(found, expected, rtol=CLOSE)


# -- Moran 1958, Wright 1931, Ewens 2004


def fixation(graph, theta, population):
    distribution = graph.at(theta)
    probabilities = distribution.absorption_probabilities(distribution.trace.evaluator.ends)
    states = graph.states()[distribution.trace.evaluator.ends, 0]
    return dict(zip(states.tolist(), probabilities.tolist(), strict=True))[population]


@pytest.mark.parametrize(("population", "mutants"), [(2, 1), (10, 3), (40, 39)])
@pytest.mark.parametrize("advantage", [Fraction(1), Fraction(3, 2), Fraction(1, 4)])
def test_moran_fixation(population, mutants, advantage):
    graph = populations.moran(population, mutants)
    if advantage == 1:
        expected = Fraction(mutants, population)
    else:
        expected = (1 - advantage**-mutants) / (1 - advantage**-population)
    assert fixation(graph, [float(advantage), 1.0], population) == close(expected)


@pytest.mark.parametrize(("population", "mutants"), [(2, 1), (10, 3), (25, 20)])
def test_moran_neutral_time(population, mutants):
    """Ewens 2004, section 3.4, with a birth a unit of time for each individual: the sums of
    (N - i) / (N - j) over j up to i, and of i / j over those from i + 1 to N - 1."""
    i, n = mutants, population
    left = sum(Fraction(n - i, n - j) for j in range(1, i + 1))
    right = sum(Fraction(i, j) for j in range(i + 1, n))
    assert populations.moran(n, i).at([1.0, 1.0]).mean() == close(left + right)


@pytest.mark.parametrize(("population", "mutants"), [(2, 1), (9, 2), (60, 1), (60, 59)])
def test_wright_fisher_fixation(population, mutants):
    graph = populations.wright_fisher(population, mutants)
    assert fixation(graph, [], population) == close(Fraction(mutants, population))


def test_wright_fisher_time_against_first_step_equations():
    n = 12

    def moves(i):
        if i in (0, n):
            return []
        p = Fraction(i, n)
        return [(j, math.comb(n, j) * p**j * (1 - p) ** (n - j)) for j in range(n + 1)]

    assert populations.wright_fisher(n, 4).at([]).mean() == close(mean_time(4, moves))


def test_wright_fisher_tail_is_geometric():
    """The largest eigenvalue below 1 is 1 - 1/N (Ewens 2004, section 3.2)."""
    n = 20
    late = populations.wright_fisher(n, 7).at([]).sf([2000, 2001])
    assert late[1] / late[0] == close(Fraction(n - 1, n), rel=1e-11)


@pytest.mark.parametrize(
    "make",
    [
        lambda: multiple_mergers.beta(1, 1.5),
        lambda: multiple_mergers.beta(4, 2.0),
        lambda: multiple_mergers.beta(4, float("nan")),
        lambda: multiple_mergers.beta(4, "1.5"),
        lambda: multiple_mergers.dirac(4, 0.0),
        lambda: multiple_mergers.dirac(4, True),
        lambda: multiple_mergers.beta_site_frequency(4, 0),
        lambda: multiple_mergers.dirac_site_frequency(1, 0.5),
        lambda: isolation.isolation_with_migration(4),
        lambda: isolation.isolation_with_migration([4]),
        lambda: isolation.isolation_with_migration([1, 0]),
        lambda: isolation.isolation_with_migration([3, -1]),
        lambda: seed_bank.seed_bank(1),
        lambda: seed_bank.seed_bank(-1, 4),
        lambda: two_locus.two_locus(1),
        lambda: populations.moran(1),
        lambda: populations.moran(5, 5),
        lambda: populations.wright_fisher(5, 0),
    ],
)
def test_bad_arguments_are_named(make):
    with pytest.raises(GraphError) as raised:
        make()
    assert raised.value.code == "MODEL_ARGUMENT"
    assert raised.value.hint
