"""Models whose densities are timed, besides those of models.py: a grid, a stiff chain, a ring.

Rates are coefficients of one parameter, so that phasic 0.32.1 has the same models.
"""

import numpy as np
from models import (
    Emitter,
    Floats,
    Ints,
    Model,
    Rule,
    Transitions,
    coalescent,
    islands,
    site_frequency,
)


def queue_grid(side: int) -> Model:
    """Two queues in a row with `side - 1` places each, until the second one overflows.

    Arrivals at 1 while there is room, service of the first at 1.5, of the second at 1.
    """

    def rule(states: Ints) -> Transitions:
        x, y = states.T
        alive = x >= 0
        out = Emitter(states, 1)
        out.emit(alive & (x < side - 1), {0: 1}, 0, 1.0)
        out.emit(x > 0, {0: -1, 1: 1}, 0, 1.5, absorbed=y == side - 1, absorbing_state=-1)
        out.emit(y > 0, {1: -1}, 0, 1.0)
        return out.transitions()

    return Model(f"queues {side}x{side}", rule, (0, 0), np.array([1.0]))


def stiff(n: int) -> Model:
    """A birth-death chain of `n` states with rates from 1e-6 to 1e6 at random, left at its top."""
    random = np.random.default_rng(1)
    up = 10 ** random.uniform(-6, 6, n)
    down = np.concatenate([[0.0], np.minimum(10 ** random.uniform(-6, 6, n - 1), up[1:])])
    return Model(f"stiff {n}", _ladder(up, down), (0,), np.array([1.0]))


def _ladder(up: Floats, down: Floats) -> Rule:
    n = len(up)

    def rule(states: Ints) -> Transitions:
        level = states[:, 0]
        inside = np.minimum(level, n - 1)
        out = Emitter(states, 1)
        out.emit(level < n, {0: 1}, 0, up[inside])
        out.emit((level > 0) & (level < n), {0: -1}, 0, down[inside])
        return out.transitions()

    return rule


def ring(n: int) -> Model:
    """A directed ring of `n` states at rate 1, left from the first at 0.01: oscillating density."""

    def rule(states: Ints) -> Transitions:
        place = states[:, 0]
        out = Emitter(states, 1)
        out.emit((place >= 0) & (place < n - 1), {0: 1}, 0, 1.0)
        out.emit(place == n - 1, {0: 1 - n}, 0, 1.0)
        out.emit(place == 0, {0: -1}, 0, 0.01)
        return out.transitions()

    return Model(f"ring {n}", rule, (0,), np.array([1.0]))


# CPU seconds that 100 times in the body may take (issue of densities), by model.
DENSITY_SECONDS = {
    "coalescent 67": 1e-3,
    "site frequency 20": 2e-3,
    "site frequency 30": 20e-3,
    "2 demes, 40 lineages": 17e-3,
    "queues 50x50": 200e-3,
    "stiff 60": 10e-3,
}


def selection() -> list[Model]:
    """The models of the table of densities."""
    return [
        coalescent(67),
        site_frequency(20),
        site_frequency(30),
        islands(2, 20),
        islands(2, 40),
        queue_grid(50),
        stiff(60),
        ring(20),
    ]
