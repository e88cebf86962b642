"""The coalescent of one population: n sampled lineages merge in pairs, back in time.

Kingman, J. F. C. (1982). The coalescent. Stochastic Processes and their Applications 13, 235-248.
Each pair of lineages merges at the same rate; the time is that to the most recent common ancestor.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasic.graph import Graph
from phasic.models._rule import States, Transitions, chain, replicate, whole_number


def kingman_rule(states: States) -> Transitions:
    """k lineages become k - 1 at rate k (k - 1) / 2 times theta[0]."""
    (source,) = np.nonzero(states[:, 0] > 1)
    lineages = states[source, 0].astype(np.float64)
    coefficients = (lineages * (lineages - 1) / 2)[:, np.newaxis]
    return source, states[source] - 1, np.zeros(source.size), coefficients


def kingman(n: int) -> Graph:
    """Kingman's coalescent by the number of lineages: n, n - 1, …, 1 (absorbing).

    Args:
        n: sampled lineages, at least 2.

    theta: the coalescence rate of a pair (in units of 1 / time; 1 gives coalescent time).
    States: `(lineages,)`. As a reward they give the total branch length.

    With rate 1 the mean is 2 (1 - 1/n), the variance the sum of 4 / (i² (i - 1)²) for i = 2, …, n.

    Raises:
        GraphError: n is no whole number of at least 2.

    Example:
        >>> graph = kingman(5)
        >>> round(graph.at([1.0]).mean(), 12)
        1.6
    """
    n = whole_number("n", n, 2)
    return Graph(
        rule=kingman_rule,
        start=[((n,), 1.0, [0.0])],
        known_states=chain(1, n),
        parameter_names=["coalescence"],
        state_names=["lineages"],
    )


def site_frequency_rule(states: States) -> Transitions:
    """A lineage with i descendants and one with j become one with i + j.

    Rate: the number of such pairs, a_i a_j or a_i (a_i - 1) / 2, times theta[0].
    """
    # The sizes that occur in each state, listed state by state; each is paired with itself and
    # with those after it in its state.
    row, size = np.nonzero(states)
    count = states[row, size].astype(np.float64)
    in_row = np.bincount(row, minlength=states.shape[0])
    last = np.cumsum(in_row)[row]
    first, offset = replicate(last - np.arange(row.size))
    second = first + offset
    pairs = np.where(
        offset == 0, count[first] * (count[first] - 1) / 2, count[first] * count[second]
    )
    keep = pairs > 0
    first, second, pairs = first[keep], second[keep], pairs[keep]

    source = row[first]
    next_states = states[source]
    k = np.arange(source.size)
    next_states[k, size[first]] -= 1
    # A separate step: where both lineages have the same size, it is taken away twice.
    next_states[k, size[second]] -= 1
    next_states[k, size[first] + size[second] + 1] += 1
    return source, next_states, np.zeros(source.size), pairs[:, np.newaxis]


def site_frequency(n: int) -> Graph:
    """The coalescent with lineages told apart by how many of the sample descend from them.

    Args:
        n: sampled lineages, at least 2.

    theta: the coalescence rate of a pair.
    States: `(a_1, …, a_n)`, a_i lineages with i descendants each; the sum of i a_i is n. Column
    i - 1 as a reward gives the length of branches on which a mutation is seen i times in the
    sample; times half the mutation rate its mean is the expected site-frequency spectrum.

    With rate 1 the mean branch lengths are 2 / i. `spectrum_rewards` gives all columns, also those
    of the folded spectrum.

    Fu, Y.-X. (1995). Statistical properties of segregating sites. Theoretical Population Biology
    48, 172-197. Hobolth, A., Siri-Jégousse, A. & Bladt, M. (2019). Phase-type distributions in
    population genetics. Theoretical Population Biology 127, 16-32.

    Raises:
        GraphError: n is no whole number of at least 2.

    Example:
        >>> graph = site_frequency(6)
        >>> singletons = graph.states()[:, 0]
        >>> round(graph.at([1.0]).mean(singletons), 12)
        2.0
    """
    n = whole_number("n", n, 2)
    start = (n,) + (0,) * (n - 1)
    return Graph(
        rule=site_frequency_rule,
        start=[(start, 1.0, [0.0])],
        parameter_names=["coalescence"],
        state_names=[f"a{i}" for i in range(1, n + 1)],
    )


def spectrum_rewards(graph: Graph, *, folded: bool = False) -> NDArray[np.float64]:
    """Rewards of the site-frequency spectrum of `site_frequency(n)`, one row a class of sites.

    Args:
        graph: the model.
        folded: sites with i and n - i descendants are one class, as where it is not known which
            allele is the ancestral one.

    Returns:
        (n - 1, n_vertices), row i - 1 for sites seen i times; folded: (n // 2, n_vertices), row
        i - 1 for those whose rarer allele is seen i times.

    Example:
        >>> graph = site_frequency(4)
        >>> rewards = spectrum_rewards(graph, folded=True)
        >>> [round(graph.at([1.0]).mean(row), 12) for row in rewards]
        [2.666666666667, 1.0]
    """
    lengths = graph.states()[:, :-1].T.astype(np.float64)
    if not folded:
        return lengths
    half = (lengths.shape[0] + 1) // 2
    rewards = lengths[:half].copy()
    # The middle class of an even n is its own mirror image.
    mirrored = lengths[::-1][: lengths.shape[0] // 2]
    rewards[: mirrored.shape[0]] += mirrored
    return rewards
