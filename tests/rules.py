"""Small models in the callback form, for tests of the library."""

from __future__ import annotations

import numpy as np

from phasic import Graph


def coalescent(state, nr_samples=5):
    """Kingman's coalescent by count; mean 2 (1 - 1/n) at theta = 1."""
    if state.size == 0:
        return [(np.array([nr_samples]), 0.0, [1.0])]
    n = state[0]
    if n == 1:
        return []
    return [(np.array([n - 1]), 0.0, [n * (n - 1) / 2])]


def queue(state, capacity=4):
    """A queue from 1 customer to none: arrivals at theta[0], services at theta[1]."""
    if state.size == 0:
        return [([1], 1.0, [])]
    (n,) = state
    if n == 0:
        return []
    transitions = [([n - 1], 0.0, [0.0, 1.0])]
    if n < capacity:
        transitions.append(([n + 1], 0.0, [1.0, 0.0]))
    return transitions


def coalescent_graph(n: int = 5) -> Graph:
    return Graph(callback=coalescent, parameterized=True, nr_samples=n)


def queue_graph(capacity: int = 4) -> Graph:
    return Graph(callback=queue, parameterized=True, capacity=capacity)
