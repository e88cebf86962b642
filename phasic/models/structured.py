"""The structured coalescent: lineages live in demes, merge within them and move between them.

Notohara, M. (1990). The coalescent and the genealogical process in geographically structured
population. Journal of Mathematical Biology 29, 59-75. Time runs backwards, so a migration rate
belongs to lineages that leave a deme back in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from phasic.errors import GraphError
from phasic.graph import Graph
from phasic.models._rule import States, Transitions, whole_number


def migration_rule(
    states: States,
    *,
    coalescence: NDArray[np.float64],
    migration: NDArray[np.float64],
) -> Transitions:
    """k lineages in a deme lose one at rate k (k - 1) / 2, and send one elsewhere at rate k.

    Args:
        states: (m, d) lineages by deme.
        coalescence: (d, p), the coefficients of a pair's rate in each deme.
        migration: (d, d, p), those of a lineage's rate of moving from one deme to another.
    """
    demes = states.shape[1]
    # The last lineage is the common ancestor: nothing follows.
    (live,) = np.nonzero(states.sum(axis=1) > 1)
    counts = states[live].astype(np.float64)
    step = np.eye(demes, dtype=states.dtype)

    source, next_states, coefficients = [], [], []
    for deme in range(demes):
        (pair,) = np.nonzero(counts[:, deme] > 1)
        k = counts[pair, deme]
        source.append(live[pair])
        next_states.append(states[live[pair]] - step[deme])
        coefficients.append((k * (k - 1) / 2)[:, np.newaxis] * coalescence[deme])
        (present,) = np.nonzero(counts[:, deme] > 0)
        for other in range(demes):
            if other == deme:
                continue
            source.append(live[present])
            next_states.append(states[live[present]] - step[deme] + step[other])
            coefficients.append(counts[present, deme][:, np.newaxis] * migration[deme, other])
    sources = np.concatenate(source)
    return (
        sources,
        np.concatenate(next_states),
        np.zeros(sources.size),
        np.concatenate(coefficients),
    )


def _sample(n: int | Sequence[int], demes: int | None) -> tuple[int, ...]:
    if isinstance(n, (int, np.integer)):
        demes = whole_number("demes", 2 if demes is None else demes, 2)
        return (whole_number("n", n, 2),) + (0,) * (demes - 1)
    sample = tuple(whole_number(f"n[{i}]", k, 0) for i, k in enumerate(n))
    if len(sample) < 2 or sum(sample) < 2:
        raise GraphError(
            f"n is {sample}, expected at least 2 lineages over at least 2 demes",
            code="MODEL_ARGUMENT",
            hint="pass the lineages sampled in each deme, as in n=[3, 2]",
        )
    if demes is not None and whole_number("demes", demes, 2) != len(sample):
        raise GraphError(
            f"n lists {len(sample)} demes, and demes is {demes}",
            code="MODEL_ARGUMENT",
            hint="leave demes out where n is a list",
        )
    return sample


def migration(n: int | Sequence[int], demes: int | None = None, *, symmetric: bool = True) -> Graph:
    """The structured coalescent by the number of lineages in each deme.

    Args:
        n: lineages sampled in each deme, or one number: all in the first deme.
        demes: number of demes where n is one number; 2 unless told.
        symmetric: one rate for all demes and one for all migrations (the island model), or every
            rate a parameter of its own.

    theta, symmetric: the coalescence rate of a pair in its deme; the rate at which a lineage
    leaves its deme, to each other deme with equal probability.
    theta, otherwise: the coalescence rate of each deme; then the rates at which a lineage moves
    from deme i to deme j, by i and within it by j (j != i): d² parameters in all.
    States: `(lineages in deme 1, …, lineages in deme d)`. The state with one lineage left is
    absorbing, one for each deme that the common ancestor may have lived in.

    In the island model with d demes of rate 1 two lineages meet after d on average when sampled
    in one deme, and after d + (d - 1) / (2 m) when sampled in two, m being the second parameter
    (Slatkin 1991, Genetical Research 58, 167-175).

    Raises:
        GraphError: fewer than two lineages or demes, a negative or fractional number.

    Example:
        >>> graph = migration([1, 1])
        >>> round(graph.at([1.0, 0.5]).mean(), 12)
        3.0
    """
    sample = _sample(n, demes)
    d = len(sample)
    if symmetric:
        names = ["coalescence", "migration"]
        coalescence = np.tile([1.0, 0.0], (d, 1))
        moves = np.tile([0.0, 1.0 / (d - 1)], (d, d, 1))
    else:
        n_parameters = d * d
        names = [f"coalescence_{i}" for i in range(1, d + 1)]
        names += [f"migration_{i}_{j}" for i in range(1, d + 1) for j in range(1, d + 1) if i != j]
        identity = np.eye(n_parameters)
        coalescence = identity[:d]
        moves = np.zeros((d, d, n_parameters))
        moves[~np.eye(d, dtype=bool)] = identity[d:]
    rule = partial(migration_rule, coalescence=coalescence, migration=moves)
    return Graph(
        rule=rule,
        start=[(sample, 1.0, [0.0] * len(names))],
        parameter_names=names,
        state_names=[f"deme{i}" for i in range(1, d + 1)],
    )
