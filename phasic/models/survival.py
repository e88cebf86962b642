"""Multistate survival: a life through stages of health.

Fix, E. & Neyman, J. (1951). A simple stochastic model of recovery, relapse, death and loss of
patients. Human Biology 23, 205-241. Andersen, P. K. & Keiding, N. (2002). Multi-state models for
event history analysis. Statistical Methods in Medical Research 11, 91-115.
"""

from __future__ import annotations

from phasic.declared import Process, Transition
from phasic.graph import Graph
from phasic.models._rule import chain

_PROCESS = Process(
    variables=["health"],
    parameters=["onset", "recovery", "death_healthy", "death_ill"],
    transitions=[
        Transition("onset", {"health": +1}, rate="onset", when="health == 0"),
        Transition("recovery", {"health": -1}, rate="recovery", when="health == 1"),
        Transition("death while healthy", {"health": +2}, "death_healthy", when="health == 0"),
        Transition("death while ill", {"health": +1}, "death_ill", when="health == 1"),
    ],
)


def illness_death() -> Graph:
    """The life of a person who is healthy at first, may fall ill, recover, and die of either.

    theta: the rates of onset, of recovery, of death while healthy and of death while ill.
    States: `(health,)`: 0 healthy, 1 ill, 2 dead, which is absorbing.

    With rates a, b, c, d in this order the mean is (a + b + d) / (a d + b c + c d), of which
    a / (a d + b c + c d) is spent ill.

    Example:
        >>> graph = illness_death()
        >>> round(graph.at([1.0, 0.5, 0.25, 1.0]).mean(), 12)
        1.818181818182
    """
    return _PROCESS.graph(start={"health": 0}, known_states=chain(0, 2))
