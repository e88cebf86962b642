"""Queues with more in their state than the number of customers. (`birth_death` has the others.)

Neuts, M. F. (1981). Matrix-Geometric Solutions in Stochastic Models. Johns Hopkins University
Press. Kleinrock, L. (1975). Queueing Systems, volume 1, sections 4.8 and 5.8.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from phasic.declared import Process, Transition
from phasic.errors import GraphError
from phasic.graph import Graph
from phasic.models._rule import States, Transitions, whole_number


def tandem(first: int, second: int) -> Graph:
    """Two queues in a row, empty at first, until an arrival finds no place.

    Args:
        first, second: places in each, at least 1, the one being served among them. While the
            second is full the server of the first waits.

    theta: the arrival rate; the service rate of the first server; that of the second.
    States: `(customers in the first, in the second, turned away)`; those with one turned away are
    absorbing.

    Raises:
        GraphError: no whole numbers of at least 1.

    Example:
        >>> graph = tandem(1, 1)
        >>> round(graph.at([1.0, 2.0, 1.0]).mean(), 12)
        3.333333333333
    """
    first, second = whole_number("first", first, 1), whole_number("second", second, 1)
    process = Process(
        variables=["first", "second", "lost"],
        parameters=["arrival", "service_1", "service_2"],
        transitions=[
            Transition("arrival", {"first": +1}, rate="arrival", when="first < places_1"),
            Transition("loss", {"lost": +1}, rate="arrival", when="first == places_1"),
            Transition(
                "first service",
                {"first": -1, "second": +1},
                rate="service_1",
                when="first > 0 and second < places_2",
            ),
            Transition("second service", {"second": -1}, rate="service_2", when="second > 0"),
        ],
        constants={"places_1": first, "places_2": second},
        absorbing="lost > 0",
    )
    places = product(range(first + 1), range(second + 1), (0,))
    full = product((first,), range(second + 1), (1,))
    return process.graph(start={"first": 0}, known_states=np.array([*places, *full]))


class Law(NamedTuple):
    """A phase-type distribution: (m,) starting probabilities, (m, m) rates, (m,) exit rates."""

    alpha: NDArray[np.float64]
    rates: NDArray[np.float64]
    exits: NDArray[np.float64]


def ph_rule(states: States, *, arrival: Law, service: Law, capacity: int) -> Transitions:
    """Phases move, customers arrive and leave; arrivals count in theta[0], service in theta[1].

    Args:
        states: (m, 3): customers, phase of the next arrival, phase of the service.
        arrival, service: the laws of the times between arrivals and of services.
        capacity: customers beyond which an arrival is turned away.
    """
    (live,) = np.nonzero(states[:, 0] > 0)
    parts = []
    for law, phase in ((arrival, 1), (service, 2)):
        now = states[live, phase]
        # Between phases, then to the end of the time and on to the first phase of the next.
        moves = law.rates[now]
        ends = law.exits[now][:, np.newaxis] * law.alpha
        for rates, is_end in ((moves, False), (ends, True)):
            row, to = np.nonzero(rates)
            after = states[live[row]]
            after[:, phase] = to
            if is_end and phase == 1:
                after[:, 0] = np.minimum(after[:, 0] + 1, capacity)
            elif is_end:
                after[:, 0] -= 1
                after[after[:, 0] == 0] = 0
            coefficients = np.zeros((row.size, 2))
            coefficients[:, phase - 1] = rates[row, to]
            parts.append((live[row], after, np.zeros(row.size), coefficients))
    source, after, base, coefficients = (np.concatenate(part) for part in zip(*parts, strict=True))
    return source, after, base, coefficients


def ph_ph_1(arrival: Sequence[Any], service: Sequence[Any], capacity: int) -> Graph:
    """The time for which a PH/PH/1/K queue that one customer has just entered stays busy.

    Args:
        arrival: (alpha, S) of the time between arrivals, as lists or arrays.
        service: (alpha, S) of the time of a service.
        capacity: customers beyond which arrivals are turned away (K), at least 1.

    theta: how much faster arrivals are than their matrix says; how much faster services are.
    States: `(customers, phase of the next arrival, phase of the service)`, phases from 0; (0, 0, 0)
    is absorbing.

    With Poisson arrivals of rate a and no bound on customers the mean is E[S] / (1 - a E[S]) and
    the second moment E[S²] / (1 - a E[S])³, S being the time of a service.

    Raises:
        GraphError: the matrices are not those of a phase-type distribution, or have mass at zero;
            capacity is no whole number of at least 1.

    Example:
        >>> exponential = ([1.0], [[-1.0]])
        >>> erlang = ([1.0, 0.0], [[-2.0, 2.0], [0.0, -2.0]])
        >>> graph = ph_ph_1(exponential, erlang, capacity=1)
        >>> round(graph.at([0.5, 1.0]).mean(), 12)
        1.0
    """
    capacity = whole_number("capacity", capacity, 1)
    laws = [_law("arrival", arrival), _law("service", service)]
    start = [
        ((1, int(i), int(j)), float(p * q), [0.0, 0.0])
        for i, p in enumerate(laws[0].alpha)
        for j, q in enumerate(laws[1].alpha)
        if p * q > 0
    ]
    phases = [_phases(law) for law in laws]
    return Graph(
        rule=partial(ph_rule, arrival=laws[0], service=laws[1], capacity=capacity),
        start=start,
        known_states=np.array([(0, 0, 0), *product(range(1, capacity + 1), *phases)]),
        parameter_names=["arrival", "service"],
        state_names=["customers", "arrival_phase", "service_phase"],
    )


def _phases(law: Law) -> list[int]:
    """Those that can be reached."""
    reached = law.alpha > 0
    for _ in range(reached.size):
        reached = reached | (reached @ law.rates > 0)
    return np.flatnonzero(reached).tolist()


def _law(name: str, pair: Sequence[Any]) -> Law:
    if not isinstance(pair, (list, tuple)) or len(pair) != 2:
        raise GraphError(
            f"{name} is {pair!r}, expected (alpha, S)",
            code="MODEL_ARGUMENT",
            hint=f"as in {name}=([1.0], [[-1.0]])",
        )
    # Building a graph checks them as everywhere else.
    graph = Graph.from_matrices(*pair)
    alpha, matrix = (np.array(part, dtype=np.float64) for part in pair)
    source, target, weight, _ = graph.edges()
    end = matrix.shape[0] + 1
    if ((source == 0) & (target == end)).any():
        raise GraphError(
            f"alpha of {name} sums to {float(alpha.sum())!r}, expected 1",
            code="MODEL_ARGUMENT",
            hint="times of 0 have no place in this model",
        )
    exits = np.zeros(matrix.shape[0])
    leaving = (source > 0) & (target == end)
    exits[source[leaving] - 1] = weight[leaving]
    rates = matrix.copy()
    np.fill_diagonal(rates, 0.0)
    return Law(alpha, rates, exits)
