"""Two alleles in a population of constant size, until one of them is lost.

Moran, P. A. P. (1958). Random processes in genetics. Mathematical Proceedings of the Cambridge
Philosophical Society 54, 60-71. Wright, S. (1931). Evolution in Mendelian populations. Genetics 16,
97-159. Ewens, W. J. (2004). Mathematical Population Genetics, 2nd edition, sections 3.2 and 3.4.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from phasic.declared import Process, Transition
from phasic.errors import GraphError
from phasic.graph import Graph
from phasic.models._binomial import binomial_pmf
from phasic.models._rule import States, Transitions, chain, replicate, whole_number


def _check(population: int, mutants: int) -> tuple[int, int]:
    population = whole_number("population", population, 2)
    mutants = whole_number("mutants", mutants, 1)
    if mutants >= population:
        raise GraphError(
            f"mutants is {mutants}, expected fewer than the population of {population}",
            code="MODEL_ARGUMENT",
            hint="pass mutants=1 for a new mutation",
        )
    return population, mutants


def moran(population: int, mutants: int = 1) -> Graph:
    """The Moran model: one individual reproduces, another dies, until one allele is lost.

    Args:
        population: individuals, N, at least 2.
        mutants: those with the mutant allele at first, from 1 to N - 1.

    theta: the rate at which a mutant reproduces; that of the others. The child takes the place of
    an individual drawn from all N.
    States: `(mutants,)`; 0 and N are absorbing, and `absorption_probabilities` says how often each.

    A mutant that reproduces r times as fast is fixed with probability
    (1 - r^-i) / (1 - r^-N) if there are i of them at first, and i / N if r = 1.

    Raises:
        GraphError: no whole numbers, or no room for both alleles.

    Example:
        >>> graph = moran(2)
        >>> round(graph.at([1.0, 1.0]).mean(), 12)
        1.0
    """
    population, mutants = _check(population, mutants)
    process = Process(
        variables=["mutants"],
        parameters=["mutant_birth", "resident_birth"],
        transitions=[
            Transition("gain", {"mutants": +1}, rate="mutant_birth * mutants * (N - mutants) / N"),
            Transition(
                "loss", {"mutants": -1}, rate="resident_birth * (N - mutants) * mutants / N"
            ),
        ],
        constants={"N": population},
    )
    return process.graph(start={"mutants": mutants}, known_states=chain(0, population))


def wright_fisher_rule(states: States, *, population: int) -> Transitions:
    """i mutants become j with the probability of j among `population` draws at i / population.

    Staying at i is not listed: it is what the others leave.
    """
    mutants = states[:, 0]
    (live,) = np.nonzero((mutants > 0) & (mutants < population))
    item, after = replicate(np.full(live.size, population + 1))
    before = mutants[live[item]]
    changed = after != before
    item, after, before = item[changed], after[changed], before[changed]
    probability = binomial_pmf(
        np.full(after.size, population),
        after,
        before / population,
        (population - before) / population,
    )
    keep = probability > 0
    source = live[item[keep]]
    return source, after[keep, np.newaxis], probability[keep], np.zeros((source.size, 0))


def wright_fisher(population: int, mutants: int = 1) -> Graph:
    """The Wright-Fisher model: each generation is drawn from the one before, with replacement.

    Args:
        population: gene copies, N, at least 2.
        mutants: those with the mutant allele at first, from 1 to N - 1.

    theta: none. Time counts generations.
    States: `(mutants,)`; 0 and N are absorbing, and `absorption_probabilities` says how often each.

    A mutation is fixed with probability i / N if there are i copies at first.

    Raises:
        GraphError: no whole numbers, or no room for both alleles.

    Example:
        >>> graph = wright_fisher(2)
        >>> round(graph.at([]).mean(), 12)
        2.0
    """
    population, mutants = _check(population, mutants)
    return Graph(
        rule=partial(wright_fisher_rule, population=population),
        start=[((mutants,), 1.0)],
        known_states=chain(0, population),
        discrete=True,
        state_names=["mutants"],
    )
