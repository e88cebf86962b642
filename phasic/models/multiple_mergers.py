"""Coalescents in which more than two lineages may merge at once (Lambda coalescents).

Pitman, J. (1999). Coalescents with multiple collisions. Annals of Probability 27, 1870-1902.
Sagitov, S. (1999). The general coalescent with asynchronous mergers of ancestral lines. Journal of
Applied Probability 36, 1116-1125. Of k lineages any j merge into one at rate lambda_{k,j}, so that
k becomes k - j + 1 at rate C(k, j) lambda_{k,j}.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from phasic.graph import Graph
from phasic.models._binomial import binomial_pmf
from phasic.models._rule import States, Transitions, chain, real_number, replicate, whole_number


def merger_rule(states: States, *, rates: NDArray[np.float64]) -> Transitions:
    """k lineages become k - j + 1, for j = 2, …, k, at rate rates[k, j] · theta.

    Args:
        states: (m, 1) lineages.
        rates: (n + 1, n + 1, n_parameters).
    """
    (source,) = np.nonzero(states[:, 0] > 1)
    item, position = replicate(states[source, 0] - 1)
    lineages, merging = states[source[item], 0], position + 2
    after = (lineages - merging + 1)[:, np.newaxis]
    return source[item], after, np.zeros(item.size), rates[lineages, merging]


def site_frequency_rule(
    states: States, *, rates: NDArray[np.float64], choices: NDArray[np.float64]
) -> Transitions:
    """Any set of two or more lineages merges into one with the sum of their descendants.

    Args:
        states: (m, n) lineages by the number of descendants.
        rates: (n + 1, n + 1, n_parameters), of j given ones among k lineages.
        choices: (n + 1, n + 1), the binomial coefficients C(k, j).
    """
    n = states.shape[1]
    # The sets of a state are the numbers with digits of base a_i + 1: how many merge of each size.
    bases = states + 1
    item, number = replicate(bases.prod(axis=1))
    counts = states[item]
    merging = np.zeros_like(counts)
    for size in np.flatnonzero(states.any(axis=0)):
        number, merging[:, size] = np.divmod(number, bases[item, size])
    many = merging.sum(axis=1) > 1
    item, counts, merging = item[many], counts[many], merging[many]
    lineages, merged = counts.sum(axis=1), merging.sum(axis=1)
    ways = choices[counts, merging].prod(axis=1)
    after = counts - merging
    after[np.arange(item.size), merging @ np.arange(1, n + 1) - 1] += 1
    coefficients = ways[:, np.newaxis] * rates[lineages, merged]
    return item, after, np.zeros(item.size), coefficients


def beta(n: int, alpha: float) -> Graph:
    """The Beta(2 - alpha, alpha) coalescent by the number of lineages, for skewed offspring.

    Args:
        n: sampled lineages, at least 2.
        alpha: between 0 and 2; towards 2 it becomes Kingman's, and 1 is that of Bolthausen and
            Sznitman.

    theta: the coalescence rate of a pair when there are two lineages.
    States: `(lineages,)`; 1 is absorbing.

    Two lineages merge at rate 1. With alpha = 1 lineages merge at the total rate k - 1 while there
    are k.

    Schweinsberg, J. (2003). Coalescent processes obtained from supercritical Galton-Watson
    processes. Stochastic Processes and their Applications 106, 107-139.

    Raises:
        GraphError: n is no whole number of at least 2, or alpha is not between 0 and 2.

    Example:
        >>> graph = beta(3, alpha=1.0)
        >>> round(graph.at([1.0]).mean(), 12)
        1.25
    """
    n = whole_number("n", n, 2)
    return _by_count(n, _beta_rates(n, alpha), ["coalescence"])


def beta_site_frequency(n: int, alpha: float) -> Graph:
    """The Beta(2 - alpha, alpha) coalescent with lineages told apart by their descendants.

    Args:
        n: sampled lineages, at least 2.
        alpha: between 0 and 2, as for `beta`.

    theta: the coalescence rate of a pair when there are two lineages.
    States: `(a_1, …, a_n)`, a_i lineages with i descendants each, as in
    `phasic.models.coalescent:site_frequency`, whose `spectrum_rewards` serves here too.

    Birkner, M., Blath, J. & Eldon, B. (2013). Statistical properties of the site-frequency spectrum
    associated with Lambda-coalescents. Genetics 195, 1037-1053.

    Raises:
        GraphError: n is no whole number of at least 2, or alpha is not between 0 and 2.

    Example:
        >>> graph = beta_site_frequency(3, alpha=1.0)
        >>> round(graph.at([1.0]).mean(graph.states()[:, 1]), 12)
        0.75
    """
    n = whole_number("n", n, 2)
    return _by_descendants(n, _beta_rates(n, alpha), ["coalescence"])


def _beta_rates(n: int, alpha: float) -> NDArray[np.float64]:
    alpha = real_number("alpha", alpha, 0.0, 2.0)
    # C(k, j) B(j - alpha, k - j + alpha) / B(2 - alpha, alpha) is k merging[j] left[k - j], where
    # merging[j] = (2 - alpha) … (j - 1 - alpha) / j!, left[i] = alpha … (i - 1 + alpha) / i!.
    i = np.arange(n + 1, dtype=np.float64)
    merging = np.zeros(n + 1)
    merging[2:] = np.cumprod(np.concatenate([[0.5], (i[2:n] - alpha) / i[3:]]))
    left = np.cumprod(np.concatenate([[1.0], (i[:n] + alpha) / i[1:]]))
    k, j = np.mgrid[: n + 1, : n + 1]
    rates = np.where((j >= 2) & (j <= k), k * merging[j] * left[np.maximum(k - j, 0)], 0.0)
    return rates[:, :, np.newaxis]


def dirac(n: int, psi: float) -> Graph:
    """Kingman's coalescent with events in which each lineage takes part with probability psi.

    Args:
        n: sampled lineages, at least 2.
        psi: the share of the population that one family replaces, between 0 and 1.

    theta: the coalescence rate of a pair besides the events; the rate of events.
    States: `(lineages,)`; 1 is absorbing.

    In an event those of the k lineages that take part merge into one: j of them with probability
    C(k, j) psi^j (1 - psi)^(k - j).

    Eldon, B. & Wakeley, J. (2006). Coalescent processes when the distribution of offspring number
    among individuals is highly skewed. Genetics 172, 2621-2633.

    Raises:
        GraphError: n is no whole number of at least 2, or psi is not between 0 and 1.

    Example:
        >>> graph = dirac(2, psi=0.5)
        >>> round(graph.at([0.75, 1.0]).mean(), 12)
        1.0
    """
    n = whole_number("n", n, 2)
    return _by_count(n, _dirac_rates(n, psi), ["coalescence", "event"])


def dirac_site_frequency(n: int, psi: float) -> Graph:
    """The coalescent of `dirac`, with lineages told apart by their descendants.

    Args:
        n: sampled lineages, at least 2.
        psi: the share of the population that one family replaces, between 0 and 1.

    theta: the coalescence rate of a pair besides the events; the rate of events.
    States: `(a_1, …, a_n)`, a_i lineages with i descendants each, as in
    `phasic.models.coalescent:site_frequency`, whose `spectrum_rewards` serves here too.

    Birkner, M., Blath, J. & Eldon, B. (2013). Statistical properties of the site-frequency spectrum
    associated with Lambda-coalescents. Genetics 195, 1037-1053.

    Raises:
        GraphError: n is no whole number of at least 2, or psi is not between 0 and 1.

    Example:
        >>> graph = dirac_site_frequency(4, psi=0.5)
        >>> round(graph.at([1.0, 0.0]).mean(graph.states()[:, 1]), 12)
        1.0
    """
    n = whole_number("n", n, 2)
    return _by_descendants(n, _dirac_rates(n, psi), ["coalescence", "event"])


def _dirac_rates(n: int, psi: float) -> NDArray[np.float64]:
    psi = real_number("psi", psi, 0.0, 1.0)
    k, j = np.mgrid[: n + 1, : n + 1]
    possible = (j >= 2) & (j <= k)
    rates = np.zeros((n + 1, n + 1, 2))
    rates[:, 2, 0] = k[:, 2] * (k[:, 2] - 1) / 2
    rates[possible, 1] = binomial_pmf(k[possible], j[possible], psi, 1.0 - psi)
    return rates


def _by_count(n: int, rates: NDArray[np.float64], names: list[str]) -> Graph:
    return Graph(
        rule=partial(merger_rule, rates=rates),
        start=[((n,), 1.0, [0.0] * len(names))],
        known_states=chain(1, n),
        parameter_names=names,
        state_names=["lineages"],
    )


def _partitions(n: int, largest: int) -> Iterator[list[int]]:
    """All ways to have n as a sum of numbers up to `largest`, by how often each is in it."""
    if n == 0 or largest == 1:
        yield [n] + [0] * (largest - 1)
        return
    for count in range(n // largest + 1):
        for smaller in _partitions(n - count * largest, largest - 1):
            yield [*smaller, count]


def _by_descendants(n: int, rates: NDArray[np.float64], names: list[str]) -> Graph:
    counts = range(n + 1)
    choices = np.array([[math.comb(k, j) for j in counts] for k in counts], np.float64)
    each = rates / np.maximum(choices, 1.0)[:, :, np.newaxis]
    return Graph(
        rule=partial(site_frequency_rule, rates=each, choices=choices),
        start=[((n,) + (0,) * (n - 1), 1.0, [0.0] * len(names))],
        known_states=np.array(list(_partitions(n, n))),
        parameter_names=names,
        state_names=[f"a{i}" for i in range(1, n + 1)],
    )
