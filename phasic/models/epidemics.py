"""Epidemics in a closed population, until nobody is infected.

Bartlett, M. S. (1956). Deterministic and stochastic models for recurrent epidemics. Proceedings of
the Third Berkeley Symposium 4, 81-109. Bailey, N. T. J. (1975). The Mathematical Theory of
Infectious Diseases, 2nd edition, chapter 6. Weiss, G. H. & Dishon, M. (1971). On the asymptotic
behavior of the stochastic and deterministic models of an epidemic. Mathematical Biosciences 11,
261-265 (SIS).
"""

from __future__ import annotations

import numpy as np

from phasic.declared import Process, Transition
from phasic.errors import GraphError
from phasic.graph import Graph
from phasic.models._rule import chain, whole_number

_RECOVERY = Transition("recovery", {"infected": -1}, rate="recovery * infected")


def _check(population: int, infected: int) -> tuple[int, int]:
    population = whole_number("population", population, 1)
    infected = whole_number("infected", infected, 1)
    if infected > population:
        raise GraphError(
            f"infected is {infected}, more than the population of {population}",
            code="MODEL_ARGUMENT",
            hint="pass infected=1 for an outbreak",
        )
    return population, infected


def sir(population: int, infected: int = 1) -> Graph:
    """The general epidemic: susceptible, infected, then recovered for good.

    Args:
        population: individuals, N.
        infected: those infected at first, from 1 to N; the others are susceptible.

    theta: the rate of infection, beta S I / N in all; the rate at which an infected recovers.
    States: `(susceptible, infected)`; those without infected are absorbing, one for each final
    size, and `absorption_probabilities` says how often each.

    Without infection the time is the longest of the infectious periods, with mean
    (1 + 1/2 + … + 1/infected) / recovery.

    Raises:
        GraphError: no whole numbers, or more infected than individuals.

    Example:
        >>> graph = sir(2)
        >>> round(graph.at([2.0, 1.0]).mean(), 12)
        1.25
    """
    population, infected = _check(population, infected)
    process = Process(
        variables=["susceptible", "infected"],
        parameters=["infection", "recovery"],
        transitions=[
            Transition(
                "infection",
                {"susceptible": -1, "infected": +1},
                rate="infection * susceptible * infected / N",
            ),
            _RECOVERY,
        ],
        constants={"N": population},
    )
    at_first = population - infected
    # With s susceptible left, from none to all of the others are infected.
    known = [(s, i) for s in range(at_first + 1) for i in range(population - s + 1)]
    return process.graph(
        start={"susceptible": at_first, "infected": infected}, known_states=np.array(known)
    )


def seir(population: int, infected: int = 1) -> Graph:
    """An epidemic with a latent period: susceptible, exposed, infected, recovered.

    Args:
        population: individuals, N.
        infected: those infected at first, from 1 to N; the others are susceptible.

    theta: the rate of infection, beta S I / N in all; the rate at which an exposed becomes
    infectious; the rate at which an infected recovers.
    States: `(susceptible, exposed, infected)`; those with nobody exposed or infected are
    absorbing, one for each final size.

    The final size has the same distribution as in `sir`: latency delays and prevents nothing.

    Raises:
        GraphError: no whole numbers, or more infected than individuals.

    Example:
        >>> graph = seir(2)
        >>> round(graph.at([2.0, 1.0, 1.0]).mean(), 12)
        1.625
    """
    population, infected = _check(population, infected)
    process = Process(
        variables=["susceptible", "exposed", "infected"],
        parameters=["infection", "onset", "recovery"],
        transitions=[
            Transition(
                "infection",
                {"susceptible": -1, "exposed": +1},
                rate="infection * susceptible * infected / N",
            ),
            Transition("onset", {"exposed": -1, "infected": +1}, rate="onset * exposed"),
            _RECOVERY,
        ],
        constants={"N": population},
    )
    return process.graph(start={"susceptible": population - infected, "infected": infected})


def sis(population: int, infected: int = 1) -> Graph:
    """The logistic epidemic: who recovers is susceptible again, until the disease dies out.

    Args:
        population: individuals, N.
        infected: those infected at first, from 1 to N.

    theta: the rate of infection, beta (N - I) I / N in all; the rate at which an infected recovers.
    States: `(infected,)`; 0 is absorbing.

    From one infected the mean is the sum, for k = 1, …, N, of
    (infection / recovery / N)^(k - 1) (N - 1)! / (N - k)! / (k recovery).

    Raises:
        GraphError: no whole numbers, or more infected than individuals.

    Example:
        >>> graph = sis(2)
        >>> round(graph.at([2.0, 1.0]).mean(), 12)
        1.5
    """
    population, infected = _check(population, infected)
    process = Process(
        variables=["infected"],
        parameters=["infection", "recovery"],
        transitions=[
            Transition(
                "infection", {"infected": +1}, rate="infection * infected * (N - infected) / N"
            ),
            _RECOVERY,
        ],
        constants={"N": population},
    )
    return process.graph(start={"infected": infected}, known_states=chain(0, population))
