"""Single-state rules, written as users write them."""

from collections.abc import Callable
from typing import Any

import numpy as np

DEMES = 2


def start(n: int) -> list[int]:
    """The starting state: n lineages spread over the demes."""
    return [n // DEMES + (deme < n % DEMES) for deme in range(DEMES)]


def islands(state: Any) -> list[list[Any]]:
    """Structured coalescent with two demes: transitions `[next_state, 0.0, coefficients]`."""
    if state.sum() <= 1:
        return []
    transitions = []
    for here in range(DEMES):
        lineages = int(state[here])
        if lineages > 1:
            after = state.copy()
            after[here] -= 1
            coefficients = [0.0] * 4
            coefficients[here] = lineages * (lineages - 1) / 2
            transitions.append([after, 0.0, coefficients])
        if lineages > 0:
            after = state.copy()
            after[here] -= 1
            after[1 - here] += 1
            coefficients = [0.0] * 4
            coefficients[2 + here] = float(lineages)
            transitions.append([after, 0.0, coefficients])
    return transitions


def coalescent(state: Any) -> list[list[Any]]:
    """Kingman's coalescent by the number of lineages: transitions `[next_state, coefficients]`."""
    k = int(state[0])
    return [] if k <= 1 else [[np.array([k - 1]), [k * (k - 1) / 2]]]


def with_start(n: int) -> Callable[[Any], list[Any]]:
    """`islands`, answering the empty state with the start."""
    first = start(n)

    def callback(state: Any) -> list[Any]:
        return islands(state) if len(state) else [(np.array(first), 1.0)]

    return callback
