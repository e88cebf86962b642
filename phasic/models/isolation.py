"""Two populations that split from one, lineages told apart by their descendants in each sample.

Hey, J. & Nielsen, R. (2004). Multilocus methods for estimating population sizes, migration rates
and divergence time. Genetics 167, 747-760. Kern, A. D. & Hey, J. (2017). Exact calculation of the
joint allele frequency spectrum for isolation with migration models. Genetics 207, 241-253.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from phasic.errors import GraphError
from phasic.graph import Graph
from phasic.models._rule import States, Transitions, replicate, whole_number

PARAMETERS = (
    "coalescence_1",
    "coalescence_2",
    "coalescence_between",
    "migration_12",
    "migration_21",
)


@dataclass(frozen=True)
class Kinds:
    """The kinds of lineages, which are the columns of a state: by deme, then by descendants."""

    first: int
    second: int

    @property
    def count(self) -> int:
        return 2 * (self.first + 1) * (self.second + 1)

    def column(
        self, deme: NDArray[np.intp], i: NDArray[np.intp], j: NDArray[np.intp]
    ) -> NDArray[np.intp]:
        """Of lineages in `deme` (0 or 1) with i descendants in the first sample, j in the other."""
        return (deme * (self.first + 1) + i) * (self.second + 1) + j

    def read(self, column: NDArray[np.intp]) -> tuple[NDArray[np.intp], ...]:
        """(deme, i, j) of columns."""
        return np.unravel_index(column, (2, self.first + 1, self.second + 1))


def isolation_rule(states: States, *, kinds: Kinds) -> Transitions:
    """Any two lineages merge at a rate that depends on their demes; each moves at that of its own.

    Args:
        states: (m, kinds.count) lineages by kind.
        kinds: what the columns are.
    """
    (live,) = np.nonzero(states.sum(axis=1) > 1)
    row, kind = np.nonzero(states[live])
    row = live[row]
    count = states[row, kind].astype(np.float64)
    deme, i, j = kinds.read(kind)

    # Each kind that occurs in a state is paired with itself and those after it in that state.
    last = np.searchsorted(row, row, side="right")
    one, offset = replicate(last - np.arange(row.size))
    two = one + offset
    pairs = np.where(offset == 0, count[one] * (count[one] - 1) / 2, count[one] * count[two])
    one, two, pairs = one[pairs > 0], two[pairs > 0], pairs[pairs > 0]
    within = deme[one] == deme[two]
    merged = kinds.column(np.minimum(deme[one], deme[two]), i[one] + i[two], j[one] + j[two])
    after_merging = states[row[one]]
    k = np.arange(one.size)
    after_merging[k, kind[one]] -= 1
    after_merging[k, kind[two]] -= 1
    after_merging[k, merged] += 1

    after_moving = states[row]
    k = np.arange(row.size)
    after_moving[k, kind] -= 1
    after_moving[k, kinds.column(1 - deme, i, j)] += 1

    coefficients = np.zeros((one.size + row.size, len(PARAMETERS)))
    coefficients[np.arange(one.size), np.where(within, deme[one], 2)] = pairs
    coefficients[one.size + k, 3 + deme] = count
    source = np.concatenate([row[one], row])
    after = np.concatenate([after_merging, after_moving])
    return source, after, np.zeros(source.size), coefficients


def isolation_with_migration(n: Sequence[int]) -> Graph:
    """Two demes, joined into one at a time in the past, with joint site-frequency states.

    Args:
        n: lineages sampled in each deme, two numbers, as in [3, 2].

    theta: the coalescence rate of a pair in deme 1, in deme 2, and of a pair with one lineage in
    each; the rate at which a lineage moves, back in time, from deme 1 to 2 and from 2 to 1.
    While the demes are apart the third is 0. Before the split, when there is one population, the
    first three are its rate and the last two 0, for lineages are then all alike wherever they are
    noted: the split is an epoch, as in
    graph.at([1, 2, 0, 0.1, 0.1], epochs=[(0.5, [1, 1, 1, 0, 0])]).
    States: the lineages of each kind, by deme, then by how many of the first sample descend from
    them, then by how many of the second; `spectrum_rewards` gives the joint spectrum.

    If the split is at once, the branches with i and j descendants have the mean length of
    2 / (i + j) times the hypergeometric probability of i and j among i + j drawn from both samples.

    Raises:
        GraphError: n is not two whole numbers that sum to 2 or more.

    Example:
        >>> graph = isolation_with_migration([1, 1])
        >>> apart = [1.0, 1.0, 0.0, 0.0, 0.0]
        >>> round(graph.at(apart, epochs=[(3.0, [1.0, 1.0, 1.0, 0.0, 0.0])]).mean(), 12)
        4.0
    """
    first, second = _samples(n)
    kinds = Kinds(first, second)
    start = [0] * kinds.count
    of_first, of_second = kinds.column(np.array([0, 1]), np.array([1, 0]), np.array([0, 1]))
    # Where a sample is empty, there is no column for what descends from one of it.
    if first:
        start[of_first] = first
    if second:
        start[of_second] = second
    names = [
        f"deme{deme}_{i}_{j}"
        for deme in (1, 2)
        for i in range(first + 1)
        for j in range(second + 1)
    ]
    return Graph(
        rule=partial(isolation_rule, kinds=kinds),
        start=[(start, 1.0, [0.0] * len(PARAMETERS))],
        parameter_names=PARAMETERS,
        state_names=names,
    )


def spectrum_rewards(graph: Graph, n: Sequence[int]) -> NDArray[np.float64]:
    """Rewards of the joint site-frequency spectrum of `isolation_with_migration(n)`.

    Args:
        graph: the model.
        n: as it was made with.

    Returns:
        (n[0] + 1, n[1] + 1, n_vertices): the number of lineages with i and j descendants, wherever
        they are. [0, 0] and [n[0], n[1]] are 0: nothing, and the common ancestor.

    Example:
        >>> graph = isolation_with_migration([2, 1])
        >>> rewards = spectrum_rewards(graph, [2, 1])
        >>> round(graph.at([1.0, 1.0, 1.0, 0.0, 0.0]).mean(rewards[1, 0]), 12)
        1.333333333333
    """
    first, second = _samples(n)
    counts = graph.states().reshape(-1, 2, first + 1, second + 1).sum(axis=1)
    rewards = np.moveaxis(counts, 0, -1).astype(np.float64)
    rewards[first, second] = 0.0
    return rewards


def _samples(n: Sequence[int]) -> tuple[int, int]:
    if not isinstance(n, (list, tuple)) or len(n) != 2:
        raise GraphError(
            f"n is {n!r}, expected two numbers",
            code="MODEL_ARGUMENT",
            hint="pass the lineages sampled in each deme, as in n=[3, 2]",
        )
    first, second = (whole_number(f"n[{k}]", value, 0) for k, value in enumerate(n))
    if first + second < 2:
        raise GraphError(
            f"n is {n!r}, expected at least 2 lineages",
            code="MODEL_ARGUMENT",
            hint="pass the lineages sampled in each deme, as in n=[3, 2]",
        )
    return first, second
