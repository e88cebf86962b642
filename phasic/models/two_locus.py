"""The ancestral recombination graph of two loci, by the number of lineages ancestral to each.

Hudson, R. R. (1983). Properties of a neutral allele model with intragenic recombination.
Theoretical Population Biology 23, 183-201. Griffiths, R. C. (1991). The two-locus ancestral graph.
Institute of Mathematical Statistics Lecture Notes 18, 100-117.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasic.declared import Process, Transition
from phasic.graph import Graph
from phasic.models._rule import States, Transitions, whole_number

_PROCESS = Process(
    variables=["first", "second", "both"],
    parameters=["coalescence", "recombination"],
    transitions=[
        Transition(
            "recombination",
            {"first": +1, "second": +1, "both": -1},
            rate="recombination * both",
        ),
        Transition(
            "joining",
            {"first": -1, "second": -1, "both": +1},
            rate="coalescence * first * second",
        ),
        Transition(
            "merging at the first locus",
            {"first": -1},
            rate="coalescence * (choose(first, 2) + first * both)",
        ),
        Transition(
            "merging at the second locus",
            {"second": -1},
            rate="coalescence * (choose(second, 2) + second * both)",
        ),
        Transition("merging at both", {"both": -1}, rate="coalescence * choose(both, 2)"),
    ],
)


def two_locus_rule(states: States) -> Transitions:
    """The transitions, with a locus followed no longer once it has one lineage left."""
    source, after, base, coefficients = _PROCESS.rule(states)
    first, second = after[:, 0] + after[:, 2], after[:, 1] + after[:, 2]
    nothing = np.zeros_like(first)
    of_second = np.stack([nothing, np.where(second > 1, second, 0), nothing], axis=1)
    of_first = np.stack([np.where(first > 1, first, 0), nothing, nothing], axis=1)
    after = np.where((first <= 1)[:, np.newaxis], of_second, after)
    after = np.where((second <= 1)[:, np.newaxis], of_first, after)
    return source, after, base, coefficients


def two_locus(n: int) -> Graph:
    """The time until each of two loci has found its most recent common ancestor.

    Args:
        n: sampled lineages, at least 2, each with both loci.

    theta: the coalescence rate of a pair; the rate at which a lineage with both loci splits.
    States: `(lineages with the first locus alone, with the second alone, with both)`. A locus that
    has found its ancestor is 0; (0, 0, 0) is absorbing. `locus_rewards` gives the time of each.

    With two lineages, coalescence rate 1 and recombination rate R / 2 the times of the two loci
    have the covariance (R + 18) / (R² + 13 R + 18).

    Raises:
        GraphError: n is no whole number of at least 2.

    Example:
        >>> graph = two_locus(2)
        >>> first, second = locus_rewards(graph)
        >>> round(graph.at([1.0, 0.5]).mean(first), 12)
        1.0
    """
    n = whole_number("n", n, 2)
    return Graph(
        rule=two_locus_rule,
        start=[((0, 0, n), 1.0, [0.0, 0.0])],
        parameter_names=_PROCESS.parameters,
        state_names=_PROCESS.variables,
    )


def locus_rewards(graph: Graph) -> NDArray[np.float64]:
    """(2, n_vertices): where the first and the second locus has more than one lineage left."""
    first, second, both = graph.states().T
    return np.stack([first + both > 1, second + both > 1]).astype(np.float64)
