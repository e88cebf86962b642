"""Birth-death processes: a number that goes up and down by one, until it is absorbed.

Karlin, S. & McGregor, J. (1957). The classification of birth and death processes. Transactions of
the American Mathematical Society 86, 366-400. With birth rates b_i and death rates d_i the mean
time from i to i + 1 is the sum, for j = 0, …, i, of (d_{j+1} … d_i) / (b_j … b_i).
Queues: Kleinrock, L. (1975). Queueing Systems, volume 1.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from phasic.errors import GraphError
from phasic.graph import Graph
from phasic.models._rule import States, Transitions, chain, whole_number


def queue_rule(states: States, *, capacity: int, servers: int, absorbing: int) -> Transitions:
    """Up at rate theta[0] below `capacity`, down at rate min(i, servers) theta[1]."""
    customers = states[:, 0]
    (up,) = np.nonzero((customers < capacity) & (customers != absorbing))
    (down,) = np.nonzero((customers > 0) & (customers != absorbing))
    coefficients = np.zeros((up.size + down.size, 2))
    coefficients[: up.size, 0] = 1.0
    coefficients[up.size :, 1] = np.minimum(customers[down], servers)
    return (
        np.concatenate([up, down]),
        np.concatenate([states[up] + 1, states[down] - 1]),
        np.zeros(up.size + down.size),
        coefficients,
    )


def overflow(capacity: int, *, servers: int = 1) -> Graph:
    """The time until a queue (M/M/c), empty at first, holds `capacity` customers.

    Args:
        capacity: customers at which the time ends, at least 1.
        servers: how many customers are served at once.

    theta: the arrival rate; the service rate of one server.
    States: `(customers,)`; `capacity` is absorbing.

    With one server, arrival rate a and service rate s the mean is the sum of
    (s / a)^(i - j) / a over 0 <= j <= i < capacity.

    Raises:
        GraphError: an argument is no whole number of at least 1.

    Example:
        >>> graph = overflow(3)
        >>> round(graph.at([1.0, 2.0]).mean(), 12)
        11.0
    """
    capacity = whole_number("capacity", capacity, 1)
    servers = whole_number("servers", servers, 1)
    rule = partial(queue_rule, capacity=capacity, servers=servers, absorbing=capacity)
    return Graph(
        rule=rule,
        start=[((0,), 1.0, [0.0, 0.0])],
        known_states=chain(0, capacity),
        parameter_names=["arrival", "service"],
        state_names=["customers"],
    )


def busy_period(capacity: int, *, servers: int = 1) -> Graph:
    """The time for which a queue (M/M/c/K) that one customer has just entered stays busy.

    Args:
        capacity: customers beyond which arrivals are turned away (K), at least 1.
        servers: how many customers are served at once (c).

    theta: the arrival rate; the service rate of one server.
    States: `(customers,)`; 0 is absorbing.

    With one server, arrival rate a and service rate s the mean is the sum of (a / s)^j / s for
    j = 0, …, capacity - 1.

    Raises:
        GraphError: an argument is no whole number of at least 1.

    Example:
        >>> graph = busy_period(8)
        >>> round(graph.at([2.0, 1.0]).mean(), 9)
        255.0
    """
    capacity = whole_number("capacity", capacity, 1)
    servers = whole_number("servers", servers, 1)
    rule = partial(queue_rule, capacity=capacity, servers=servers, absorbing=0)
    return Graph(
        rule=rule,
        start=[((1,), 1.0, [0.0, 0.0])],
        known_states=chain(0, capacity),
        parameter_names=["arrival", "service"],
        state_names=["customers"],
    )


def extinction_rule(states: States, *, capacity: int) -> Transitions:
    """Each of i individuals gives birth at rate theta[0] (below `capacity`), dies at theta[1]."""
    individuals = states[:, 0]
    (up,) = np.nonzero((individuals > 0) & (individuals < capacity))
    (down,) = np.nonzero(individuals > 0)
    coefficients = np.zeros((up.size + down.size, 2))
    coefficients[: up.size, 0] = individuals[up]
    coefficients[up.size :, 1] = individuals[down]
    return (
        np.concatenate([up, down]),
        np.concatenate([states[up] + 1, states[down] - 1]),
        np.zeros(up.size + down.size),
        coefficients,
    )


def extinction(initial: int, capacity: int) -> Graph:
    """The time until a population of independent individuals (a linear birth-death) dies out.

    Args:
        initial: individuals at first, at least 1.
        capacity: individuals beyond which there are no births, at least `initial`.

    theta: the birth rate and the death rate of one individual.
    States: `(individuals,)`; 0 is absorbing.

    With birth rate 0 the time is the longest of `initial` exponential lifetimes and has the mean
    (1 + 1/2 + … + 1/initial) / death rate. With birth rate b below death rate d and a capacity
    that is hardly reached, the mean from one individual is -log(1 - b/d) / b (Kendall, D. G. 1948.
    On the generalized birth-and-death process. Annals of Mathematical Statistics 19, 1-15).

    Raises:
        GraphError: an argument is no whole number of at least 1, or capacity is below initial.

    Example:
        >>> graph = extinction(initial=2, capacity=50)
        >>> round(graph.at([0.0, 1.0]).mean(), 12)
        1.5
    """
    initial = whole_number("initial", initial, 1)
    capacity = whole_number("capacity", capacity, 1)
    if capacity < initial:
        raise GraphError(
            f"capacity is {capacity}, below the {initial} individuals at the start",
            code="MODEL_ARGUMENT",
            hint="pass a capacity of at least initial",
        )
    rule = partial(extinction_rule, capacity=capacity)
    return Graph(
        rule=rule,
        start=[((initial,), 1.0, [0.0, 0.0])],
        known_states=chain(0, capacity),
        parameter_names=["birth", "death"],
        state_names=["individuals"],
    )
