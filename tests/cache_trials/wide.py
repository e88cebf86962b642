"""Traces of any size at little work: one step to one of many wide states, one more to the end."""

from __future__ import annotations

import numpy as np

from phasic import Graph
from phasic.models._rule import States, Transitions

THETA = [2.0, 5.0]
MEAN = 1 / 2.0 + 1 / 5.0  # of theta[0] out of the first state, theta[1] out of the next
MOST_STATES = 1 << 18
LEAST_WIDTH = 400


def graph(n_bytes: int) -> Graph:
    """A graph of which the trace has about `n_bytes`, most of it states of 400 numbers or more."""
    # A power of two, so that the weights 1 / many add up to 1 without rounding.
    many = min(1 << max(0, (n_bytes // (4 * LEAST_WIDTH)).bit_length() - 1), MOST_STATES)
    width = max(LEAST_WIDTH, n_bytes // (4 * many))

    def rule(states: States) -> Transitions:
        (first,) = np.nonzero(states[:, 0] == -1)
        (middle,) = np.nonzero(states[:, 0] > 0)
        source = np.concatenate([np.repeat(first, many), middle])
        to = np.zeros((source.size, width), np.int32)
        if first.size:
            to[:many, 0] = np.arange(1, many + 1)
        coefficients = np.zeros((source.size, 2))
        coefficients[: first.size * many, 0] = 1.0 / many
        coefficients[first.size * many :, 1] = 1.0
        return source, to, np.zeros(source.size), coefficients

    start = (-1, *[0] * (width - 1))
    return Graph(rule=rule, start=[(start, 1.0, [0.0, 0.0])], n_parameters=2)
